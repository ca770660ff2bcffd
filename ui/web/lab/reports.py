"""The runs' part of the lab: a table of them, the report of one, or of one against another."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from eval.compare import compare_runs, comparison_text
from eval.runs import REPORT, load_run
from eval.statistics import Interval
from eval.tables import decimal, interval
from index.errors import AbstractQAError, InputError
from ui.web.events import QUIET
from ui.web.lab.measured import MeasuredRun, find_run, measured_runs
from ui.web.render import escape
from ui.web.site import Site

COLUMNS = {
    "answers": ("right", "nugget_recall", "citation_precision", "abstained_rightly"),
    "retrieval": ("hit@1", "nDCG@10", "R@10", "MRR"),
}
"""The figures in the table of each kind of run."""

NO_RUN = ""
"""The choice of a report that compares with nothing."""

_NONE = (
    "<p>There are no runs yet. A run asks a file of questions and measures every answer. Make"
    ' questions from your own papers, and have them answered:</p><pre tabindex="0"><code>'
    "abstractqa eval synthesize --n 50 --out runs/questions\n"
    "abstractqa eval answers runs/questions/questions.jsonl --store runs/questions/store"
    " --out runs/first</code></pre><p>Then press “Read the runs again”.</p>"
)
_FOCUS = "() => document.getElementById('aqa-lab-report-title')?.focus()"

_log = logging.getLogger(__name__)


class Reports:
    """The handlers over one folder of runs."""

    def __init__(self, site: Site) -> None:
        self.root = site.runs

    def read(self, run: str | None, against: str | None) -> tuple[Any, ...]:
        """Everything that depends on which runs there are; what was chosen stays if it can."""
        runs = measured_runs(self.root)
        finished = [each for each in runs if each.state == "finished"]
        names = [each.name for each in finished]
        choices = [(f"{each.name} · {each.system} · {each.when}", each.name) for each in finished]
        shown = run if run in names else next(iter(names), None)
        return (
            runs_html(runs),
            gr.Row(visible=bool(finished)),
            gr.Dropdown(choices=choices, value=shown),
            gr.Dropdown(
                choices=[("no other run", NO_RUN), *choices],
                value=against if against in names else NO_RUN,
            ),
        )

    def show(self, run: str | None, against: str | None) -> str:
        """The report of a run, or of a run against another; a problem is told in its place."""
        try:
            return report_html(self.root, run or "", against or NO_RUN)
        except AbstractQAError as error:
            return _problem(str(error))
        except (LookupError, TypeError, ValueError, AttributeError, OSError):
            _log.exception("a report could not be shown")
            return _problem("a file of these runs is not as this version writes it")


def report_html(root: Path, name: str, against: str = NO_RUN) -> str:
    """The report of the run `name`, the one that `abstractqa eval` writes, in a frame of its own.

    The frame runs no script, whoever wrote the report.

    Args:
        root: The folder of all runs.
        name: A finished run.
        against: An earlier run to compare with, if any.

    Raises:
        InputError: there is no such run, it has no report, or the two cannot be compared.
    """
    run = find_run(root, name)
    if against == name:
        raise InputError("choose two different runs")
    title = f"{against} → {name}" if against else name
    if against:
        compared = compare_runs(load_run(find_run(root, against).folder), load_run(run.folder))
        shown = escape(comparison_text(compared))
        report = f'<pre class="aqa-lab-report" tabindex="0">{shown}</pre>'
    else:
        path = run.folder / REPORT
        if not path.exists():
            raise InputError(f"the run {name!r} has no {REPORT}")
        source = escape(path.read_text(encoding="utf-8"))
        report = (
            f'<iframe class="aqa-lab-report" title="Report of {escape(title)}" sandbox'
            f' tabindex="0" srcdoc="{source}"></iframe>'
        )
    return f'<h2 id="aqa-lab-report-title" tabindex="-1">{escape(title)}</h2>{report}'


def runs_html(runs: Sequence[MeasuredRun]) -> str:
    """Every run, in this order, in a table for its kind; how to make one, if there is none."""
    if not runs:
        return _NONE
    tables = "".join(
        _table(kind, [each for each in runs if each.state == "finished" and each.kind == kind])
        for kind in COLUMNS
    )
    others = "".join(
        f"<li><strong>{escape(each.name)}</strong> <span>{each.state}</span> "
        f"{escape(each.problem)}</li>"
        for each in runs
        if each.state != "finished"
    )
    listed = f'<h2>Not in the tables</h2><ul class="aqa-lab-others">{others}</ul>' if others else ""
    return tables + listed


def _table(kind: str, runs: Sequence[MeasuredRun]) -> str:
    if not runs:
        return ""
    labels = ("Run", "Started", "System", "Questions", *COLUMNS[kind])
    heads = "".join(f'<th scope="col">{escape(label.replace("_", " "))}</th>' for label in labels)
    rows = "".join(
        f'<tr><th scope="row">{escape(run.name)}</th><td>{run.when}</td>'
        f"<td>{escape(run.system)} <small>on {escape(run.dataset)}</small></td>"
        f"<td>{run.questions:,}</td>"
        f"{''.join(_figure(run.figures.get(name)) for name in COLUMNS[kind])}</tr>"
        for run in runs
    )
    return (
        f'<div class="aqa-lab-scroll" role="region" aria-label="Runs of {kind}" tabindex="0">'
        f'<table class="aqa-lab-runs"><caption>{kind.capitalize()}: {len(runs):,}'
        f" run{'s' * (len(runs) != 1)}; times in UTC, figures with their 95 % intervals</caption>"
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _figure(figure: Interval | None) -> str:
    if figure is None:
        return "<td>–</td>"
    return f"<td><b>{decimal(figure.mean)}</b> <small>{interval(figure, 2)}</small></td>"


def _problem(message: str) -> str:
    shown = escape(message[:1].upper() + message[1:])
    return f'<p class="aqa-lab-problem" role="alert">{shown}.</p>'


def build(site: Site, opened: list[Any] | None) -> None:
    """The part, inside the tab that is being built; `opened` are the events that show it."""
    reports = Reports(site)
    plain: dict[str, Any] = {"js_on_load": None, "apply_default_css": False}
    with gr.Column(elem_id="aqa-lab-runs"):
        gr.HTML(
            '<p class="aqa-lab-lead">How good the answers are, measured on files of questions by'
            " <code>abstractqa eval</code>.</p>",
            **plain,
        )
        runs = gr.HTML('<p role="status">Reading the runs …</p>', **plain)
        again = gr.Button("Read the runs again", elem_id="aqa-lab-again", size="sm")
        with gr.Row(visible=False, elem_id="aqa-lab-choice") as choice:
            run = gr.Dropdown(label="Report of", scale=3)
            against = gr.Dropdown(label="Compared with", scale=3)
            show = gr.Button("Show", elem_id="aqa-lab-show", scale=0)
        report = gr.HTML("", **plain)
    outputs = [runs, choice, run, against]
    gr.on(opened, reports.read, [run, against], outputs, **QUIET)
    again.click(reports.read, [run, against], outputs, **QUIET)
    show.click(reports.show, [run, against], report, trigger_mode="once", **QUIET).then(
        None, js=_FOCUS, **QUIET
    )
