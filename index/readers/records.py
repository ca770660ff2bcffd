"""Raw records as readers yield them, and the papers made of them.

One place for dates, names, ids and links in any of their forms. An odd field that a paper can do
without costs that field and a warning; a record without a title or an abstract is told.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from index.papers import Paper, Source, arxiv_id, derived_id, letters
from index.readers import values
from index.readers.values import Dated

LONGEST_ABSTRACT = 20_000
"""Characters; the longest of 60,000 real abstracts has 12,694."""
LONGEST_TITLE = 1_000
"""Characters; the longest of 60,000 real titles has 512."""
_MOST_AUTHORS, _LONGEST_ID, _LONGEST_VALUE = 5_000, 200, 2_000
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
"""Field of a paper → what files call it; the first that says something counts."""
_BY_NAME = {values.folded(name): field for field, names in FIELDS.items() for name in names}
_RANKS = {values.folded(name): at for names in FIELDS.values() for at, name in enumerate(names)}
INSIDE = frozenset(
    "paper content data metadata journalinfo work item source bibjson ids externalids".split()
)
"""The folded names of objects that hold a record's fields."""
_MEANT = {"date": "date", "year": "year", "id": "text or number on one line", "authors": "name",
          "venue": "name", "url": "web address", "doi": "DOI"}  # fmt: skip
DOI = re.compile(r"10\.\d{4,9}/[^\s\"<>]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class How:
    """What is known of a file beside its text."""

    year: int | None = None
    """The year of dates that have none, if a user gave it."""
    usual_year: int = 2000
    """Their year if nothing else says one."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Field → heading of its column in a table."""
    listed: Dated | None = None
    """The date of the mail that it came in."""


@dataclass(frozen=True, slots=True)
class Raw:
    """One record of a file: fields in any shape, by the names that the file or `FIELDS` has."""

    line: int | None
    """Where it begins, from 1."""
    fields: Mapping[str, object]
    listed: Dated | None = None
    """The date of the digest or mail that lists it; a record of its own has none."""
    position: int | None = None
    """Its place in that digest, from 1; None: its place in the file."""
    is_digest: bool = False
    """Whether it stands in a digest, which is of the day it came if it has no date."""
    warnings: tuple[str, ...] = ()
    """What is odd about it, though it is read."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing in the input that was left out or is odd, and why; the rest was read."""

    file: str
    """The file as `Source.name` names it."""
    line: int | None
    """From 1; None if the whole file is meant."""
    reason: str
    is_damage: bool = False
    """Whether a file of a machine format is broken here; a pasted digest's oddities are not."""
    is_warning: bool = False
    """Whether the record was read all the same."""
    option: str = ""
    """What an option of the command does about it; the page has none."""

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.reason}"


class Heading(Problem):
    """A heading over papers, which nobody is told of; many of them say that a text is no digest."""


class ReadError(Exception):
    """A file, or the rest of it, cannot be read; the message is one line."""

    def __init__(self, reason: str, line: int | None = None, option: str = "") -> None:
        super().__init__(" ".join(reason.split()))
        self.line = line
        self.option = option


@lru_cache(maxsize=4096)
def canonical(name: str) -> str | None:
    """The field of `FIELDS` that files call by this name; None if there is none."""
    return _BY_NAME.get(values.folded(name))


