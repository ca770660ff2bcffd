"""The tab of the papers: its layout, and which handler hears what."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.events import Dependency

from ui.export.files import LISTS
from ui.web.chat.chat_settings import PLAIN
from ui.web.corpus.paper_handlers import SECONDS_KEPT, Changing, Looking
from ui.web.corpus.paper_html import HTML
from ui.web.events import LIGHT, QUIET
from ui.web.markup import events_script
from ui.web.site import Site

_SENT = ("show", "ask", "compare", "export", "mark", "remove", "undo", "sample")
"""What the page's script sends, wherever a visitor does it."""


@dataclass(frozen=True)
class Handles:
    """What the page may use of this tab."""

    site: Site
    question: gr.Textbox
    """Hidden: what to ask of the papers that were chosen; empty where a visitor is to ask."""
    chosen: gr.Textbox
    """Hidden: the ids of those papers, one a line."""
    asked: tuple[Dependency, ...]
    """The events of asking about them: `each.success(…, [question, chosen], …)`."""
    compared: Dependency
    """The event of comparing them."""
    changed: gr.State
    """The live generation's id after papers came or went: `changed.change(…)`."""
    begins: tuple[Any, ...]
    """What shows that there are no papers yet: outputs for `begin`."""

    def begin(self) -> tuple[Any, ...]:
        """New values of `begins`, when the page is opened."""
        is_empty = not self.site.assistant.info.papers and self.site.may_change
        html = str(HTML.begin() if is_empty else HTML.notice())
        return html, gr.Accordion(open=is_empty)


def build(site: Site, start_page: Any) -> Handles:
    """Lay the tab out, inside the tab that is open, and wire it.

    `start_page` asks about papers, too.
    """
    looking = Looking(site)
    question, chosen = (
        gr.Textbox(visible="hidden", elem_id=f"aqa-corpus-{name}", show_label=False)
        for name in ("question", "chosen-ids")
    )
    changed, last = gr.State(""), gr.State("")
    notice = _html("notice", value=str(HTML.notice()))
    gr.HTML(str(HTML.toolbar(LISTS, site.may_change)), elem_id="aqa-corpus-tools", **PLAIN)
    if not site.may_change:
        gr.HTML(str(HTML.read_only()), **PLAIN)
    adding = gr.Accordion(
        "Add papers", open=False, visible=site.may_change, elem_id="aqa-corpus-add"
    )
    with gr.Row(elem_id="aqa-corpus-main"):
        papers = _html("papers", *(f"aqa_{name}" for name in _SENT), value="<span></span>")
        overview = _html("overview", value="<span></span>")
    download = _html("download", html_template="")
    shown = [papers, overview, notice, changed, last]
    if site.may_change:
        changing = Changing(site, looking)
        with adding:
            found, telling = _build_adding(changing, shown)
        papers.aqa_sample(changing.sample, None, [*found, *shown], **telling)
        papers.aqa_remove(changing.remove, None, shown, **QUIET)
        papers.aqa_undo(changing.undo, last, shown, **QUIET)
    papers.aqa_show(looking.show, None, [papers, overview], **LIGHT)
    papers.aqa_mark(looking.mark, None, [papers, notice], **LIGHT)
    papers.aqa_export(looking.export, None, [download, notice], **LIGHT)
    asked = tuple(
        each.aqa_ask(looking.ask, None, [question, chosen], **LIGHT)
        for each in (papers, start_page)
    )
    compared = papers.aqa_compare(looking.ask, None, [question, chosen], **LIGHT)
    return Handles(site, question, chosen, asked, compared, changed, (notice, adding))


def _html(name: str, *events: str, **more: Any) -> gr.HTML:
    """A part of the page that its script looks after."""
    script = events_script(*events)
    return gr.HTML(elem_id=f"aqa-corpus-{name}", js_on_load=script, apply_default_css=False, **more)


def _build_adding(changing: Changing, shown: list[Any]) -> tuple[list[Any], dict[str, Any]]:
    """The form that takes files and text, shows what is in them, and adds it.

    Returns:
        What shows what was read, and how an event is sent that tells its progress there.
    """
    files, text, name, year, read = _build_form()
    draft = gr.State((), time_to_live=SECONDS_KEPT)
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
    return found, telling


def _build_form() -> tuple[gr.File, gr.Textbox, gr.Textbox, gr.Textbox, gr.Button]:
    """Where files are dropped; where text is pasted and named; the year; what reads the text."""
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
    return files, text, name, year, read
