"""The tab Compare: its layout, and which handler hears what."""

from typing import Any

import gradio as gr
from gradio.context import Context

from ui.web.compare.making import (
    MOST_PAPERS,
    SUGGESTED,
    Comparing,
    exported_csv,
    exported_markdown,
)
from ui.web.events import ANSWERING, LIGHT, QUIET, sent
from ui.web.site import Site

_INTRODUCTION = (
    '<p class="aqa-compare-lead">Papers side by side. Every cell is a quote from the abstract, '
    "or says that the abstract does not state it.</p>"
)
_ON_CLICK = """
element.addEventListener("click", (event) => {
  const example = event.target.closest(".aqa-compare-example");
  if (example) trigger("click", { question: example.dataset.question });
});
"""
_FOCUS = "() => document.getElementById('aqa-compare-heading')?.focus({ preventScroll: true })"


def build(site: Site) -> gr.Radio:
    """The tab, inside the page that is being built; gives what chooses the quotes."""
    tab = Context.block
    comparing = Comparing(site)
    still: dict[str, Any] = {"js_on_load": None, "apply_default_css": False}
    made = gr.State(None)
    with gr.Column(elem_id="aqa-compare"):
        gr.HTML(_INTRODUCTION, **still)
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
                    list(SUGGESTED),
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
            mode = gr.Radio(
                [("the chat model", "auto"), ("rules, at once", "extractive")],
                value="auto",
                label="Quotes are chosen by",
                elem_id="aqa-compare-mode",
                visible=site.assistant.chat_model is not None,
            )
        shown = gr.HTML(
            "", elem_id="aqa-compare-shown", js_on_load=_ON_CLICK, apply_default_css=False
        )
        with gr.Row(elem_id="aqa-compare-exports", visible=False) as exports:
            csv = gr.Button("Download CSV", size="sm", scale=0)
            markdown = gr.Button("Download Markdown", size="sm", scale=0)
        text = gr.Textbox(visible=False)

    outputs = [shown, made, compare, stop, exports]
    inputs = [question, papers, columns, limit, mode]

    def pressed(event: gr.EventData) -> tuple[str, list[str]]:
        return str(sent(event).get("question", "")), []

    running = [
        compare.click(comparing.compare, inputs, outputs, trigger_mode="once", **ANSWERING),
        question.submit(comparing.compare, inputs, outputs, trigger_mode="once", **ANSWERING),
        shown.click(pressed, None, [question, papers], **LIGHT).then(
            comparing.compare, inputs, outputs, **ANSWERING
        ),
    ]
    for event in running:
        event.then(None, js=_FOCUS, **QUIET)
    stop.click(comparing.stopped, None, outputs, cancels=running, **LIGHT)
    for button, export, name, kind in (
        (csv, exported_csv, "comparison.csv", "text/csv"),
        (markdown, exported_markdown, "comparison.md", "text/markdown"),
    ):
        save = f'(text) => aqaSave("{name}", "{kind}", text)'
        button.click(export, made, text, **LIGHT).then(None, text, js=save, **QUIET)
    # When the tab is opened: the index may have changed.
    opened = [tab.select] if isinstance(tab, gr.Tab) else None
    gr.on(opened, comparing.papers_now, made, [papers, shown], **LIGHT)
    return mode
