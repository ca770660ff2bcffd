"""The papers of one generation of the index: searched, narrowed, sorted, paged and counted."""

import datetime as dt
import json
import re
import secrets
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property
from threading import Lock, Thread
from typing import TYPE_CHECKING, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from index.lexical import fold
from index.papers import Paper, Source
from rag.digests import Digest, list_digests
from rag.schema import Filters, Hit
from ui.archive.marks import LONGEST_TAG, Mark

if TYPE_CHECKING:
    from index.collection_map import CollectionMap
    from rag import Assistant

ON_A_PAGE = 50
"""Papers of one page of the table; also those that are nearest to a search."""
LONGEST_NAME = 1_000
"""Code points of a search, of the name of a digest and of a paper's id."""

Marks = Mapping[str, Mark]
"""What a visitor has marked papers with, by their ids."""

_LATEX = str.maketrans("", "", "\\{}$^'\"`")  # M^{3}ViT is found as M3ViT
_UNMARKED = Mark()


class View(BaseModel):
    """Which papers are listed and how, or which one is open: the browser keeps and sends it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    words: str = Field(default="", max_length=LONGEST_NAME)
    """What is looked for in their titles and abstracts."""
    exact: bool = False
    """Whether they must hold these words; else the papers nearest to them are listed."""
    page: int = Field(default=1, ge=1, le=1_000_000)
    digest: str | None = Field(default=None, max_length=LONGEST_NAME)
    """The key of the digest that they must be in (`rag.digests.Digest.key`)."""
    cluster: int | None = Field(default=None, ge=0)
    """The number of their cluster on the map."""
    since: dt.date | Literal["change"] | None = None
    starred: bool = False
    unread: bool = False
    tag: str | None = Field(default=None, max_length=LONGEST_TAG)
    """What the visitor has marked them with."""
    paper: str | None = Field(default=None, max_length=LONGEST_NAME)
    """The id of the paper that is open."""
    number: int | None = None
    """Of what the browser sent, in order: what was drawn for an older view does not count there."""

    @classmethod
    def read(cls, given: object) -> Self:
        """A view as the browser sent it; the one that lists everything if it is none."""
        try:
            return cls.model_validate(given)
        except ValidationError:
            return cls()

    @property
    def narrows(self) -> bool:
        """Whether it leaves papers out."""
        kept = {"exact", "page", "paper", "number"}
        everything = View(**self.model_dump(include=kept))
        return self.model_copy(update={"words": self.words.strip()}) != everything

    def keeps(self, mark: Mark) -> bool:
        """Whether a paper with these marks is listed."""
        is_tagged = self.tag is None or self.tag in mark.tags
        return is_tagged and mark.starred >= self.starred and not (self.unread and mark.read)

    @property
    def attribute(self) -> str:
        """It as JSON without what everything has, for an HTML attribute."""
        return json.dumps(self.model_dump(mode="json", exclude_defaults=True))


class Count(NamedTuple):
    """How many papers a digest has, by a name that is its alone."""

    key: str
    """What a view calls it."""
    label: str
    papers: int


def counts(digests: Sequence[Digest]) -> list[Count]:
    """The digests with their names; two of one date have that of their file, too."""
    labels = Counter(digest.label for digest in digests)
    return [
        Count(d.key, d.label if labels[d.label] == 1 else f"{d.label}, {d.name}", d.papers)
        for d in digests
    ]


class Listing(NamedTuple):
    """One page of the papers that a view keeps."""

    papers: Sequence[Paper]
    total: int
    """Papers on all pages."""
    page: int
    """From 1."""
    pages: int
    words: str = ""
    """What was looked for, its typing errors mended."""
    hits: Mapping[str, Hit] = {}
    """Where the nearest papers are listed, why each was found, by its id."""

    @property
    def first(self) -> int:
        """The place of the page's first paper, from 1."""
        return (self.page - 1) * ON_A_PAGE + 1


def _folded(text: str) -> str:
    """`text` as lower-case words, a space before each, without accents, signs and LaTeX."""
    words = re.sub(r"[\W_]+", " ", fold(text).translate(_LATEX).casefold())
    return f" {words.strip()}"


def newest(paper: Paper) -> Source | None:
    """Where a paper was seen last."""
    return max(paper.sources, key=lambda s: (s.date or date.min, s.name), default=None)


def digest_key(source: Source) -> str:
    """The key of the digest that a source is of."""
    return Digest(source.name, source.date, 0).key


def _by_place(paper: Paper) -> tuple[str, int]:
    source = newest(paper)
    return (source.name, source.position) if source else ("", 0)


def last_day(paper: Paper) -> date:
    """The day on which a paper was seen last; none comes before every day."""
    source = newest(paper)
    return (source.date if source else None) or date.min


