"""The lab: the arena, and the measured runs: in tables, the report of one or one against another.

Reports are those of `abstractqa eval`.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.context import Context

from eval.changes import compare_runs, comparison_text
from eval.markdown import Cell, table
from eval.runs import METRICS, RECORD, REPORT, Run, load_run
from eval.statistics import Interval
from index.errors import InputError
from rag.citations import escape
from ui.web.chat.chat_settings import PLAIN
from ui.web.events import QUIET, told
from ui.web.lab import arena
from ui.web.lab.arena import HTML
from ui.web.markup import markdown
from ui.web.site import Site

COLUMNS = {
    "answers": ("right", "nugget_recall", "citation_precision", "abstained_rightly"),
    "retrieval": ("hit@1", "nDCG@10", "R@10", "MRR"),
}
"""The figures in the table of each kind of run."""
HOW_TO_BEGIN = "\n".join(
    [
        "abstractqa eval synthesize --n 50 --out runs/questions",
        "abstractqa eval answers runs/questions/questions.jsonl --store runs/questions/store"
        " --out runs/first",
    ]
)


class Runs:
    """The measured runs in a folder, and the handlers that show them."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def found(self) -> tuple[dict[str, tuple[Run, list[Cell]]], dict[str, str]]:
        """Read every run.

        Returns:
            The finished ones, newest first, by their path in the folder, each with its line of a
            table; and what is wrong with the others.
        """
        finished: dict[str, tuple[Run, list[Cell]]] = {}
        others = {}
        for folder in _folders(self.root):
            name = folder.relative_to(self.root).as_posix()
            try:
                run = load_run(folder)
                finished[name] = run, _line(name, run)
            except Exception:  # noqa: BLE001 - damaged, or of another version
                is_whole = (folder / METRICS).exists()
                others[name] = (
                    "cannot be read: make the run anew" if is_whole else "is not finished"
                )
        newest = sorted(
            finished.items(), key=lambda each: str(each[1][0].record.get("started")), reverse=True
        )
        return dict(newest), others

    def read(self, run: str | None, against: str | None) -> tuple[Any, ...]:
        """Everything that depends on which runs there are; what was chosen stays if it can."""
        finished, others = self.found()
        tables = [
            (kind, markdown(table(["Run", "Started", "System", "Questions", *names], lines)))
            for kind, names in COLUMNS.items()
            if (lines := [line for run, line in finished.values() if run.kind == kind])
        ]
        names = list(finished)
        html = HTML.runs(tables, others.items()) if names or others else HTML.no_runs(HOW_TO_BEGIN)
        return (
            str(html),
            gr.Row(visible=bool(names)),
            gr.Dropdown(choices=names, value=run if run in names else next(iter(names), None)),
            gr.Dropdown(
                choices=[("no other run", ""), *names], value=against if against in names else ""
            ),
        )

    def show(self, name: str | None, against: str | None) -> str:
        """The report of a run, or of a run against another; a problem is told in its place."""
        try:
            return self._report(name or "", against or "")
        except Exception as error:  # noqa: BLE001 - told in the page
            return str(HTML.problem(told(error)))

    def _report(self, name: str, against: str) -> str:
        """The report that `abstractqa eval` writes, in a frame that runs no script."""
        finished, _ = self.found()
        for each in filter(None, (name, against)):
            if each not in finished:  # names come from the page: they never become a path
                raise InputError(f"there is no finished run {each!r}; read the runs again")
        if not name or against == name:
            raise InputError("choose two different runs")
        run, _ = finished[name]
        if against:
            compared = comparison_text(compare_runs(finished[against][0], run))
            return str(HTML.report(f"{against} → {name}", "", compared))
        return str(HTML.report(name, (run.folder / REPORT).read_text(encoding="utf-8"), ""))


def _folders(root: Path, deepest: int = 4) -> Iterator[Path]:
    """The folders below `root` that hold a record; what is in a run is no run."""
    for here, folders, files in os.walk(root):
        depth = len(Path(here).relative_to(root).parts)
        if RECORD in files and depth:
            folders.clear()
            yield Path(here)
        elif depth >= deepest:
            folders.clear()


def _line(name: str, run: Run) -> list[Cell]:
    """A run in the table of its kind."""
    data, stored = run.record["dataset"], run.metrics.get("intervals", {})
    names = COLUMNS[run.kind]
    return [
        escape(name),
        str(run.record.get("started", ""))[:16].replace("T", " "),
        escape(f"{run.system} on {data['name']}"),
        int(data.get("questions", data.get("queries", 0))),
        *(Interval(**stored[each]) if each in stored else None for each in names),
    ]


def build(site: Site) -> None:
    """The tab, inside the page that is being built."""
    tab = Context.block
    # Only for those who open the tab: there may be other runs, votes and models than before.
    opened: list[Any] | None = [tab.select] if isinstance(tab, gr.Tab) else None
    with gr.Tabs(elem_id="aqa-lab-tabs"):
        with gr.Tab("Runs", elem_id="aqa-lab-runs-tab"):
            _build_runs(Runs(site.runs), opened)
        with gr.Tab("Arena", elem_id="aqa-arena-tab"):
            arena.build(site, opened)


def _build_runs(runs: Runs, opened: list[Any] | None) -> None:
    with gr.Column(elem_id="aqa-lab-runs"):
        gr.HTML(str(HTML.lead()), **PLAIN)
        tables = gr.HTML('<p role="status">Reading the runs …</p>', **PLAIN)
        again = gr.Button("Read the runs again", elem_id="aqa-lab-again", size="sm")
        with gr.Row(visible=False, elem_id="aqa-lab-choice") as choice:
            run = gr.Dropdown(label="Report of", scale=3)
            against = gr.Dropdown(label="Compared with", scale=3)
            show = gr.Button("Show", elem_id="aqa-lab-show", scale=0)
        report = gr.HTML("", **PLAIN)
    outputs = [tables, choice, run, against]
    gr.on(opened, runs.read, [run, against], outputs, **QUIET)
    again.click(runs.read, [run, against], outputs, **QUIET)
    focus = "() => document.getElementById('aqa-lab-report-title')?.focus()"
    show.click(runs.show, [run, against], report, trigger_mode="once", **QUIET).then(
        None, js=focus, **QUIET
    )
