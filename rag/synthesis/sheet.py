"""The evidence as a chat model gets it: numbered sentences by paper, within a budget of tokens."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from index.papers import Paper
from index.store import Index
from index.text import clean_text
from rag.evidence import Evidence, PaperEvidence
from rag.names import title_name
from rag.retrieval import passage_rows
from rag.synthesis.markers import Address

Count = Callable[[str], int]
"""How many tokens a text has."""

# What the sheet means by brackets and by angle brackets must not come from an abstract.
_ADDRESS = re.compile(r"[\[【]\s*(\d[\d.,;\s–-]*)[\]】]")
_TAG = re.compile(r"<(?=/?\s*[A-Za-z])")


@dataclass(frozen=True)
class SheetPaper:
    """A paper of the sheet and its sentences, as rows of the index's passages, in their order."""

    paper: Paper
    row: int
    """Its row in the index's papers."""
    rows: tuple[int, ...]
    best: int
    """The one of them that fits best."""


@dataclass(frozen=True)
class Sheet:
    """What a model may use. Paper 2, sentence 3 is `papers[1].rows[2]`."""

    papers: tuple[SheetPaper, ...]
    text: str

    def rows(self, addresses: Iterable[Address]) -> tuple[int, ...]:
        """The passages that addresses name; those that name nothing are passed over."""
        found: list[int] = []
        for address in addresses:
            if address.paper > len(self.papers):
                continue
            rows = self.papers[address.paper - 1].rows
            if address.sentence is None:
                found += rows
            elif address.sentence <= len(rows):
                found.append(rows[address.sentence - 1])
        return tuple(dict.fromkeys(found))

    @property
    def all_rows(self) -> tuple[int, ...]:
        """Every passage on the sheet."""
        return tuple(row for paper in self.papers for row in paper.rows)

    def names(self) -> dict[int, tuple[str, ...]]:
        """What each paper, by its number, is called: first the name its title begins with."""
        return {
            number: tuple(filter(None, (title_name(at.paper), clean_text(at.paper.title))))
            for number, at in enumerate(self.papers, 1)
        }


def lay_out(index: Index, evidence: Evidence, budget: int, count: Count) -> Sheet:
    """Lay the evidence out: selected sentences first, then their neighbours, as far as they go.

    Args:
        index: The index the evidence is from.
        evidence: Papers in the order they are numbered, each with its best sentences first.
        budget: Tokens of the sheet at most; the first sentence is always on it.
        count: Counts them.
    """
    kept: dict[int, list[int]] = {}
    spent = 0

    def add(found: PaperEvidence, row: int) -> None:
        nonlocal spent
        if row in kept.get(found.paper, ()):
            return
        cost = count(_sentence(index, row)) + _ADDRESS_TOKENS
        if found.paper not in kept:
            cost += count(_heading(0, index.papers[found.paper]))
        if kept and spent + cost > budget:
            return
        kept.setdefault(found.paper, []).append(row)
        spent += cost

    papers = [found for found in (*evidence.papers, *evidence.close) if found.passages]
    longest = max((len(found.passages) for found in papers), default=0)
    for place in range(longest):  # the best sentence of each paper goes before the next of any
        for found in papers:
            if place < len(found.passages):
                add(found, found.passages[place])
    for found in evidence.papers[:1]:
        own = passage_rows(index, found.paper)
        for row in found.passages[:1]:
            for neighbour in (row + 1, row - 1):
                if neighbour in own:
                    add(found, neighbour)
    chosen = tuple(
        SheetPaper(
            index.papers[found.paper],
            found.paper,
            tuple(sorted(kept[found.paper])),
            kept[found.paper][0],
        )
        for found in papers
        if found.paper in kept
    )
    return Sheet(chosen, _text(index, chosen))


_ADDRESS_TOKENS = 6


def _text(index: Index, papers: Sequence[SheetPaper]) -> str:
    blocks = []
    for number, at in enumerate(papers, 1):
        lines = [
            f"[{number}.{place}] {_sentence(index, row)}" for place, row in enumerate(at.rows, 1)
        ]
        blocks.append("\n".join([_heading(number, at.paper), *lines]))
    return "\n\n".join(blocks)


def _heading(number: int, paper: Paper) -> str:
    dates = [source.date for source in paper.sources if source.date]
    when = f" ({min(dates)})" if dates else f" ({paper.year})" if paper.year else ""
    return f"Paper {number}{when}: {as_data(clean_text(paper.title))}"


def _sentence(index: Index, row: int) -> str:
    return as_data(index.passages[row].text)


def as_data(text: str) -> str:
    """A text of an abstract without what could be taken for an address or a tag of the prompt."""
    text = _ADDRESS.sub(r"(\1)", " ".join(text.split()))
    return _TAG.sub("‹", text)
