"""One run set against another: what got better, what got worse, down to single questions."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from eval.runs import Recorded
from eval.statistics import Interval, Paired, bootstrap_mean, compare, holm
from eval.tables import Cell, difference, p_value, table
from index.errors import InputError

LOWER_IS_BETTER = frozenset({"words", "latency_ms"})
NEITHER = frozenset({"refused", "confidence"})
"""Values that are no merit by themselves."""


@dataclass(frozen=True, slots=True)
class MetricChange:
    """One metric in both runs."""

    metric: str
    before: Interval
    after: Interval
    paired: Paired
    """On the questions that both could measure."""
    p: float
    """Corrected for how many metrics are compared (Holm)."""

    @property
    def better(self) -> tuple[str, ...]:
        """The questions that got better."""
        return self.paired.losses if self.metric in LOWER_IS_BETTER else self.paired.wins

    @property
    def worse(self) -> tuple[str, ...]:
        """The questions that got worse."""
        return self.paired.wins if self.metric in LOWER_IS_BETTER else self.paired.losses


@dataclass(frozen=True, slots=True)
class Flips:
    """The questions whose answer became right or wrong between two runs.

    With x right before (r₁) and now (r₂), the negative flip rate is 1/N · Σ [r₁(x) ∧ ¬r₂(x)] (Yan
    et al. 2021, "Positive-congruent training"), None of no questions. A better mean can hide many:
    the change of the share right is the positive rate less the negative one.
    """

    negative: tuple[str, ...]
    positive: tuple[str, ...]
    questions: int

    @property
    def negative_rate(self) -> float | None:
        """Negative flips / questions."""
        return len(self.negative) / self.questions if self.questions else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs on the same questions."""

    before: Recorded
    after: Recorded
    metrics: tuple[MetricChange, ...]
    flips: Flips
    """Of the value that says whether a question went right (`eval.runs.PRIMARY`)."""
    common: int
    """Questions that both runs have."""
    differs: tuple[str, ...]
    """What else is not the same: the labels, the papers; then the change is not the system's."""


def compare_runs(before: Recorded, after: Recorded) -> Comparison:
    """Compare every metric that both runs have, on the questions that both have.

    Raises:
        InputError: the runs are of different kinds, or have no question in common.
    """
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
    flips = _flips(before.right(), after.right())
    changes = _changes(before, after, common)
    return Comparison(before, after, changes, flips, len(common), _differences(before, after))


def _flips(before: Mapping[str, bool], after: Mapping[str, bool]) -> Flips:
    both = [key for key in before if key in after]
    return Flips(
        negative=tuple(key for key in both if before[key] and not after[key]),
        positive=tuple(key for key in both if after[key] and not before[key]),
        questions=len(both),
    )


def _differences(before: Recorded, after: Recorded) -> tuple[str, ...]:
    data = [run.record.get("dataset", {}) for run in (before, after)]
    settings = [run.record.get("configuration", {}) for run in (before, after)]
    known = {
        "the questions or their labels": [d.get("sha256", d.get("queries_sha256")) for d in data],
        "the papers": [d.get("papers_sha256") for d in data],
        "the index": [s["index"] for s in settings if "index" in s],
        "the checker of support": [s.get("support") for s in settings],
    }
    return tuple(name for name, values in known.items() if len(set(values)) > 1)


def _changes(before: Recorded, after: Recorded, common: Sequence[str]) -> tuple[MetricChange, ...]:
    """How each metric changed on the questions `common`, with p-values corrected together.

    Support is compared only if the same checker decided about it.
    """
    names = dict.fromkeys(name for id_ in common for name in before.scores[id_].values)
    differs = "the checker of support" in _differences(before, after)
    found: dict[str, tuple[Interval, Interval, Paired]] = {}
    for metric in names:
        if metric in NEITHER or (differs and metric.startswith("alce_")):
            continue
        columns = [
            {
                id_: value
                for id_ in common
                if (value := run.scores[id_].values.get(metric)) is not None
            }
            for run in (before, after)
        ]
        first, second = (bootstrap_mean(column.values()) for column in columns)
        paired = compare(*columns)
        if first and second and paired:
            found[metric] = (first, second, paired)
    corrected = holm({metric: paired.p for metric, (_, _, paired) in found.items()})
    return tuple(MetricChange(metric, *each, corrected[metric]) for metric, each in found.items())


def as_json(compared: Comparison) -> dict[str, object]:
    """A comparison for programs."""
    return {
        "before": compared.before.name,
        "after": compared.after.name,
        "questions": compared.common,
        "metrics": {
            change.metric: {
                "before": asdict(change.before),
                "after": asdict(change.after),
                "difference": asdict(change.paired.difference),
                "p": change.p,
                "better": list(change.better),
                "worse": list(change.worse),
            }
            for change in compared.metrics
        },
        "differs": list(compared.differs),
        "negative_flips": list(compared.flips.negative),
        "positive_flips": list(compared.flips.positive),
        "negative_flip_rate": compared.flips.negative_rate,
    }


def comparison_text(compared: Comparison) -> str:
    """A comparison for people: a table of metrics, then the questions that flipped."""
    head = ["metric", "before", "after", "difference", "p, corrected", "better", "worse"]
    rows: list[list[Cell]] = [
        [
            change.metric,
            change.before.mean,
            change.after.mean,
            difference(change.paired.difference),
            p_value(change.p),
            len(change.better),
            len(change.worse),
        ]
        for change in compared.metrics
    ]
    flips = compared.flips
    lines = [
        f"before: {compared.before.name} ({compared.before.system})",
        f"after:  {compared.after.name} ({compared.after.system})",
        f"{compared.common:,} questions in both",
        *(f"careful: {what} differ between the runs" for what in compared.differs),
        "",
        table(head, rows),
        "",
        f"negative flips, right before and wrong now: {len(flips.negative)} of {flips.questions}",
        *(_asked(compared.before, id_) for id_ in flips.negative),
        f"positive flips, wrong before and right now: {len(flips.positive)} of {flips.questions}",
        *(_asked(compared.after, id_) for id_ in flips.positive),
    ]
    return "\n".join(lines)


def _asked(run: Recorded, id_: str) -> str:
    return f"  {id_} ({run.scores[id_].type}): {run.questions[id_]['question']}"
