"""The digests papers came from: filters, and what a question says about them."""

import calendar
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from index.errors import InputError
from index.lexical import tokenize
from index.papers import Paper
from rag.schema import Filters

_MONTHS = {name[:3].lower(): number for number, name in enumerate(calendar.month_name) if number}
_MONTH = r"(?P<month{0}>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DAY = r"(?P<day{0}>[0-3]?\d)(?:st|nd|rd|th)?"
_YEAR = r"(?:,?\s+(?P<year{0}>(?:19|20)\d\d))?"
_DIGEST = r"(?:digests?|issues?|newsletters?|e?-?mails?|lists?|ones?|editions?)"
_DATE = re.compile(
    "|".join(
        (
            rf"\b{_MONTH}\s+{_DAY}{_YEAR}\b".replace("{0}", "1"),
            rf"\b{_DAY}\s+(?:of\s+)?{_MONTH}{_YEAR}\b".replace("{0}", "2"),
            r"\b(?P<year3>(?:19|20)\d\d)-(?P<month3>\d\d)-(?P<day3>\d\d)\b",
            rf"\b{_MONTH}(?=\s+{_DIGEST}\b)".replace("{0}", "4"),
        )
    ),
    re.IGNORECASE,
)
_EVERY = re.compile(r"\b(?:both|each of the|all(?: of)? the|in common|every)\b", re.IGNORECASE)
_ALL_DIGESTS = re.compile(
    r"\b(?:both|all(?: of)?(?: the| these)?|every|each)\s+(?:of\s+)?(?:the\s+)?(?:two\s+)?"
    rf"{_DIGEST}\b"
    r"|\bin both\b",
    re.IGNORECASE,
)
_NEWEST = re.compile(rf"\b(?:latest|newest|most recent|last)\s+{_DIGEST}\b", re.IGNORECASE)
_OLDEST = re.compile(rf"\b(?:oldest|earliest|first)\s+{_DIGEST}\b", re.IGNORECASE)
_SAYS_DIGEST = re.compile(r"\b(?:digests?|newsletters?)\b", re.IGNORECASE)
_JOIN = r"(?:,|\band\b|\bor\b|\bas well as\b|\bbut also\b|\bplus\b|&)"


@dataclass(frozen=True)
class Digest:
    """A file of papers with one date."""

    name: str
    date: date | None
    papers: int

    @property
    def label(self) -> str:
        """What people call it: its date if it has one, else its name."""
        return (
            self.name if self.date is None else f"{self.date:%b} {self.date.day}, {self.date.year}"
        )


@dataclass(frozen=True)
class Scope:
    """What a question says about digests."""

    text: str
    """The question without it."""
    filters: Filters
    unknown: str | None = None
    """A digest the question names that is not in the index."""


def list_digests(papers: Sequence[Paper]) -> tuple[Digest, ...]:
    """The digests of an index, oldest first, those without a date at the end."""
    counts = Counter((source.date, source.name) for paper in papers for source in paper.sources)
    ordered = sorted(counts.items(), key=lambda item: (item[0][0] or date.max, item[0][1]))
    return tuple(Digest(name, day, count) for (day, name), count in ordered)


def _parse_dates(text: str) -> list[tuple[re.Match[str], int | None, int, int | None]]:
    """The dates in a text as (match, year, month, day); a month alone has no day."""
    found = []
    for match in _DATE.finditer(text):
        groups = {key[:-1]: value for key, value in match.groupdict().items() if value}
        month = groups["month"]
        number = int(month) if month.isdigit() else _MONTHS[month[:3].lower()]
        year, day = groups.get("year"), groups.get("day")
        found.append((match, int(year) if year else None, number, int(day) if day else None))
    return found


def _on(digests: Sequence[Digest], year: int | None, month: int, day: int | None) -> list[Digest]:
    return [
        digest
        for digest in digests
        if digest.date is not None
        and digest.date.month == month
        and (day is None or digest.date.day == day)
        and (year is None or digest.date.year == year)
    ]


def find_digests(wanted: str, digests: Sequence[Digest]) -> list[Digest]:
    """The digests that `wanted` names, by file name, by its stem, or by date.

    Raises:
        InputError: there is none; the message lists those there are.
    """
    plain = wanted.strip().casefold()
    named = [
        d for d in digests if plain in {d.name.casefold(), d.name.casefold().rsplit(".", 1)[0]}
    ]
    if named:
        return named
    for match, year, month, day in _parse_dates(f"{wanted.strip()} digest"):
        if match.start() == 0 and (found := _on(digests, year, month, day)):
            return found
    known = ", ".join(f"{d.label} ({d.name})" for d in digests) or "none"
    raise InputError(f"unknown digest {wanted!r}; the index has: {known}")


