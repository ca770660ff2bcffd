"""What a paper is: its fields, its id, and how the same paper seen twice becomes one."""

import datetime as dt
import hashlib
import re
import unicodedata
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from index.text import clean_text

ID_LENGTH = 16
"""Hexadecimal digits in a derived paper id."""

Dating = Literal["day", "week", "month", "year", "added"]

_ARXIV = re.compile(
    r"(?:arxiv\.org/(?:abs|pdf|html)/|10\.48550/arxiv\.|arxiv:\s*)"
    r"(?P<id>\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(?:v\d+)?",
    re.IGNORECASE,
)
_BARE_ARXIV = re.compile(r"(?P<id>\d{2}(?:0[1-9]|1[0-2])\.\d{4,5})(?:v\d+)?")
_OLD_ARXIV = re.compile(r"(?P<id>[a-z-]+(?:\.[A-Z]{2})?/\d{7})(?:v\d+)?")
_NO_LETTER = re.compile(r"[\W_]+")
_ENOUGH_TITLE_WORDS = 4
_OPENING_LETTERS = 120
_LONGEST_HEAD = 5
"""Words of a name."""


class Source(BaseModel):
    """One place a paper was found in."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(description="File the paper came from, relative to the folder indexed.")
    date: dt.date | None = Field(default=None, description="Date of the digest or the record.")
    dated: Dating = Field(
        default="day",
        description="What `date` says: a day; the first day of a week, a month or a year; or the"
        " day on which a digest without a date was added.",
    )
    position: int = Field(ge=1, description="The paper's place in that digest, from 1.")


class Paper(BaseModel):
    """A paper: its title and abstract exactly as they were given, and where it was found."""

    model_config = ConfigDict(frozen=True)

    id: str
    title: str
    abstract: str
    authors: tuple[str, ...] = ()
    year: int | None = None
    venue: str | None = None
    url: str | None = None
    doi: str | None = None
    arxiv: str | None = Field(default=None, description="arXiv id, without a version.")
    pmid: str | None = Field(default=None, description="PubMed id.")
    published: str | None = Field(
        default=None, description="ISO date as far as it is known: 2025, 2025-03 or 2025-03-14."
    )
    sources: tuple[Source, ...] = ()

    @property
    def head(self) -> str | None:
        """The name that the title begins with: "WebArena" of "WebArena: A Realistic …"."""
        head, colon, _ = self.display_title.partition(":")
        return head.strip() if colon and len(head.split()) <= _LONGEST_HEAD else None

    @property
    def display_title(self) -> str:
        """The title without LaTeX debris."""
        return clean_text(self.title)


def arxiv_id(text: str, *, is_known: bool = False) -> str | None:
    """The arXiv id in an address, a DOI or an id, without its version; None if there is none.

    `is_known` says that the text is one: an old id (`hep-ph/9901001`) is none by its looks alone.
    """
    match = _ARXIV.search(text) or _BARE_ARXIV.fullmatch(text.strip())
    if match is None and is_known:  # "2405.16000 [cs.LG]"
        match = _BARE_ARXIV.match(text.strip()) or _OLD_ARXIV.match(text.strip())
    return match["id"] if match else None


def letters(text: str, *, markup: bool = True) -> str:
    """`text` reduced to what makes it the same text: lower-case letters and digits alone."""
    cleaned = clean_text(text, markup=markup)
    if not cleaned.isascii():
        cleaned = unicodedata.normalize("NFKD", cleaned)
    return _NO_LETTER.sub("", cleaned.casefold())


def tokens_of(text: str) -> list[str]:
    """The words and numbers of a text, in small letters and without LaTeX or tags."""
    return re.findall(r"[^\W_]+", clean_text(text).casefold())


def derived_id(title: str, abstract: str) -> str:
    """The id of a paper that was given none: the same on every machine.

    It is the start of the SHA-256 of the title's letters and digits, so case, spacing, accents
    and LaTeX do not matter. A title of fewer than four words ("Editorial") does not name one
    paper: there the opening of the abstract counts too.
    """
    key = letters(title, markup=False)  # as before tags were removed: ids that exist stay
    if len(clean_text(title).split()) < _ENOUGH_TITLE_WORDS:
        key += "\n" + letters(abstract, markup=False)[:_OPENING_LETTERS]
    return hashlib.sha256(key.encode()).hexdigest()[:ID_LENGTH]


def is_beginning(cut: str, whole: str) -> bool:
    """Whether a text is another one cut off: "We count …" of "We count owls and hawks."."""
    short = letters(re.sub(r"\s*(?:…|\.\.\.)\s*$", "", cut))
    return short != letters(whole) and letters(whole).startswith(short)


def merge(old: Paper, new: Paper) -> Paper:
    """One paper from two sightings: the newer text, every field known, all sources in order.

    A text that is only the beginning of the other, as alerts cut it off, is not the newer one. A
    source with the name and date of an older one replaces it. The id is the older one's.
    """
    is_cut = is_beginning(new.abstract, old.abstract)
    found = {(source.name, source.date): source for source in (*old.sources, *new.sources)}
    sources = sorted(found.values(), key=lambda s: (s.date or dt.date.min, s.name, s.position))
    return Paper(
        id=old.id,
        title=new.title,
        abstract=old.abstract if is_cut else new.abstract,
        authors=new.authors if len(new.authors) >= len(old.authors) else old.authors,
        year=new.year or old.year,
        venue=new.venue or old.venue,
        url=new.url or old.url,
        doi=new.doi or old.doi,
        arxiv=new.arxiv or old.arxiv,
        pmid=new.pmid or old.pmid,
        published=max(new.published or "", old.published or "", key=len) or None,
        sources=tuple(sources),
    )
