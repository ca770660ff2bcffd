"""Search, filter, sort, page and count the papers of one generation of the index."""

import datetime as dt
import json
import re
import secrets
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from functools import cached_property
from threading import Lock, Thread
from typing import TYPE_CHECKING, Literal, NamedTuple, Self

from pydantic import BaseModel, Field, ValidationError

from index.lexical import fold
from index.papers import Paper, Source
from rag.digests import Digest, list_digests
from rag.schema import Filters, Hit
from ui.archive.marks import LONGEST_TAG, Mark

if TYPE_CHECKING:
    from index.collection_map import CollectionMap
    from rag import Assistant

ON_A_PAGE = 50  # papers on one page of the table, and the most hits of a search by meaning
LONGEST_NAME = 1_000  # code points of a search, of a digest's name and of a paper's id

Marks = Mapping[str, Mark]  # of a visitor, by paper id

_LATEX = str.maketrans("", "", "\\{}$^'\"`")  # M^{3}ViT is found as M3ViT


class View(BaseModel, frozen=True, extra="ignore"):
    """Which papers are listed and how, or which one is open; the browser keeps and sends it."""

    words: str = Field(default="", max_length=LONGEST_NAME)
    exact: bool = False
    """Whether papers must contain the words; else the papers nearest to the query are listed."""
    page: int = Field(default=1, ge=1, le=1_000_000)
    digest: str | None = Field(default=None, max_length=LONGEST_NAME)
    """Only papers of the digest with this key (`rag.digests.Digest.key`)."""
    cluster: int | None = Field(default=None, ge=0)
    since: dt.date | Literal["change"] | None = None
    starred: bool = False
    unread: bool = False
    tag: str | None = Field(default=None, max_length=LONGEST_TAG)
    paper: str | None = Field(default=None, max_length=LONGEST_NAME)
    number: int | None = None
    """The number of the request, in order: the browser ignores what was drawn for an older view."""

    @classmethod
    def read(cls, given: object) -> Self:
        """Validate a view that the browser sent; return the view of all papers if it is invalid."""
        try:
            return cls.model_validate(given)
        except ValidationError:
            return cls()

    @property
    def narrows(self) -> bool:
        """Whether the view leaves papers out."""
        kept = {"exact", "page", "paper", "number"}
        everything = View(**self.model_dump(include=kept))
        return self.model_copy(update={"words": self.words.strip()}) != everything

    def keeps(self, mark: Mark) -> bool:
        """Return whether the view lists a paper with these marks."""
        is_tagged = self.tag is None or self.tag in mark.tags
        return is_tagged and mark.starred >= self.starred and not (self.unread and mark.read)

    @property
    def attribute(self) -> str:
        """The view as JSON without default values, for an HTML attribute."""
        return json.dumps(self.model_dump(mode="json", exclude_defaults=True))


class Count(NamedTuple):
    """The number of papers of a digest, with a label that no other digest has."""

    key: str  # `View.digest` of this digest
    label: str
    papers: int


def counts(digests: Sequence[Digest]) -> list[Count]:
    """Count the papers of each digest; digests of the same date get their file's name as well."""
    labels = Counter(digest.label for digest in digests)
    return [
        Count(d.key, d.label if labels[d.label] == 1 else f"{d.label}, {d.name}", d.papers)
        for d in digests
    ]


class Listing(NamedTuple):
    """One page of the papers that pass a view."""

    papers: Sequence[Paper]
    total: int  # papers on all pages
    page: int  # from 1
    pages: int
    words: str = ""  # the query, with spelling errors corrected
    hits: Mapping[str, Hit] = {}  # for a search by meaning: the hit of each paper, by its id

    @property
    def first(self) -> int:
        """The rank of the first paper of the page, from 1."""
        return (self.page - 1) * ON_A_PAGE + 1


def _folded(text: str) -> str:
    """Return `text` as lower-case words, a space before each, without accents, signs and LaTeX."""
    words = re.sub(r"[\W_]+", " ", fold(text).translate(_LATEX).casefold())
    return f" {words.strip()}"


def newest(paper: Paper) -> Source:
    """Return the latest source of a paper; one without name and date if it has none."""
    nowhere = Source(name="", position=1)
    return max(paper.sources, key=lambda s: (s.date or date.min, s.name), default=nowhere)


def digest_key(source: Source) -> str:
    """Return the key of the digest that a source belongs to."""
    return Digest(source.name, source.date, 0).key