class Catalogue:
    """The papers of one generation. What takes time is made when it is first needed, and kept."""

    def __init__(self, papers: Sequence[Paper], map_: "CollectionMap | None" = None) -> None:
        self.papers = papers
        self.map = map_
        self.key = secrets.token_hex(8)
        """Another one for each catalogue: what was drawn from an older one is told by it."""
        self.by_id = {paper.id: paper for paper in papers}
        self.clusters = {point.id: point.cluster for point in map_.points} if map_ else {}
        """The number of each paper's cluster, by its id."""

    def page(self, view: View, marks: Marks = {}, new: Collection[str] = ()) -> Listing:  # noqa: B006 - never changed
        """The page of `view`; the arguments as `kept` takes them."""
        kept = self.kept(view, marks, new)
        pages = max(1, -(-len(kept) // ON_A_PAGE))
        page = min(view.page, pages)
        return Listing(kept[(page - 1) * ON_A_PAGE : page * ON_A_PAGE], len(kept), page, pages)

    def kept(self, view: View, marks: Marks, new: Collection[str]) -> list[Paper]:
        """The papers of all pages, sorted; `new` are the ids that `view.since` means.

        Those nearest to words are not looked for here.
        """
        tests = list(self._tests(view, marks, new))
        return [paper for paper in self._ordered if all(test(paper) for test in tests)]

    def _tests(
        self, view: View, marks: Marks, new: Collection[str]
    ) -> Iterator[Callable[[Paper], bool]]:
        if view.digest is not None:
            yield lambda paper: any(digest_key(each) == view.digest for each in paper.sources)
        if view.cluster is not None:
            yield lambda paper: self.clusters.get(paper.id) == view.cluster
        if view.since is not None:
            yield lambda paper: paper.id in new
        if view.starred or view.unread or view.tag is not None:
            yield lambda paper: view.keeps(marks.get(paper.id, _UNMARKED))
        if view.exact and view.words.strip():
            words = [_folded(word) for word in view.words.split()]
            yield lambda paper: all(word in self._folded[paper.id] for word in words)

    @cached_property
    def _ordered(self) -> list[Paper]:
        """The papers, the newest first, those of a day by their place in a digest."""
        return sorted(sorted(self.papers, key=_by_place), key=last_day, reverse=True)

    def prepare(self) -> None:
        """Make what an exact search needs."""
        self._folded  # noqa: B018 - kept from now on

    @cached_property
    def _folded(self) -> dict[str, str]:
        return {paper.id: _folded(f"{paper.title} {paper.abstract}") for paper in self.papers}

    @cached_property
    def by_digest(self) -> list[Count]:
        """How many papers each digest has, newest first, those without a date at the end."""
        digests = list_digests(self.papers)
        return counts([*[d for d in digests if d.date][::-1], *[d for d in digests if not d.date]])


class Live:
    """The catalogue of the generation that answers now."""

    def __init__(self, assistant: "Assistant") -> None:
        self._assistant = assistant
        self._lock = Lock()
        self._map: object = self  # of no index yet
        self._catalogue = Catalogue(())

    def catalogue(self) -> Catalogue:
        """The papers as they are now; each generation that is opened has a map of its own."""
        with self._lock:
            map_ = self._assistant.collection_map()
            while map_ is not self._map:
                self._catalogue, self._map = Catalogue(self._assistant.papers(), map_), map_
                # An exact search of 50,000 papers would else wait for it for seconds.
                Thread(target=self._catalogue.prepare, daemon=True).start()
                map_ = self._assistant.collection_map()  # it may have changed between the two
            return self._catalogue

    def listing(self, view: View, marks: Marks) -> Listing:
        """The page of a view, whose papers a visitor has marked so."""
        catalogue, words = self.catalogue(), view.words.strip()
        if view.exact or not words or not catalogue.papers:
            return catalogue.page(view, marks, self._new(view))._replace(words=words)
        hits = self._nearest(catalogue, view, marks)
        found, why = [hit.paper for hit in hits], {hit.paper.id: hit for hit in hits}
        return Listing(found, len(hits), 1, 1, self._assistant.mended(words), why)

    def papers(self, view: View, marks: Marks) -> Sequence[Paper]:
        """The papers on all pages of a view."""
        if view.words.strip() and not view.exact:
            return self.listing(view, marks).papers
        return self.catalogue().kept(view, marks, self._new(view))

    def _nearest(self, catalogue: Catalogue, view: View, marks: Marks) -> list[Hit]:
        """The papers of a view that are nearest to its words, found as for a question."""
        filters = Filters()
        if view.model_copy(update={"words": ""}).narrows:
            ids = tuple(paper.id for paper in catalogue.kept(view, marks, self._new(view)))
            if not ids:
                return []
            filters = Filters(papers=ids)
        hits = self._assistant.search(view.words, ON_A_PAGE, filters)
        return [hit for hit in hits if hit.score > 0] or hits  # nearer than papers are on average

    def _new(self, view: View) -> frozenset[str]:
        """The ids of the papers that a view means by new."""
        if view.since is None:
            return frozenset()
        since = None if view.since == "change" else view.since
        return frozenset(paper.id for paper in self._assistant.newest(since))
