"""What a paper is: its fields, its id, and how the same paper seen twice becomes one."""

import datetime as dt
import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict, Field

from index.text import clean_text

ID_LENGTH = 16
"""Hexadecimal digits in a derived paper id."""

_ENOUGH_TITLE_WORDS = 4
_OPENING_LETTERS = 120
_LONGEST_HEAD = 5
"""Words of a name."""


class Source(BaseModel):
    """One place a paper was found in."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(description="File the paper came from, relative to the folder indexed.")
    date: dt.date | None = Field(default=None, description="Date of the digest or the record.")
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


def letters(text: str) -> str:
    """`text` reduced to what makes it the same text: lower-case letters and digits alone."""
    folded = unicodedata.normalize("NFKD", clean_text(text)).casefold()
    return re.sub(r"[\W_]+", "", folded)


def derived_id(title: str, abstract: str) -> str:
    """The id of a paper that was given none: the same on every machine.

    It is the start of the SHA-256 of the title's letters and digits, so case, spacing, accents
    and LaTeX do not matter. A title of fewer than four words ("Editorial") does not name one
    paper: there the opening of the abstract counts too.
    """
    key = letters(title)
    if len(clean_text(title).split()) < _ENOUGH_TITLE_WORDS:
        key += "\n" + letters(abstract)[:_OPENING_LETTERS]
    return hashlib.sha256(key.encode()).hexdigest()[:ID_LENGTH]


def merge(old: Paper, new: Paper) -> Paper:
    """One paper from two sightings: the newer text, every field known, all sources in order.

    A source with the name and date of an older one replaces it. The id is the older one's.
    """
    found = {(source.name, source.date): source for source in (*old.sources, *new.sources)}
    sources = sorted(found.values(), key=lambda s: (s.date or dt.date.min, s.name, s.position))
    return Paper(
        id=old.id,
        title=new.title,
        abstract=new.abstract,
        authors=new.authors or old.authors,
        year=new.year or old.year,
        venue=new.venue or old.venue,
        url=new.url or old.url,
        doi=new.doi or old.doi,
        sources=tuple(sources),
    )


def identify(papers: Sequence[Paper]) -> list[str]:
    """The id of the paper that each sighting is of.

    Sightings are one paper when they share an id, and a sighting with a derived id is also one
    with the record of the same title (see `derived_id`) that was given an id of its own. Records
    given different ids stay different papers, even of one title; a sighting without an id then
    belongs to the smallest of them. So the order of the sightings does not matter; which of them
    are looked at together does.
    """
    derived = [derived_id(paper.title, paper.abstract) for paper in papers]
    given: dict[str, str] = {}
    for paper, id_ in zip(papers, derived, strict=True):
        if paper.id != id_:
            given[id_] = min(paper.id, given.get(id_, paper.id))
    return [
        given.get(id_, id_) if paper.id == id_ else paper.id
        for paper, id_ in zip(papers, derived, strict=True)
    ]


def merge_all(papers: Iterable[Paper]) -> dict[str, Paper]:
    """Fold sightings, oldest first, into unique papers by id (see `identify`).

    Returns:
        Each paper under its id, in the order in which they first appeared.
    """
    sightings = list(papers)
    merged: dict[str, Paper] = {}
    for paper, id_ in zip(sightings, identify(sightings), strict=True):
        named = paper if paper.id == id_ else paper.model_copy(update={"id": id_})
        merged[id_] = merge(merged[id_], named) if id_ in merged else named
    return merged
