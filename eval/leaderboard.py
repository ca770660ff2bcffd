"""Runs side by side: a table for each dataset, systems as rows, with intervals."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from eval.recorded import Recorded
from eval.report.markdown import Better, table
from eval.report.numbers import Cell, p_value
from eval.statistics import bootstrap_mean, compare, holm

HEADLINE = {"answers": "nugget_recall", "retrieval": "nDCG@10"}
"""What systems are compared by, for each kind of run, in the column "p"."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: a metric, what it is called, which end is good, and its form."""

    metric: str
    title: str
    better: Better | None = "high"
    form: str = "mean"
    """"interval", "mean", "median", or "aurc", which is of the whole run."""


RANKING = (
    Column("nDCG@10", "nDCG@10", form="interval"),
    Column("hit@1", "hit@1"),
    Column("MRR", "MRR"),
    Column("MAP", "MAP"),
    Column("R@10", "R@10"),
    Column("R@100", "R@100"),
)
COLUMNS = {
    "retrieval": (*RANKING, Column("latency_ms", "ms, median", "low", "median")),
    "answers": (
        Column("nugget_recall", "facts stated", form="interval"),
        Column("nugget_recall_sentences", "… without titles"),
        Column("words", "words, median", None, "median"),
        Column("citation_precision", "cited papers gold"),
        Column("citation_recall", "gold papers cited"),
        Column("evidence_recall", "gold sentences cited"),
        Column("alce_recall", "ALCE recall"),
        Column("alce_precision", "ALCE precision"),
        Column("right", "right", form="interval"),
        Column("", "AURC", "low", "aurc"),
        Column("latency_ms", "ms, median", "low", "median"),
    ),
}


@dataclass(frozen=True, slots=True)
class CannotRun:
    """A system that could not be measured, and why."""

    system: str
    reason: str


def board(
    runs: Sequence[Recorded], columns: Sequence[Column] | None = None, headline: str | None = None
) -> str:
    """A Markdown table of runs of one kind on one dataset.

    The column "p" is the paired randomization test of each system against the first one, by
    `headline` (`HEADLINE` by default), corrected for how many systems there are (Holm).
    """
    kind = runs[0].kind
    chosen = columns or COLUMNS[kind]
    p_values = against_first(runs, headline or HEADLINE[kind])
    twice = {system for system, count in Counter(run.system for run in runs).items() if count > 1}
    rows: list[list[Cell]] = [
        [
            f"{run.system} ({run.name})" if run.system in twice else run.system,
            *(_cell(run, column) for column in chosen),
            p_value(p),
        ]
        for run, p in zip(runs, p_values, strict=True)
    ]
    best: dict[str, Better] = {c.title: c.better for c in chosen if c.better}
    return table(["system", *(column.title for column in chosen), "p"], rows, best)


def boards(runs: Sequence[Recorded]) -> str:
    """Markdown: a table for each kind of run and dataset, the runs in the order given."""
    groups: dict[str, list[Recorded]] = {}
    for run in runs:
        groups.setdefault(f"{run.kind} {json.dumps(run.record['dataset'])}", []).append(run)
    return "\n\n".join(
        f"{group[0].record['dataset']['name']}\n\n{board(group)}" for group in groups.values()
    )


def against_first(runs: Sequence[Recorded], metric: str) -> list[float | None]:
    """The corrected p-value of each run against the first; None for the first itself."""
    first = runs[0].column(metric)
    pairs = {str(at): compare(first, run.column(metric)) for at, run in enumerate(runs) if at}
    corrected = holm({at: paired.p for at, paired in pairs.items() if paired})
    return [corrected.get(str(at)) for at in range(len(runs))]


def _cell(run: Recorded, column: Column) -> Cell:
    if column.form == "aurc":
        value: float | None = run.metrics["answers"]["selective"]["aurc"]
        return value
    values = list(run.column(column.metric).values())
    if not values:
        return None
    if column.form == "interval":
        return bootstrap_mean(values)
    return float(np.median(values) if column.form == "median" else np.mean(values))


def abstention_table(runs: Sequence[Recorded]) -> str:
    """A Markdown table: how many questions of each unanswerable type each system refused."""
    kinds = dict.fromkeys(
        score.type
        for run in runs
        for score in run.scores.values()
        if not is_answerable(run, score.id)
    )
    rows: list[list[Cell]] = []
    for run in runs:
        counts = [_refused(run, kind) for kind in kinds]
        needless = [
            score.values["refused"] for score in run.scores.values() if is_answerable(run, score.id)
        ]
        wrongly = f"{sum(v or 0 for v in needless):.0f} of {len(needless)}" if needless else None
        figures: Mapping[str, float | None] = run.metrics["answers"]["abstention"]
        rows.append([run.system, *counts, wrongly, figures["precision"], figures["recall"]])
    head = ["system", *(f"{kind} refused" for kind in kinds), "answerable refused"]
    return table([*head, "precision", "recall"], rows, {"precision": "high", "recall": "high"})


def is_answerable(run: Recorded, id_: str) -> bool:
    """Whether the abstracts answer a question of a run."""
    return bool(run.questions[id_]["answerable"])


def _refused(run: Recorded, kind: str) -> str:
    values = [
        score.values["refused"] or 0.0
        for score in run.scores.values()
        if score.type == kind and not is_answerable(run, score.id)
    ]
    return f"{sum(values):.0f} of {len(values)}"
