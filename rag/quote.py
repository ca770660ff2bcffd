"""Answers without a language model: the evidence itself, arranged to be read."""

from collections.abc import Iterator

from index.store import Index
from rag.citations import Block, Claim, Span
from rag.evidence import Evidence, PaperEvidence
from rag.wording import LISTS


def quote(index: Index, row: int) -> Claim:
    """A passage of the index as a claim: its cleaned text, resting on its span."""
    passage = index.passages[row]
    paper = index.papers[int(index.owner[row])]
    return Claim(passage.text, (Span(paper, passage.start, passage.end),))


def write(index: Index, evidence: Evidence) -> list[Block]:
    """The evidence as blocks: a bullet a paper for a list, otherwise a paragraph a paper.

    A paragraph is headed by what its paper calls itself, if it does; the reference has the whole
    title. Groups of a list have their headings.
    """
    listed = evidence.kind in LISTS
    papers = iter(found for found in evidence.papers if found.passages)
    if evidence.groups:
        return list(_grouped(index, evidence, papers))
    blocks = [_block(index, found, listed=listed) for found in papers]
    if evidence.counted and evidence.count is not None:
        count = "1 paper fits" if evidence.count == 1 else f"{evidence.count} papers fit"
        return [Block((Claim(f"{count}:", ()),)), *blocks]
    if listed and evidence.count is not None and evidence.count > len(blocks):
        more = f"{evidence.count} papers fit; these are the first {len(blocks)}."
        blocks.append(Block((Claim(more, ()),)))
    return blocks


def _grouped(index: Index, evidence: Evidence, papers: Iterator[PaperEvidence]) -> Iterator[Block]:
    for heading, count in evidence.groups:
        yield Block((Claim(heading, ()),))
        for _ in range(count):
            yield _block(index, next(papers), listed=True)


def _block(index: Index, found: PaperEvidence, *, listed: bool) -> Block:
    paper = index.papers[found.paper]
    title = paper.display_title
    if not listed:
        title = index.names.called(found.paper) or title
    return Block(tuple(quote(index, row) for row in found.passages), title, bullet=listed)
