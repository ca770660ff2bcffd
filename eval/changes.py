"""Compare runs: what got better and worse between two; tables of systems; the gate.

The gate is a fixed set of questions on the bundled sample and more abstracts, with the scores of a
baseline, so that no change makes answers worse unseen.
"""

import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from eval.datasets import records, write_json_lines
from eval.figures import MAIN, question_values
from eval.markdown import Best, Cell, difference, p_value, table
from eval.measuring import evaluate_answers
from eval.report import render
from eval.runs import QuestionScore, Run, load_run
from eval.scoring import Supports
from eval.statistics import Change, bootstrap_mean, compare, holm
from eval.systems import Subject, open_ours
from index import sample
from index.build import build
from index.encoder import Encoder
from index.errors import InputError
from rag.settings import Settings

if TYPE_CHECKING:
    from eval.fitting.run import Material

LOWER_IS_BETTER = frozenset({"words", "latency_ms"})
NEITHER = frozenset({"refused", "confidence"})  # neither good nor bad
Scores = Mapping[str, Mapping[str, float | None]]
"""Question id → metric → value."""
FOLDER = Path(__file__).parent / "gate_set"
BASELINE, LEFT_OUT = FOLDER / "baseline.jsonl", FOLDER / "left_out.jsonl"
"""The baseline scores of the gate's questions, and of the question sets in a data folder."""
GUARDED = tuple(name for name in MAIN if name not in LOWER_IS_BETTER)  # must not get worse
LEAD = {"answers": "right", "retrieval": "nDCG@10"}
"""The first figure in the tables of each kind of run, with its interval and p-value."""


def changes(before: Scores, after: Scores, metrics: Iterable[str]) -> dict[str, Change]:
    """Return how each metric changed that both runs have; p is corrected by Holm's method."""
    found: dict[str, Change] = {}
    for metric in metrics:
        columns = [{id_: each.get(metric) for id_, each in run.items()} for run in (before, after)]
        if change := compare(*columns):
            found[metric] = change
    corrected = holm({metric: change.p for metric, change in found.items()})
    return {metric: replace(change, p=corrected[metric]) for metric, change in found.items()}


def compare_runs(before: Run, after: Run) -> dict[str, Any]:
    """Compare every metric of two runs on the questions that both have, for programs.

    Flips are the questions whose answer became wrong or right (`eval.runs.PRIMARY`), of those that
    both runs judged. With x right before (r₁) and now (r₂), the negative flip rate is
    1/N · Σ [r₁(x) ∧ ¬r₂(x)] (Yan et al. 2021, "Positive-congruent training"). A better mean can
    hide many: the share right changes by the positive rate less the negative one. Support is
    compared only if the same checker decided on it; what `differs` may explain a change. Raises
    InputError if the runs are of different kinds, or have no question in common.
    """
    common, differs = _common(before, after), _differences(before, after)
    first, second = ({id_: run.scores[id_].values for id_ in common} for run in (before, after))
    skipped = "alce_" if "the checker of support" in differs else "-"
    names = dict.fromkeys(name for each in first.values() for name in each)
    metrics = [name for name in names if name not in NEITHER and not name.startswith(skipped)]
    was, now = before.right(), after.right()
    both = [id_ for id_ in was if id_ in now]
    asked = {i: f"({before.scores[i].type}): {before.questions[i]['question']}" for i in both}
    lost = {id_: asked[id_] for id_ in both if was[id_] and not now[id_]}
    won = {id_: asked[id_] for id_ in both if now[id_] and not was[id_]}
    return {
        "before": {"name": before.name, "system": before.system},
        "after": {"name": after.name, "system": after.system},
        "questions": len(common),
        "metrics": changes(first, second, metrics),
        "differs": differs,
        "negative_flips": lost,
        "positive_flips": won,
        "judged": len(both),
        "negative_flip_rate": len(lost) / len(both) if both else None,
    }


def _common(before: Run, after: Run) -> list[str]:
    """Return the questions of both runs; refuse runs that word one differently."""
    if before.kind != after.kind:
        kinds = f"{before.folder} measured {before.kind} and {after.folder} {after.kind}"
        raise InputError(f"{kinds}: compare runs of one kind")
    common = [id_ for id_ in before.scores if id_ in after.scores]
    if not common:
        raise InputError(f"{before.folder} and {after.folder} have no question in common")
    for id_ in common:
        first, second = (str(run.questions[id_]["question"]) for run in (before, after))
        if first != second:
            both = f"“{first}” in {before.folder} and “{second}” in {after.folder}"
            raise InputError(f"question {id_!r} is {both}: compare runs of the same questions")
    return common


def _differences(before: Run, after: Run) -> list[str]:
    data = [run.record.get("dataset", {}) for run in (before, after)]
    settings = [run.record.get("configuration", {}) for run in (before, after)]
    known = {
        "the questions or their labels": [d.get("sha256", d.get("queries_sha256")) for d in data],
        "the papers": [d.get("papers_sha256") for d in data],
        "the index": [s["index"] for s in settings if "index" in s],
        "the checker of support": [s.get("support") for s in settings],
    }
    return [name for name, values in known.items() if len(set(values)) > 1]