class Normaliser:
    """Makes papers of the records of one file."""

    def __init__(self, name: str) -> None:
        """Begin a file; `name` is what the sources of its papers are called."""
        self._name = name
        self._position = 0
        self._titles: dict[str, tuple[str, int | None]] = {}

    def papers(self, raw: Raw) -> Iterator[Paper | Problem]:
        """The paper of a record after what is odd about it, or why there is none."""
        fields = _Fields(raw.fields)
        try:
            paper = self._paper(raw, fields)
        except ReadError as error:
            yield Problem(self._name, raw.line, str(error))
            return
        for warning in (*raw.warnings, *fields.warnings):
            yield Problem(self._name, raw.line, warning, is_warning=True)
        yield paper

    def _paper(self, raw: Raw, fields: "_Fields") -> Paper:
        title = _required(fields.title(), "title", LONGEST_TITLE)
        abstract = _required(fields.abstract(), "abstract", LONGEST_ABSTRACT)
        published, year, url = fields.date(), fields.year(), fields.url()
        arxiv, pmid = fields.arxiv(), fields.pmid()
        if year is None and published:
            year = published.day.year
        elif year is None and arxiv and arxiv[0].isdigit():
            year = 2000 + int(arxiv[:2])
        if url is None and arxiv:
            url = f"https://arxiv.org/abs/{arxiv}"
        elif url is None and pmid:
            url = f"https://pubmed.ncbi.nlm.nih.gov/{pmid}/"
        self._position += 1
        exact = published if published and published.precision == "day" else None
        dated = raw.listed or exact
        source = Source(
            name=self._name,
            date=dated.day if dated else None,
            dated=dated.precision if dated else "added" if raw.is_digest else "day",
            position=raw.position or self._position,
        )
        return Paper(
            id=self._id(raw, fields, title) or derived_id(title, abstract),
            title=title,
            abstract=abstract,
            authors=fields.authors(),
            year=year,
            venue=fields.venue(),
            url=url,
            doi=fields.doi(),
            arxiv=arxiv,
            pmid=pmid,
            published=published.iso if published else None,
            sources=(source,),
        )

    def _id(self, raw: Raw, fields: "_Fields", title: str) -> str | None:
        """The id that a record gives, unless the file gave it to another title before."""
        if (id_ := fields.id()) is None:
            return None
        known, where = self._titles.setdefault(id_, (letters(title), raw.line))
        if known == letters(title):
            return id_
        fields.warnings.append(f"id: {id_!r} is that of another title in line {where}")
        return None


