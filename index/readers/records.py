"""Normalise the raw records that readers yield to papers.

All forms of dates, names, ids and links are handled here. An odd field that a paper can do without
is dropped with a warning; a record without a title or an abstract is reported.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from operator import itemgetter
from typing import TypeVar

from index.papers import Paper, Source, arxiv_id, derived_id, letters
from index.readers import values
from index.readers.values import Dated

_Read = TypeVar("_Read")

LONGEST_ABSTRACT = 20_000  # characters; the longest of 60,000 real abstracts has 12,694
LONGEST_TITLE = 1_000  # characters; the longest of 60,000 real titles has 512
_NAMES = """
title: title titles ti article-title paper-title document-title primary-title display-name
    name-of-paper
subtitle: subtitle
abstract: abstract abstracts summary summaries paper-abstract abstract-note abstract-text text
    abstract-inverted-index ab description tldr
authors: author-full-names author-full-name af authors author author-names creators creator
    authorships au by contributors author-string
date: date published publication-date published-date published-at issued pub-date submitted posted
    cover-date online-date versions pdate cdate year-month publish-date published-on created
    first-publication-date update-date
year: year publication-year pub-year py publish-year
venue: venue journal container-title book-title publication-title source-title journal-title
    primary-location publication journal-ref conference proceedings so event-title howpublished
    secondary-title source
url: url link links href article-url paper-url abs-url landing-page-url pdf-url pdf pdf-link ee
doi: doi doi-link di article-doi electronic-resource-num
arxiv: arxiv arxiv-id eprint
pmid: pmid pubmed-id pm
id: abstractqa-id id _id paper-id
"""
FIELDS: Mapping[str, Sequence[str]] = {
    field: names.split() for field, names in re.findall(r"(?m)^(\w+): (.*(?:\n +.*)*)$", _NAMES)
}
"""Field of a paper → its names in files; the first of them that has a value counts."""
_BY_NAME = {
    values.folded(name): (rank, field)
    for field, names in FIELDS.items()
    for rank, name in enumerate(names)
}
INSIDE = frozenset(
    "paper content data metadata journalinfo work item source bibjson ids externalids".split()
)
"""The folded names of objects that hold a record's fields."""
_EXPECTED = {"date": "date", "year": "year", "id": "text or number on one line", "authors": "name",
          "venue": "name", "url": "web address", "doi": "DOI"}  # fmt: skip
DOI = re.compile(r"10\.\d{4,9}/[^\s\"<>]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class How:
    """What is known of a file in addition to its text."""

    year: int | None = None  # of dates that have none, if the user gave it
    usual_year: int = 2000  # of dates that have none, if nothing else gives it
    columns: Mapping[str, str] = field(default_factory=dict)  # field → its heading in a table
    listed: Dated | None = None  # the date of the mail that contains it


@dataclass(frozen=True, slots=True)
class Raw:
    """One record of a file: values of any type, by the names of the file or of `FIELDS`."""

    line: int | None  # on which it begins, from 1
    fields: Mapping[str, object]
    listed: Dated | None = None  # the date of the digest or mail that lists it
    position: int | None = None  # in that digest, from 1; None if that in the file counts
    is_digest: bool = False  # which is dated by the day it was added if it has no date
    warnings: tuple[str, ...] = ()  # what is odd about it, although it is read


@dataclass(frozen=True, slots=True)
class Problem:
    """One part of the input that was skipped or is odd, and why; the rest was read."""

    file: str  # its name, as in `Source.name`
    line: int | None  # from 1; None for the whole file
    reason: str
    is_damage: bool = False  # whether a machine-readable format is broken here
    is_warning: bool = False  # whether the record was read nevertheless

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.reason}"


Records = Iterator[Raw | Problem]
Papers = Iterator[Paper | Problem]


