"""From the scores of single answers to the figures of a run."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np

from eval.metrics.answers import AnswerScore, share

Figure = float | int | None
Section = dict[str, Figure]


def answer_summary(scores: Sequence[AnswerScore]) -> dict[str, Section]:
    """The figures of a run, by section.

    Shares are in [0, 1], and None where there was nothing to measure. Citations, evidence and
    nuggets are those of the answerable questions; a refusal there finds and cites nothing.
    "micro" pools all items, "macro" is the mean over questions.
    """
    answerable = [score for score in scores if score.question.answerable]
    given = [score for score in scores if not score.refused]
    words = [score.words for score in given]
    return {
        "nuggets": {
            "recall": _mean(score.nugget_recall for score in answerable),
            "recall_micro": _pooled(score.nuggets_found for score in answerable),
        },
        "citations": {
            "precision_micro": _pooled(score.references_gold for score in answerable),
            "precision_macro": _mean(score.citation_precision for score in answerable),
            "recall_micro": _pooled(score.papers_cited for score in answerable),
            "recall_macro": _mean(score.citation_recall for score in answerable),
            "evidence_recall": _mean(score.evidence_recall for score in answerable),
            "quotes_not_located": sum(score.evidence_cited.count(None) for score in answerable),
        },
        "verbatim": verbatim(scores),
        "abstention": abstention(scores),
        "conversation_and_digest": right_papers(
            score for score in answerable if score.question.type in ("followup", "digest")
        ),
        "words": {"median": _quantile(words, 0.5), "p90": _quantile(words, 0.9)},
        "latency_ms": latency([score.elapsed_ms for score in scores]),
    }


def by_type(scores: Sequence[AnswerScore]) -> dict[str, Section]:
    """The main figures of each type of question, in the order the types first appear."""
    kinds = dict.fromkeys(score.question.type for score in scores)
    return {kind: _type([s for s in scores if s.question.type == kind]) for kind in kinds}


def verbatim(scores: Sequence[AnswerScore]) -> Section:
    """Whether every citation and passage is the abstract's own words, and every marker paired."""
    spans = sum(score.spans for score in scores)
    wrong = sum(len(score.span_errors) for score in scores)
    return {
        "spans": spans,
        "share": (spans - wrong) / spans if spans else None,
        "marker_errors": sum(len(score.marker_errors) for score in scores),
    }


def abstention(scores: Sequence[AnswerScore]) -> Section:
    """How well refusing tells unanswerable questions from answerable ones.

    Unanswerable is the positive class: precision = refused and unanswerable / refused, recall
    = refused and unanswerable / unanswerable, F1 their harmonic mean.
    """
    counts = Counter((score.question.answerable, score.refused) for score in scores)
    right, needless = counts[False, True], counts[True, True]
    missed, answered = counts[False, False], counts[True, False]
    return {
        "precision": _ratio(right, right + needless),
        "recall": _ratio(right, right + missed),
        "f1": _ratio(2 * right, 2 * right + needless + missed),
        "refused_unanswerable": right,
        "unanswerable": right + missed,
        "refused_answerable": needless,
        "answerable": needless + answered,
        "refused_answerable_share": _ratio(needless, needless + answered),
    }


def right_papers(scores: Iterable[AnswerScore]) -> Section:
    """How many answers cite the right papers, as `AnswerScore.right_papers` defines it."""
    flags = [score.right_papers for score in scores]
    return {"right_papers": sum(flags), "questions": len(flags)}


def latency(elapsed_ms: Sequence[float]) -> Section:
    """The median and the 95th percentile of wall-clock times, in milliseconds."""
    return {"p50": _quantile(elapsed_ms, 0.5), "p95": _quantile(elapsed_ms, 0.95)}


def _type(scores: Sequence[AnswerScore]) -> Section:
    answerable = [score for score in scores if score.question.answerable]
    return {
        "questions": len(scores),
        "refused": sum(score.refused for score in scores),
        "nugget_recall": _mean(score.nugget_recall for score in answerable),
        "citation_precision": _pooled(score.references_gold for score in answerable),
        "citation_recall": _pooled(score.papers_cited for score in answerable),
        "evidence_recall": _mean(score.evidence_recall for score in answerable),
        "right_papers": sum(s.right_papers for s in answerable) if answerable else None,
        "words_median": _quantile([score.words for score in scores if not score.refused], 0.5),
    }


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _pooled(groups: Iterable[Sequence[bool]]) -> float | None:
    return share(list(chain.from_iterable(groups)))


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _quantile(values: Sequence[float], q: float) -> float | None:
    return round(float(np.quantile(values, q)), 3) if values else None