def allowed(papers: Sequence[Paper], filters: Filters) -> NDArray[np.bool_]:
    """Which papers pass the filters, shape (len(papers),).

    Raises:
        InputError: a digest is unknown, or `since` is after `until`.
    """
    if filters.since and filters.until and filters.since > filters.until:
        raise InputError(f"since {filters.since} is after until {filters.until}")
    known = list_digests(papers)
    groups = [
        {(digest.date, digest.name) for digest in find_digests(wanted, known)}
        for wanted in filters.digests
    ]

    def passes(paper: Paper) -> bool:
        keys = {
            (source.date, source.name)
            for source in paper.sources
            if (filters.since is None or (source.date is not None and source.date >= filters.since))
            and (
                filters.until is None or (source.date is not None and source.date <= filters.until)
            )
        }
        if (filters.since or filters.until) and not keys:
            return False
        in_group = [bool(group & keys) for group in groups]
        return not groups or (all(in_group) if filters.every_digest else any(in_group))

    return np.fromiter((passes(paper) for paper in papers), dtype=np.bool_, count=len(papers))


def _key(digest: Digest) -> str:
    return digest.name if digest.date is None else digest.date.isoformat()


def read_scope(text: str, digests: Sequence[Digest]) -> Scope:
    """Take what a question says about digests out of it, as filters.

    "What was in the Mar 14 digest about governance?" becomes "What was about governance?" and
    a filter on the digest of that date; a date no digest has stays in the text, unless the
    question calls it a digest.
    """
    chosen: list[str] = []
    unknown: str | None = None
    rest = text
    for match, year, month, day in reversed(_parse_dates(text)):
        found = _on(digests, year, month, day)
        if found:
            chosen = [_key(digest) for digest in found] + chosen
        elif _SAYS_DIGEST.search(text):
            unknown = match[0]
        else:
            continue
        rest = rest[: match.start()] + "\x00" + rest[match.end() :]
    dated = tuple(digest for digest in digests if digest.date is not None)
    every = len(chosen) > 1 and bool(_EVERY.search(text))
    if not chosen and not unknown:
        if _ALL_DIGESTS.search(text) and len(digests) > 1:
            chosen, every = [_key(digest) for digest in digests], True
            rest = _ALL_DIGESTS.sub("\x00", rest)
        elif _NEWEST.search(text) and dated:
            chosen, rest = [_key(dated[-1])], _NEWEST.sub("\x00", rest)
        elif _OLDEST.search(text) and dated:
            chosen, rest = [_key(dated[0])], _OLDEST.sub("\x00", rest)
    elif every:
        rest = _ALL_DIGESTS.sub("\x00", rest)
    filters = Filters(digests=tuple(dict.fromkeys(chosen)), every_digest=every)
    return Scope(_tidy(rest), filters, unknown)


def _tidy(text: str) -> str:
    r"""Remove the words that held a digest in place: "in the \x00 digest" → ""."""
    if "\x00" not in text:
        return text
    text = re.sub(rf"\x00(?:\s*{_JOIN}\s*(?:the\s+)?\x00)+", "\x00", text, flags=re.IGNORECASE)
    around = rf"(?:\b(?:in|from|of|on|within|for|to)\s+)?(?:\bthe\s+)?\x00(?:\s+{_DIGEST}\b)?"
    text = re.sub(around, " ", text, flags=re.IGNORECASE)
    text = re.sub(r"\s+([?.!,;:])", r"\1", " ".join(text.split()))
    text = re.sub(r"^[\s,;:]+|,(?=[?.!])", "", text)
    return text[:1].upper() + text[1:]


_SUBJECTLESS = frozenset(
    stemmed
    for word in """digest issue newsletter list listed lists include included includes contain
    contains overlap shared appear appears appeared present come came total altogether index
    abstract abstracts entry entries article articles title titles common everything count number
    available indexed collection corpus read both same different item items date dates
    papers paper there many way""".split()
    for stemmed in tokenize(word)
)  # fmt: skip


def has_subject(text: str) -> bool:
    """Whether a question is about more than the digest itself."""
    return bool(set(tokenize(text)) - _SUBJECTLESS)
