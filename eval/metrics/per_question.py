"""Every figure of one question, flat: what runs are compared by, question by question."""

from eval.metrics.answers import AnswerScore
from eval.metrics.citations import alce
from eval.support import Supports


def question_values(score: AnswerScore, support: Supports) -> dict[str, float | None]:
    """The figures of one answer by name, None where there is nothing to measure.

    Their means over a run are the figures of `eval.metrics.summary` that are means over questions:
    facts, papers and evidence are those of answerable questions, and words, redundancy and the
    support of citations those of answers given. Yes and no are 1 and 0.

    Args:
        score: The answer, measured.
        support: What decides whether the cited text supports a sentence.
    """
    facts = score if score.question.answerable else None
    given = score if not score.refused else None
    cited = alce(score.answer, support)
    return {
        "right": score.rightness,
        "nugget_recall": facts.nugget_recall if facts else None,
        "nugget_recall_lenient": facts.nugget_recall_lenient if facts else None,
        "nugget_recall_sentences": facts.nugget_recall_sentences if facts else None,
        "citation_precision": facts.citation_precision if facts else None,
        "citation_recall": facts.citation_recall if facts else None,
        "alce_precision": cited.precision if cited else None,
        "alce_recall": cited.recall if cited else None,
        "evidence_recall": facts.evidence_recall if facts else None,
        "verbatim": 1 - len(score.span_errors) / score.spans if score.spans else None,
        "refused": float(score.refused),
        "abstained_rightly": float(score.refused != score.question.answerable),
        "words": float(given.words) if given else None,
        "redundancy": given.redundancy if given else None,
        "confidence": score.confidence,
        "latency_ms": score.elapsed_ms,
        "yes_no": _number(score.yes_no_right),
        "accepted_false_premise": _number(score.accepted_false_premise),
    }


def _number(flag: bool | None) -> float | None:
    return None if flag is None else float(flag)
