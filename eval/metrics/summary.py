"""From the scores of single answers to the figures of a run."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

from eval.metrics import cost
from eval.metrics.answers import AnswerScore, share
from eval.metrics.citations import alce
from eval.metrics.selective import Outcome, brier, calibration_error, reliability, risk_coverage
from eval.support import LocalSupport, Supports
from rag.schema import Answer, Support

Figure = float | int | None
Section = dict[str, Figure]


def answer_summary(
    scores: Sequence[AnswerScore], support: Supports | None = None, store: Path | None = None
) -> dict[str, Section]:
    """The figures of a run, by section.

    Shares are in [0, 1], and None where there was nothing to measure. Citations, evidence and
    nuggets are those of the answerable questions; a refusal there finds and cites nothing.
    "micro" pools all items, "macro" is the mean over questions.

    Args:
        scores: Every answer, measured.
        support: What decides whether cited text supports a sentence; its name is part of the
            section's name. The product's own checker by default.
        store: The index on disk, if there is one to weigh.
    """
    support = support or LocalSupport()
    answerable = [score for score in scores if score.question.answerable]
    given = [score for score in scores if not score.refused]
    words = [score.words for score in given]
    return {
        "right": {"share": mean_of(score.rightness for score in scores), "questions": len(scores)},
        "nuggets": {
            "recall": mean_of(score.nugget_recall for score in answerable),
            "recall_lenient": mean_of(score.nugget_recall_lenient for score in answerable),
            "recall_sentences": mean_of(score.nugget_recall_sentences for score in answerable),
            "recall_micro": _pooled(score.nuggets_found for score in answerable),
        },
        "citations": {
            "precision_micro": _pooled(s.references_gold for s in answerable if s.question.papers),
            "precision_macro": mean_of(score.citation_precision for score in answerable),
            "recall_micro": _pooled(score.papers_cited for score in answerable),
            "recall_macro": mean_of(score.citation_recall for score in answerable),
            "evidence_recall": mean_of(score.evidence_recall for score in answerable),
            "quotes_not_located": sum(score.evidence_cited.count(None) for score in answerable),
        },
        f"alce_{support.name}": cited_support(scores, support),
        "verbatim": verbatim(scores),
        "sentences": verdicts([score.answer for score in scores]),
        "abstention": abstention(scores),
        "selective": selective([outcome(score) for score in scores]),
        "false_premise": _flags("accepted", [s.accepted_false_premise for s in scores]),
        "yes_no": _flags("right", [score.yes_no_right for score in scores]),
        "conversation_and_digest": right_papers(
            score for score in answerable if score.question.type in ("followup", "digest")
        ),
        "words": {"median": cost.quantile(words, 0.5), "p90": cost.quantile(words, 0.9)},
        "redundancy": {"mean": mean_of(score.redundancy for score in given)},
        "latency_ms": latency([score.elapsed_ms for score in scores]),
        "stages_ms": {**cost.stages(score.answer for score in scores)},
        "tokens": tokens([score.answer for score in scores]),
        "machine": {
            "peak_memory_bytes": cost.peak_memory_bytes(),
            "index_bytes": cost.index_bytes(store) if store else None,
        },
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


def verdicts(answers: Sequence[Answer]) -> Section:
    """What the check that comes with the answers said of their sentences, as counts.

    `quoted_instead` counts answers that say how they came about: quotes where a model failed.
    """
    found = Counter(sentence.support for answer in answers for sentence in answer.sentences)
    kinds: tuple[Support, ...] = ("supported", "partly", "unsupported", "unchecked")
    return {
        **{kind: found[kind] for kind in kinds},
        "quoted_instead": sum(answer.notice is not None for answer in answers),
    }


def cited_support(scores: Sequence[AnswerScore], support: Supports) -> Section:
    """ALCE's citation recall and precision, over the answers given (`eval.metrics.citations`).

    Recall and precision are means over answers, as in ALCE; the rest are counts.
    """
    found = [each for score in scores if (each := alce(score.answer, support)) is not None]
    return {
        "recall": mean_of(each.recall for each in found),
        "precision": mean_of(each.precision for each in found),
        "sentences": sum(each.sentences for each in found),
        "sentences_uncited": sum(each.sentences - each.cited for each in found),
        "sentences_supported": sum(each.supported for each in found),
        "citations": sum(each.citations for each in found),
        "citations_precise": sum(each.precise for each in found),
        "unreadable": support.unreadable,
    }


def outcome(score: AnswerScore) -> Outcome:
    """What `eval.metrics.selective` looks at of an answer."""
    return Outcome(score.confidence, refused=score.refused, right=score.right)


def selective(outcomes: Sequence[Outcome]) -> Section:
    """How well confidence tells right from wrong (`eval.metrics.selective`)."""
    curve = risk_coverage(outcomes)
    bins = reliability(outcomes)
    return {
        "aurc": curve.aurc if curve else None,
        "aurc_excess": curve.excess if curve else None,
        "ece": calibration_error(bins),
        "brier": brier(outcomes),
        "with_confidence": sum(each.count for each in bins),
    }


def tokens(answers: Sequence[Answer]) -> Section:
    """What chat models read and wrote, and its price in US dollars, None if unknown."""
    read, written = cost.tokens(answers)
    return {"read": read, "written": written, "usd": cost.cost_usd(answers)}


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
    """The median, the 95th and the 99th percentile of wall-clock times, in milliseconds."""
    return {**cost.percentiles(elapsed_ms)}


def _type(scores: Sequence[AnswerScore]) -> Section:
    answerable = [score for score in scores if score.question.answerable]
    return {
        "questions": len(scores),
        "refused": sum(score.refused for score in scores),
        "right": mean_of(score.rightness for score in scores),
        "nugget_recall": mean_of(score.nugget_recall for score in answerable),
        "citation_precision": _pooled(score.references_gold for score in answerable),
        "citation_recall": _pooled(score.papers_cited for score in answerable),
        "evidence_recall": mean_of(score.evidence_recall for score in answerable),
        "right_papers": sum(s.right_papers for s in answerable) if answerable else None,
        "words_median": cost.quantile([score.words for score in scores if not score.refused], 0.5),
    }


def mean_of(values: Iterable[float | None]) -> float | None:
    """The mean of those that are known; None of none."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _pooled(groups: Iterable[Sequence[bool]]) -> float | None:
    return share(list(chain.from_iterable(groups)))


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _flags(name: str, flags: Iterable[bool | None]) -> Section:
    """The share of true ones among those that are known, and how many those are."""
    known = [flag for flag in flags if flag is not None]
    return {f"{name}_share": share(known), "questions": len(known)}
