"""The evaluation tab: its layout, and which event goes where."""

from typing import Any

import gradio as gr
from gradio.context import Context

from ui.web.evaluation.events import Evaluation, note_html
from ui.web.events import QUIET, sent
from ui.web.site import Site

_ON_CLICK = """element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-run], [data-question]");
  if (button) trigger("click", { ...button.dataset });
});"""
_FOCUS_RUN = "() => document.getElementById('aqa-evaluation-run')?.focus()"
# Beside the list it can be seen; below it, it would have to be scrolled to.
_FOCUS_ASKED = """() => {
  if (matchMedia("(max-width: 899px)").matches) {
    document.getElementById("aqa-evaluation-asked")?.focus();
  }
}"""
_INTRODUCTION = (
    '<p class="aqa-evaluation-lead">How good the answers are, measured on files of questions by '
    "<code>abstractqa eval</code>.</p>"
)


def build(site: Site) -> None:
    """The tab, inside the page that is being built."""
    tab = Context.block
    evaluation = Evaluation(site)
    plain: dict[str, Any] = {"apply_default_css": False}
    still: dict[str, Any] = {"js_on_load": None, **plain}
    pair = gr.State(None)
    with gr.Column(elem_id="aqa-evaluation"):
        gr.HTML(_INTRODUCTION, **still)
        with gr.Row(elem_id="aqa-evaluation-top"):
            gr.HTML("<h2>Runs</h2>", **still)
            again = gr.Button("Read the runs again", elem_id="aqa-evaluation-again", size="sm")
        runs = gr.HTML(
            note_html("Reading the runs …"),
            elem_id="aqa-evaluation-runs",
            js_on_load=_ON_CLICK,
            **plain,
        )
        details = gr.HTML("", elem_id="aqa-evaluation-details", **still)
        with gr.Column(visible=False, elem_classes="aqa-evaluation-part") as more:
            gr.HTML("<h2>Over time</h2>", **still)
            with gr.Row(elem_classes="aqa-evaluation-narrow"):
                data = gr.Dropdown(label="Questions", scale=3)
                figure = gr.Dropdown(label="Figure", scale=2)
            plot = gr.HTML("", elem_id="aqa-evaluation-time", **still)
            gr.HTML("<h2>One run against another</h2>", **still)
            with gr.Row(elem_id="aqa-evaluation-choice"):
                before = gr.Dropdown(label="Before", scale=3)
                after = gr.Dropdown(label="After", scale=3)
                compare = gr.Button("Compare", elem_id="aqa-evaluation-compare", scale=0)
            compared = gr.HTML("", elem_id="aqa-evaluation-compared", **still)
            with gr.Column(visible=False, elem_classes="aqa-evaluation-part") as single:
                gr.HTML("<h2>Question by question</h2>", **still)
                with gr.Row():
                    metric = gr.Dropdown(label="By", scale=1)
                    which = gr.Radio(label="Those that got", scale=2)
                with gr.Row(elem_id="aqa-evaluation-single"):
                    questions = gr.HTML(
                        "", elem_id="aqa-evaluation-list", js_on_load=_ON_CLICK, **plain
                    )
                    question = gr.HTML("", elem_id="aqa-evaluation-question", **still)

    chosen = [data, figure, before, after]
    shown = [runs, more, data, figure, plot, before, after]
    # Only for those who open the tab: drawing takes a moment.
    opened = [tab.select] if isinstance(tab, gr.Tab) else None
    gr.on(opened, evaluation.read, chosen, shown, **QUIET)
    again.click(evaluation.read, chosen, shown, **QUIET)

    def open_run(event: gr.EventData) -> str:
        return evaluation.details(sent(event).get("run"))

    def open_question(of: tuple[str, str] | None, event: gr.EventData) -> str:
        return evaluation.question(of, sent(event).get("question"))

    # Who chooses again before the answer is there wants what was chosen last.
    choosing: dict[str, Any] = {"trigger_mode": "always_last", **QUIET}
    runs.click(open_run, None, details, **choosing).then(None, js=_FOCUS_RUN, **QUIET)
    data.input(evaluation.of_data, [data, figure], [figure, plot], **choosing)
    figure.input(evaluation.plot, [data, figure], plot, **choosing)
    compare.click(
        evaluation.compare,
        [before, after],
        [compared, pair, single, metric, which, questions, question],
        trigger_mode="once",
        **QUIET,
    )
    metric.input(evaluation.by, [pair, metric, which], [which, questions], **choosing)
    which.input(evaluation.listed, [pair, metric, which], questions, **choosing)
    questions.click(open_question, pair, question, **choosing).then(None, js=_FOCUS_ASKED, **QUIET)
