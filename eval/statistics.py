"""Means with their intervals, and whether two runs differ.

Intervals and tests resample questions, by a fixed seed: the same values give the same interval.
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
"""Question id → value; None where there is nothing to measure."""


@dataclass(frozen=True, slots=True)
class Interval:
    """The mean of `n` questions with its confidence interval `[low, high]`."""

    mean: float
    low: float
    high: float
    n: int


def mean_of(values: Iterable[float | None]) -> float | None:
    """Return the mean of the known values; None if none is known."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _resampling(n: int) -> dict[str, Any]:
    """Return scipy's options to resample `n` values: the seed, and batches that fit into memory."""
    drawn = {"n_resamples": RESAMPLES, "rng": np.random.default_rng(0)}
    return {"vectorized": True, "batch": max(1, 4_000_000 // n), **drawn}


def bootstrap_mean(values: Iterable[float | None]) -> Interval | None:
    """Return the mean of the known values with its bootstrap interval; None if none is known.

    The interval is BCa (Efron 1987, "Better bootstrap confidence intervals"): the percentile
    interval is biased towards 1 for shares near 1, as ours are. Equal values have no width.
    """
    known = np.array([value for value in values if value is not None], dtype=np.float64)
    n = len(known)
    if n == 0:
        return None
    mean = float(known.mean())
    if np.allclose(known, mean, rtol=0, atol=1e-12):
        return Interval(mean, mean, mean, n)
    found = stats.bootstrap((known,), np.mean, confidence_level=CONFIDENCE, **_resampling(n))
    low, high = found.confidence_interval
    return Interval(mean, float(low), float(high), n)


def auroc(scores: Sequence[float], positive: Sequence[bool]) -> float | None:
    """Return the area under the ROC curve, in [0, 1]; None unless both labels occur."""
    from sklearn.metrics import roc_auc_score  # takes a second to import

    return float(roc_auc_score(positive, scores)) if len(set(positive)) > 1 else None


@dataclass(frozen=True, slots=True)
class Change:
    """A figure before and after a change."""

    before: Interval
    after: Interval
    difference: Interval
    """After - before, over the questions measured in both."""
    p: float
    """By the two-sided paired randomization test, in (0, 1]."""
    higher: tuple[str, ...]
    """Ids of the questions whose value rose; higher need not be better."""
    lower: tuple[str, ...]


def compare(before: Measured, after: Measured) -> Change | None:
    """Compare two runs on the questions that both measured; None if there are none.

    The test is Fisher's paired randomization: the signs of the differences are flipped at random
    (in every way, if there are at most `RESAMPLES`), and p is how often the mean difference is as
    far from 0 (Smucker, Allan & Carterette 2007, "A comparison of statistical significance tests
    for information retrieval evaluation"). A single question shows nothing: p = 1.
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
    higher, lower = (tuple(key for key in gained if sign * gained[key] > 0) for sign in (1, -1))
    return Change(first, second, difference, p, higher, lower)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Correct p-values for the number of comparisons.

    Holm 1979, "A simple sequentially rejective multiple test procedure": the k-th smallest of m is
    multiplied by m - k + 1, is at least as large as the one before it, and at most 1.
    """
    names = sorted(p_values, key=p_values.__getitem__)
    raised = [(len(names) - k) * p_values[name] for k, name in enumerate(names)]
    return {name: min(1.0, p) for name, p in zip(names, accumulate(raised, max), strict=True)}
