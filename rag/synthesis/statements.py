"""What a model wrote, as statements with their addresses: from JSON, or from text with markers.

A marker is a number, or several, in square brackets: [1.2], [1.2, 2.1], 【3】.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from pydantic_core import from_json

from index.sentences import sentence_spans
from rag.synthesis.prompts import SENTINEL
from rag.synthesis.sheet import Address


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
        text, cites = (
            (item.get("text"), item.get("cites")) if isinstance(item, dict) else (item, ())
        )
        cited = _addresses(" ".join(map(str, cites)) if isinstance(cites, list) else str(cites))
        for each in _marked(str(text or ""), has):  # one item may hold several
            found.append(_citing(each, cited, has))
    return found, whole and items == []


def _marked(text: str, has: Has) -> list[Statement]:
    found: list[Statement] = []
    heading: str | None = None
    for line in text.splitlines():
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
