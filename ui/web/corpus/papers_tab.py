"""The Papers tab: its layout, and which handler runs on which event."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from ui.export import LISTS
from ui.web.corpus.paper_handlers import SECONDS_KEPT, Changing, Looking
from ui.web.corpus.paper_html import HTML
from ui.web.site import LIGHT, QUIET, Site, html, scripted


@dataclass(frozen=True)
class Handles:
    """The parts of this tab that the rest of the page uses."""

    papers: gr.HTML
    """The component that shows papers; it has the events `aqa_ask` and `aqa_compare`."""
    looking: Looking
    """The handlers of those events."""
    changed: gr.State
    """The live generation's id, set after the index has changed: use `changed.change(…)`."""


def build(site: Site, page: gr.Blocks, tabs: gr.Tabs) -> Handles:
    """Lay out the tab inside the open `gr.Tab`, and connect its handlers."""
    looking = Looking(site)
    changed, last = gr.State(""), gr.State("")
    notice = scripted("aqa-corpus-notice", value=str(HTML.notice()))
    html(HTML.toolbar(LISTS, site.may_change), elem_id="aqa-corpus-tools")
    if not site.may_change:
        html(HTML.read_only())
    adding = gr.Accordion(
        "Add papers", open=False, visible=site.may_change, elem_id="aqa-corpus-add"
    )
    with gr.Row(elem_id="aqa-corpus-main"):
        named = "show ask compare export mark remove undo sample".split()
        events = [f"aqa_{name}" for name in named]
        papers = scripted("aqa-corpus-papers", *events, value="<span></span>")
        overview = scripted("aqa-corpus-overview", value="<span></span>")
    download = scripted("aqa-corpus-download", html_template="")
    shown = [papers, overview, notice, changed, last]
    if site.may_change:
        changing = Changing(site, looking)
        with adding:
            found, with_progress = _build_adding(changing, shown)
        papers.aqa_sample(changing.sample, None, [*found, *shown], **with_progress)
        papers.aqa_remove(changing.remove, None, shown, **QUIET)
        papers.aqa_undo(changing.undo, last, shown, **QUIET)
    papers.aqa_show(looking.show, None, [papers, overview], **LIGHT)
    papers.aqa_mark(looking.mark, None, [papers, notice], **LIGHT)
    papers.aqa_export(looking.export, None, [download, notice], **LIGHT)

    def begin() -> tuple[Any, ...]:
        """Open this tab first if there are no papers."""
        is_empty = not site.assistant.info.papers
        may_add = is_empty and site.may_change
        opened = gr.Tabs(selected="corpus") if is_empty else gr.skip()
        return opened, str(HTML.begin() if may_add else HTML.notice()), gr.Accordion(open=may_add)

    page.load(begin, None, [tabs, notice, adding], **LIGHT)
    return Handles(papers, looking, changed)


def _build_adding(changing: Changing, shown: list[Any]) -> tuple[list[Any], dict[str, Any]]:
    """Build the form to add papers; return the parts of its preview, and settings of events."""
    with gr.Row(elem_id="aqa-corpus-form"):
        with gr.Column(scale=1, min_width=280):
            files = gr.File(
                label="Files", file_count="multiple", elem_id="aqa-corpus-files", height=150
            )
            html(HTML.told())
        with gr.Column(scale=1, min_width=280):
            text = gr.Textbox(
                label="Or paste a digest, a listing, or records",
                lines=4,
                max_lines=8,
                elem_id="aqa-corpus-text",
            )
            # Not a number field: an empty one sends 0.
            year = gr.Textbox(
                label="Year, if a date has none",
                placeholder="from other dates, or this year",
                max_length=4,
            )
            read = gr.Button("Read the pasted text", size="sm", elem_id="aqa-corpus-read-text")
    draft = gr.State((), time_to_live=SECONDS_KEPT)
    preview = html(elem_id="aqa-corpus-preview")
    with gr.Row(elem_id="aqa-corpus-decide"):
        add = gr.Button("Add", variant="primary", size="sm", visible=False, scale=0)
        cancel = gr.Button("Cancel", size="sm", visible=False, scale=0)
    found = [draft, preview, add, cancel]
    files.upload(changing.read_files, [files, year], [files, *found], **QUIET)
    read.click(changing.read_text, [text, year], found, **QUIET)
    year.change(changing.read_again, [draft, year], found, trigger_mode="always_last", **QUIET)
    cancel.click(changing.cancel, None, found, **LIGHT)
    with_progress: dict[str, Any] = {**QUIET, "show_progress": "full", "show_progress_on": preview}
    add.click(changing.add, [draft, year], [*found, *shown], **with_progress)
    return found, with_progress
