"""From the scores of single answers to the figures of a run.

A figure of one question is a line of `question_values`; its mean with an interval, overall and by
type, follows. `answer_summary` has what is not the mean of a question's value.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from itertools import chain
from typing import get_args

import numpy as np

from eval.runs import QuestionScore
from eval.scoring import AnswerScore, Supports, alce, share
from eval.statistics import bootstrap_mean
from rag.schema import Answer, Support, Usage

MAIN = ("right", "nugget_recall", "citation_precision", "citation_recall", "evidence_recall",
        "alce_recall", "alce_precision", "verbatim", "abstained_rightly", "nDCG@10", "hit@1",
        "R@10", "words", "latency_ms")  # fmt: skip
"""The figures of a question that are shown first, and guarded by the gate."""

Section = dict[str, float | int | None]


def question_values(score: AnswerScore, support: Supports) -> dict[str, float | None]:
    """The figures of one answer by name, None where there is nothing to measure.

    Facts, papers and evidence are those of answerable questions, words and the support of
    citations those of answers given. Yes and no are 1 and 0.

    `support` decides whether the cited text supports a sentence.
    """
    gold = {
        "nugget_recall": share(score.nuggets_found),
        "citation_precision": share(score.references_gold) if score.question.papers else None,
        "citation_recall": share(score.papers_cited),
        "evidence_recall": share([each for each in score.evidence_cited if each is not None]),
    }
    alce_recall, alce_precision = alce(score.answer, support) or (None, None)
    return {
        "right": score.rightness,
        **{name: value if score.question.answerable else None for name, value in gold.items()},
        "alce_precision": alce_precision,
        "alce_recall": alce_recall,
        "verbatim": share(score.verbatim),
        "refused": float(score.refused),
        "abstained_rightly": float(score.refused != score.question.answerable),
        "words": None if score.refused else float(score.words),
        "confidence": score.answer.confidence,
        "latency_ms": score.elapsed_ms,
    }


def intervals(values: Sequence[Mapping[str, float | None]]) -> dict[str, Section]:
    """The mean of every figure over the questions that have it, if any, with its interval."""
    names = dict.fromkeys(chain.from_iterable(values))
    found = {name: bootstrap_mean(each.get(name) for each in values) for name in names}
    return {name: asdict(interval) for name, interval in found.items() if interval}


def by_type(rows: Sequence[QuestionScore]) -> dict[str, Section]:
    """How many questions each type has, and their means, in the order the types first appear."""
    names = dict.fromkeys(chain.from_iterable(row.values for row in rows))
    kinds: dict[str, list[QuestionScore]] = {}
    for row in rows:
        kinds.setdefault(row.type, []).append(row)
    return {
        kind: {
            "questions": len(of),
            **{name: mean_of(row.values.get(name) for row in of) for name in names},
        }
        for kind, of in kinds.items()
    }


def answer_summary(scores: Sequence[AnswerScore], support: Supports) -> dict[str, Section]:
    """The figures of a run that are no means over questions, by section.

    Shares are in [0, 1], and None where there was nothing to measure. `support` is what decided
    whether cited text supports a sentence.
    """
    words = [score.words for score in scores if not score.refused]
    return {
        "evidence": {"quotes_not_located": sum(each.evidence_cited.count(None) for each in scores)},
        f"alce_{support.name}": {"unreadable": support.unreadable},
        "sentences": _verdicts([score.answer for score in scores]),
        "abstention": _abstention(scores),
        "selective": _selective(scores),
        "words": {"median": quantile(words, 0.5), "p90": quantile(words, 0.9)},
        "latency_ms": percentiles([score.elapsed_ms for score in scores]),
        "stages_ms": _stages(score.answer for score in scores),
        "tokens": _tokens([score.answer for score in scores]),
    }


def _verdicts(answers: Sequence[Answer]) -> Section:
    """What the check that comes with the answers said of their sentences, as counts.

    `quoted_instead` counts answers that say how they came about: quotes where a model failed.
    """
    found = Counter(sentence.support for answer in answers for sentence in answer.sentences)
    return {
        **{kind: found[kind] for kind in get_args(Support)},
        "quoted_instead": sum(answer.notice is not None for answer in answers),
    }


def _abstention(scores: Sequence[AnswerScore]) -> Section:
    """How well refusing tells unanswerable questions from answerable ones.

    Unanswerable is the positive class: precision = refused and unanswerable / refused, recall
    = refused and unanswerable / unanswerable, F1 their harmonic mean.
    """
    counts = Counter((score.question.answerable, score.refused) for score in scores)
    right, needless, missed = counts[False, True], counts[True, True], counts[False, False]
    answerable = needless + counts[True, False]
    return {
        "precision": _ratio(right, right + needless),
        "recall": _ratio(right, right + missed),
        "f1": _ratio(2 * right, 2 * right + needless + missed),
        "unanswerable": right + missed,
        "refused_answerable_share": _ratio(needless, answerable),
    }


def risk_by_coverage(scores: Sequence[AnswerScore]) -> list[float]:
    """The risk at coverage 1/N … N/N (El-Yaniv & Wiener 2010), each in [0, 1].

    Questions are ordered by confidence, the surest first, then those answered without a
    confidence, then the refused ones. The risk at coverage k/N is the share of the first k without
    a right answer: a wrong answer, an answer to what has none, and a refusal, whatever was asked.
    So the curve ends at the share of all questions without a right answer. Questions of equal
    confidence share their mean, so that their order in the file does not matter.
    """
    groups: dict[tuple[int, float], list[bool]] = {}
    for score in scores:
        confidence = score.answer.confidence
        rank = (0, 0.0) if score.refused else (1, 0.0) if confidence is None else (2, confidence)
        groups.setdefault(rank, []).append(score.refused or not score.is_right)
    wrong = [
        float(np.mean(groups[rank])) for rank in sorted(groups, reverse=True) for _ in groups[rank]
    ]
    return [float(risk) for risk in np.cumsum(wrong) / np.arange(1, len(wrong) + 1)]


def _selective(scores: Sequence[AnswerScore]) -> Section:
    """How well confidence tells right from wrong.

    AURC is the mean risk over all coverages (Geifman & El-Yaniv 2017), lower is better. ECE is
    Σ count/N · |share right - mean confidence| over ten bins of equal width, `(low, high]`, the
    first one with 0 (Naeini et al. 2015, Guo et al. 2017), the Brier score the mean of
    (confidence - right)² (Brier 1950); both over the answers given with a confidence.
    """
    pairs = [
        (score.answer.confidence, score.is_right)
        for score in scores
        if not score.refused and score.answer.confidence is not None
    ]
    confidence, right = np.array(pairs, dtype=np.float64).reshape(-1, 2).T
    gaps = right - confidence
    bins = np.clip(np.ceil(confidence * 10) - 1, 0, 9)
    error = float(np.abs(np.bincount(bins.astype(int), gaps, 10)).sum())
    return {
        "aurc": mean_of(risk_by_coverage(scores)),
        "ece": error / len(pairs) if pairs else None,
        "brier": float(np.mean(gaps**2)) if pairs else None,
        "with_confidence": len(pairs),
    }


def _stages(answers: Iterable[Answer]) -> Section:
    """`<stage>_p50`, `_p95` and `_p99` in milliseconds, of the answers that had the stage."""
    spent: dict[str, list[float]] = {}
    for stage, elapsed_ms in chain.from_iterable(each.timings_ms.items() for each in answers):
        spent.setdefault(stage, []).append(elapsed_ms)
    found = {stage: percentiles(values) for stage, values in spent.items()}
    return {f"{stage}_{q}": value for stage, each in found.items() for q, value in each.items()}


def _tokens(answers: Sequence[Answer]) -> Section:
    """What chat models read and wrote, and its price; None as soon as one price is unknown."""
    used = [answer.usage for answer in answers]
    total = sum(used, Usage())
    unknown = any(each.cost_usd is None and each.prompt_tokens for each in used)
    return {
        "read": total.prompt_tokens,
        "written": total.completion_tokens,
        "usd": None if unknown else sum(each.cost_usd or 0.0 for each in used),
    }


def percentiles(values: Sequence[float]) -> Section:
    """The median, the 95th and the 99th percentile, with linear interpolation; None of none."""
    return {f"p{q}": quantile(values, q / 100) for q in (50, 95, 99)}


def quantile(values: Sequence[float], q: float) -> float | None:
    """The `q` quantile, `q` in [0, 1], to three decimals; None of none."""
    return round(float(np.quantile(values, q)), 3) if values else None


def mean_of(values: Iterable[float | None]) -> float | None:
    """The mean of those that are known; None of none."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
