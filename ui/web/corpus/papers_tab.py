"""The tab of the papers: its layout, and which handler hears what."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.events import Dependency

from ui.web.chat.chat_settings import PLAIN
from ui.web.corpus.paper_changes import SECONDS_KEPT, Changing
from ui.web.corpus.paper_map import HTML
from ui.web.corpus.papers_shown import Looking
from ui.web.events import LIGHT, QUIET
from ui.web.markup import events_script
from ui.web.site import Site


@dataclass(frozen=True)
class Handles:
    """What the page may use of this tab."""

    question: gr.Textbox
    """Hidden: what to ask of the paper of "ask about this paper"; empty if there is none."""
    asked: Dependency
    """That event: `asked.then(…, question, …)`."""
    changed: gr.State
    """The live generation's id after papers came or went: `changed.change(…)`."""


def build(site: Site) -> Handles:
    """Lay the tab out, inside the tab that is open, and wire it."""
    looking = Looking(site.assistant, may_change=site.may_change)
    question = gr.Textbox(visible="hidden", elem_id="aqa-corpus-question", show_label=False)
    changed, last = gr.State(""), gr.State("")
    notice = gr.HTML(str(HTML.notice()), elem_id="aqa-corpus-notice", **PLAIN)
    gr.HTML(str(HTML.toolbar()), elem_id="aqa-corpus-tools", **PLAIN)
    if not site.may_change:
        gr.HTML(str(HTML.read_only()), **PLAIN)
    adding = gr.Accordion(
        "Add papers", open=False, visible=site.may_change, elem_id="aqa-corpus-add"
    )
    with gr.Row(elem_id="aqa-corpus-main"):
        # The page's script sends what a visitor does, wherever, by the first of the two.
        sent = ("aqa_show", "aqa_ask", "aqa_remove", "aqa_undo")
        papers, overview = (
            gr.HTML(
                "<span></span>",
                elem_id=f"aqa-corpus-{name}",
                js_on_load=events_script(*events),
                apply_default_css=False,
            )
            for name, events in (("papers", sent), ("overview", ()))
        )
    shown = [papers, overview, notice, changed, last]
    if site.may_change:
        changing = Changing(site, looking)
        with adding:
            _build_adding(changing, shown)
        papers.aqa_remove(changing.remove, None, shown, **QUIET)
        papers.aqa_undo(changing.undo, last, shown, **QUIET)
    papers.aqa_show(looking.show, None, [papers, overview], trigger_mode="always_last", **LIGHT)
    asked = papers.aqa_ask(looking.question, None, question, **LIGHT)
    return Handles(question, asked, changed)


def _build_adding(changing: Changing, shown: list[Any]) -> None:
    """The form that takes files and text, shows what is in them, and adds it."""
    draft = gr.State((), time_to_live=SECONDS_KEPT)
    with gr.Row(elem_id="aqa-corpus-form"):
        with gr.Column(scale=1, min_width=280):
            files = gr.File(
                label="Files", file_count="multiple", elem_id="aqa-corpus-files", height=150
            )
            gr.HTML(str(HTML.told()), **PLAIN)
        with gr.Column(scale=1, min_width=280):
            text = gr.Textbox(
                label="Or paste a digest, a listing, or records",
                lines=4,
                max_lines=8,
                elem_id="aqa-corpus-text",
            )
            with gr.Row():
                name = gr.Textbox(
                    label="Name of the pasted text",
                    placeholder="pasted-<today>.txt",
                    max_length=100,
                )
                # No number field: one that is empty sends 0.
                year = gr.Textbox(
                    label="Year, if a date has none",
                    placeholder="that of other dates, or this year",
                    max_length=4,
                )
            read = gr.Button("Read the pasted text", size="sm", elem_id="aqa-corpus-read-text")
    preview = gr.HTML("", elem_id="aqa-corpus-preview", **PLAIN)
    with gr.Row(elem_id="aqa-corpus-decide"):
        add = gr.Button("Add", variant="primary", size="sm", visible=False, scale=0)
        cancel = gr.Button("Cancel", size="sm", visible=False, scale=0)
    found = [draft, preview, add, cancel]
    files.upload(changing.read_files, [files, year], [files, *found], **QUIET)
    read.click(changing.read_text, [text, name, year], found, **QUIET)
    year.change(changing.read_again, [draft, year], found, trigger_mode="always_last", **QUIET)
    cancel.click(changing.cancel, None, found, **LIGHT)
    telling: dict[str, Any] = {**QUIET, "show_progress": "full", "show_progress_on": preview}
    add.click(changing.add, [draft, year], [*found, *shown], **telling)
