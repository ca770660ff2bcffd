"""The markers by which a model says what a sentence rests on, in whatever style it writes them.

Asked for `[1.2]` (paper 1, sentence 2), models also write `[1]`, `(1)`, `[1, 2]`, `[1-3]`,
`[1.2-1.4]`, `【1†source】`, `[^1^]`, `[Paper 1, sentence 2]`, `[[1]]`, `<sup>1</sup>`, `.¹`,
`[cite: 1.2]`, `[1](#1)`, `{1.2}`, `[1.2, FooNet]` or the name of a paper in brackets.
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


@dataclass(frozen=True, slots=True)
class Marker:
    """What a text begins with: markers that follow each other, or a link."""

    length: int
    """Characters of the text that it takes up."""
    addresses: tuple[Address, ...]
    """In the order written; none for a link."""
    text: str = ""
    """What a link shows; it stands in the link's place."""
    bare: bool = False
    """Whether it is whole numbers in parentheses and nothing else, as a plain remark may be."""


_CLOSERS = {
    "[": "]", "【": "】", "［": "］", "〔": "〕", "(": ")", "（": "）", "<": ">", "{": "}",
}  # fmt: skip
OPENERS = "".join(_CLOSERS)
"""Characters that a marker can begin with; superscripts need a stop before them."""
_SQUARE, _ROUND = "[【［〔", "(（"
_LONGEST = 80
_LONGEST_URL = 300
_WORDS = frozenset(
    "paper papers source sources sentence sentences sent ref refs reference references evidence"
    " passage passages document documents doc docs abstract abstracts cite cited citation"
    " citations from see in and no p s".split()
)
_WORD = re.compile(
    rf"(?<![^\W\d_])(?:{'|'.join(sorted(_WORDS, key=len, reverse=True))})(?![^\W\d_])\.?", re.I
)
_FIRST_WORD = re.compile(r".\s*([^\W\d_]+)(?=[^\w])")
_NUMBERS = re.compile(r"[\s.,;:&–—-]*\d[\d\s.,;:&–—-]*")
_DECORATION = re.compile(r"[\[\]【】^#@]")
_NUMBERS_AND_NAME = (
    re.compile(r"(?P<numbers>[^\W\d_]{0,10}\.?\s*\d[\d.\s]*)[\s,;:–-]+(?P<name>\D.*)"),
    re.compile(r"(?P<name>.*?)[\s,;:–-]+(?P<numbers>[^\W\d_]{0,10}\.?\s*\d[\d.\s]*)"),
)
_SENTENCE_OF_PAPER = re.compile(
    r"sent(?:ences?|\.)?\s*(?:(?P<whole>\d+\.\d+)|(?P<sentence>\d+))\s*(?:,|of|in|from)\s*"
    r"(?:the\s+)?(?:paper|abstract|source|document)\s*(?P<paper>\d+)",
    re.IGNORECASE,
)
_SENTENCE_OF = re.compile(
    r"(\d+)\s*[,:]?\s*(?:sentences?|sent\.?|s\.?)\s*(\d+(?:\s*(?:,|and|&)\s*\d+)*)(?!\.?\d)", re.I
)
_ITEM = re.compile(
    r"(?P<paper>\d+)(?:[.:](?P<sentence>\d+))?"
    r"(?:\s*[-–—]\s*(?P<to>\d+)(?:[.:](?P<to_sentence>\d+))?)?"
)
_VALID = re.compile(r"(?<![\d.])(\d{1,3})\.(\d{1,3})(?!\.?\d|%)")
_UNCLOSED = re.compile(r"\[(?P<inside>[^\[\]\n]*)(?=\n|\Z)")
_URL = re.compile(rf"\((?:https?://|www\.|mailto:|#|/)[^()\s]{{0,{_LONGEST_URL}}}\)")
_MAY_BE_URL = re.compile(rf"\([^()\s]{{0,{_LONGEST_URL}}}")
_SUPERSCRIPT = re.compile(r"[¹²³⁰⁴-⁹]+(?:[,˒⸴][¹²³⁰⁴-⁹]+)*")
_MAY_BE_SUPERSCRIPT = re.compile(r"[¹²³⁰⁴-⁹,˒⸴]*")
_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹˒⸴", "0123456789,,")
_BETWEEN = re.compile(r" *(?:[,;/|&–-]|and\b)? *")
_MAY_BE_BETWEEN = re.compile(r" *(?:[,;/|&–-]|a|an|and)? *")
_WIDEST_RANGE = 20


def read_marker(
    text: str, names: Mapping[str, int], sizes: Mapping[int, int] | None = None
) -> Marker | None:
    """The markers, or the link, that a text begins with.

    Args:
        text: Begins with one of `OPENERS`, or with a superscript digit.
        names: Letters of names and titles → number of the paper they are of.
        sizes: How many sentences each paper has. With it, whatever stands in square brackets
            around an address that there is names that address.

    Returns:
        None if it begins with something else. Numbers are not held against what there is.
    """
    if match := _SUPERSCRIPT.match(text):
        return Marker(match.end(), _addresses(match[0].translate(_DIGITS)))
    first = _read_one(text, 0, names, sizes or {})
    if first is None or (first.text and not first.addresses):
        return first
    end, found, bare = first.length, [*first.addresses], first.bare
    family = _ROUND if text[0] in _ROUND else OPENERS.translate(str.maketrans("", "", _ROUND))
    while (at := _next(text, end)) < len(text) and text[at] in family:
        further = _read_one(text, at, names, sizes or {})
        if further is None or not further.addresses:
            break
        end = at + further.length
        found += further.addresses
        bare = bare and further.bare
    return Marker(end, tuple(dict.fromkeys(found)), bare=bare)


