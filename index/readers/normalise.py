"""Raw records as papers: one place for dates, names, ids and links in any of their forms.

An odd field that a paper can do without costs that field and a warning; a record without a title
or an abstract is told.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache

from index.papers import Paper, Source, arxiv_id, derived_id, letters
from index.readers.dates import Dated, date_of
from index.readers.records import LONGEST_ABSTRACT, LONGEST_TITLE, Problem, Raw
from index.readers.values import (
    HALF_CHARACTER,
    SAYING,
    folded,
    is_nothing,
    joined,
    names_in,
    text_in,
    texts_in,
)

FIELDS: Mapping[str, tuple[str, ...]] = {
    "title": ("title", "titles", "ti", "article title", "paper title", "document title",
              "primary title", "display name", "name of paper"),
    "subtitle": ("subtitle",),
    "abstract": ("abstract", "abstracts", "summary", "summaries", "paper abstract",
                 "abstract note", "abstract text", "text",
                 "abstract inverted index", "ab", "description", "tldr"),
    "authors": ("author full names", "author full name", "af", "authors", "author",
                "author names", "creators", "creator", "authorships", "au", "by", "contributors",
                "author string"),
    "date": ("date", "published", "publication date", "published date", "published at", "issued",
             "pub date", "submitted", "posted", "cover date", "online date", "versions", "pdate",
             "cdate", "year month", "publish date", "published on", "created",
             "first publication date", "update date"),
    "year": ("year", "publication year", "pub year", "py", "publish year"),
    "venue": ("venue", "journal", "container title", "booktitle", "book title", "publication title",
              "source title", "journal title", "journaltitle", "primary location", "publication",
              "journal ref", "conference", "proceedings", "so", "event title",
              "howpublished", "secondary title", "source"),
    "url": ("url", "link", "links", "href", "article url", "paper url", "abs url",
            "landing page url", "pdf url", "pdf", "pdf link", "ee"),
    "doi": ("doi", "doi link", "di", "article doi",
            "electronic resource num"),
    "arxiv": ("arxiv", "arxiv id", "eprint", "arxivid"),
    "pmid": ("pmid", "pubmed id", "pm"),
    "id": ("abstractqa id", "id", "_id", "paper id"),
}  # fmt: skip
"""Field of a paper → what files call it; the first that says something counts."""

_MOST_AUTHORS = 5_000
_LONGEST_ID = 200
_LONGEST_VALUE = 2_000
_SHORT_DOI = re.compile(
    r"\s*(?:https?://(?:dx\.)?doi\.org/|doi:\s*)?(?P<doi>10\.\S+)\s*", re.IGNORECASE
)
_PMID = re.compile(r"(?:pmid:?\s*|https?://\S+/)?(\d{1,9})/?", re.IGNORECASE)
_PUBMED_LINK = re.compile(r"pubmed[^/]*(?:\.gov|/pubmed)/(\d{1,9})")
DOI = re.compile(r"10\.\d{4,9}/[^\s\"<>]+", re.IGNORECASE)


@lru_cache(maxsize=4096)
def canonical(name: str) -> str | None:
    """The field of `FIELDS` that files call by this name; None if there is none."""
    return _BY_NAME.get(folded(name))


_BY_NAME = {folded(name): field for field, names in FIELDS.items() for name in names}
_RANKS = {folded(name): at for names in FIELDS.values() for at, name in enumerate(names)}
INSIDE = frozenset(
    folded(name)
    for name in ("paper", "content", "data", "metadata", "journal info", "work", "item", "_source",
                 "bibjson", "ids", "external ids")
)  # fmt: skip
"""The folded names of objects that hold a record's fields."""
_MEANT = {"date": "date", "year": "year", "id": "text or number on one line", "authors": "name",
          "venue": "name", "url": "web address", "doi": "DOI"}  # fmt: skip


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
        except _RecordError as error:
            yield Problem(self._name, raw.line, str(error))
            return
        for warning in (*raw.warnings, *fields.warnings):
            yield Problem(self._name, raw.line, warning, is_warning=True)
        yield paper

    def _paper(self, raw: Raw, fields: "_Fields") -> Paper:
        if fields.is_summary:
            fields.warnings.append("abstract: there is none; its TL;DR is taken")
        title = _required(_title(fields), "title", LONGEST_TITLE)
        abstract = _required(_abstract(fields), "abstract", LONGEST_ABSTRACT)
        published = fields.date()
        doi, arxiv, pmid = fields.doi(), fields.arxiv(), fields.pmid()
        url = fields.url()
        year = fields.year() or (published.day.year if published else None)
        year = year or (2000 + int(arxiv[:2]) if arxiv and arxiv[0].isdigit() else None)
        url = url or (f"https://arxiv.org/abs/{arxiv}" if arxiv else None)
        url = url or (f"https://pubmed.ncbi.nlm.nih.gov/{pmid}/" if pmid else None)
        id_ = fields.id()
        if id_:
            key = letters(title)
            known, where = self._titles.setdefault(id_, (key, raw.line))
            if known != key:
                fields.warnings.append(f"id: {id_!r} is that of another title in line {where}")
                id_ = None
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
            id=id_ or derived_id(title, abstract),
            title=title,
            abstract=abstract,
            authors=fields.authors(),
            year=year,
            venue=fields.venue(),
            url=url,
            doi=doi,
            arxiv=arxiv,
            pmid=pmid,
            published=published.iso if published else None,
            sources=(source,),
        )


class _RecordError(ValueError):
    """A record is no paper; the message says why."""


