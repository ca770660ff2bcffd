"""Answers without a language model: the evidence itself, arranged to be read."""

from collections.abc import Sequence

from index.store import Index
from rag.citations import Block, Claim, Span
from rag.digests import Digest
from rag.evidence import Evidence, PaperEvidence
from rag.names import title_name
from rag.question import Kind
from rag.schema import Filters

LISTED = 20
"""Papers shown when a whole digest is asked for."""


def _claim(index: Index, row: int) -> Claim:
    passage = index.passages[row]
    paper = index.papers[int(index.owner[row])]
    return Claim(passage.text, (Span(paper, passage.start, passage.end),))


def _block(index: Index, found: PaperEvidence, *, listed: bool) -> Block:
    paper = index.papers[found.paper]
    title = paper.display_title if listed else title_name(paper) or paper.display_title
    return Block(tuple(_claim(index, row) for row in found.passages), title, bullet=listed)


def write(index: Index, evidence: Evidence) -> list[Block]:
    """The evidence as blocks: a bullet a paper for a list, otherwise a paragraph a paper.

    A paragraph is headed by the name its paper's title begins with, if it has one; the
    reference has the whole title.
    """
    listed = evidence.kind is Kind.LIST
    return [_block(index, found, listed=listed) for found in evidence.papers if found.passages]


def write_count(papers: int, digests: Sequence[Digest], filters: Filters) -> list[Block]:
    """How many papers pass the filters, in which digests: counted, so it cites nothing."""
    noun = "paper" if papers == 1 else "papers"
    if not filters.digests:
        listed = "; ".join(f"{digest.label}: {digest.papers}" for digest in digests)
        detail = f" ({listed}; a paper in several digests counts once)" if len(digests) > 1 else ""
        return [Block((Claim(f"The index holds {papers} {noun}{detail}.", ()),))]
    names = " and ".join(digest.label for digest in digests)
    where = f"all of the digests of {names}" if filters.every_digest else f"the digest of {names}"
    verb = "is" if papers == 1 else "are"
    return [Block((Claim(f"{papers} {noun} {verb} in {where}.", ()),))]


def write_list(index: Index, rows: Sequence[int], sentences: Sequence[int | None]) -> list[Block]:
    """The first `LISTED` papers as bullets, each with the sentence that says what it is."""
    blocks = [
        Block((_claim(index, row),), index.papers[paper].display_title, bullet=True)
        for paper, row in zip(rows[:LISTED], sentences[:LISTED], strict=True)
        if row is not None
    ]
    if len(rows) > LISTED:
        more = f"{len(rows) - LISTED} more are not shown: name a subject to narrow the list."
        blocks.append(Block((Claim(more, ()),)))
    return blocks
