"""What a chat model answers from: whole abstracts, every sentence with its address."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from index.papers import Paper
from index.store import Index
from rag.chat import tokens_of
from rag.retrieval import passage_rows

LARGEST = 6_000
"""Tokens of a sheet by default, or a quarter of the model's context if that is less."""

# What the sheet means by brackets and by angle brackets must not come from an abstract.
_ADDRESS = re.compile(r"[\[【]\s*(\d[\d.,;\s–-]*)[\]】]")
_TAG = re.compile(r"<(?=/?\s*[A-Za-z])")


@dataclass(frozen=True, slots=True)
class Address:
    """A paper of the sheet and one of its sentences, both from 1."""

    paper: int
    sentence: int | None = None
    """None means the paper as a whole."""


@dataclass(frozen=True)
class Sheet:
    """Whole abstracts. Sentence 3 of paper 2 is `passages[1][2]`, a row of the index."""

    index: Index
    papers: tuple[int, ...]
    """Rows of the papers, paper 1 first."""
    passages: tuple[range, ...]

    def rows(self, addresses: Iterable[Address]) -> tuple[int, ...]:
        """The passages that addresses name; those that name nothing are passed over."""
        found: list[int] = []
        for address in filter(self.has, addresses):
            rows = self.passages[address.paper - 1]
            found += rows if address.sentence is None else [rows[address.sentence - 1]]
        return tuple(dict.fromkeys(found))

    def has(self, address: Address) -> bool:
        """Whether there is such a paper and sentence."""
        if not 1 <= address.paper <= len(self.papers):
            return False
        return (address.sentence or 1) in range(1, len(self.passages[address.paper - 1]) + 1)

    def halved(self) -> "Sheet":
        """The first half of the papers."""
        half = len(self.papers) // 2
        return Sheet(self.index, self.papers[:half], self.passages[:half])

    @cached_property
    def text(self) -> str:
        """The abstracts, as the model reads them."""
        blocks = zip(self.papers, self.passages, strict=True)
        return "\n\n".join(_block(self.index, row, n, at) for n, (row, at) in enumerate(blocks, 1))


def lay_out(index: Index, rows: Sequence[int], budget: int) -> Sheet:
    """The abstracts of papers, best first, as many whole ones as the budget holds.

    Args:
        index: The index.
        rows: Of the papers, best first; those without an abstract are left out.
        budget: Tokens at most, about. The first paper is always there, cut behind a sentence if
            it alone is longer.
    """
    found: dict[int, range] = {}
    left = budget
    for row in dict.fromkeys(rows):
        passages = passage_rows(index, row)
        cost = tokens_of(_block(index, row, 1, passages))
        while len(passages) > 1 and cost > left and not found:
            passages = passages[:-1]
            cost = tokens_of(_block(index, row, 1, passages))
        if passages and (not found or cost <= left):
            found[row] = passages
            left -= cost
    return Sheet(index, tuple(found), tuple(found.values()))


def _block(index: Index, row: int, number: int, rows: range) -> str:
    """One abstract: a line that says whose it is, and its sentences with their addresses."""
    lines = (f"[{number}.{n}] {as_data(index.passages[at].text)}" for n, at in enumerate(rows, 1))
    return "\n".join([f"Paper {number}: {_described(index.papers[row])}", *lines])


def _described(paper: Paper) -> str:
    """What a paper is called, by whom it is, and when and in which digest it was."""
    authors = f"{paper.authors[0]} et al." if paper.authors[3:] else ", ".join(paper.authors)
    dates = sorted({str(source.date) for source in paper.sources if source.date})
    when = ", ".join(dates) or (str(paper.year) if paper.year else "")
    known = "; ".join(filter(None, (authors, paper.venue, when)))
    title = as_data(paper.display_title)
    return f"{title} ({as_data(known)})" if known else title


def as_data(text: str) -> str:
    """A text of an abstract without what could be taken for an address or a tag of the prompt."""
    return _TAG.sub("‹", _ADDRESS.sub(r"(\1)", " ".join(text.split())))
