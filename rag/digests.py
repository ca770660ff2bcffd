"""Digests (the dated files that papers came from): find them by name or date, apply filters."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from index.catalog import Sightings, ids_of
from index.errors import InputError
from index.papers import Dating, Paper
from index.readers.values import MONTH_NAME, month_number
from rag.schema import Filters

DIGEST_WORD = r"(?:digests?|issues?|newsletters?|e?-?mails?|lists?|ones?|editions?)"
_MONTH = rf"(?P<month{{0}}>{MONTH_NAME})\.?"
_DAY = r"(?P<day{0}>[0-3]?\d)(?:st|nd|rd|th)?"
_YEAR = r"(?P<year{0}>(?:19|20)\d\d)"
_DATE = re.compile(
    "|".join(
        shape.replace("{0}", str(number))
        for number, shape in enumerate(
            (
                rf"\b{_MONTH}\s+{_DAY}(?:,?\s+{_YEAR})?\b",
                rf"\b{_DAY}\s+(?:of\s+)?{_MONTH}(?:,?\s+{_YEAR})?\b",
                rf"\b{_YEAR}-(?P<month{{0}}>\d\d)-(?P<day{{0}}>\d\d)\b",
                rf"\b{_MONTH}\s+{_YEAR}\b",
                rf"\b{_MONTH}(?=(?:['’]s)?\s+(?:{DIGEST_WORD}|papers|abstracts|entries)\b)",
                rf"\b(?-i:(?=[A-Z])){_MONTH}(?![\w-])(?<!May)(?<!Mar)",
                rf"(?<![\w.,-]){_YEAR}(?![\w%-]|[.,]\d)",
            )
        )
    ),
    re.IGNORECASE,
)
"""A month without day and year counts before a digest word, or if capitalised, except May, Mar."""

_DAY_CAME = re.compile(
    r"(?:\b(?:(?P<since>since)|(?P<came>(?:did|have|has)\s+(?:i|we|you)\s+(?:just\s+)?"
    r"(?:add|index|import)(?:ed)?|(?:(?:was|were|is|are|got|have\s+been|has\s+been)\s+)?"
    r"(?:added|indexed|imported|new)|came(?:\s+in)?|arrived))\s+)?\b(?P<day>today|yesterday)\b"
    rf"(?P<owns>['’]s\s+(?:{DIGEST_WORD}|papers|abstracts)\b)?",
    re.IGNORECASE,
)
"""Mentions of "today" and "yesterday" as the day when papers came: not in "today's agents"."""

NAMED = 8
"""Maximum number of digests named in one message."""


def label(name: str, day: date | None, dated: Dating = "day") -> str:
    """Return what people call a digest: its date, as precise as it is, or else its file name."""
    if day is None:
        return name
    if dated in ("month", "year"):
        return f"{day:%B %Y}" if dated == "month" else str(day.year)
    written = f"{day:%b} {day.day}, {day.year}"
    if dated == "added":
        return f"{name}, added {written}" if name else f"added {written}"
    return f"the week of {written}" if dated == "week" else written


@dataclass(frozen=True)
class Digest:
    """A file of papers with one date."""

    name: str
    date: date | None
    papers: int
    dated: Dating = "day"

    @property
    def key(self) -> str:
        """The text by which a filter names this digest and no other."""
        return self.name if self.date is None else f"{self.date.isoformat()} {self.name}"

    @property
    def label(self) -> str:
        """What people call it: its date if it has one, or else its name."""
        return label(self.name, self.date, self.dated)


def list_digests(papers: Sequence[Paper]) -> tuple[Digest, ...]:
    """List the digests of papers, oldest first, those without a date at the end."""
    found = Sightings.of(papers)
    counts = np.bincount(found.place, minlength=len(found.places)).tolist()
    counted = zip(found.places, counts, strict=True)
    digests = [Digest(place.name, place.date, n, place.dated) for place, n in counted]
    return tuple(sorted(digests, key=lambda d: (d.date or date.max, d.name, d.dated)))


def with_days(text: str, today: date) -> str:
    """Replace "today" or "yesterday", as the day when papers came, with a digest's date."""

    def on(match: re.Match[str]) -> str:
        day = label("", today - timedelta(days=match["day"].casefold() == "yesterday"))
        if match["since"]:
            return f"since {day}"
        if match["came"]:
            return f"were in the digest of {day}"
        return f"the papers of the digest of {day}" if match["owns"] else match[0]

    return _DAY_CAME.sub(on, text)


def parse_dates(text: str) -> list[tuple[re.Match[str], int | None, int | None, int | None]]:
    """Find the dates in a text, as (match, year, month, day); a missing part is None."""
    found: list[tuple[re.Match[str], int | None, int | None, int | None]] = []
    for match in _DATE.finditer(text):
        given = ((name[:-1], part) for name, part in match.groupdict().items() if part)
        parts = {name: int(p) if p.isdigit() else month_number(p) for name, p in given}
        found.append((match, parts.get("year"), parts.get("month"), parts.get("day")))
    return found


