"""What got better and what got worse between two runs, question by question."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace

from eval.markdown import Cell, difference, p_value, table
from eval.runs import Run
from eval.statistics import Interval, bootstrap_mean, compare, holm
from index.errors import InputError

LOWER_IS_BETTER = frozenset({"words", "latency_ms"})
NEITHER = frozenset({"refused", "confidence"})
"""Values that are no merit by themselves."""

Scores = Mapping[str, Mapping[str, float | None]]
"""Question id → metric → value."""


@dataclass(frozen=True, slots=True)
class Change:
    """One metric before and after, on the questions that both could measure."""

    before: Interval
    after: Interval
    difference: Interval
    p: float
    """Corrected for how many metrics are compared (Holm)."""
    better: tuple[str, ...]
    """The questions that got better."""
    worse: tuple[str, ...]


def changes(before: Scores, after: Scores, metrics: Iterable[str]) -> dict[str, Change]:
    """How each metric changed, of those that some question has both times."""
    found: dict[str, Change] = {}
    for metric in metrics:
        columns = [{id_: each.get(metric) for id_, each in run.items()} for run in (before, after)]
        first, second = (bootstrap_mean(column.values()) for column in columns)
        paired = compare(*columns)
        if first and second and paired:
            better, worse = paired.higher, paired.lower
            if metric in LOWER_IS_BETTER:
                better, worse = worse, better
            found[metric] = Change(first, second, paired.difference, paired.p, better, worse)
    corrected = holm({metric: change.p for metric, change in found.items()})
    return {metric: replace(change, p=corrected[metric]) for metric, change in found.items()}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs on the same questions.

    Flips are the questions whose answer became wrong or right (`eval.runs.PRIMARY`). With x right
    before (r₁) and now (r₂), the negative flip rate is 1/N · Σ [r₁(x) ∧ ¬r₂(x)] (Yan et al. 2021,
    "Positive-congruent training"). A better mean can hide many: the change of the share right is
    the positive rate less the negative one.
    """

    before: Run
    after: Run
    questions: int
    """That both runs have."""
    metrics: Mapping[str, Change]
    differs: tuple[str, ...]
    """What else is not the same: the labels, the papers; then the change is not the system's."""
    negative_flips: tuple[str, ...]
    positive_flips: tuple[str, ...]
    judged: int
    """Questions that were right or wrong both times."""


def compare_runs(before: Run, after: Run) -> Comparison:
    """Compare every metric that both runs have, on the questions that both have.

    Support is compared only if the same checker decided about it.

    Raises:
        InputError: the runs are of different kinds, or have no question in common.
    """
    common, differs = _common(before, after), _differences(before, after)
    first, second = ({id_: run.scores[id_].values for id_ in common} for run in (before, after))
    metrics = [
        name
        for name in dict.fromkeys(name for each in first.values() for name in each)
        if name not in NEITHER
        and not (name.startswith("alce_") and "the checker of support" in differs)
    ]
    was, now = before.right(), after.right()
    both = [id_ for id_ in was if id_ in now]
    return Comparison(
        before=before,
        after=after,
        questions=len(common),
        metrics=changes(first, second, metrics),
        differs=differs,
        negative_flips=tuple(id_ for id_ in both if was[id_] and not now[id_]),
        positive_flips=tuple(id_ for id_ in both if now[id_] and not was[id_]),
        judged=len(both),
    )


def _common(before: Run, after: Run) -> list[str]:
    """The questions that both runs asked, in the same words."""
    if before.kind != after.kind:
        raise InputError(
            f"{before.folder} measured {before.kind} and {after.folder} {after.kind}:"
            " compare runs of one kind"
        )
    common = [id_ for id_ in before.scores if id_ in after.scores]
    if not common:
        raise InputError(f"{before.folder} and {after.folder} have no question in common")
    for id_ in common:
        first, second = (str(run.questions[id_]["question"]) for run in (before, after))
        if first != second:
            raise InputError(
                f"question {id_!r} is “{first}” in {before.folder} and “{second}” in"
                f" {after.folder}: compare runs of the same questions"
            )
    return common


def _differences(before: Run, after: Run) -> tuple[str, ...]:
    data = [run.record.get("dataset", {}) for run in (before, after)]
    settings = [run.record.get("configuration", {}) for run in (before, after)]
    known = {
        "the questions or their labels": [d.get("sha256", d.get("queries_sha256")) for d in data],
        "the papers": [d.get("papers_sha256") for d in data],
        "the index": [s["index"] for s in settings if "index" in s],
        "the checker of support": [s.get("support") for s in settings],
    }
    return tuple(name for name, values in known.items() if len(set(values)) > 1)


def as_json(compared: Comparison) -> dict[str, object]:
    """A comparison for programs."""
    return {
        "before": compared.before.name,
        "after": compared.after.name,
        "questions": compared.questions,
        "metrics": {metric: asdict(change) for metric, change in compared.metrics.items()},
        "differs": compared.differs,
        "negative_flips": compared.negative_flips,
        "positive_flips": compared.positive_flips,
        "negative_flip_rate": len(compared.negative_flips) / compared.judged
        if compared.judged
        else None,
    }


def comparison_text(compared: Comparison) -> str:
    """A comparison for people: a table of metrics, then the questions that flipped."""
    head = ["metric", "before", "after", "difference", "p, corrected", "better", "worse"]
    rows: list[list[Cell]] = [
        [
            metric,
            change.before.mean,
            change.after.mean,
            difference(change.difference),
            p_value(change.p),
            len(change.better),
            len(change.worse),
        ]
        for metric, change in compared.metrics.items()
    ]
    before, after, judged = compared.before, compared.after, compared.judged
    lost, won = compared.negative_flips, compared.positive_flips
    lines = [
        f"before: {before.name} ({before.system})",
        f"after:  {after.name} ({after.system})",
        f"{compared.questions:,} questions in both",
        *(f"careful: {what} differ between the runs" for what in compared.differs),
        "",
        table(head, rows),
        "",
        f"negative flips, right before and wrong now: {len(lost)} of {judged}",
        *(_asked(before, id_) for id_ in lost),
        f"positive flips, wrong before and right now: {len(won)} of {judged}",
        *(_asked(after, id_) for id_ in won),
    ]
    return "\n".join(lines)


def _asked(run: Run, id_: str) -> str:
    return f"  {id_} ({run.scores[id_].type}): {run.questions[id_]['question']}"
