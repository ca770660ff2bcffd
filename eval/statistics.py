"""How sure a figure is, and whether two runs differ.

Questions are what is drawn at random, so they are what is resampled: every interval and every
test here is over questions. The same seed gives the same interval.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

SEED = 0
RESAMPLES = 10_000
CONFIDENCE = 0.95
LEAST = 3
"""Fewer questions than this say nothing about a type."""

_BATCH_VALUES = 4_000_000

Floats = NDArray[np.float64]
Measured = Mapping[str, float | None]
"""Question id → a value, None where there was nothing to measure."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its confidence interval `[low, high]`, from `n` questions."""

    mean: float
    low: float
    high: float
    n: int


def bootstrap_mean(
    values: Iterable[float | None],
    *,
    seed: int = SEED,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
) -> Interval | None:
    """The mean of the known values with its bootstrap interval; None if none is known.

    The interval is BCa, bias-corrected and accelerated (Efron 1987, "Better bootstrap confidence
    intervals"): the percentile interval leans towards 1 for a share that is near 1, as ours are.
    Where all values are equal the interval has no width: resampling cannot show what was never
    seen.

    Args:
        values: One a question; None is left out.
        seed: Of the resampling.
        resamples: How many.
        confidence: The share of such intervals that hold the true mean, in (0, 1).
    """
    known = np.array([value for value in values if value is not None], dtype=np.float64)
    return bootstrap_ratio(
        known, np.ones_like(known), seed=seed, resamples=resamples, confidence=confidence
    )