def comparison_text(compared: Mapping[str, Any]) -> str:
    """Format a comparison for people: a table of metrics, then the questions that flipped."""
    head = ["metric", "before", "after", "difference", "p, corrected", "better", "worse"]
    rows: list[list[Cell]] = []
    for metric, change in compared["metrics"].items():
        counts = [len(change.higher), len(change.lower)][:: -1 if metric in LOWER_IS_BETTER else 1]
        means = change.before.mean, change.after.mean
        rows.append([metric, *means, difference(change.difference), p_value(change.p), *counts])
    return render("comparison.txt", table=table(head, rows), **compared).strip()


def board(runs: Sequence[Run]) -> str:
    """Write a Markdown table of runs of one kind on one dataset, with p against the first run."""
    lead = LEAD[runs[0].kind]
    names = [lead, *(name for name in MAIN if name != lead and any(r.column(name) for r in runs))]
    counts = Counter(run.system for run in runs)
    rows: list[list[Cell]] = []
    for run, p in zip(runs, against_first(runs, lead), strict=True):
        system = f"{run.system} ({run.name})" if counts[run.system] > 1 else run.system
        rows.append([system, *(_cell(run, name, lead) for name in names), p_value(p)])
    best: dict[str, Best] = {
        name: min if name in LOWER_IS_BETTER else max for name in names if name != "words"
    }
    return table(["system", *names, "p"], rows, best)


def _cell(run: Run, name: str, lead: str) -> Cell:
    values = list(run.column(name).values())
    if not values or name == lead:
        return bootstrap_mean(values)
    return float(np.median(values) if name in LOWER_IS_BETTER else np.mean(values))


def boards(runs: Sequence[Run]) -> str:
    """Write Markdown with a table for each kind of run and dataset, for at least one run."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(f"{run.kind} {json.dumps(run.record['dataset'])}", []).append(run)
    days = sorted(str(run.record.get("started", ""))[:10] for run in runs)
    tables = [(group, board(group)) for group in groups.values()]
    return render("leaderboard.md", days=days, boards=tables)


def against_first(runs: Sequence[Run], metric: str) -> list[float | None]:
    """Return the corrected p-value of each run against the first; None for the first."""
    first = runs[0].column(metric)
    pairs = {str(at): compare(first, run.column(metric)) for at, run in enumerate(runs) if at}
    corrected = holm({at: paired.p for at, paired in pairs.items() if paired})
    return [corrected.get(str(at)) for at in range(len(runs))]


@contextmanager
def gate_subject(
    settings: Settings, encoder: Encoder, without: str | None = None
) -> Iterator[Subject]:
    """Open this product over the gate's papers, in a temporary store."""
    digests = sorted(Path(sample.__file__).parent.glob("*.txt"))
    with tempfile.TemporaryDirectory() as store:
        build([*digests, FOLDER / "papers.jsonl"], Path(store), encoder)
        yield open_ours(Path(store), settings, without)


def ask_gate(subject: Subject) -> Scores:
    """Score each question of the gate as it is answered now, without a model."""
    with tempfile.TemporaryDirectory() as out:
        evaluate_answers(FOLDER / "questions.jsonl", subject, "extractive", Path(out))
        return {id_: score.values for id_, score in load_run(Path(out)).scores.items()}


def ask_left_out(material: "Material") -> Scores:
    """Score each question of the sets, by set and id, with models fitted on other collections."""
    from eval.fitting.run import answer_left_out

    support = Supports()
    return {
        f"{name} {score.question.id}": question_values(score, support)
        for name, scores in answer_left_out(material)
        for score in scores
    }


def read_baseline(path: Path = BASELINE) -> Scores:
    """Read the scores of a baseline; raise InputError if it is missing or damaged."""
    return {line.id: line.values for _, line in records(QuestionScore, path)}


def write_baseline(scores: Scores, path: Path = BASELINE) -> None:
    """Make these scores the baseline."""
    kept = {id_: {name: each.get(name) for name in GUARDED} for id_, each in scores.items()}
    write_json_lines(path, ({"id": id_, "values": values} for id_, values in kept.items()))


def drops(before: Scores, after: Scores) -> dict[str, Change]:
    """Return the figures whose difference to the baseline has an interval below 0.

    Quoting verbatim does not depend on chance: there one worse question counts. Raises InputError
    if the baseline has other questions.
    """
    if before.keys() != after.keys():
        other = ", ".join(sorted(before.keys() ^ after.keys())[:5])
        hint = "take a new one by abstractqa eval gate --update"
        raise InputError(f"the baseline and the questions differ ({other}): {hint}")
    return {
        metric: change
        for metric, change in changes(before, after, GUARDED).items()
        if change.difference.high < 0 or (metric == "verbatim" and change.lower)
    }


def drop_text(metric: str, change: Change) -> str:
    """Format a drop for people, with the questions that got worse."""
    gained = change.difference
    fell = f"{-gained.mean:.3f} [{-gained.high:.3f}, {-gained.low:.3f}]"
    return f"{metric} fell by {fell}; worse: {', '.join(change.lower)}"
