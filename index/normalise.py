"""Raw records as papers: one place for dates, names, ids and links in any of their forms.

An odd field that a paper can do without costs that field and a warning; a record without a title
or an abstract is told.
"""

import math
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from index.papers import Paper, Source, arxiv_id, derived_id, letters
from index.readers.dates import Dated, date_of
from index.readers.records import LONGEST_ABSTRACT, LONGEST_TITLE, Problem, Raw

FIELDS: Mapping[str, tuple[str, ...]] = {
    "title": ("title", "titles", "ti", "article title", "paper title", "document title",
              "primary title", "display name", "name of paper"),
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

_INSIDE = (
    "paper",
    "content",
    "data",
    "metadata",
    "journal info",
    "work",
    "item",
    "_source",
    "bibjson",
    "ids",
    "external ids",
)
"""Objects that hold a record's fields."""
_SAYING = ("value", "text", "name", "display_name", "title", "source", "#text", "$", "created")
"""Keys under which an object has what it says."""
_NOTHING = frozenset(
    ("", "nan", "none", "null", "n/a", "na", "nil", "undefined", "-", "--", "?", "n.d.", "unknown",
     "[no abstract available]", "no abstract available", "no abstract available.", "no abstract",
     "abstract not available", "not available", "abstract unavailable")
)  # fmt: skip
_MOST_AUTHORS = 5_000
_LONGEST_ID = 200
_LONGEST_VALUE = 2_000
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")
DOI = re.compile(r"10\.\d{4,9}/[^\s\"<>]+", re.IGNORECASE)
_SUFFIX = re.compile(r"(?:Jr|Sr|I{2,3}|IV|Inc|Ltd|LLC|GmbH|Ph\.?D|M\.?D)\.?", re.IGNORECASE)
_INITIALS = re.compile(r"(?:[A-ZÀ-Þ]\.?[\s-]?){1,4}")
_FAMILY_FIRST = re.compile(r"\S.*\s[A-ZÀ-Þ]{1,3}")
_MORE = re.compile(
    r"(?:,?\s*(?:\(\s*)?\+?\s*\d+\s+(?:more\s+)?authors?\)?"
    r"|,?\s*(?:et al\.?|and others|…|\.\.\.))\s*$",
    re.I,
)
_DIGIT_MARKS = re.compile(r"\s*(?:\((?:\d+,?)+\)|[\d*†‡§¶¹²³⁴⁵⁶⁷⁸⁹⁰]+(?:,[\d*†‡§¶]+)*)$")


def folded(name: str) -> str:
    """A field's name without case, spaces and signs."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name)).casefold()


@lru_cache(maxsize=4096)
def canonical(name: str) -> str | None:
    """The field of `FIELDS` that files call by this name; None if there is none."""
    return _BY_NAME.get(folded(name))


_BY_NAME = {folded(name): field for field, names in FIELDS.items() for name in names}


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
        title = _required(_joined(fields.value("title"), " "), "title", LONGEST_TITLE)
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
            if field and not _is_nothing(value):
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
        said = [value for _, value in self._found.get("date", [])]
        for value in said:
            if found := date_of(value):
                return found
        year = date_of(self.value("year"))
        if said:
            if year and (found := date_of(f"{_said(said[0])} {year.iso}")):
                return found  # "March 5" of a record that has the year elsewhere
            self._odd("date", said[0])
        return year

    def year(self) -> int | None:
        value = self.value("year")
        if value is None:
            return None
        found = date_of(value)
        if found is None and value not in (0, "0"):
            self._odd("year", value)
        return found.day.year if found else None

    def id(self) -> str | None:
        value = self.value("id")
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, str | int):
            self._odd("id", value)
            return None
        id_ = _HALF_CHARACTER.sub("\ufffd", str(value))
        if len(id_) > _LONGEST_ID or any(unicodedata.category(c) == "Cc" for c in id_):
            self._odd("id", value)
            return None
        return id_

    def authors(self) -> tuple[str, ...]:
        value = self.value("authors")
        if value is None:
            return ()
        names = _names(value)
        if not names:
            self._odd("authors", value)
        return tuple(names[:_MOST_AUTHORS])

    def venue(self) -> str | None:
        value = self.value("venue")
        said = _said(value)
        if value is not None and not said:
            self._odd("venue", value)
        return " ".join(said.split())[:_LONGEST_VALUE] if said else None

    def url(self) -> str | None:
        said: list[str] = []
        for _, value in self._found.get("url", []):
            said += _all_said(value)
        for address in said:
            clean = re.sub(r"^\s*www\.", "https://www.", address)
            if found := re.search(r"https?://[^\s\]>]{3,2000}", clean, re.IGNORECASE):
                return found[0].rstrip(")") if "](" in clean else found[0]
        if said and not re.match(r"10\.\d{4}", said[0]):
            self._odd("url", said[0])
        elif self._found.get("url") and not said:
            self._odd("url", self.value("url"))
        return None

    def doi(self) -> str | None:
        said = _said(self.value("doi")) or ""
        found = DOI.search(said) or DOI.search(_said(self.value("url")) or "")
        if found:
            doi = found[0].rstrip(".,;")
            doi = doi if doi.count("(") == doi.count(")") else doi.rstrip(")")
            return _HALF_CHARACTER.sub("\ufffd", doi)
        if self.value("doi") is not None:
            plain = re.sub(
                r"^(?:https?://(?:dx\.)?doi\.org/|doi:\s*)", "", said, flags=re.I
            ).strip()
            if re.fullmatch(r"10\.\S+", plain):
                return plain
            self._odd("doi", self.value("doi"))
        return None

    def arxiv(self) -> str | None:
        for field in ("arxiv", "url", "doi", "id"):
            for said in _all_said(self.value(field)):
                if found := arxiv_id(said, is_known=field == "arxiv"):
                    return found
        return None

    def pmid(self) -> str | None:
        said = _said(self.value("pmid")) or ""
        found = re.fullmatch(
            r"(?:pmid:?\s*|https?://\S+/)?(\d{1,9})/?", said.strip(), re.IGNORECASE
        )
        linked = re.search(
            r"pubmed[^/]*(?:\.gov|/pubmed)/(\d{1,9})", _said(self.value("url")) or ""
        )
        return found[1] if found else linked[1] if linked else None


INSIDE = frozenset(map(folded, _INSIDE))
"""The folded names of objects that hold a record's fields."""
_RANKS = {folded(name): at for names in FIELDS.values() for at, name in enumerate(names)}
_MEANT = {"date": "date", "year": "year", "id": "text or number on one line", "authors": "name",
          "venue": "name", "url": "web address", "doi": "DOI"}  # fmt: skip


def _is_nothing(value: object) -> bool:
    if value is None or value is False or (isinstance(value, list | dict) and not value):
        return True
    if isinstance(value, float) and math.isnan(value):
        return True
    if isinstance(value, Mapping) and set(value) == {"value"}:
        return _is_nothing(value["value"])
    return isinstance(value, str) and value.strip().casefold() in _NOTHING


def _all_said(value: object, deep: int = 3) -> list[str]:
    """The texts in a value: itself, those of a list, or what an object says."""
    if _is_nothing(value) or deep < 0 or isinstance(value, bool):
        return []
    if isinstance(value, str):
        return [value if value.isascii() else _HALF_CHARACTER.sub("\ufffd", value)]
    if isinstance(value, int):
        return [str(value)] if -(10**18) < value < 10**18 else []
    if isinstance(value, Sequence):
        return [said for each in value for said in _all_said(each, deep - 1)]
    if isinstance(value, Mapping):
        for key in (*_SAYING, "href", "URL", "url"):
            if said := _all_said(value.get(key), deep - 1):
                return said
    return []


def _said(value: object) -> str | None:
    return next(iter(_all_said(value)), None)


def _joined(value: object, between: str) -> str | None:
    said = _all_said(value)
    return between.join(said) if said else None


def _required(value: str | None, field: str, longest: int) -> str:
    if value is None or not any(map(str.isalnum, value)):
        raise _RecordError(f"{field}: missing or empty")
    if len(value) > longest:
        raise _RecordError(f"{field}: {len(value):,} characters are too many (limit {longest:,})")
    return value


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
    if isinstance(value, Mapping) and not set(value) & {*_SAYING}:
        parts = [f"{key}: {said}" for key, each in value.items() if (said := _said(each))]
        return "\n".join(parts) or None
    return _joined(value, "\n\n")


def _names(value: object, deep: int = 3) -> list[str]:
    """The names in a value, given names first."""
    if deep < 0 or _is_nothing(value):
        return []
    if isinstance(value, str):
        return _split_names(value)
    if isinstance(value, Mapping):
        return _name_of(value, deep)
    found: list[str] = []
    for part in value if isinstance(value, Sequence) else ():
        if isinstance(part, Sequence) and not isinstance(part, str):
            texts = [str(each).strip() for each in part if isinstance(each, str)]
            if 1 < len(texts) == len(part) < 4:  # [family, given, suffix], as arXiv parses them
                found.append(" ".join(filter(None, (*texts[1:2], texts[0], *texts[2:]))))
                continue
        found += (
            _split_names(part, is_one=True) if isinstance(part, str) else _names(part, deep - 1)
        )
    return found


def _name_of(value: Mapping[str, object], deep: int) -> list[str]:
    parts = {folded(str(key)): each for key, each in value.items()}

    def first(*keys: str) -> str:
        return next((said for key in keys if (said := _said(parts.get(key)))), "").strip()

    family = first("family", "lastname", "last", "surname", "familyname", "keyname")
    if family:
        given = first(
            "given", "firstname", "first", "givenname", "givennames", "forename", "forenames",
            "initials",
        )  # fmt: skip
        particle = first("nondroppingparticle", "droppingparticle")
        return [" ".join(filter(None, (given, particle, family, first("suffix"))))]
    if whole := first(
        "name", "fullname", "displayname", "literal", "authorname", "rawname", "collectivename"
    ):
        return _one_name(whole) if "literal" not in parts else [" ".join(whole.split())]
    inner = parts.get("author") or parts.get("value") or parts.get("creator")
    return _names(inner, deep - 1)


def _split_names(text: str, *, is_one: bool = False, sure: bool = False) -> list[str]:
    """The names in one text, whatever stands between them.

    `is_one` says that it should be one name, `sure` that two parts of it can only be one.
    """
    text = _MORE.sub("", re.sub(r"\s*\([^()]*\)", "", " ".join(text.split())))
    for sign in (";", " | ", " • ", " · "):
        if sign in text:
            parts = text.split(sign)
            return [name for part in parts for name in _split_names(part, is_one=True, sure=True)]
    pieces = re.split(r",?\s+(?:and|&)\s+", text)
    is_one = is_one or len(pieces) > 1
    found: list[str] = []
    for piece in pieces:
        parts = [part.strip() for part in piece.strip(" ,").split(",") if part.strip()]
        given = parts[1::2]
        words = [len(part.split()) for part in parts]
        if len(parts) > 1 and all(map(_FAMILY_FIRST.fullmatch, parts)):
            pass  # "Müller H, Tanaka Y": each is a whole name
        elif len(parts) % 2 == 0 and given and all(map(_INITIALS.fullmatch, given)):
            parts = [f"{family}, {short}" for family, short in zip(parts[::2], given, strict=True)]
        elif len(parts) > 1 and _SUFFIX.fullmatch(parts[-1]):
            parts = [piece]
        elif len(parts) == 2 and (words[0] == 1 or sure or (is_one and words[1] == 1)):
            parts = [piece]  # "Lee, Ann", "García Márquez, Gabriel"
        found += [name for part in parts for name in _one_name(part)]
    return found


def _one_name(text: str) -> list[str]:
    """One name, given names first and without marks of footnotes; none if it is no name."""
    name = _HALF_CHARACTER.sub("\ufffd", " ".join(text.split())).strip(" ,")
    name = _DIGIT_MARKS.sub("", re.sub(r"\s*\([^()]*\)$", "", name)).strip(" ,")
    if name.casefold() in ("et al", "et al.", "others", "...", "…") or name[:1] in ("", "["):
        return []
    family, comma, given = name.partition(",")
    if comma and not _SUFFIX.fullmatch(given.strip()):
        given, _, suffix = given.partition(",")
        name = " ".join(filter(None, (given.strip(), family.strip(), suffix.strip())))
    return [name[:_LONGEST_VALUE]]