def may_become_marker(text: str, names: Mapping[str, int] | None = None) -> bool:
    """Whether more text may change what `read_marker` says of a text: a marker may have begun."""
    if text[0] not in OPENERS:
        return bool(_MAY_BE_SUPERSCRIPT.fullmatch(text))
    at = 0
    while True:
        end = _end(text, at, names or {})
        if end is None:
            return True
        if not end:
            return False
        if text[at] in _SQUARE and (end == len(text) or _MAY_BE_URL.fullmatch(text, end)):
            return True
        if link := _URL.match(text, end):
            end = link.end()
        if _MAY_BE_BETWEEN.fullmatch(text, end):
            return True
        at = _next(text, end)
        if text[at] not in OPENERS:
            return False


def _next(text: str, end: int) -> int:
    """Where the next marker would begin: past what may stand between two of them."""
    between = _BETWEEN.match(text, end)
    return between.end() if between else end


def _end(text: str, at: int, names: Mapping[str, int]) -> int | None:
    """Where the bracket at a place ends; 0 if it does not, None if more text may end it."""
    window, line_ends, _ = text[at : at + _LONGEST].partition("\n")
    opener, lower = window[0], window.lower()
    closer = _CLOSERS[opener]
    if opener == "[" and window[1:2] == "[":
        closer = "]]"
    elif opener == "<" and lower.startswith("<sup>"):
        closer = "</sup>"
    elif (opener == "<" and window[1:2] and not re.match(r"[a-zA-Z/\d]", window[1])) or (
        opener == "{" and window[1:].strip() and not window[1:].strip()[0].isdecimal()
    ):
        return 0
    elif opener in _ROUND and (word := _FIRST_WORD.match(window)):
        said = letters(word[1])
        if said not in _WORDS and not any(name.startswith(said) for name in names):
            return 0
    found = window.find(closer, len(closer) if closer == "]]" else 1)
    inside = window[len(closer) if closer == "]]" else 1 : found if found >= 0 else None]
    if opener in inside and closer != "</sup>":
        return 0
    if found >= 0:
        return at + found + len(closer)
    return 0 if line_ends or len(text) - at >= _LONGEST else None


def _read_one(
    text: str, at: int, names: Mapping[str, int], sizes: Mapping[int, int]
) -> Marker | None:
    """The one bracket, or link, that begins at a place."""
    end = _end(text, at, names)
    opener = text[at]
    if not end:
        unclosed = _UNCLOSED.match(text, at)
        if unclosed and len(unclosed[0]) < _LONGEST and (found := _numbers(unclosed["inside"])):
            return Marker(unclosed.end() - at, found)
        return None
    inside = text[at:end]
    inside = inside[5:-6] if inside.lower().startswith("<sup>") else inside[1:-1]
    link = _URL.match(text, end) if opener == "[" else None
    if link and (found := _numbers(inside)):
        return Marker(link.end() - at, found)
    if link:
        return Marker(link.end() - at, (), inside)
    found = _numbers(inside) or _numbers_and_name(inside, names)
    if opener in "<{" and text[at : at + 5].lower() != "<sup>":
        return Marker(end - at, found) if found and _VALID.search(inside) else None
    if opener in _ROUND:
        bare = bool(_NUMBERS.fullmatch(inside)) and all(a.sentence is None for a in found)
        return Marker(end - at, found, bare=bare) if found else None
    found = found or _names(inside, names) or _valid(inside, sizes)
    return Marker(end - at, found) if found else None


def _numbers(inside: str) -> tuple[Address, ...]:
    """What numbers name, with nothing beside them but words like "sentence"; else nothing."""
    inside = _DECORATION.sub(" ", inside.partition("†")[0]).replace("|", ",").replace("/", ",")
    inside = _SENTENCE_OF_PAPER.sub(
        lambda match: match["whole"] or f"{match['paper']}.{match['sentence']}", inside
    )
    inside = _SENTENCE_OF.sub(
        lambda match: ", ".join(f"{match[1]}.{n}" for n in re.findall(r"\d+", match[2])), inside
    )
    inside = re.sub(r"\s+of\s+", " ", inside)
    inside = _WORD.sub(lambda match: "," if match[0].lower() == "and" else " ", inside)
    return _addresses(inside) if _NUMBERS.fullmatch(inside) else ()


def _numbers_and_name(inside: str, names: Mapping[str, int]) -> tuple[Address, ...]:
    """The addresses beside which the name of a paper stands; else nothing."""
    for pattern in _NUMBERS_AND_NAME:
        match = pattern.fullmatch(inside.strip())
        if match and letters(match["name"]) in names:
            return _numbers(match["numbers"])
    return ()


def _names(inside: str, names: Mapping[str, int]) -> tuple[Address, ...]:
    """The papers that names name, with nothing beside them; else nothing."""
    if number := names.get(letters(inside)):
        return (Address(number),)
    parts = [letters(part) for part in re.split(r"[,;]", inside)]
    return tuple(Address(names[part]) for part in parts) if all(p in names for p in parts) else ()


def _valid(inside: str, sizes: Mapping[int, int]) -> tuple[Address, ...]:
    """The addresses in a text that there are."""
    found = (Address(int(paper), int(at)) for paper, at in _VALID.findall(inside))
    return tuple(a for a in found if a.sentence and a.sentence <= sizes.get(a.paper, 0))


def _addresses(inside: str) -> tuple[Address, ...]:
    """What numbers, lists and ranges name; nothing if one of them is 0 or a year."""
    found: list[Address] = []
    for item in _ITEM.finditer(inside):
        if any(part and (len(part) > 3 or not int(part)) for part in item.groups()):
            return ()
        paper, to = int(item["paper"]), int(item["to"]) if item["to"] else None
        sentence = int(item["sentence"]) if item["sentence"] else None
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