class Catalogue:
    """The papers of one generation; costly derived data is computed on first use and kept."""

    def __init__(self, papers: Sequence[Paper], map_: "CollectionMap | None" = None) -> None:
        self.papers = papers
        self.map = map_
        self.key = secrets.token_hex(8)
        """Random for each catalogue: shows whether something was drawn from an older one."""
        self.by_id = {paper.id: paper for paper in papers}
        self.clusters = {point.id: point.cluster for point in map_.points} if map_ else {}
        """The cluster number of each paper, by its id."""

    def kept(self, view: View, marks: Marks, new: Collection[str]) -> Sequence[Paper]:
        """Return the papers of all pages, sorted; `new` holds the ids that pass `view.since`."""
        if not view.narrows:
            return self._ordered
        words = [_folded(word) for word in view.words.split()] if view.exact else []
        unmarked = Mark()
        return [
            paper
            for paper in self._ordered
            if (view.digest is None or view.digest in map(digest_key, paper.sources))
            and (view.cluster is None or self.clusters.get(paper.id) == view.cluster)
            and (view.since is None or paper.id in new)
            and view.keeps(marks.get(paper.id, unmarked))
            and all(word in self.folded[paper.id] for word in words)
        ]

    @cached_property
    def _ordered(self) -> list[Paper]:
        """The papers, the newest first, those of a day by file name and position in the digest."""
        latest = [(newest(paper), paper) for paper in self.papers]
        latest.sort(key=lambda each: (each[0].name, each[0].position))
        latest.sort(key=lambda each: each[0].date or date.min, reverse=True)
        return [paper for _, paper in latest]

    @cached_property
    def folded(self) -> dict[str, str]:
        """The text of each paper for an exact search, by its id."""
        return {paper.id: _folded(f"{paper.title} {paper.abstract}") for paper in self.papers}

    @cached_property
    def by_digest(self) -> list[Count]:
        """The number of papers of each digest, newest first, those without a date at the end."""
        digests = list_digests(self.papers)
        return counts([*[d for d in digests if d.date][::-1], *[d for d in digests if not d.date]])


class Live:
    """The catalogue of the generation that is live."""

    def __init__(self, assistant: "Assistant") -> None:
        self._assistant = assistant
        self._lock = Lock()
        self._map: object = self  # no index was read yet
        self._catalogue = Catalogue(())

    def catalogue(self) -> Catalogue:
        """Return the current catalogue; a new map object shows that a new generation is live."""
        with self._lock:
            map_ = self._assistant.collection_map()
            while map_ is not self._map:
                self._catalogue, self._map = Catalogue(self._assistant.papers(), map_), map_
                # Else the first exact search of 50,000 papers would wait seconds for it.
                Thread(target=getattr, args=(self._catalogue, "folded"), daemon=True).start()
                map_ = self._assistant.collection_map()  # it may have changed meanwhile
            return self._catalogue

    def listing(self, view: View, marks: Marks) -> Listing:
        """Return the page of a view; a search by meaning has one page of at most `ON_A_PAGE`."""
        found, hits = self.found(view, marks)
        pages = max(1, -(-len(found) // ON_A_PAGE))
        page = min(view.page, pages)
        shown = found[(page - 1) * ON_A_PAGE : page * ON_A_PAGE]
        words = view.words.strip()
        mended = words if hits is None else self._assistant.mended(words)
        return Listing(shown, len(found), page, pages, mended, hits or {})

    def found(self, view: View, marks: Marks) -> tuple[Sequence[Paper], dict[str, Hit] | None]:
        """Return the papers on all pages of a view; for a search by meaning also the hits by id."""
        if view.exact or not view.words.strip() or not self.catalogue().papers:
            return self._kept(view, marks), None
        hits = {hit.paper.id: hit for hit in self._nearest(view, marks)}
        return [hit.paper for hit in hits.values()], hits

    def _kept(self, view: View, marks: Marks) -> Sequence[Paper]:
        new = set()
        if view.since is not None:
            since = None if view.since == "change" else view.since
            new = {paper.id for paper in self._assistant.newest(since)}
        return self.catalogue().kept(view, marks, new)

    def _nearest(self, view: View, marks: Marks) -> list[Hit]:
        """Search the papers of a view by its words, as for a question; at most `ON_A_PAGE` hits."""
        filters = Filters()
        if view.model_copy(update={"words": ""}).narrows:
            filters = Filters(papers=tuple(paper.id for paper in self._kept(view, marks)))
            if not filters.papers:
                return []
        hits = self._assistant.search(view.words, ON_A_PAGE, filters)
        return [hit for hit in hits if hit.score > 0] or hits  # nearer than the average paper
