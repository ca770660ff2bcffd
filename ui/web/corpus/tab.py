"""The tab of the papers: its layout, and which handler hears what."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.events import Dependency

from ui.web.corpus.changing import Changing, notice_html
from ui.web.corpus.looking import Looking
from ui.web.events import LIGHT, QUIET
from ui.web.site import Site

_OWN_STYLE: dict[str, Any] = {"apply_default_css": False}
PLAIN: dict[str, Any] = {"js_on_load": None, **_OWN_STYLE}

# The page's script sends what a visitor does to this component, which sends it to the changing.
_BUS = """
for (const name of ["show", "peek", "ask", "remove", "undo"]) {
  element.addEventListener(`aqa-corpus-${name}`, (event) => trigger(name, event.detail));
}
element.dispatchEvent(new Event("aqa-corpus-ready", { bubbles: true }));
"""
_DRAWN = """
const drawn = () => element.dispatchEvent(new Event("aqa-corpus-drawn", { bubbles: true }));
watch("value", drawn);
drawn();
"""
_PEEKED = """
watch("value", () => element.dispatchEvent(new Event("aqa-corpus-peeked", { bubbles: true })));
"""

_TOOLBAR = """
<div class="aqa-corpus-toolbar" role="search" aria-label="Papers">
  <input type="search" id="aqa-corpus-words" aria-label="Words in titles and abstracts"
    placeholder="Search titles and abstracts" autocomplete="off" maxlength="200">
  <label>New since <input type="date" id="aqa-corpus-since"></label>
  <button type="button" class="aqa-corpus-button" data-aqa-change aria-pressed="false"
    title="Papers that came with the last change of the index">Last change</button>
</div>
<div class="aqa-corpus-chosen" id="aqa-corpus-chosen" role="region" aria-label="Chosen papers"
  hidden>
  <span role="status"></span>
  <button type="button" class="aqa-corpus-button aqa-corpus-danger" data-aqa-confirm>
    Remove …</button>
  <button type="button" class="aqa-corpus-button" data-aqa-none>Clear</button>
</div>
"""
_READ_ONLY = (
    '<p class="aqa-corpus-none">Papers can be read here, not changed: this page is shared on a'
    " network without a login. Add them where it runs, by <code>abstractqa index</code>.</p>"
)

_TOLD = (
    '<p class="aqa-corpus-none">Digests, mails, pages, and exports of any reference manager:'
    " what a file is, is told by its content; archives, too; at most 50 files and 40 MB"
    " together, 20 MB each. What is recognised is shown first; nothing is written before you say"
    " so.</p>"
)


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
    bus = gr.HTML(
        "<span></span>",
        elem_id="aqa-corpus-bus",
        visible="hidden",
        js_on_load=_BUS,
        **_OWN_STYLE,
    )
    question = gr.Textbox(visible="hidden", elem_id="aqa-corpus-question", show_label=False)
    changed = gr.State("")
    peeked = gr.HTML(
        "", elem_id="aqa-corpus-peeked", visible="hidden", js_on_load=_PEEKED, **_OWN_STYLE
    )
    notice = gr.HTML(notice_html(), elem_id="aqa-corpus-notice", **PLAIN)
    gr.HTML(_TOOLBAR, elem_id="aqa-corpus-tools", **PLAIN)
    if not site.may_change:
        gr.HTML(_READ_ONLY, **PLAIN)
    adding = gr.Accordion(
        "Add papers", open=False, visible=site.may_change, elem_id="aqa-corpus-add"
    )
    with gr.Row(elem_id="aqa-corpus-main"):
        drawn: dict[str, Any] = {"js_on_load": _DRAWN, **_OWN_STYLE}
        papers = gr.HTML("", elem_id="aqa-corpus-papers", **drawn)
        overview = gr.HTML("", elem_id="aqa-corpus-overview", **drawn)

    shown = [papers, overview, notice, changed]
    if site.may_change:
        changing = Changing(site, looking)
        with adding:
            _build_adding(changing, shown)
        bus.remove(changing.remove, None, shown, **QUIET)
        bus.undo(changing.undo, None, shown, **QUIET)
    bus.show(looking.show, None, [papers, overview], trigger_mode="always_last", **LIGHT)
    bus.peek(looking.peek, None, peeked, trigger_mode="always_last", **LIGHT)
    asked = bus.ask(looking.question, None, question, **LIGHT)
    return Handles(question, asked, changed)


def _build_adding(changing: Changing, shown: list[Any]) -> None:
    """The form that takes files and text, shows what is in them, and adds it."""
    draft = gr.State("")
    with gr.Row(elem_id="aqa-corpus-form"):
        with gr.Column(scale=1, min_width=280):
            files = gr.File(
                label="Files", file_count="multiple", elem_id="aqa-corpus-files", height=150
            )
            gr.HTML(_TOLD, **PLAIN)
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
    cancel.click(changing.cancel, draft, found, **LIGHT)
    add.click(changing.add, [draft, year], [*found, *shown], **QUIET)
