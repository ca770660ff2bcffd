"""The markers by which a model says what a sentence rests on, in whatever style it writes them.

Asked for `[1.2]` (paper 1, sentence 2), models also write `[1]`, `(1)`, `[1, 2]`, `[1-3]`,
`[1.2-1.4]`, `【1†source】`, `[^1]`, `[Paper 1, sentence 2]`, `[[1]]`, `<sup>1</sup>`, `.¹` or the
name of a paper in brackets.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from index.papers import letters


@dataclass(frozen=True, slots=True)
class Address:
    """Where the evidence stands: a paper of the sheet and one of its sentences, from 1."""

    paper: int
    sentence: int | None = None
    """None means the paper as a whole."""


OPENERS = "[【(<"
"""Characters that a marker can begin with; superscripts need a stop before them."""
_LONGEST = 60
_WORD = (
    r"(?:papers?|sources?|sentences?|sent|refs?|references?|evidence|passages?|documents?|docs?"
    r"|abstracts?|see|no|p|s)"
)
_NUMBER = rf"\^?\s*(?:{_WORD}\b\.?:?\s*#?)?\s*\d[\d.,;:&\s–—-]*"
_NUMBERS = rf"(?:{_NUMBER}|\s*(?:and|{_WORD})\b\.?\s*#?)+"
_INSIDE = re.compile(rf"{_NUMBERS}(?:†[^\]】]*)?", re.IGNORECASE)
_CLOSED = {
    "[": re.compile(r"\[\[([^\[\]\n]*)\]\]|\[([^\[\]\n]*)\]"),
    "【": re.compile(r"【([^】\n]*)】"),
    "(": re.compile(r"\(([^()\n]*)\)"),
    "<": re.compile(r"<sup>([^<\n]*)</sup>"),
}
_OPEN = {
    "[": re.compile(r"\[[^\[\]\n]*|\[\[[^\[\]\n]*\]?"),
    "【": re.compile(r"【[^】\n]*"),
    "(": re.compile(
        r"\([a-z]{0,10}\.?[\d.,;:&\s^–—-]*(?:(?:and|sentence)?[\d.,;:&\s–—-]*)", re.IGNORECASE
    ),
    "<": re.compile(r"<(?:s(?:u(?:p(?:>[^<\n]*(?:</?s?u?p?)?)?)?)?)?"),
}
_SENTENCE_OF = re.compile(
    r"(\d+)\s*,?\s*(?:sentences?|sent\.?|s\.?)\s*#?(\d+(?:\s*(?:,|and|&)\s*\d+)*)", re.I
)
_ITEM = re.compile(
    r"(?P<paper>\d{1,3})(?:[.:](?P<sentence>\d{1,3}))?"
    r"(?:\s*[-–—]\s*(?P<to>\d{1,3})(?:[.:](?P<to_sentence>\d{1,3}))?)?"
)
_SUPERSCRIPT = re.compile(r"[¹²³⁰⁴-⁹]+(?:[,˒⸴][¹²³⁰⁴-⁹]+)*")
_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_WIDEST_RANGE = 20


def read_marker(text: str, names: Mapping[str, int]) -> tuple[int, tuple[Address, ...]] | None:
    """The marker that a text begins with: its length and what it names, as far as it is written.

    Args:
        text: Begins with one of `OPENERS`, or with a superscript digit.
        names: Letters of names and titles → number of the paper they are of.

    Returns:
        None if it begins with something else. Numbers are not held against what there is.
    """
    if match := _SUPERSCRIPT.match(text):
        return match.end(), _addresses(match[0].translate(_DIGITS))
    match = _CLOSED[text[0]].match(text) if text[0] in _CLOSED else None
    if match is None:
        return None
    inside = next(group for group in match.groups() if group is not None).strip()
    if _INSIDE.fullmatch(inside):
        found = _addresses(inside.partition("†")[0])
        return (match.end(), found) if found else None
    named = names.get(letters(inside)) if text[0] in "[【" and letters(inside) else None
    return (match.end(), (Address(named),)) if named else None


def may_become_marker(text: str) -> bool:
    """Whether a text that begins with one of `OPENERS` may be the beginning of a marker."""
    return len(text) <= _LONGEST and bool(_OPEN[text[0]].fullmatch(text))


def _addresses(inside: str) -> tuple[Address, ...]:
    """What numbers, lists and ranges name; nothing if one of them is 0, which no paper is."""
    inside = _SENTENCE_OF.sub(
        lambda match: ", ".join(f"{match[1]}.{n}" for n in re.findall(r"\d+", match[2])), inside
    )
    found: list[Address] = []
    for item in _ITEM.finditer(inside):
        paper, to = int(item["paper"]), int(item["to"]) if item["to"] else None
        sentence = int(item["sentence"]) if item["sentence"] else None
        if not paper or sentence == 0:
            return ()
        if to is None:
            found.append(Address(paper, sentence))
        elif sentence is None:
            found += [Address(n) for n in _range(paper, to)]
        else:  # "1.2-1.4", or "1.2-4"
            last = int(item["to_sentence"]) if item["to_sentence"] else to
            found += [Address(paper, n) for n in _range(sentence, last)]
    return tuple(dict.fromkeys(found))


def _range(first: int, last: int) -> range:
    return range(first, min(last, first + _WIDEST_RANGE) + 1) if last >= first else range(0)
