"""What a question's options take away: papers beyond its sources, answers not sure enough."""

from dataclasses import replace

from rag.evidence import Evidence
from rag.question import Kind

LEAST_CONFIDENCE = 0.5
"""A strict answer is given from this confidence: its papers are more likely right than not."""
UNSURE = (
    "The papers found are not likely enough to be the right ones for a strict answer"
    " ({:.0%}; it takes {:.0%})."
)
BESIDE = "{} What is quoted comes nearest, and may be beside the question."
"""The notice of a lenient answer in the place of a refusal, after the reason of that."""


def within(evidence: Evidence, sources: int | None) -> Evidence:
    """The evidence of the first `sources` papers; papers that are only close come last."""
    if sources is None:
        return evidence
    papers = evidence.papers[:sources]
    return replace(evidence, papers=papers, close=evidence.close[: sources - len(papers)])


def cut_notice(evidence: Evidence, sources: int | None) -> str | None:
    """What a reader is told where `within` left papers out; None if it left out none."""
    count = len(evidence.papers)
    if sources is None or count <= sources:
        return None
    asked = "that fit" if evidence.kind is Kind.LIST else "that the question is about"
    verb = "is" if sources == 1 else "are"
    limit = f"since the number of sources is set to {sources}"
    return f"Only {sources} of the {count} papers {asked} {verb} cited, {limit}."


def too_unsure(confidence: float) -> str | None:
    """Why a strict answer is not given; None if it is sure enough."""
    if confidence >= LEAST_CONFIDENCE:
        return None
    return UNSURE.format(confidence, LEAST_CONFIDENCE)
