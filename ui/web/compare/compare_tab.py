"""The tab Compare: its layout, and which handler hears what."""

from collections.abc import Callable
from typing import Any

import gradio as gr
from gradio.context import Context
from gradio.events import Dependency

from rag.tables.table import Table
from ui.tables import as_csv, as_markdown
from ui.web.chat.chat_settings import PLAIN
from ui.web.compare.comparing import COLUMNS, MOST_PAPERS, Comparing
from ui.web.events import ANSWERING, LIGHT, QUIET, sent
from ui.web.markup import events_script
from ui.web.site import Site

_FOCUS = "() => document.getElementById('aqa-compare-heading')?.focus({ preventScroll: true })"
_LEAD = (
    "Papers side by side. Every cell is a quote from the abstract, or says that the abstract does"
    " not state it."
)
_FORMS = (
    ("CSV", as_csv, "comparison.csv", "text/csv"),
    ("Markdown", as_markdown, "comparison.md", "text/markdown"),
)


def build(site: Site, elsewhere: tuple[Dependency, gr.Textbox] | None = None) -> gr.Radio:
    """The tab, inside the page that is being built; gives what chooses the quotes.

    `elsewhere` is an event of another tab that has papers compared, and the field with their ids,
    one a line.
    """
    tab = Context.block
    comparing = Comparing(site)
    made = gr.State(None)
    with gr.Column(elem_id="aqa-compare"):
        gr.HTML(f'<p class="aqa-compare-lead">{_LEAD}</p>', **PLAIN)
        inputs, mode, compare, stop = _form(site)
        shown = gr.HTML(
            "",
            elem_id="aqa-compare-shown",
            js_on_load=events_script("aqa_example"),
            apply_default_css=False,
        )
        with gr.Row(elem_id="aqa-compare-exports", visible=False) as exports:
            buttons = [gr.Button(f"Download {form[0]}", size="sm", scale=0) for form in _FORMS]
        text = gr.Textbox(visible=False)

    outputs = [shown, made, compare, stop, exports]
    question, papers, *_ = inputs
    named = [question, papers]

    running = [
        compare.click(comparing.compare, inputs, outputs, trigger_mode="once", **ANSWERING),
        question.submit(comparing.compare, inputs, outputs, trigger_mode="once", **ANSWERING),
        shown.aqa_example(_pressed, None, named, **LIGHT).then(
            comparing.compare, inputs, outputs, **ANSWERING
        ),
    ]
    if elsewhere:
        event, chosen = elsewhere
        begun = event.success(comparing.choose, chosen, named, **LIGHT)
        running.append(begun.then(comparing.compare, inputs, outputs, **ANSWERING))
    for event in running:
        event.then(None, js=_FOCUS, **QUIET)
    stop.click(comparing.stopped, None, outputs, cancels=running, **LIGHT)
    for button, (_, export, name, kind) in zip(buttons, _FORMS, strict=True):
        save = f'(text) => aqaSave("{name}", "{kind}", text)'
        button.click(_if_made(export), made, text, **LIGHT).then(None, text, js=save, **QUIET)
    # When the tab is opened: the index may have changed.
    opened = [tab.select] if isinstance(tab, gr.Tab) else None
    gr.on(opened, comparing.papers_now, made, [papers, shown], **LIGHT)
    return mode


def _if_made(export: Callable[[Table], str]) -> Callable[[Table | None], str]:
    return lambda made: export(made) if made else ""


def _pressed(event: gr.EventData) -> tuple[str, list[str]]:
    """An example that was pressed, in the place of what stood in the fields."""
    return str(sent(event).get("question", "")), []


def _form(site: Site) -> tuple[list[Any], gr.Radio, gr.Button, gr.Button]:
    """What is to be compared, and the buttons that begin and stop it."""
    with gr.Column(elem_id="aqa-compare-form"):
        with gr.Row(elem_classes="aqa-compare-row"):
            question = gr.Textbox(
                elem_id="aqa-compare-question",
                label="What to compare",
                placeholder="GUI agents, or: Compare OSWorld and WebArena",
                max_length=4_000,
                lines=1,
                max_lines=4,
            )
            compare = gr.Button("Compare", elem_id="aqa-compare-go", variant="primary", scale=0)
            stop = gr.Button("Stop", elem_id="aqa-compare-stop", visible=False, scale=0)
        papers, columns, limit = _choices()
        mode = gr.Radio(
            [("the chat model", "auto"), ("rules, at once", "extractive")],
            value="auto",
            label="Quotes are chosen by",
            elem_id="aqa-compare-mode",
            visible=site.assistant.chat_model is not None,
        )
    return [question, papers, columns, limit, mode], mode, compare, stop


def _choices() -> tuple[gr.Dropdown, gr.Dropdown, gr.Number]:
    """Which papers, which columns, and how many rows."""
    with gr.Row(elem_classes="aqa-compare-row"):
        papers = gr.Dropdown(
            [],
            elem_id="aqa-compare-papers",
            label=f"Or choose papers, up to {MOST_PAPERS}",
            multiselect=True,
            max_choices=MOST_PAPERS,
            value=[],
            scale=5,
        )
        columns = gr.Dropdown(
            list(COLUMNS),
            elem_id="aqa-compare-columns",
            label="Columns: choose some, or write your own",
            multiselect=True,
            max_choices=MOST_PAPERS,
            allow_custom_value=True,
            value=[],
            scale=5,
        )
        limit = gr.Number(
            8,
            label="Rows at most",
            elem_id="aqa-compare-limit",
            precision=0,
            minimum=1,
            maximum=MOST_PAPERS,
            scale=1,
        )
    return papers, columns, limit
