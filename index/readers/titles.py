"""How much a line reads as a title, and the title without the marks around it."""

import re

from index.readers.furniture import is_authors, is_name
from index.readers.labels import without_more

_MARK = re.compile(
    r"(?:title\s*:|\d\ufe0f?\u20e3|#{1,6}(?=\s)|\[?\d{1,3}[.)\]]{1,2}(?=\s)|[-*•](?=\s)|\[(?:pdf|html|book|citation)\]"
    r"|[^\w\s(\[“\"'‘«¿¡<$\\]+(?=\s))\s*",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"\s*(?:\(\s*\d+\s+min(?:ute)?s?(?:\s+read)?\s*\)|(?-i:\((?:[A-Z]+ ){0,2}[A-Z]{4,}\))"
    r"|\[(?:pdf|html|link|\d{1,3})\])$",
    re.IGNORECASE,
)
_BOLD = re.compile(r"(?P<sign>\*\*|__|\*|_)(?P<inside>[^*_].*)(?P=sign)")
_LEAST_WORDS = 3
"""Words that a line needs to read as a title whatever is around it."""
SURELY = 20
"""How much a line reads as a title that is labelled as one."""


def title_like(line: str, *, is_heading: bool) -> float:
    """How much a line reads as a title; above 0 it may be one, above 2 it surely tells enough."""
    text = bare_title(line)
    words = text.split()
    if not any(c.isalpha() for c in text):
        return -9
    score = 2.5 if len(words) >= _LEAST_WORDS else 1.0
    score += 4 * is_heading
    score -= 3 * (text[0].islower() or text.endswith(("!", "…", "...")))
    score -= 1 * is_name(text) + 5 * is_authors(without_more(text))
    score -= 1 * text.endswith(".") + 2 * (len(words) > 40)
    score -= 2 * bool(re.search(r"\S\s[·|•]\s\S|@\w", text)) + 1 * text.endswith(":")
    score -= 4 * bool(re.search(r"\w\(\)|[;{}]$|^[\\@<]|\s[:=]?=\s", text))
    return score


def bare_title(text: str) -> str:
    """A title without the marks of a list, a heading or bold type around it."""
    before = ""
    while before != text:
        before = text
        text = _MARK.sub("", text, count=1) if _MARK.match(text) else text
        bold = _BOLD.fullmatch(text.strip())
        text = bold["inside"].strip() if bold else text.strip()
    while (shorter := _TAIL.sub("", text).rstrip()) not in ("", text):
        text = shorter
    return text
