"""How sure a figure is, and whether two runs differ.

Questions are what is drawn at random, so they are what is resampled: every interval and every
test here is over questions. The same seed gives the same interval.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

RESAMPLES, CONFIDENCE = 10_000, 0.95

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


def _resampling(n: int) -> dict[str, Any]:
    """What resampling `n` values is done with: the seed, and no more at once than memory holds."""
    batch = max(1, 4_000_000 // n)
    rng = np.random.default_rng(0)
    return {"vectorized": True, "n_resamples": RESAMPLES, "batch": batch, "rng": rng}


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
    found = stats.bootstrap((known,), np.mean, confidence_level=CONFIDENCE, **_resampling(n))
    return Interval(
        mean, float(found.confidence_interval.low), float(found.confidence_interval.high), n
    )


def auroc(scores: Sequence[float], positive: Sequence[bool]) -> float | None:
    """The area under the ROC curve, in [0, 1]; None unless both labels occur.

    It is how often a positive has a higher score than a negative, equal scores counting half.
    """
    from sklearn.metrics import roc_auc_score  # a second to import, for few

    return float(roc_auc_score(positive, scores)) if len(set(positive)) > 1 else None


@dataclass(frozen=True, slots=True)
class Change:
    """A figure before and after, question by question."""

    before: Interval
    after: Interval
    difference: Interval
    """After - before, on the questions that both could measure."""
    p: float
    """Of the paired randomization test, two-sided, in (0, 1]."""
    higher: tuple[str, ...]
    """The questions whose value is higher after; higher need not be better."""
    lower: tuple[str, ...]


def compare(before: Measured, after: Measured) -> Change | None:
    """Compare two runs on the questions that both could measure; None if there are none.

    The test is Fisher's paired randomization: if the runs were the same, each question's two
    values could as well stand the other way round, so the signs of the differences are flipped at
    random (all ways, if there are at most `RESAMPLES`), and p is how often the mean difference is
    then as far from 0 (Smucker, Allan & Carterette 2007, "A comparison of statistical significance
    tests for information retrieval evaluation"). A single question shows nothing: p = 1.
    """
    gained = {
        key: later - earlier
        for key, earlier in before.items()
        if earlier is not None and (later := after.get(key)) is not None
    }
    first, second = bootstrap_mean(before.values()), bootstrap_mean(after.values())
    difference = bootstrap_mean(gained.values())
    if not (first and second and difference):
        return None
    p, values = 1.0, np.array(list(gained.values()))
    if len(values) > 1:
        drawn = _resampling(len(values))
        flipped = stats.permutation_test((values,), np.mean, permutation_type="samples", **drawn)
        p = float(flipped.pvalue)
    higher = tuple(key for key, gain in gained.items() if gain > 0)
    lower = tuple(key for key, gain in gained.items() if gain < 0)
    return Change(first, second, difference, p, higher, lower)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Correct p-values for how many comparisons there are.

    Holm 1979, "A simple sequentially rejective multiple test procedure": with m of them, the k-th
    smallest is multiplied by m - k + 1, no one is below the one before it, and none exceeds 1.
    """
    names = sorted(p_values, key=p_values.__getitem__)
    raised = [(len(names) - k) * p_values[name] for k, name in enumerate(names)]
    rising = accumulate(raised, max)
    return {name: min(1.0, p) for name, p in zip(names, rising, strict=True)}
