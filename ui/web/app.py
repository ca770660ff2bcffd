"""The web page: its tabs, and what one of them asks of another."""

from typing import Any

import gradio as gr

from ui.web import compare_tab as compare
from ui.web import lab_tab as lab
from ui.web.api import add_endpoints
from ui.web.chat import chat_tab as chat
from ui.web.chat.chat_settings import PLAIN
from ui.web.corpus import papers_tab as corpus
from ui.web.corpus.start_page import heading
from ui.web.site import AT_ONCE, LIGHT, QUIET, WAITING, Site

_TO_CHAT = "() => { aqaGo(''); document.querySelector('#aqa-question textarea')?.focus(); }"
SECONDS_UPLOADS_ARE_KEPT = 3_600
"""Files that were uploaded and never read; those that are read go at once."""


def build(site: Site) -> gr.Blocks:
    """The page, not yet served."""
    page = gr.Blocks(
        title="AbstractQA",
        fill_width=True,
        analytics_enabled=False,
        delete_cache=(SECONDS_UPLOADS_ARE_KEPT, SECONDS_UPLOADS_ARE_KEPT),
    )
    with page:
        add_endpoints(site)  # first, or a handler of a tab takes the name of one
        title = gr.HTML(heading(site.assistant), elem_id="aqa-heading", **PLAIN)
        with gr.Tabs(elem_id="aqa-tabs", selected="chat") as tabs:
            with gr.Tab("Chat", id="chat", elem_id="aqa-chat-tab"):
                asking = chat.build(site)
            with gr.Tab("Papers", id="corpus", elem_id="aqa-corpus-tab"):
                papers = corpus.build(site)
            with gr.Tab("Compare", id="compare", elem_id="aqa-compare-tab"):
                compare.build(site, papers, tabs)
            with gr.Tab("Lab", id="lab", elem_id="aqa-lab-tab"):
                lab.build(site)

        for each in (papers.papers, asking.start_page):
            there = [asking.papers, asking.asked, tabs]
            asked = each.aqa_ask(papers.looking.ask, None, there, **LIGHT)
            asked.success(None, js=_TO_CHAT, **QUIET)

        def refresh() -> tuple[Any, ...]:
            return (heading(site.assistant), *asking.refresh())

        def opened() -> tuple[Any, ...]:
            """Begin where papers are added if there are none."""
            is_empty = not site.assistant.info.papers
            return gr.Tabs(selected="corpus") if is_empty else gr.skip(), *papers.begin()

        page.load(opened, None, [tabs, *papers.begins], **LIGHT)
        # The index may also have grown since the server started.
        gr.on([papers.changed.change, page.load], refresh, None, [title, *asking.corpus], **LIGHT)
    # Without `api_open` whoever posts to /run does not get past the queue.
    page.queue(default_concurrency_limit=AT_ONCE, max_size=WAITING, api_open=False)
    return page