def bootstrap_ratio(
    numerators: Sequence[float] | Floats,
    denominators: Sequence[float] | Floats,
    *,
    seed: int = SEED,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
) -> Interval | None:
    """A pooled ("micro") figure, sum of numerators / sum of denominators, with its interval.

    Whole questions are resampled, since the items of one question stand or fall together. Those
    with denominator 0 have nothing to pool and are left out; None if no question is left.

    Args:
        numerators: What counts, one a question.
        denominators: Out of how many, 0 or more, in the same order.
        seed: As for `bootstrap_mean`, and so are the others.
        resamples: How many.
        confidence: In (0, 1).
    """
    pairs = np.array([numerators, denominators], dtype=np.float64)
    parts, wholes = pairs[:, pairs[1] > 0]
    n = len(parts)
    if n == 0:
        return None
    ratio = float(parts.sum() / wholes.sum())
    if np.allclose(parts, ratio * wholes, rtol=0, atol=1e-12):
        return Interval(ratio, ratio, ratio, n)
    found = stats.bootstrap(
        (parts, wholes),
        _ratio,
        paired=True,
        vectorized=True,
        n_resamples=resamples,
        batch=max(1, _BATCH_VALUES // n),
        confidence_level=confidence,
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Interval(ratio, float(found.low), float(found.high), n)


def _ratio(parts: Floats, wholes: Floats, axis: int = -1) -> Floats:
    return np.asarray(parts.sum(axis=axis) / wholes.sum(axis=axis))


def bootstrap_auroc(
    scores: Sequence[float],
    positive: Sequence[bool],
    *,
    seed: int = SEED,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
) -> Interval | None:
    """The area under the ROC curve with its bootstrap interval; None unless both labels occur.

    It is how often a positive has a higher score than a negative, equal scores counting half:
    the Mann-Whitney statistic / pairs (Hanley & McNeil 1982, "The meaning and use of the area
    under a receiver operating characteristic curve"). The interval is the percentile one, with
    positives and negatives resampled apart, so that no resample is without one of them.

    Args:
        scores: One each.
        positive: The label of each, in the same order.
        seed: As for `bootstrap_mean`, and so are the others.
        resamples: How many.
        confidence: In (0, 1).
    """
    labels = np.array(positive, dtype=bool)
    if labels.all() or not labels.any():
        return None
    values, level = np.unique(np.array(scores, dtype=np.float64), return_inverse=True)
    counts = [np.bincount(level[of], minlength=len(values)) for of in (labels, ~labels)]
    rng = np.random.default_rng(seed)
    batch = max(1, _BATCH_VALUES // len(values))
    found: list[Floats] = []
    for done in range(0, resamples, batch):
        size = min(batch, resamples - done)
        positives, negatives = (
            rng.multinomial(count.sum(), count / count.sum(), size=size) for count in counts
        )
        found.append(_auroc(positives, negatives))
    tail = (1 - confidence) / 2
    low, high = np.quantile(np.concatenate(found), [tail, 1 - tail])
    return Interval(float(_auroc(*counts)), float(low), float(high), len(labels))


def _auroc(positives: NDArray[np.int64], negatives: NDArray[np.int64]) -> Floats:
    """The area from how many there are at each score, the last axis, lowest score first."""
    below = np.cumsum(negatives, axis=-1) - negatives / 2
    pairs = positives.sum(axis=-1) * negatives.sum(axis=-1)
    return np.asarray((positives * below).sum(axis=-1) / pairs)


@dataclass(frozen=True, slots=True)
class Paired:
    """Two runs set against each other, question by question."""

    difference: Interval
    """After - before."""
    p: float
    """Of the paired randomization test, two-sided, in (0, 1]."""
    wins: tuple[str, ...]
    """The questions whose value is higher after; higher need not be better."""
    losses: tuple[str, ...]
    ties: tuple[str, ...]


def compare(
    before: Measured, after: Measured, *, seed: int = SEED, resamples: int = RESAMPLES
) -> Paired | None:
    """Compare two runs on the questions that both could measure; None if there are none.

    The test is Fisher's paired randomization: if the runs were the same, each question's two
    values could as well stand the other way round, so the signs of the differences are flipped at
    random (all ways, if there are at most `resamples`), and p is how often the mean difference is
    then as far from 0. It asks nothing of how the values are distributed (Smucker, Allan &
    Carterette 2007, "A comparison of statistical significance tests for information retrieval
    evaluation").
    """
    gained = {
        key: later - earlier
        for key, earlier in before.items()
        if earlier is not None and (later := after.get(key)) is not None
    }
    difference = bootstrap_mean(gained.values(), seed=seed, resamples=resamples)
    if difference is None:
        return None
    return Paired(
        difference=difference,
        p=_randomization(np.array(list(gained.values())), seed, resamples),
        wins=tuple(key for key, gain in gained.items() if gain > 0),
        losses=tuple(key for key, gain in gained.items() if gain < 0),
        ties=tuple(key for key, gain in gained.items() if gain == 0),
    )


def _randomization(gained: Floats, seed: int, resamples: int) -> float:
    """The two-sided p-value of the mean of `gained`; a single question shows nothing: 1."""
    if len(gained) < 2:
        return 1.0
    test = stats.permutation_test(
        (gained,),
        np.mean,
        permutation_type="samples",
        vectorized=True,
        n_resamples=resamples,
        batch=max(1, _BATCH_VALUES // len(gained)),
        rng=np.random.default_rng(seed),
    )
    return float(test.pvalue)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """p-values corrected for how many comparisons there are, in the order given.

    Holm 1979, "A simple sequentially rejective multiple test procedure": with m of them, the k-th
    smallest is multiplied by m - k + 1, no one is below the one before it, and none exceeds 1.
    Those at most α are then all right with probability 1 - α, however they depend on each other.
    """
    corrected: dict[str, float] = {}
    last = 0.0
    for rank, (name, p) in enumerate(sorted(p_values.items(), key=lambda item: item[1])):
        last = max(last, min(1.0, (len(p_values) - rank) * p))
        corrected[name] = last
    return {name: corrected[name] for name in p_values}


@dataclass(frozen=True, slots=True)
class Flips:
    """The questions whose answer became right or wrong between two runs."""

    negative: tuple[str, ...]
    """Right before, wrong now."""
    positive: tuple[str, ...]
    """Wrong before, right now."""
    questions: int

    @property
    def negative_rate(self) -> float | None:
        """The negative flip rate: negative flips / questions; None of no questions."""
        return len(self.negative) / self.questions if self.questions else None


def negative_flips(before: Mapping[str, bool], after: Mapping[str, bool]) -> Flips:
    """What an update broke and what it mended, on the questions of both runs.

    With x right before (r₁) and now (r₂), NFR = 1/N · Σ [r₁(x) ∧ ¬r₂(x)] (Yan et al. 2021,
    "Positive-congruent training"), which MUSCLE (Echterhoff et al. 2024, "A model update strategy
    for compatible LLM evolution") measures updates of language models by. A better mean can hide
    many: the change of the share right is the positive rate less the negative one.
    """
    both = [key for key in before if key in after]
    return Flips(
        negative=tuple(key for key in both if before[key] and not after[key]),
        positive=tuple(key for key in both if after[key] and not before[key]),
        questions=len(both),
    )


def breakdown(
    values: Mapping[str, Iterable[float | None]], *, seed: int = SEED, resamples: int = RESAMPLES
) -> dict[str, Interval]:
    """The mean of each type of question with its interval; types with nothing known left out."""
    found = {
        kind: bootstrap_mean(of_kind, seed=seed, resamples=resamples)
        for kind, of_kind in values.items()
    }
    return {kind: interval for kind, interval in found.items() if interval is not None}


def weakest_link(
    types: Mapping[str, Interval], *, least: int = LEAST
) -> tuple[str, Interval] | None:
    """The type with the lowest mean among those with `least` questions; None if there is none.

    Named because the whole is held down by it: what needs several capabilities is about as good
    as the weakest of them (Zhong et al. 2024, "Law of the weakest link: cross capabilities of
    large language models", CrossEval). Of equal ones the first is named.
    """
    enough = {kind: interval for kind, interval in types.items() if interval.n >= least}
    return min(enough.items(), key=lambda item: item[1].mean, default=None)
