"""Answers without a language model: the evidence itself, arranged to be read."""

from index.store import Index
from rag.citations import Block, Claim, Span
from rag.evidence import Evidence, PaperEvidence
from rag.names import title_name
from rag.question import Kind


def quote(index: Index, row: int) -> Claim:
    """A passage of the index as a claim: its cleaned text, resting on its span."""
    passage = index.passages[row]
    paper = index.papers[int(index.owner[row])]
    return Claim(passage.text, (Span(paper, passage.start, passage.end),))


def _block(index: Index, found: PaperEvidence, *, listed: bool) -> Block:
    paper = index.papers[found.paper]
    title = paper.display_title if listed else title_name(paper) or paper.display_title
    return Block(tuple(quote(index, row) for row in found.passages), title, bullet=listed)


def write(index: Index, evidence: Evidence, *, fitting: int | None = None) -> list[Block]:
    """The evidence as blocks: a bullet a paper for a list, otherwise a paragraph a paper.

    A paragraph is headed by the name its paper's title begins with, if it has one; the
    reference has the whole title. A list begins with how many papers are `fitting`, if given.
    """
    listed = evidence.kind is Kind.LIST
    said = f"{fitting} {'paper fits' if fitting == 1 else 'papers fit'} this:"
    opening = [Block((Claim(said, ()),))] if listed and fitting is not None else []
    return opening + [
        _block(index, found, listed=listed) for found in evidence.papers if found.passages
    ]
