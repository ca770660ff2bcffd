"""Questions about the digests themselves, answered from the index: how many, which, where."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from index.lexical import tokenize
from index.papers import Paper, Source
from index.store import Index
from rag.citations import Block, Claim
from rag.conversation import Standalone
from rag.digests import Digest, find_digests, label
from rag.evidence import naming_sentence
from rag.names import named_papers
from rag.scope import Scope
from rag.synthesis.extractive import quote

LISTED = 20
"""Papers shown when a whole digest is asked for."""

_INDEX_WORDS = re.compile(
    r"\b(?:papers?|digests?|abstracts?|index|collection|corpus)\b", re.IGNORECASE
)
_COUNTS = re.compile(r"\b(?:how many|number of|count)\b", re.IGNORECASE)
_WHERE = re.compile(
    r"\b(?:which|what)(?: of the)? (?:digests?|newsletters?)\b"
    r"|^(?:was|is|were|are|did|does)\b.*\b(?:digests?|newsletters?|both)\b",
    re.IGNORECASE,
)
_SUBJECTLESS = frozenset(
    stemmed
    for word in """digest issue newsletter list listed lists include included includes contain
    contains overlap shared appear appears appeared present come came total altogether index
    abstract abstracts entry entries article articles title titles common everything count number
    available indexed collection corpus read both same different item items date dates
    papers paper there many way new""".split()
    for stemmed in tokenize(word)
)  # fmt: skip


def asks_where(alone: Standalone, index: Index) -> list[Paper]:
    """The papers whose digests are asked for: "Was WebArena in both?"; empty if none is."""
    if not _WHERE.search(alone.asked):
        return []
    return named_papers(alone.asked, index.papers, index.lexical) or list(alone.about)


def is_about_digests(alone: Standalone, scope: Scope) -> bool:
    """Whether the digests are asked about and no subject: how many papers, which are in both."""
    says = bool(scope.filters.digests) or bool(_INDEX_WORDS.search(alone.asked))
    return says and not alone.about and not set(tokenize(scope.text)) - _SUBJECTLESS


def write_where(papers: Sequence[Paper]) -> list[Block]:
    """In which digests papers are."""
    found = ((paper, _join([_place(at) for at in paper.sources])) for paper in papers)
    return [Block((Claim(f"In {where}.", ()),), paper.display_title) for paper, where in found]


def _place(source: Source) -> str:
    return f"the digest of {label(source.name, source.date)} (number {source.position})"


def describe(
    index: Index,
    digests: Sequence[Digest],
    asked: str,
    scope: Scope,
    mask: NDArray[np.bool_],
    *,
    filtered: bool,
) -> list[Block]:
    """How many papers pass `mask`, and which, in the order of their digest.

    `filtered` says that the mask holds filters beside what the question says.

    What is counted rests on no sentence of an abstract, so it cites nothing.
    """
    rows = [int(row) for row in np.flatnonzero(mask)]
    among = "Of the papers that pass the filters, " if filtered else ""
    if not scope.filters.digests and filtered:
        return [Block((Claim(f"{_papers(len(rows))} pass the filters.", ()),))]
    if not scope.filters.digests:
        each = "; ".join(f"{digest.label}: {digest.papers}" for digest in digests)
        detail = f" ({each}; a paper in several digests counts once)" if len(digests) > 1 else ""
        return [Block((Claim(f"The index holds {_papers(len(rows))}{detail}.", ()),))]
    chosen = [found for name in scope.filters.digests for found in find_digests(name, digests)]
    every = scope.filters.every_digest
    where = _join([f"the digest of {digest.label}" for digest in chosen], every=every)
    left_out = [found.label for name in scope.without for found in find_digests(name, digests)]
    but = f" but not in the digest of {_join(left_out)}" if left_out else ""
    verb = "is" if len(rows) == 1 else "are"
    count = Block(
        (Claim(f"{among}{len(rows) if among else _papers(len(rows))} {verb} in {where}{but}.", ()),)
    )
    if _COUNTS.search(asked):
        return [count]
    first = chosen[0]

    def position(row: int) -> int:
        sources = index.papers[row].sources
        own = [at.position for at in sources if (at.name, at.date) == (first.name, first.date)]
        return own[0] if own else len(index.papers)

    return [count, *_write_list(index, sorted(rows, key=position))]


def _write_list(index: Index, rows: Sequence[int]) -> list[Block]:
    """Papers as bullets, each with the sentence that says what it is; the first `LISTED`."""
    sentences = ((row, naming_sentence(index, row)) for row in rows[:LISTED])
    blocks = [
        Block((quote(index, at),), index.papers[row].display_title, bullet=True)
        for row, at in sentences
        if at is not None
    ]
    if len(rows) > LISTED:
        more = f"{len(rows) - LISTED} more are not shown: name a subject to narrow the list."
        blocks.append(Block((Claim(more, ()),)))
    return blocks


def _papers(count: int) -> str:
    return f"{count:,} {'paper' if count == 1 else 'papers'}"


def _join(parts: Sequence[str], *, every: bool = True) -> str:
    word = " and " if every else " or "
    return word.join(parts) if len(parts) < 3 else f"{', '.join(parts[:-1])}{word}{parts[-1]}"