class _Fields:
    """The fields of one record, found under any of their names, and what is odd about them."""

    def __init__(self, record: Mapping[str, object]) -> None:
        self.warnings: list[str] = []
        self._found: dict[str, list[tuple[int, object]]] = {}
        self._take(record)
        for key, value in record.items():
            if isinstance(value, Mapping) and values.folded(key) in INSIDE:
                self._take(value)
        for named in self._found.values():
            named.sort(key=lambda each: each[0])

    def _take(self, record: Mapping[str, object]) -> None:
        for key, value in record.items():
            field = canonical(key)
            if field and not values.is_nothing(value):
                self._found.setdefault(field, []).append((_RANKS[values.folded(key)], value))

    def _values(self, field: str) -> list[object]:
        return [value for _, value in self._found.get(field, ())]

    def _value(self, field: str) -> object:
        return next(iter(self._values(field)), None)

    def _text(self, field: str) -> str:
        return values.text_in(self._value(field)) or ""

    def _odd(self, field: str, value: object) -> None:
        """Warn that a value is left out, unless the record has none."""
        if value is not None:
            shown = " ".join(str(value).split())
            shown = shown if len(shown) <= 40 else shown[:39] + "…"
            self.warnings.append(f"{field}: {shown!r} is left out: it is no {_MEANT[field]}")

    def title(self) -> str | None:
        """The title with its subtitle, unless it ends in that already."""
        title, subtitle = (
            values.joined(self._value(field), " ") for field in ("title", "subtitle")
        )
        if not title or not subtitle or letters(subtitle) in letters(title):
            return title
        title = title.rstrip(" :")
        return f"{title}{'' if title.endswith(('?', '!', '.')) else ':'} {subtitle}"

    def abstract(self) -> str | None:
        """The abstract as text: of paragraphs, of labelled sections, of an inverted index."""
        rank, value = next(iter(self._found.get("abstract", ())), (0, None))
        if value is not None and rank == _RANKS["tldr"]:
            self.warnings.append("abstract: there is none; its TL;DR is taken")
        if not isinstance(value, Mapping) or not value:
            return values.joined(value, "\n\n")
        if all(isinstance(places, list) for places in value.values()):
            placed = [(at, str(word)) for word, places in value.items() for at in places]
            words = sorted((at, word) for at, word in placed if type(at) is int)
            return " ".join(word for _, word in words) or None
        if set(value) & {*values.SAYING}:
            return values.joined(value, "\n\n")
        parts = [f"{key}: {said}" for key, each in value.items() if (said := values.text_in(each))]
        return "\n".join(parts) or None

    def date(self) -> Dated | None:
        dates, year = self._values("date"), values.date_of(self._value("year"))
        if found := next(filter(None, map(values.date_of, dates)), None):
            return found
        # "March 5" of a record that has the year elsewhere
        if dates and year and (found := values.date_of(f"{values.text_in(dates[0])} {year.iso}")):
            return found
        self._odd("date", self._value("date"))
        return year

    def year(self) -> int | None:
        value = self._value("year")
        found = values.date_of(value)
        if found is None and value not in (0, "0"):
            self._odd("year", value)
        return found.day.year if found else None

    def id(self) -> str | None:
        value = self._value("id")
        is_plain = isinstance(value, str | int) and not isinstance(value, bool)
        id_ = values.whole_characters(str(value)) if is_plain else ""
        if not 0 < len(id_) <= _LONGEST_ID or any(unicodedata.category(c) == "Cc" for c in id_):
            self._odd("id", value)
            return None
        return id_

    def authors(self) -> tuple[str, ...]:
        names = values.names_in(self._value("authors"))
        if not names:
            self._odd("authors", self._value("authors"))
        return tuple(names[:_MOST_AUTHORS])

    def venue(self) -> str | None:
        venue = " ".join(self._text("venue").split())
        if not venue:
            self._odd("venue", self._value("venue"))
        return venue[:_LONGEST_VALUE] or None

    def url(self) -> str | None:
        texts = [text for value in self._values("url") for text in values.texts_in(value)]
        for text in texts:
            clean = re.sub(r"^\s*www\.", "https://www.", text)
            if found := re.search(r"https?://[^\s\]>]{3,2000}", clean, re.IGNORECASE):
                return found[0].rstrip(")") if "](" in clean else found[0]
        if not (texts and re.match(r"10\.\d{4}", texts[0])):
            self._odd("url", texts[0] if texts else self._value("url"))
        return None

    def doi(self) -> str | None:
        text = self._text("doi")
        if found := DOI.search(text) or DOI.search(self._text("url")):
            doi = found[0].rstrip(".,;")
            return doi if doi.count("(") == doi.count(")") else doi.rstrip(")")
        plain = text.strip().casefold().rpartition("doi.org/")[2].removeprefix("doi:").strip()
        if plain.startswith("10.") and len(plain) > 3 and len(plain.split()) == 1:
            return text.strip()[-len(plain) :]
        self._odd("doi", self._value("doi"))
        return None

    def arxiv(self) -> str | None:
        fields = ("arxiv", "url", "doi", "id")
        said = ((field, text) for field in fields for text in values.texts_in(self._value(field)))
        found = (arxiv_id(text, is_known=field == "arxiv") for field, text in said)
        return next(filter(None, found), None)

    def pmid(self) -> str | None:
        text = self._text("pmid").strip().casefold().removeprefix("pmid").lstrip(": ")
        text = text.removesuffix("/").rpartition("/")[2] if text.startswith("http") else text
        if re.fullmatch(r"\d{1,9}/?", text):
            return text.removesuffix("/")
        found = re.search(r"pubmed[^/]*(?:\.gov|/pubmed)/(\d{1,9})", self._text("url"))
        return found[1] if found else None


def _required(value: str | None, field: str, longest: int) -> str:
    if value is None or not any(map(str.isalnum, value)):
        raise ReadError(f"{field}: missing or empty")
    if len(value) > longest:
        raise ReadError(f"{field}: {len(value):,} characters are too many (limit {longest:,})")
    return value
