"""The lab: the arena, and the measured runs: a table, the report of one or of one against another.

Reports are those of `abstractqa eval`.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import gradio as gr
from gradio.context import Context

from eval.changes import compare_runs, comparison_text
from eval.figures import as_interval
from eval.markdown import decimal, interval
from eval.runs import ANSWERS, METRICS, PRIMARY, QUESTIONS, RECORD, REPORT, load_run, read_json
from eval.statistics import Interval
from index.errors import AbstractQAError, InputError
from ui.web.events import QUIET
from ui.web.lab import arena
from ui.web.markup import macros
from ui.web.site import Site

HTML = macros("web/lab/lab.html")
COLUMNS = {
    "answers": ("right", "nugget_recall", "citation_precision", "abstained_rightly"),
    "retrieval": ("hit@1", "nDCG@10", "R@10", "MRR"),
}
"""The figures in the table of each kind of run."""
NO_RUN = ""
"""The choice of a report that compares with nothing."""
HOW_TO_BEGIN = "\n".join(
    [
        "abstractqa eval synthesize --n 50 --out runs/questions",
        "abstractqa eval answers runs/questions/questions.jsonl --store runs/questions/store"
        " --out runs/first",
    ]
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MeasuredRun:
    """One run, by what its record and its metrics say of it."""

    name: str
    """Its path within the folder of all runs."""
    folder: Path
    state: Literal["finished", "unfinished", "damaged", "of another kind"]
    problem: str = ""
    """Why it is not shown as a finished run, in one line."""
    kind: str = ""
    system: str = ""
    dataset: str = ""
    questions: int = 0
    started: datetime | None = None
    figures: Mapping[str, Interval] = field(default_factory=dict)

    @property
    def when(self) -> str:
        """When it began, in UTC."""
        return f"{self.started:%Y-%m-%d %H:%M}" if self.started else "–"


def measured_runs(root: Path) -> list[MeasuredRun]:
    """Every run below `root`, the newest first; those without a date last."""
    found = [_read(folder, folder.relative_to(root).as_posix()) for folder in _folders(root)]
    oldest = datetime.min.replace(tzinfo=UTC)
    return sorted(found, key=lambda run: (run.started or oldest, run.name), reverse=True)


def find_run(root: Path, name: str) -> MeasuredRun:
    """The finished run of this name, which may come from a page: it never becomes a path.

    Raises:
        InputError: there is no such run.
    """
    for run in measured_runs(root):
        if run.name == name and run.state == "finished":
            return run
    raise InputError(f"there is no finished run {name!r}; read the runs again")


def _folders(root: Path, deepest: int = 4) -> Iterator[Path]:
    """The folders below `root` that hold a record; what is in a run is no run."""
    for here, folders, files in os.walk(root):
        depth = len(Path(here).relative_to(root).parts)
        if RECORD in files and depth:
            folders.clear()
            yield Path(here)
        elif depth >= deepest:
            folders.clear()


def _read(folder: Path, name: str) -> MeasuredRun:
    """What the files of a run say; whatever is wrong with them becomes its problem."""
    try:
        record: Any = read_json(folder / RECORD)
        if record.get("kind") not in PRIMARY:
            problem = f"holds {record.get('kind')!r}, which has no place in this table"
            return MeasuredRun(name, folder, "of another kind", problem)
        data, started = record["dataset"], record.get("started")
        known: dict[str, Any] = {
            "kind": record["kind"],
            "system": str(record["system"]),
            "dataset": str(data["name"]),
            "questions": int(data.get("questions", data.get("queries", 0))),
            "started": datetime.fromisoformat(str(started)).astimezone(UTC) if started else None,
        }
        if not (folder / METRICS).exists():
            done, total = (_count_lines(folder / each) for each in (ANSWERS, QUESTIONS))
            problem = f"not finished: {done} of {total} questions; its command goes on with it"
            return MeasuredRun(name, folder, "unfinished", problem, **known)
        stored: Any = read_json(folder / METRICS).get("intervals", {})
        figures = {key: found for key, value in stored.items() if (found := as_interval(value))}
        return MeasuredRun(name, folder, "finished", **known, figures=figures)
    except (InputError, AttributeError, KeyError, TypeError, ValueError, OSError):
        problem = f"its {RECORD} or {METRICS} cannot be read; make the run anew"
        return MeasuredRun(name, folder, "damaged", problem)


def _count_lines(path: Path) -> int:
    return len(path.read_bytes().splitlines()) if path.exists() else 0


def runs_html(runs: list[MeasuredRun]) -> str:
    """Every run, in this order, in a table for its kind; how to make one, if there is none."""
    if not runs:
        return str(HTML.no_runs(HOW_TO_BEGIN))
    tables = []
    for kind, names in COLUMNS.items():
        heads = ("Run", "Started", "System", "Questions", *names)
        rows = [
            (run, [_figure(run.figures.get(name)) for name in names])
            for run in runs
            if run.state == "finished" and run.kind == kind
        ]
        if rows:
            tables.append((kind, [head.replace("_", " ") for head in heads], rows))
    return str(HTML.runs(tables, [run for run in runs if run.state != "finished"]))


def _figure(figure: Interval | None) -> tuple[str, str]:
    return (decimal(figure.mean), interval(figure, 2)) if figure else ("", "")


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
    if against:
        compared = compare_runs(load_run(find_run(root, against).folder), load_run(run.folder))
        return str(HTML.report(f"{against} → {name}", "", comparison_text(compared)))
    path = run.folder / REPORT
    if not path.exists():
        raise InputError(f"the run {name!r} has no {REPORT}")
    return str(HTML.report(name, path.read_text(encoding="utf-8"), ""))


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
        others = [("no other run", NO_RUN), *choices]
        return (
            runs_html(runs),
            gr.Row(visible=bool(finished)),
            gr.Dropdown(choices=choices, value=shown),
            gr.Dropdown(choices=others, value=against if against in names else NO_RUN),
        )

    def show(self, run: str | None, against: str | None) -> str:
        """The report of a run, or of a run against another; a problem is told in its place."""
        try:
            return report_html(self.root, run or "", against or NO_RUN)
        except AbstractQAError as error:
            told = str(error)
        except (LookupError, TypeError, ValueError, AttributeError, OSError):
            _log.exception("a report could not be shown")
            told = "a file of these runs is not as this version writes it"
        return str(HTML.problem(told[:1].upper() + told[1:]))


def build(site: Site) -> None:
    """The tab, inside the page that is being built."""
    tab = Context.block
    # Only for those who open the tab: there may be other runs, votes and models than before.
    opened: list[Any] | None = [tab.select] if isinstance(tab, gr.Tab) else None
    with gr.Tabs(elem_id="aqa-lab-tabs"):
        with gr.Tab("Runs", elem_id="aqa-lab-runs-tab"):
            _build_runs(Reports(site), opened)
        with gr.Tab("Arena", elem_id="aqa-arena-tab"):
            arena.build(site, opened)


def _build_runs(reports: Reports, opened: list[Any] | None) -> None:
    plain: dict[str, Any] = {"js_on_load": None, "apply_default_css": False}
    with gr.Column(elem_id="aqa-lab-runs"):
        gr.HTML(str(HTML.lead()), **plain)
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
    focus = "() => document.getElementById('aqa-lab-report-title')?.focus()"
    show.click(reports.show, [run, against], report, trigger_mode="once", **QUIET).then(
        None, js=focus, **QUIET
    )
