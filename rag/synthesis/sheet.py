"""What a chat model reads, whole abstracts whose sentences have addresses, and what it writes.

What it wrote are statements with addresses: from JSON, or from text with markers. A marker is a
number, or several, in square brackets: [1.2], [1.2, 2.1], 【3】.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from html import unescape

from pydantic_core import from_json

from index.papers import Paper
from index.passages import sentence_spans
from index.store import Index
from rag.chat import tokens_of
from rag.retrieval import passage_rows

SENTINEL = "NOT IN THE ABSTRACTS"
"""What a model is to reply if the abstracts do not answer."""
LARGEST = 6_000
"""Tokens of a sheet by default, or a quarter of the model's context if that is less."""

# What the sheet means by brackets and by angle brackets must not come from an abstract.
_BRACKETED = re.compile(r"[\[【]\s*(\d[\d.,;\s–-]*)[\]】]")
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
    return _TAG.sub("‹", _BRACKETED.sub(r"(\1)", " ".join(text.split())))


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of a reply in plain text, and what the model says it rests on."""

    text: str
    addresses: tuple[Address, ...] = ()
    heading: str | None = None
    """What stands above it, if it is the first under it."""


Has = Callable[[Address], bool]
"""Whether the sheet has an address."""

_MARK = re.compile(
    r"[ \t]*[\[【〔]+\^?\s*(?:[a-z]+\.? )?"
    r"(\d{1,4}(?:\.\d{1,3})?(?:[\s,;&–-]+(?:and |paper |sentence )?\d{1,4}(?:\.\d{1,3})?)*)"
    r"\s*(?:†[^\]】]*)?[\]】〕]+",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(\d{1,4})(?:\.(\d{1,3}))?(?:\s*[–-]\s*(?:\d{1,4}\.)?(\d{1,3}))?")
_JSON = re.compile(r"(?:\{\s*\"(?:sentences|answer)\"|\[\s*\{\s*\"text\").*", re.DOTALL)
_OPENING = re.compile(r"^\s*(?:[-*+•–>]\s+|\(?\d{1,2}[.)]\s+)*(?:(?:final )?answer:\s*)?", re.I)
_HEADING = re.compile(r"^\s*(?:#{1,6}\s*(.+?)|\*\*([^*]{2,80}?):?\*\*:?)\s*$")
_SIGNS = re.compile(r"\*\*|__|`+|(?<!\w)\*(?=\S)|(?<=\S)\*(?!\w)")
_SOURCES = re.compile(r"^\W*(?:references?|sources?|citations?)\W*$", re.IGNORECASE)
_ENDED = re.compile(r"[.!?。！？…:][\"”’」』）')\]]*$")
_SAYS_NOTHING = re.compile(SENTINEL, re.IGNORECASE)
_WIDEST_RANGE = 20
_LONGEST = 2_000


def read_statements(text: str, has: Has, *, whole: bool = True) -> tuple[list[Statement], bool]:
    """The statements of a reply so far, and whether it says that the abstracts do not answer.

    Args:
        text: The reply, without thoughts.
        has: Whether the sheet has an address.
        whole: Whether the reply is over; the last statement of one that is not may be open and
            is left out.
    """
    bare = re.sub(r"^```\w*\s*|\s*```\s*$", "", text.strip())
    if match := _JSON.search(bare):
        return _structured(match[0], has, whole=whole)
    if bare.startswith("{") and not whole:
        return [], False  # too little of it has come
    found = _marked(text, has)
    told = [each for each in found if not _SAYS_NOTHING.search(each.text)]
    return (told if whole else told[:-1]), len(told) < len(found)


def _structured(text: str, has: Has, *, whole: bool) -> tuple[list[Statement], bool]:
    try:
        reply = from_json(text.partition("```")[0], allow_partial=True)
    except ValueError:
        return _marked(text, has), False
    items = reply.get("sentences", reply.get("answer")) if isinstance(reply, dict) else reply
    if isinstance(items, str):
        return read_statements(items, has, whole=whole)
    items = items if isinstance(items, list) else None
    found = []
    for item in (items or []) if whole else (items or [])[:-1]:
        content: object = item
        cites: object = ()
        if isinstance(item, dict):
            content, cites = item.get("text"), item.get("cites")
        cited = _addresses(" ".join(map(str, cites)) if isinstance(cites, list) else str(cites))
        for each in _marked(str(content or ""), has):  # one item may hold several
            found.append(_citing(each, cited, has))
    return found, whole and items == []


def _marked(text: str, has: Has) -> list[Statement]:
    found: list[Statement] = []
    heading: str | None = None
    for line in unescape(text).splitlines():
        if _SOURCES.match(line):
            break
        if match := _HEADING.match(line):
            heading = _MARK.sub("", match[1] or match[2]).strip(" *:") or None
            continue
        for each in _of_line(_SIGNS.sub("", _OPENING.sub("", line)), has):
            found.append(replace(each, heading=heading))
            heading = None
    # "Here are the papers:" and "Sure!" say nothing.
    return [e for e in found if e.addresses or not e.text.rstrip().endswith((":", "!"))]


def _of_line(line: str, has: Has) -> list[Statement]:
    """The sentences of a line; an address belongs to the sentence that it stands in or behind."""
    found: list[Statement] = []
    at = 0
    for mark in _MARK.finditer(line):
        _add(found, line[at : mark.start()])
        at = mark.end()
        if found:
            found[-1] = _citing(found[-1], _addresses(mark[1]), has)
    _add(found, line[at:])
    return found


def _add(found: list[Statement], text: str) -> None:
    """Add the sentences of a text; what goes on with the sentence before is added to it."""
    if not text.strip():
        return
    addresses: tuple[Address, ...] = ()
    if found and (not _ENDED.search(found[-1].text) or not re.search(r"\w", text)):
        last = found.pop()
        addresses = last.addresses
        joint = "" if text.lstrip()[:1] in ".,;:!?)" else " "
        text = f"{last.text}{joint}{text.strip()}"
    for start, end in sentence_spans(text) or [(0, len(text))]:
        found.append(Statement(" ".join(text[start:end].split())[:_LONGEST], addresses))
        addresses = ()


def _citing(statement: Statement, addresses: list[Address], has: Has) -> Statement:
    every = (*statement.addresses, *filter(has, addresses))
    return replace(statement, addresses=tuple(dict.fromkeys(every)))


def _addresses(numbers: str) -> list[Address]:
    found: list[Address] = []
    for paper, sentence, to in _NUMBER.findall(numbers):
        first = int(sentence or paper)
        last = min(int(to or first), first + _WIDEST_RANGE)
        for each in range(first, last + 1):
            found.append(Address(int(paper), each) if sentence else Address(each))
    return found
