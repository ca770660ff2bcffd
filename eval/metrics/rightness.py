"""Is one answer right? The judgement behind every share of right answers."""

from collections.abc import Sequence

from eval.datasets import Question
from rag.schema import Answer

COUNTED = "digest"
"""The type of questions whose answer may be counted from the index and cite no paper."""
SEVERAL = frozenset({"list", "collection"})
"""Types of questions that ask for many papers: a caution does not excuse the wrong ones."""
MOST_HEDGED = 4
"""Papers that an answer with a caution may cite and still be half right."""
ENOUGH = 0.5
"""The share of the facts to state, and of the cited papers to be acceptable."""


def rightness(
    question: Question, answer: Answer, accepted: Sequence[bool], stated: float | None
) -> float:
    """1 for a right answer, 0 for a wrong one, 0.5 for a cautious one that is partly right.

    An unanswerable question is refused. An answerable one is answered with half of its facts,
    from enough acceptable papers (`Question.least`, or half of the gold ones), which are half of
    those cited. Half right is an answer with a notice that cites few papers, an acceptable one
    among them.

    Args:
        question: What was asked.
        answer: What came back.
        accepted: Whether each reference is one of the papers that may be cited.
        stated: The share of the question's facts that the answer states; None if it has none.
    """
    refused = answer.status == "insufficient_evidence"
    if refused or not question.answerable:
        return float(refused and not question.answerable)
    if stated is not None and stated < ENOUGH:
        return 0.0
    if not question.papers or (question.type == COUNTED and not accepted):
        return 1.0
    found, least = sum(accepted), question.least or (len(question.papers) + 1) // 2
    if found >= least and found >= ENOUGH * len(accepted):
        return 1.0
    hedged = answer.notice is not None and len(accepted) <= MOST_HEDGED
    return 0.5 if found and hedged and question.type not in SEVERAL else 0.0
