"""Does a system know when it is right? Risk against coverage, and confidence against truth."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 10

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one question."""

    confidence: float | None
    """Of the answer, in [0, 1]; None if the system gives none."""
    refused: bool
    right: bool
    """Whether it was handled as it should be; a refusal can be, and still is no right answer."""


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """The risk at each coverage, and the area under that curve."""

    coverage: tuple[float, ...]
    """1/N, 2/N … 1."""
    risk: tuple[float, ...]
    """At each coverage, in [0, 1]."""
    aurc: float
    """The mean risk; lower is better."""
    excess: float
    """How much of `aurc` a better order would take away, in [0, 1]."""


@dataclass(frozen=True, slots=True)
class Bin:
    """The answers whose confidence lies in `(low, high]`; the first bin holds 0 too."""

    low: float
    high: float
    count: int
    confidence: float
    """Their mean confidence."""
    right: float
    """The share of them that is right."""


def risk_coverage(outcomes: Sequence[Outcome]) -> RiskCoverage | None:
    """The risk-coverage curve (El-Yaniv & Wiener 2010) and its area; None of no questions.

    Questions are ordered by confidence, the surest first, then those answered without a
    confidence, then the refused ones. The risk at coverage k/N is the share of the first k without
    a right answer: a wrong answer, an answer to what has none, and a refusal, whatever was asked.
    So the curve ends at the share of all questions without a right answer. Questions of equal
    confidence share their mean, so that their order in the file does not matter.

    AURC is the mean risk over k = 1 … N (Geifman & El-Yaniv 2017, "Selective classification for
    deep neural networks"). Its excess over the order that puts all right answers first is E-AURC
    (Geifman, Uziel & El-Yaniv 2019, "Bias-reduced uncertainty estimation"), with that best area
    summed exactly, not by their approximation.
    """
    if not outcomes:
        return None
    surest_first = sorted({_rank(outcome) for outcome in outcomes}, reverse=True)
    groups = [[_wrong(o) for o in outcomes if _rank(o) == rank] for rank in surest_first]
    shared = np.concatenate([np.full(len(group), np.mean(group)) for group in groups])
    risk = _risk(shared)
    best = _risk(np.sort([float(_wrong(outcome)) for outcome in outcomes]))
    n = len(outcomes)
    return RiskCoverage(
        coverage=tuple(k / n for k in range(1, n + 1)),
        risk=tuple(risk.tolist()),
        aurc=float(risk.mean()),
        # Rounding may leave a hair below 0.
        excess=max(0.0, float(risk.mean() - best.mean())),
    )


def _wrong(outcome: Outcome) -> bool:
    return outcome.refused or not outcome.right


def _rank(outcome: Outcome) -> tuple[int, float]:
    """The greater, the surer."""
    if outcome.refused:
        return 0, 0.0
    return (1, 0.0) if outcome.confidence is None else (2, outcome.confidence)


def _risk(wrong: Floats) -> Floats:
    """The share of wrong ones among the first k, for each k from 1."""
    return np.asarray(np.cumsum(wrong) / np.arange(1, len(wrong) + 1))


def reliability(outcomes: Sequence[Outcome]) -> list[Bin]:
    """The answers given, in ten bins of confidence of equal width; empty bins are left out.

    Equal width, not equal mass, since that is what ECE is defined on. Refusals and answers without
    a confidence are no part of it.
    """
    confidence, right = _answered(outcomes)
    numbers = np.clip(np.ceil(confidence * BINS) - 1, 0, BINS - 1)
    return [
        Bin(
            low=number / BINS,
            high=(number + 1) / BINS,
            count=int(inside.sum()),
            confidence=float(confidence[inside].mean()),
            right=float(right[inside].mean()),
        )
        for number in range(BINS)
        if (inside := numbers == number).any()
    ]


def calibration_error(bins: Sequence[Bin]) -> float | None:
    """Expected calibration error (ECE): Σ count/N · |share right - mean confidence|, in [0, 1].

    Naeini, Cooper & Hauskrecht 2015, "Obtaining well calibrated probabilities using Bayesian
    binning"; Guo et al. 2017, "On calibration of modern neural networks". None of no answers.
    """
    n = sum(each.count for each in bins)
    return sum(each.count * abs(each.right - each.confidence) for each in bins) / n if n else None


def brier(outcomes: Sequence[Outcome]) -> float | None:
    """The mean of (confidence - right)² over the answers given, in [0, 1] (Brier 1950).

    0.25 is what "even chances" gets every time. None of no answers.
    """
    confidence, right = _answered(outcomes)
    return float(np.mean((confidence - right) ** 2)) if len(right) else None


def _answered(outcomes: Sequence[Outcome]) -> tuple[Floats, Floats]:
    """The confidence of each answer given, and 1 where it is right; refusals left out."""
    pairs = [
        (o.confidence, o.right) for o in outcomes if not o.refused and o.confidence is not None
    ]
    confidence, right = np.array(pairs, dtype=np.float64).reshape(-1, 2).T
    return confidence, right