class ReadError(Exception):
    """A file, or the rest of it, cannot be read; the message is one line."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(" ".join(reason.split()))
        self.line = line


@lru_cache(maxsize=4096)
def canonical(name: str) -> str | None:
    """Return the field of `FIELDS` that has this name in files; None if there is none."""
    return _BY_NAME.get(values.folded(name), (0, None))[1]


def normalise(
    name: str, format_: str, records: Records, oddities: Sequence[tuple[int | None, str]]
) -> Papers:
    """Yield the papers of a file, each after the warnings about it, and what could not be read.

    `name` is the name of the papers' sources. `oddities` are lines (None for all) and what is odd
    about their encoding; they may grow while the records are read.
    """
    position = shown = 0
    titles: dict[str, tuple[str, int | None]] = {}
    is_empty = True
    try:
        for raw in records:
            found: Paper | Problem
            if isinstance(raw, Problem):
                found = raw
            else:
                record = _Record(raw)
                try:
                    found = record.paper(name, position + 1, titles)
                    position += 1
                    for warning in record.warnings:
                        yield Problem(name, raw.line, warning, is_warning=True)
                except ReadError as error:
                    found = Problem(name, raw.line, str(error))
            is_empty = is_empty and isinstance(found, Problem) and found.is_warning
            yield found
            for line, reason in oddities[shown:]:
                yield Problem(name, line, reason, is_warning=True)
            shown = len(oddities)
    except ReadError as error:
        is_empty = False
        yield Problem(name, error.line, str(error), is_damage=True)
    if is_empty:
        yield Problem(name, None, f"no paper found, read as {format_}")


class _Record:
    """The fields of one record, found under any of their names, and warnings about them."""

    def __init__(self, raw: Raw) -> None:
        self._raw = raw
        self.warnings = [*raw.warnings]
        inside = (each for key, each in raw.fields.items() if values.folded(key) in INSIDE)
        named = [raw.fields, *(each for each in inside if isinstance(each, Mapping))]
        found = [
            (*_BY_NAME[values.folded(key)], value)
            for fields in named
            for key, value in fields.items()
            if canonical(key) and not values.is_nothing(value)
        ]
        self._found: dict[str, list[object]] = {}
        for _, name, value in sorted(found, key=itemgetter(0)):
            self._found.setdefault(name, []).append(value)
        best = min((rank for rank, name, _ in found if name == "abstract"), default=0)
        if best == FIELDS["abstract"].index("tldr"):
            self.warnings.append("abstract: missing; the TL;DR is used instead")

    def paper(self, name: str, position: int, titles: dict[str, tuple[str, int | None]]) -> Paper:
        """Return the paper, or raise `ReadError`.

        `position` counts within the file, from 1; `titles` are those of the ids in the file so far.
        """
        title = _required(self._title(), "title", LONGEST_TITLE)
        abstract = _required(self._abstract(), "abstract", LONGEST_ABSTRACT)
        published, stated = self._date(), self._take("year", values.date_of)
        arxiv, pmid = self._arxiv(), self._pmid()
        year = known.day.year if (known := stated or published) else None
        if year is None and arxiv and arxiv[0].isdigit():
            year = 2000 + int(arxiv[:2])
        url = self._url() or (f"https://arxiv.org/abs/{arxiv}" if arxiv else None)
        if url is None and pmid:
            url = f"https://pubmed.ncbi.nlm.nih.gov/{pmid}/"
        is_exact = published is not None and published.precision == "day"
        dated = self._raw.listed or (published if is_exact else None)
        source = Source(
            name=name,
            date=dated.day if dated else None,
            dated=dated.precision if dated else "added" if self._raw.is_digest else "day",
            position=self._raw.position or position,
        )
        known_id = self._id(titles, letters(title))
        authors = self._take("authors", lambda value: values.names_in(value) or None)
        venue = self._take("venue", values.text_in)
        return Paper(
            id=known_id or derived_id(title, abstract),
            title=title,
            abstract=abstract,
            authors=tuple(authors or ())[:5_000],
            year=year,
            venue=" ".join(venue.split())[:2_000] if venue else None,
            url=url,
            doi=self._doi(),
            arxiv=arxiv,
            pmid=pmid,
            published=published.iso if published else None,
            sources=(source,),
        )

    def _value(self, field: str) -> object:
        return next(iter(self._found.get(field, ())), None)

    def _text(self, field: str) -> str:
        return values.text_in(self._value(field)) or ""

    def _take(self, field: str, read: Callable[[object], _Read | None]) -> _Read | None:
        """Return the value of a field, parsed by `read`; drop an unreadable one with a warning."""
        value = self._value(field)
        found = None if value is None else read(value)
        if value not in (None, "0", 0) and found is None:
            shown = " ".join(str(value).split())
            shown = shown if len(shown) <= 40 else shown[:39] + "…"
            self.warnings.append(f"{field}: {shown!r} is ignored: it is not a {_EXPECTED[field]}")
        return found

    def _id(self, titles: dict[str, tuple[str, int | None]], title: str) -> str | None:
        """Return the id that a record gives, unless the file gave it to another title before."""
        if (id_ := self._take("id", _id)) is None:
            return None
        known, where = titles.setdefault(id_, (title, self._raw.line))
        if known != title:
            place = f" in line {where}" if where else ""
            self.warnings.append(f"id: {id_!r} belongs to another title{place}")
        return id_ if known == title else None

    def _title(self) -> str | None:
        """Return the title with its subtitle, unless the title contains that already."""
        texts = (values.texts_in(self._value(name)) for name in ("title", "subtitle"))
        title, subtitle = map(" ".join, texts)
        if not title or not subtitle or letters(subtitle) in letters(title):
            return title or None
        title = title.rstrip(" :")
        return f"{title}{'' if title.endswith(('?', '!', '.')) else ':'} {subtitle}"

    def _abstract(self) -> str | None:
        """Return the abstract as text: from paragraphs, labelled sections or an inverted index."""
        value = self._value("abstract")
        if not isinstance(value, Mapping) or set(value) & {*values.SAYING}:
            return "\n\n".join(values.texts_in(value)) or None
        if all(isinstance(places, list) for places in value.values()):
            placed = [(at, str(word)) for word, places in value.items() for at in places]
            words = sorted((at, word) for at, word in placed if type(at) is int)
            return " ".join(word for _, word in words) or None
        parts = [f"{key}: {text}" for key, each in value.items() if (text := values.text_in(each))]
        return "\n".join(parts) or None

    def _date(self) -> Dated | None:
        dates, year = self._found.get("date", []), values.date_of(self._value("year"))
        if found := next(filter(None, map(values.date_of, dates)), None):
            return found
        # "March 5" of a record that has the year elsewhere
        if dates and year and (found := values.date_of(f"{values.text_in(dates[0])} {year.iso}")):
            return found
        return self._take("date", values.date_of) or year

    def _url(self) -> str | None:
        texts = [text for value in self._found.get("url", []) for text in values.texts_in(value)]
        for text in texts:
            https = re.sub(r"^\s*www\.", "https://www.", text)
            if found := re.search(r"https?://[^\s\]>]{3,2000}", https, re.IGNORECASE):
                return found[0].rstrip(")") if "](" in https else found[0]  # a link of Markdown
        is_doi = bool(texts) and texts[0].startswith("10.")
        return None if is_doi else self._take("url", lambda _: None)

    def _doi(self) -> str | None:
        url = DOI.search(self._text("url"))
        if url and not DOI.search(self._text("doi")):
            return _doi(url[0])
        return self._take("doi", _doi)

    def _arxiv(self) -> str | None:
        fields = ("arxiv", "url", "doi", "id")
        texts = ((field, text) for field in fields for text in values.texts_in(self._value(field)))
        found = (arxiv_id(text, is_known=field == "arxiv") for field, text in texts)
        return next(filter(None, found), None)

    def _pmid(self) -> str | None:
        address = r"(?:pmid:?\s*|https?://\S*?/)?(\d{1,9})/?"
        found = re.fullmatch(address, self._text("pmid").strip(), re.IGNORECASE)
        found = found or re.search(r"pubmed[^/]*(?:\.gov|/pubmed)/(\d{1,9})", self._text("url"))
        return found[1] if found else None


def _required(value: str | None, field: str, longest: int) -> str:
    if value is None or not any(map(str.isalnum, value)):
        raise ReadError(f"{field}: missing or empty")
    if len(value) > longest:
        raise ReadError(f"{field}: {len(value):,} characters are too many (limit {longest:,})")
    return value


def _id(value: object) -> str | None:
    is_plain = isinstance(value, str | int) and not isinstance(value, bool)
    id_ = values.whole_characters(str(value)) if is_plain else ""
    is_line = not any(unicodedata.category(c) == "Cc" for c in id_)
    return id_ if 0 < len(id_) <= 200 and is_line else None


def _doi(value: object) -> str | None:
    """Return the DOI in a text; a short form counts only if it is the whole text."""
    text = (values.text_in(value) or "").strip()
    short = re.fullmatch(r"(?:\S*doi\.org/|doi:\s*)?(10\.\S+)", text, re.IGNORECASE)
    doi = found[0] if (found := DOI.search(text)) else short[1] if short else ""
    doi = doi.rstrip(".,;")
    return (doi if doi.count("(") == doi.count(")") else doi.rstrip(")")) or None