def on_date(
    digests: Sequence[Digest], year: int | None, month: int | None, day: int | None
) -> list[Digest]:
    """Return the digests of a month, and of a day and a year if they are given."""
    dated = ((digest, digest.date) for digest in digests if digest.date)
    return [
        digest
        for digest, at in dated
        if year in (None, at.year) and month == at.month and day in (None, at.day)
    ]


def find_digests(wanted: str, digests: Sequence[Digest]) -> list[Digest]:
    """Return the digests that `wanted` names, by key, file name, stem of it, or date.

    Raises InputError if there is none; the message names the newest `NAMED` digests of the index.
    """
    if exact := [digest for digest in digests if digest.key == wanted]:
        return exact
    folded = wanted.strip().casefold()
    names = [(each, each.name.casefold()) for each in digests]
    if named := [each for each, name in names if folded in (name, name.rsplit(".", 1)[0])]:
        return named
    for match, year, month, day in parse_dates(f"{wanted.strip()} digest"):
        whole = month and match[0] == wanted.strip()
        if whole and (found := on_date(digests, year, month, day)):
            return found
    known = [d.label if d.date is None else f"{d.label} ({d.name})" for d in digests[-NAMED:]]
    known += [f"and {len(digests) - NAMED} more"] if len(digests) > NAMED else []
    raise InputError(f"unknown digest {wanted!r}; the index has: {', '.join(known) or 'none'}")


def describe_filters(filters: Filters, digests: Sequence[Digest]) -> str:
    """Describe filters: "from the digest of Mar 14, 2025; with “agent” in its title".

    Return "" if they keep every paper; raise InputError if a digest is unknown.
    """
    parts = []
    if filters.digests:
        labels = [find_digests(wanted, digests)[0].label for wanted in filters.digests]
        word = " and " if filters.every_digest else " or "
        parts.append(f"from the digest of {word.join(dict.fromkeys(labels))}")
    days = [f"from {label('', filters.since)}"] if filters.since else []
    days += [f"to {label('', filters.until)}"] if filters.until else []
    if days:
        parts.append(f"dated {' '.join(days)}")
    if title := (filters.title or "").strip():
        parts.append(f"with “{title}” in its title")
    if filters.papers:
        chosen = len(filters.papers)
        parts.append(f"only the {f'{chosen} papers' if chosen > 1 else 'paper'} chosen")
    return "; ".join(parts)


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def allowed(papers: Sequence[Paper], filters: Filters) -> NDArray[np.bool_]:
    """Return the mask of the papers that pass the filters, shape (len(papers),).

    Raises InputError if a digest or a paper is unknown, or `since` is after `until`.
    """
    if filters.since and filters.until and filters.since > filters.until:
        raise InputError(f"since {filters.since} is after until {filters.until}")
    found = Sightings.of(papers)
    every = np.arange(len(found.years))
    mask = np.ones(len(every), dtype=np.bool_)
    counts = np.ones(len(found.paper), dtype=np.bool_)
    if filters.since or filters.until:
        counts = _between(found, filters)
        mask = np.isin(every, found.paper[counts])
    if filters.digests:
        known = list_digests(papers)
        groups = []
        for wanted in filters.digests:
            keys = {(digest.date, digest.name) for digest in find_digests(wanted, known)}
            is_wanted = np.asarray([(p.date, p.name) in keys for p in found.places], dtype=np.bool_)
            groups.append(np.isin(every, found.paper[counts & is_wanted[found.place]]))
        mask &= np.all(groups, axis=0) if filters.every_digest else np.any(groups, axis=0)
    if in_title := _folded(filters.title or ""):
        for row in np.flatnonzero(mask).tolist():
            titles = (papers[row].display_title, papers[row].title)
            mask[row] = any(in_title in _folded(title) for title in titles)
    if filters.papers:
        rows = {id_: row for row, id_ in enumerate(ids_of(papers))}
        if unknown := next((id_ for id_ in filters.papers if id_ not in rows), None):
            raise InputError(f"the index has no paper {unknown!r}: it may have been removed")
        mask &= np.isin(every, [rows[id_] for id_ in filters.papers])
    return mask


def _between(found: Sightings, filters: Filters) -> NDArray[np.bool_]:
    """Return the mask of sightings dated within the filters: by day, or else by the whole year."""
    since, until = filters.since or date.min, filters.until or date.max
    fits = []
    for place, year in zip(found.place.tolist(), found.years[found.paper].tolist(), strict=True):
        day = found.places[place].date
        first, last = day or date(year or 1, 1, 1), day or date(year or 1, 12, 31)
        fits.append(bool(day or year) and since <= first and last <= until)
    return np.asarray(fits, dtype=np.bool_)
