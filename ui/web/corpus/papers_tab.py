"""The tab of the papers: its layout, and which handler hears what."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from ui.export import LISTS
from ui.web.chat.chat_settings import PLAIN
from ui.web.corpus.paper_handlers import SECONDS_KEPT, Changing, Looking
from ui.web.corpus.paper_html import HTML
from ui.web.site import LIGHT, QUIET, Site, scripted

_SENT = ("show", "ask", "compare", "export", "mark", "remove", "undo", "sample")
"""What the page's script sends, wherever a visitor does it."""


@dataclass(frozen=True)
class Handles:
    """What the page may use of this tab."""

    site: Site
    papers: gr.HTML
    """What shows them; it has the events `aqa_ask` and `aqa_compare`."""
    looking: Looking
    """What answers those."""
    changed: gr.State
    """The live generation's id after papers came or went: `changed.change(…)`."""
    begins: tuple[Any, ...]
    """What shows that there are no papers yet: outputs for `begin`."""

    def begin(self) -> tuple[Any, ...]:
        """New values of `begins`, when the page is opened."""
        is_empty = not self.site.assistant.info.papers and self.site.may_change
        html = str(HTML.begin() if is_empty else HTML.notice())
        return html, gr.Accordion(open=is_empty)


def build(site: Site) -> Handles:
    """Lay the tab out, inside the tab that is open, and wire it."""
    looking = Looking(site)
    changed, last = gr.State(""), gr.State("")
    notice = scripted("aqa-corpus-notice", value=str(HTML.notice()))
    gr.HTML(str(HTML.toolbar(LISTS, site.may_change)), elem_id="aqa-corpus-tools", **PLAIN)
    if not site.may_change:
        gr.HTML(str(HTML.read_only()), **PLAIN)
    adding = gr.Accordion(
        "Add papers", open=False, visible=site.may_change, elem_id="aqa-corpus-add"
    )
    with gr.Row(elem_id="aqa-corpus-main"):
        papers = scripted(
            "aqa-corpus-papers", *(f"aqa_{name}" for name in _SENT), value="<span></span>"
        )
        overview = scripted("aqa-corpus-overview", value="<span></span>")
    download = scripted("aqa-corpus-download", html_template="")
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
    return Handles(site, papers, looking, changed, (notice, adding))


def _build_adding(changing: Changing, shown: list[Any]) -> tuple[list[Any], dict[str, Any]]:
    """The form that takes files and text, shows what is in them, and adds it.

    Returns:
        What shows what was read, and how an event is sent that tells its progress there.
    """
    files, text, year, read = _build_form()
    draft = gr.State((), time_to_live=SECONDS_KEPT)
    preview = gr.HTML("", elem_id="aqa-corpus-preview", **PLAIN)
    with gr.Row(elem_id="aqa-corpus-decide"):
        add = gr.Button("Add", variant="primary", size="sm", visible=False, scale=0)
        cancel = gr.Button("Cancel", size="sm", visible=False, scale=0)
    found = [draft, preview, add, cancel]
    files.upload(changing.read_files, [files, year], [files, *found], **QUIET)
    read.click(changing.read_text, [text, year], found, **QUIET)
    year.change(changing.read_again, [draft, year], found, trigger_mode="always_last", **QUIET)
    cancel.click(changing.cancel, None, found, **LIGHT)
    telling: dict[str, Any] = {**QUIET, "show_progress": "full", "show_progress_on": preview}
    add.click(changing.add, [draft, year], [*found, *shown], **telling)
    return found, telling


def _build_form() -> tuple[gr.File, gr.Textbox, gr.Textbox, gr.Button]:
    """Where files are dropped; where text is pasted; the year; what reads the text."""
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
            # No number field: one that is empty sends 0.
            year = gr.Textbox(
                label="Year, if a date has none",
                placeholder="that of other dates, or this year",
                max_length=4,
            )
            read = gr.Button("Read the pasted text", size="sm", elem_id="aqa-corpus-read-text")
    return files, text, year, read
