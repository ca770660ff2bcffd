"""Turn the scores of single answers into the figures of a run."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import chain
from typing import get_args

import numpy as np

from eval.runs import QuestionScore
from eval.scoring import AnswerScore, Supports, alce
from eval.statistics import bootstrap_mean, mean_of
from rag.schema import Answer, Support

MAIN = ("right", "nugget_recall", "citation_precision", "citation_recall", "evidence_recall",
        "alce_recall", "alce_precision", "verbatim", "abstained_rightly", "nDCG@10", "hit@1",
        "R@10", "words", "latency_ms")  # fmt: skip
"""The figures of a question that come first in reports."""

Section = dict[str, float | int | None]


def question_values(score: AnswerScore, support: Supports) -> dict[str, float | None]:
    """Return the figures of one answer by name, None where there is nothing to measure.

    Facts, papers and evidence are measured on answerable questions, words and the support of
    citations on answers that are no refusals. Yes and no are 1 and 0. `support` decides whether
    the cited text supports a sentence.
    """
    gold = {
        "nugget_recall": mean_of(score.nuggets_found),
        "citation_precision": mean_of(score.references_gold) if score.question.papers else None,
        "citation_recall": mean_of(score.papers_cited),
        "evidence_recall": mean_of(score.evidence_cited),
    }
    alce_recall, alce_precision = alce(score.answer, support) or (None, None)
    return {
        "right": score.rightness,
        **{name: value if score.question.answerable else None for name, value in gold.items()},
        "alce_precision": alce_precision,
        "alce_recall": alce_recall,
        "verbatim": mean_of(score.verbatim),
        "refused": float(score.refused),
        "abstained_rightly": float(score.refused != score.question.answerable),
        "words": None if score.refused else float(score.words),
        "confidence": score.answer.confidence,
        "latency_ms": score.elapsed_ms,
    }


def intervals(values: Sequence[Mapping[str, float | None]]) -> dict[str, Section]:
    """Return the mean of each figure over the questions that have it, with its interval."""
    names = dict.fromkeys(chain.from_iterable(values))
    found = {name: bootstrap_mean(each.get(name) for each in values) for name in names}
    return {name: asdict(interval) for name, interval in found.items() if interval}


def by_type(rows: Sequence[QuestionScore]) -> dict[str, Section]:
    """Return the number of questions of each type and their means, in the types' first order."""
    names = dict.fromkeys(chain.from_iterable(row.values for row in rows))
    found: dict[str, Section] = {}
    for kind in dict.fromkeys(row.type for row in rows):
        values = [row.values for row in rows if row.type == kind]
        means = {name: mean_of(each.get(name) for each in values) for name in names}
        found[kind] = {"questions": len(values), **means}
    return found


def answer_summary(scores: Sequence[AnswerScore], support: Supports) -> dict[str, Section]:
    """Return the figures of a run that are not means over questions, by section.

    Shares are in [0, 1], None where there is nothing to measure. `support` decided before.
    """
    answers = [score.answer for score in scores]
    words = [score.words for score in scores if not score.refused]
    verdicts = Counter(each.support for answer in answers for each in answer.sentences)
    return {
        "evidence": {"quotes_not_located": sum(each.evidence_cited.count(None) for each in scores)},
        f"alce_{support.name}": {"unreadable": support.unreadable},
        "sentences": {
            # By the product's own check; a notice tells of quotes in place of a failed model.
            **{kind: verdicts[kind] for kind in get_args(Support)},
            "quoted_instead": sum(answer.notice is not None for answer in answers),
        },
        "abstention": _abstention(scores),
        "selective": _selective(scores),
        "words": {"median": quantile(words, 0.5), "p90": quantile(words, 0.9)},
        "latency_ms": percentiles([score.elapsed_ms for score in scores]),
        "stages_ms": _stages(answers),
        "tokens": _tokens(answers),
    }


def _abstention(scores: Sequence[AnswerScore]) -> Section:
    """Measure how well refusals tell unanswerable questions from answerable ones.

    Unanswerable is the positive class: precision = refused and unanswerable / refused, recall
    = refused and unanswerable / unanswerable, F1 their harmonic mean.
    """
    refused = [not score.question.answerable for score in scores if score.refused]
    answerable = [score.refused for score in scores if score.question.answerable]
    unanswerable = [score.refused for score in scores if not score.question.answerable]
    both = len(refused) + len(unanswerable)
    return {
        "precision": mean_of(refused),
        "recall": mean_of(unanswerable),
        "f1": 2 * sum(refused) / both if both else None,
        "unanswerable": len(unanswerable),
        "refused_answerable_share": mean_of(answerable),
    }


def risk_by_coverage(scores: Sequence[AnswerScore]) -> list[float]:
    """Return the risk at coverage 1/N … N/N (El-Yaniv & Wiener 2010), each in [0, 1].

    Questions are ordered by falling confidence, then those answered without a confidence, then
    refusals. The risk at coverage k/N is the share of the first k without a right answer; a
    refusal is never one, so the curve ends at the share of all questions without a right answer.
    Questions of equal confidence share their mean risk, so their order does not matter.
    """
    groups: dict[tuple[int, float], list[bool]] = {}
    for score in scores:
        confidence = score.answer.confidence
        rank = (0, 0.0) if score.refused else (1, 0.0) if confidence is None else (2, confidence)
        groups.setdefault(rank, []).append(score.refused or not score.is_right)
    wrong = [np.mean(groups[rank]) for rank in sorted(groups, reverse=True) for _ in groups[rank]]
    return [float(risk) for risk in np.cumsum(wrong) / np.arange(1, len(wrong) + 1)]


def _selective(scores: Sequence[AnswerScore]) -> Section:
    """Measure how well confidence tells right answers from wrong ones.

    AURC is the mean risk over all coverages (Geifman & El-Yaniv 2017), lower is better. ECE is
    Σ count/N · |share right - mean confidence| over ten bins of equal width, `(low, high]`, the
    first one with 0 (Naeini et al. 2015, Guo et al. 2017), the Brier score the mean of
    (confidence - right)² (Brier 1950); both over the answers that have a confidence.
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


def _stages(answers: Sequence[Answer]) -> Section:
    """Return `<stage>_p50`, `_p95` and `_p99` in ms over the answers that had the stage."""
    spent: dict[str, list[float]] = {}
    for stage, elapsed_ms in chain.from_iterable(each.timings_ms.items() for each in answers):
        spent.setdefault(stage, []).append(elapsed_ms)
    return {
        f"{stage}_{q}": value for stage in spent for q, value in percentiles(spent[stage]).items()
    }


def _tokens(answers: Sequence[Answer]) -> Section:
    """Sum the tokens that chat models read and wrote, and their price if it is known of all."""
    used = [answer.usage for answer in answers]
    unknown = any(each.cost_usd is None and each.prompt_tokens for each in used)
    return {
        "read": sum(each.prompt_tokens for each in used),
        "written": sum(each.completion_tokens for each in used),
        "usd": None if unknown else sum(each.cost_usd or 0.0 for each in used),
    }


def percentiles(values: Sequence[float]) -> Section:
    """Return the 50th, 95th and 99th percentile, linearly interpolated; None of none."""
    return {f"p{q}": quantile(values, q / 100) for q in (50, 95, 99)}


def quantile(values: Sequence[float], q: float) -> float | None:
    """Return the `q` quantile, `q` in [0, 1], to three decimals; None of none."""
    return round(float(np.quantile(values, q)), 3) if values else None