class _Fields:
    """The fields of one record, found under any of their names, and what is odd about them."""

    def __init__(self, record: Mapping[str, object]) -> None:
        self.warnings: list[str] = []
        self._found: dict[str, list[tuple[int, object]]] = {}
        self._take(record)
        for key, value in record.items():
            if isinstance(value, Mapping) and folded(key) in INSIDE:
                self._take(value)
        for named in self._found.values():
            named.sort(key=lambda each: each[0])

    def _take(self, record: Mapping[str, object]) -> None:
        for key, value in record.items():
            field = _BY_NAME.get(folded(key))
            if field and not is_nothing(value):
                rank = _RANKS[folded(key)]
                self._found.setdefault(field, []).append((rank, value))

    def value(self, field: str) -> object:
        """What the record says of a field; None if nothing."""
        found = self._found.get(field)
        return found[0][1] if found else None

    @property
    def is_summary(self) -> bool:
        """Whether all that it has of an abstract is a machine's summary."""
        found = self._found.get("abstract")
        return found is not None and found[0][0] == _RANKS["tldr"]

    def _odd(self, field: str, value: object) -> None:
        shown = " ".join(str(value).split())
        shown = shown if len(shown) <= 40 else shown[:39] + "…"
        self.warnings.append(f"{field}: {shown!r} is left out: it is no {_MEANT[field]}")

    def date(self) -> Dated | None:
        values = [value for _, value in self._found.get("date", [])]
        year = date_of(self.value("year"))
        if not values:
            return year
        if found := next(filter(None, map(date_of, values)), None):
            return found
        # "March 5" of a record that has the year elsewhere
        if year and (found := date_of(f"{text_in(values[0])} {year.iso}")):
            return found
        self._odd("date", values[0])
        return year

    def year(self) -> int | None:
        value = self.value("year")
        found = date_of(value)
        if found is None and value not in (None, 0, "0"):
            self._odd("year", value)
        return found.day.year if found else None

    def id(self) -> str | None:
        value = self.value("id")
        if value is None:
            return None
        is_plain = isinstance(value, str | int) and not isinstance(value, bool)
        id_ = HALF_CHARACTER.sub("\ufffd", str(value)) if is_plain else ""
        has_controls = any(unicodedata.category(c) == "Cc" for c in id_)
        if not id_ or len(id_) > _LONGEST_ID or has_controls:
            self._odd("id", value)
            return None
        return id_

    def authors(self) -> tuple[str, ...]:
        value = self.value("authors")
        names = names_in(value)
        if not names and value is not None:
            self._odd("authors", value)
        return tuple(names[:_MOST_AUTHORS])

    def venue(self) -> str | None:
        value = self.value("venue")
        venue = " ".join((text_in(value) or "").split())
        if not venue and value is not None:
            self._odd("venue", value)
        return venue[:_LONGEST_VALUE] or None

    def url(self) -> str | None:
        values = [value for _, value in self._found.get("url", [])]
        texts = [text for value in values for text in texts_in(value)]
        for text in texts:
            clean = re.sub(r"^\s*www\.", "https://www.", text)
            if found := re.search(r"https?://[^\s\]>]{3,2000}", clean, re.IGNORECASE):
                return found[0].rstrip(")") if "](" in clean else found[0]
        if values and not (texts and re.match(r"10\.\d{4}", texts[0])):
            self._odd("url", texts[0] if texts else values[0])
        return None

    def doi(self) -> str | None:
        value = self.value("doi")
        text = text_in(value) or ""
        if found := DOI.search(text) or DOI.search(text_in(self.value("url")) or ""):
            doi = found[0].rstrip(".,;")
            return doi if doi.count("(") == doi.count(")") else doi.rstrip(")")
        if plain := _SHORT_DOI.fullmatch(text):
            return plain["doi"]
        if value is not None:
            self._odd("doi", value)
        return None

    def arxiv(self) -> str | None:
        for field in ("arxiv", "url", "doi", "id"):
            for text in texts_in(self.value(field)):
                if found := arxiv_id(text, is_known=field == "arxiv"):
                    return found
        return None

    def pmid(self) -> str | None:
        found = _PMID.fullmatch((text_in(self.value("pmid")) or "").strip())
        found = found or _PUBMED_LINK.search(text_in(self.value("url")) or "")
        return found[1] if found else None


def _required(value: str | None, field: str, longest: int) -> str:
    if value is None or not any(map(str.isalnum, value)):
        raise _RecordError(f"{field}: missing or empty")
    if len(value) > longest:
        raise _RecordError(f"{field}: {len(value):,} characters are too many (limit {longest:,})")
    return value


def _title(fields: _Fields) -> str | None:
    """The title with its subtitle, unless it ends in that already."""
    title, subtitle = (joined(fields.value(field), " ") for field in ("title", "subtitle"))
    if not title or not subtitle or letters(subtitle) in letters(title):
        return title
    title = title.rstrip(" :")
    return f"{title}{'' if title.endswith(('?', '!', '.')) else ':'} {subtitle}"


def _abstract(fields: _Fields) -> str | None:
    """The abstract as text: of paragraphs, of labelled sections, of an inverted index."""
    value = fields.value("abstract")
    if isinstance(value, Mapping) and value and all(isinstance(at, list) for at in value.values()):
        places = [
            (at, word)
            for word, ats in value.items()
            for at in ats
            if isinstance(at, int) and not isinstance(at, bool)
        ]
        return " ".join(str(word) for _, word in sorted(places)) or None
    if isinstance(value, Mapping) and not set(value) & {*SAYING}:
        parts = [f"{key}: {said}" for key, each in value.items() if (said := text_in(each))]
        return "\n".join(parts) or None
    return joined(value, "\n\n")
