"""What a model wrote, as statements with their addresses, from JSON or from marked text.

The reader of marked text is lenient: a number in any bracket is an address if the sheet has it.
"""

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydantic_core import from_json

from index.passages import sentence_spans
from rag.synthesis.prompts import SENTINEL
from rag.synthesis.sheet import Address


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of a reply in plain text, and what the model says it rests on."""

    text: str
    addresses: tuple[Address, ...] = ()
    heading: str | None = None
    """What stands above it, if it is the first under it."""


_ADDRESS = r"\d{1,4}(?:[.:]\d{1,3})?"
_MARK = re.compile(
    r"[ \t]*(?P<open>[\[【〔({<(]+\^?)\s*"
    r"(?:(?:papers?|sentences?|sources?|cite[ds]?|see|refs?)\.?:?\s*)?"
    rf"(?P<numbers>{_ADDRESS}(?:(?:\s*(?:[,;&–-]|and\b)\s*|\s+)(?:paper |sentence )?{_ADDRESS})*)"
    r"(?:\s*†[^\]】]*)?\s*\^?[\]】〕)}>)]+(?:\(#[^)]*\))?",
    re.IGNORECASE,
)
_SQUARE = re.compile(r"[\[【〔]\s*(?:\w+\.?:?\s*)?\d")
_JSON = re.compile(r"(?:\{\s*\"(?:sentences|answer)\"|\[\s*\{\s*\"text\").*", re.DOTALL)
_NUMBER = re.compile(r"(\d{1,4})(?:[.:](\d{1,3}))?(?:\s*[–-]\s*(?:\d{1,4}[.:])?(\d{1,3}))?")
_AUTHOR_YEAR = re.compile(
    r"\s*\((?:[A-Z][\w'’-]+(?:\s+(?:et al\.?|and|&)\s*(?:[A-Z][\w'’-]+)?)?,?"
    r"\s*\d{4}[a-z]?(?:;\s*)?)+\)"
)
_OPENING = re.compile(r"^\s*(?:[-*+•–]\s+|\(?\d{1,2}[.)]\s+|>\s*)*(?:\[[ xX]\]\s*)?")
_HEADING = re.compile(r"^\s*(?:#{1,6}\s*(?P<hash>.+?)|\*\*(?P<bold>[^*]{2,80}?):?\*\*:?)\s*$")
_SIGNS = re.compile(r"\*\*|__|`+|(?<!\w)\*(?=\S)|(?<=\S)\*(?!\w)")
_LABEL = re.compile(
    r"^(?:(?:the|final|short)\s+)*(?:answer|response|summary)\s*:\s*", re.IGNORECASE
)
_SOURCES = re.compile(r"^\W*(?:references?|sources?|citations?|bibliography)\W*$", re.IGNORECASE)
_ENDED = re.compile(r"[.!?。！？…:][\"”’」』）')\]]*$")
_SAYS_NOTHING = re.compile(SENTINEL, re.IGNORECASE)
_WIDEST_RANGE = 20
_LONGEST = 2_000


def read_statements(
    text: str, has: Callable[[Address], bool], *, whole: bool = True
) -> tuple[list[Statement], bool]:
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
    found = _marked(text, has, in_parentheses=not _SQUARE.search(text))
    says_nothing = any(_SAYS_NOTHING.search(each.text) for each in found)
    found = [each for each in found if not _SAYS_NOTHING.search(each.text)]
    return (found if whole else found[:-1]), says_nothing


def _structured(
    text: str, has: Callable[[Address], bool], *, whole: bool
) -> tuple[list[Statement], bool]:
    try:
        reply = from_json(text.partition("```")[0], allow_partial=True)
    except ValueError:
        return _marked(text, has), False
    listed = reply.get("sentences", reply.get("answer")) if isinstance(reply, dict) else reply
    if isinstance(listed, str):
        return read_statements(listed, has, whole=whole)
    items = listed if isinstance(listed, list) else []
    found = []
    for item in items if whole else items[:-1]:
        said, cites = (
            (item.get("text"), item.get("cites")) if isinstance(item, dict) else (item, ())
        )
        named = " ".join(map(str, cites)) if isinstance(cites, list) else str(cites or "")
        own = tuple(address for address in _addresses(named) if has(address))
        for each in _marked(str(said or ""), has):  # one item may hold several
            found.append(Statement(each.text, tuple(dict.fromkeys((*each.addresses, *own)))))
    return found, whole and listed == []


def _marked(
    text: str, has: Callable[[Address], bool], *, in_parentheses: bool = False
) -> list[Statement]:
    found: list[Statement] = []
    heading: str | None = None
    for raw in html.unescape(text).splitlines():
        if _SOURCES.match(raw):
            break
        if match := _HEADING.match(raw):
            heading = _MARK.sub("", match["hash"] or match["bold"]).strip(" *:") or None
            continue
        line = _LABEL.sub("", _SIGNS.sub("", _OPENING.sub("", raw.replace("|", " "))))
        for at, each in enumerate(_of_line(_AUTHOR_YEAR.sub("", line), has, in_parentheses)):
            found.append(Statement(each.text, each.addresses, heading if at == 0 else None))
            heading = None
    # "Here are the papers:" and "Sure!" say nothing.
    return [e for e in found if e.addresses or not e.text.rstrip().endswith((":", "!"))]


def _of_line(line: str, has: Callable[[Address], bool], in_parentheses: bool) -> list[Statement]:
    """The sentences of a line; an address belongs to the sentence that it stands in or behind.

    In parentheses it counts only if the reply has none in square brackets: "(1.2–1.9)" is more
    often an interval.
    """
    found: list[Statement] = []
    at = 0
    for mark in _MARK.finditer(line):
        addresses = [address for address in _addresses(mark["numbers"]) if has(address)]
        square = mark["open"][0] in "[【〔"
        if not square and not (in_parentheses and any(a.sentence for a in addresses)):
            continue  # "(2025)", "(3)": a plain remark
        _add(found, line[at : mark.start()])
        at = mark.end()
        if found and addresses:
            last = found[-1]
            found[-1] = Statement(last.text, tuple(dict.fromkeys((*last.addresses, *addresses))))
    _add(found, line[at:])
    return found


def _add(found: list[Statement], text: str) -> None:
    """Add the sentences of a text; what goes on with the sentence before is added to it."""
    if not text.strip():
        return
    if found and (not _ENDED.search(found[-1].text) or not re.search(r"\w", text)):
        last = found.pop()
        joint = "" if text.lstrip()[:1] in ".,;:!?)" else " "
        text = f"{last.text}{joint}{text.strip()}"
        spans = sentence_spans(text)
        first = text[spans[0][0] : spans[0][1]] if spans else text.strip()
        found.append(Statement(first[:_LONGEST], last.addresses))
        spans = spans[1:]
    else:
        spans = sentence_spans(text)
    found += [Statement(" ".join(text[a:b].split())[:_LONGEST]) for a, b in spans]


def _addresses(numbers: str) -> Sequence[Address]:
    found: list[Address] = []
    for paper, sentence, to in _NUMBER.findall(numbers):
        first = int(sentence or paper)
        last = int(to) if to else first
        for each in range(first, min(last, first + _WIDEST_RANGE) + 1):
            found.append(Address(int(paper), each) if sentence else Address(each))
    return tuple(dict.fromkeys(found))
