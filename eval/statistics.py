"""How sure a figure is, and whether two runs differ.

Questions are what is drawn at random, so they are what is resampled: every interval and every
test here is over questions. The same seed gives the same interval.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

SEED, RESAMPLES, CONFIDENCE = 0, 10_000, 0.95

_VALUES_AT_ONCE = 4_000_000
"""Bounds the memory of resampling."""

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


def bootstrap_mean(values: Iterable[float | None]) -> Interval | None:
    """The mean of the known values with its bootstrap interval; None if none is known.

    The interval is BCa, bias-corrected and accelerated (Efron 1987, "Better bootstrap confidence
    intervals"): the percentile interval leans towards 1 for a share that is near 1, as ours are.
    Where all values are equal the interval has no width: resampling cannot show what was never
    seen.
    """
    known = np.array([value for value in values if value is not None], dtype=np.float64)
    n = len(known)
    if n == 0:
        return None
    mean = float(known.mean())
    if np.allclose(known, mean, rtol=0, atol=1e-12):
        return Interval(mean, mean, mean, n)
    found = stats.bootstrap(
        (known,),
        np.mean,
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=max(1, _VALUES_AT_ONCE // n),
        confidence_level=CONFIDENCE,
        rng=np.random.default_rng(SEED),
    ).confidence_interval
    return Interval(mean, float(found.low), float(found.high), n)


def auroc(scores: Sequence[float], positive: Sequence[bool]) -> Interval | None:
    """The area under the ROC curve, in [0, 1], with its interval; None unless both labels occur.

    It is how often a positive has a higher score than a negative, equal scores counting half:
    the Mann-Whitney statistic / pairs. The interval is that of Hanley & McNeil 1982, "The meaning
    and use of the area under a receiver operating characteristic curve".
    """
    labels = np.array(positive, dtype=bool)
    if labels.all() or not labels.any():
        return None
    values = np.array(scores, dtype=np.float64)
    ones, zeros = int(labels.sum()), int((~labels).sum())
    area = float(stats.mannwhitneyu(values[labels], values[~labels]).statistic) / (ones * zeros)
    spread = (
        area * (1 - area)
        + (ones - 1) * (area / (2 - area) - area**2)
        + (zeros - 1) * (2 * area**2 / (1 + area) - area**2)
    )
    margin = stats.norm.ppf((1 + CONFIDENCE) / 2) * np.sqrt(spread / (ones * zeros))
    return Interval(area, max(0.0, area - margin), min(1.0, area + margin), len(labels))


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


def compare(before: Measured, after: Measured) -> Paired | None:
    """Compare two runs on the questions that both could measure; None if there are none.

    The test is Fisher's paired randomization: if the runs were the same, each question's two
    values could as well stand the other way round, so the signs of the differences are flipped at
    random (all ways, if there are at most `RESAMPLES`), and p is how often the mean difference is
    then as far from 0. It asks nothing of how the values are distributed (Smucker, Allan &
    Carterette 2007, "A comparison of statistical significance tests for information retrieval
    evaluation"). A single question shows nothing: p = 1.
    """
    gained = {
        key: later - earlier
        for key, earlier in before.items()
        if earlier is not None and (later := after.get(key)) is not None
    }
    difference = bootstrap_mean(gained.values())
    if difference is None:
        return None
    return Paired(
        difference=difference,
        p=_randomization(np.array(list(gained.values()))) if len(gained) > 1 else 1.0,
        wins=tuple(key for key, gain in gained.items() if gain > 0),
        losses=tuple(key for key, gain in gained.items() if gain < 0),
        ties=tuple(key for key, gain in gained.items() if gain == 0),
    )


def _randomization(gained: Floats) -> float:
    """The two-sided p-value of the mean of `gained`."""
    test = stats.permutation_test(
        (gained,),
        np.mean,
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=max(1, _VALUES_AT_ONCE // len(gained)),
        rng=np.random.default_rng(SEED),
    )
    return float(test.pvalue)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Correct p-values for how many comparisons there are, in the order given.

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
