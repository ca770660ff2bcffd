"""The figures of a run with their bootstrap intervals."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Protocol

from eval.metrics.answers import AnswerScore
from eval.metrics.summary import Section
from eval.statistics import Interval, bootstrap_mean, bootstrap_ratio


class Measured(Protocol):
    """A question with its figures by name, None where there was nothing to measure."""

    @property
    def values(self) -> Mapping[str, float | None]:
        """Such as those of `eval.metrics.per_question.question_values`."""


def intervals(questions: Sequence[Measured]) -> dict[str, Section]:
    """The mean of every figure over the questions that have it, with its bootstrap interval.

    Figures that no question has are left out.
    """
    names = dict.fromkeys(chain.from_iterable(question.values for question in questions))
    found = {
        name: bootstrap_mean(question.values.get(name) for question in questions) for name in names
    }
    return {name: _section(interval) for name, interval in found.items() if interval is not None}


def pooled_intervals(scores: Sequence[AnswerScore]) -> dict[str, Section]:
    """The pooled ("micro") figures of `answer_summary` with their bootstrap intervals."""
    answerable = [score for score in scores if score.question.answerable]
    pooled = {
        "nugget_recall_micro": [score.nuggets_found for score in answerable],
        "citation_precision_micro": [score.references_gold for score in answerable],
        "citation_recall_micro": [score.papers_cited for score in answerable],
    }
    found = {
        name: bootstrap_ratio([sum(items) for items in groups], [len(items) for items in groups])
        for name, groups in pooled.items()
    }
    return {name: _section(interval) for name, interval in found.items() if interval is not None}


def _section(interval: Interval) -> Section:
    return {"mean": interval.mean, "low": interval.low, "high": interval.high, "n": interval.n}
