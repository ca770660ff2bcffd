"""The answer of a retriever that has no writer: its sources, word for word, best first."""

from collections.abc import Iterable
from dataclasses import dataclass

from index.papers import Paper
from index.passages import Passage, cut
from rag.citations import Block, Claim, Span

WORDS = 90
"""About how long such an answer is: as long as half of our own answers are at most."""


@dataclass(frozen=True, slots=True)
class Source:
    """A text a peer found: a paper's whole text or some of it, in the form that was indexed."""

    paper: Paper
    score: float
    text: str


def sentences(source: Source) -> list[Passage]:
    """The abstract's sentences that stand whole in the source, in the order they have there."""
    whole = [passage for passage in cut(source.paper) if passage.text in source.text]
    return sorted(whole, key=lambda passage: source.text.find(passage.text))


def quote(sources: Iterable[Source], words: int = WORDS) -> tuple[Block, ...]:
    """Quote sources in rank order, one paragraph a source, each sentence citing its own span.

    A paragraph is headed by its paper's title, as ours are: a title states facts too.

    Args:
        sources: Best first. A sentence that was quoted already is not quoted again.
        words: Quoting stops at the end of the sentence that comes nearest to this many words,
            titles counted.

    Returns:
        Blocks for `rag.citations.compose`; none if the sources hold no whole sentence.
    """
    blocks: list[Block] = []
    quoted: set[str] = set()
    said = 0
    for source in sources:
        claims: list[Claim] = []
        title = source.paper.display_title
        for passage in sentences(source):
            length = len(passage.text.split())
            if said and said + length / 2 > words:
                return (*blocks, Block(tuple(claims), title)) if claims else tuple(blocks)
            if passage.id not in quoted:
                quoted.add(passage.id)
                said += length + (0 if claims else len(title.split()))
                span = Span(source.paper, passage.start, passage.end)
                claims.append(Claim(passage.text, (span,)))
        if claims:
            blocks.append(Block(tuple(claims), title))
    return tuple(blocks)
