"""The papers of one generation of the index: searched, narrowed, sorted, paged and counted."""

import datetime as dt
import json
import re
import secrets
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from functools import cached_property
from itertools import accumulate
from threading import Lock, Thread
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from index.papers import Paper, Source
from rag.digests import Digest, list_digests
from rag.schema import Filters, Hit
from ui.archive.marks import LONGEST_TAG, Mark

if TYPE_CHECKING:
    from index.collection_map import CollectionMap
    from rag import Assistant

ON_A_PAGE = 50
"""Papers of one page of the table; also those that are nearest to a search."""
LONGEST_WORDS = 200
"""Code points of a search for papers."""
LONGEST_NAME = 1_000
"""Code points of the name of a digest and of a paper's id."""

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]
Sort = Literal["title", "date"]

_BETWEEN_WORDS = re.compile(r"[\W_]+")
_MARKS = re.compile(r"[\u0300-\u036f]+")
_LATEX = str.maketrans("", "", "\\{}$^'\"`")  # M^{3}ViT is found as M3ViT


class View(BaseModel):
    """Which papers are listed and how, or which one is open: the browser keeps and sends it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    words: Annotated[
        str, BeforeValidator(lambda w: w[:LONGEST_WORDS] if isinstance(w, str) else w)
    ] = ""
    """What is looked for in their titles and abstracts."""
    exact: bool = False
    """Whether they must hold these words; else the papers nearest to them are listed."""
    sort: Sort = "date"
    down: bool = True
    page: int = Field(default=1, ge=1, le=1_000_000)
    digest: str | None = Field(default=None, max_length=LONGEST_NAME)
    """The key of the digest that they must be in (`rag.digests.Digest.key`)."""
    month: str | None = Field(default=None, pattern=r"^\d{4}-\d{2}$")
    cluster: int | None = Field(default=None, ge=0)
    """The number of their cluster on the map."""
    since: dt.date | Literal["change"] | None = None
    starred: bool = False
    unread: bool = False
    tag: str | None = Field(default=None, max_length=LONGEST_TAG)
    """What the visitor has marked them with."""
    paper: str | None = Field(default=None, max_length=LONGEST_NAME)
    """The id of the paper that is open."""

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
        chosen = (self.digest, self.month, self.cluster, self.since, self.tag)
        narrowed = any(value is not None for value in chosen)
        return narrowed or self.starred or self.unread or bool(self.words.strip())

    def keeps(self, mark: Mark) -> bool:
        """Whether a paper with these marks is listed."""
        is_tagged = self.tag is None or self.tag in mark.tags
        return is_tagged and mark.starred >= self.starred and not (self.unread and mark.read)

    @property
    def attribute(self) -> str:
        """It as JSON without what everything has, for an HTML attribute."""
        return json.dumps(self.model_dump(mode="json", exclude_defaults=True))


class Count(NamedTuple):
    """How many papers a digest or a month has."""

    key: str
    """What a view calls it."""
    label: str
    papers: int


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


class Words:
    """The words of many texts, as one long string: searching it beats a loop over the texts."""

    def __init__(self, texts: Iterable[str]) -> None:
        pieces = [f"\n{_folded(text)}".encode() for text in texts]
        self._starts = [0, *accumulate(map(len, pieces))]
        self._all = b"".join(pieces)

    def holding(self, query: str) -> Sequence[int]:
        """The texts that hold every word of `query`, or a word that begins with it, in order."""
        words = sorted((_folded(word).rstrip() for word in query.split()), key=len, reverse=True)
        rows: Sequence[int] = range(len(self._starts) - 1)
        find, starts = self._all.find, self._starts
        for word in filter(None, words):
            needle = word.encode()
            rows = [row for row in rows if find(needle, starts[row], starts[row + 1]) >= 0]
        return rows


def _folded(text: str) -> str:
    """`text` as lower-case words, a space before each, without accents, signs and LaTeX."""
    if not text.isascii():
        text = _MARKS.sub("", unicodedata.normalize("NFKD", text))
    words = _BETWEEN_WORDS.sub(" ", text.translate(_LATEX).casefold())
    return words if words.startswith(" ") else f" {words}"


def newest(paper: Paper) -> Source | None:
    """Where a paper was seen last."""
    return max(paper.sources, key=lambda s: (s.date or date.min, s.name), default=None)


def digest_key(source: Source) -> str:
    """The key of the digest that a source is of."""
    return Digest(source.name, source.date, 0).key


def month_label(month: str) -> str:
    """What people call a month: Apr 2025 for "2025-04"."""
    try:
        return f"{date.fromisoformat(f'{month}-01'):%b %Y}"
    except ValueError:  # an address can name any
        return month


def _by_date(paper: Paper) -> date:
    source = newest(paper)
    return (source.date if source else None) or date.min


def _by_position(paper: Paper) -> tuple[str, int]:
    source = newest(paper)
    return (source.name, source.position) if source else ("", 0)


_KEYS: dict[Sort, Callable[[Paper], Any]] = {
    "title": lambda paper: paper.display_title.casefold(),
    "date": _by_date,
}


class Catalogue:
    """The papers of one generation. What takes time is made when it is first needed, and kept."""

    def __init__(self, papers: Sequence[Paper], map_: "CollectionMap | None" = None) -> None:
        self.papers = papers
        self.map = map_
        self.key = secrets.token_hex(8)
        """Another one for each catalogue: what was drawn from an older one is told by it."""
        self.rows = {paper.id: row for row, paper in enumerate(papers)}
        self._orders: dict[tuple[Sort, bool], Rows] = {}

    def page(self, view: View, only: Collection[str] | None = None) -> Listing:
        """The page of `view`, of the papers with an id in `only` if it is given."""
        kept = self.kept(view, only)
        pages = max(1, -(-len(kept) // ON_A_PAGE))
        page = min(view.page, pages)
        shown = kept[(page - 1) * ON_A_PAGE : page * ON_A_PAGE]
        return Listing(shown, len(kept), page, pages)

    def kept(self, view: View, only: Collection[str] | None = None) -> list[Paper]:
        """The papers of all pages, sorted; those nearest to words are not looked for here."""
        mask = self._mask(view, only)
        order = self._order(view.sort, view.down)
        return [self.papers[row] for row in order[mask[order]].tolist()]

    def prepare(self) -> None:
        """Make what searching and sorting need, which takes seconds for 50,000 papers."""
        self._words, self._digest_rows, self._month_rows, self._clusters  # noqa: B018
        for sort in _KEYS:
            self._order(sort, down=sort == "date")

    def _mask(self, view: View, only: Collection[str] | None) -> Mask:
        kept: list[Iterable[int]] = []
        if view.exact and view.words.strip():
            kept.append(self._words.holding(view.words))
        if view.digest is not None:
            kept.append(self._digest_rows.get(view.digest, ()))
        if view.month is not None:
            kept.append(self._month_rows.get(view.month, ()))
        if only is not None:
            kept.append(self.rows[id_] for id_ in only if id_ in self.rows)
        mask = np.ones(len(self.papers), dtype=np.bool_)
        for rows in kept:
            having = np.zeros(len(self.papers), dtype=np.bool_)
            having[np.fromiter(rows, dtype=np.int64)] = True
            mask &= having
        if view.cluster is not None:
            mask &= self._clusters == view.cluster
        return mask

    @cached_property
    def _words(self) -> Words:
        return Words(f"{paper.title} {paper.abstract}" for paper in self.papers)

    def _order(self, sort: Sort, down: bool) -> Rows:
        """The rows by what is sorted by, those that are equal in it by their place in a digest."""
        if (sort, down) not in self._orders:
            placed = sorted(range(len(self.papers)), key=lambda row: _by_position(self.papers[row]))
            key = _KEYS[sort]
            placed.sort(key=lambda row: key(self.papers[row]), reverse=down)
            self._orders[sort, down] = np.asarray(placed, dtype=np.int64)
        return self._orders[sort, down]

    @cached_property
    def _digest_rows(self) -> dict[str, list[int]]:
        return self._grouped(lambda paper: {digest_key(source) for source in paper.sources})

    @cached_property
    def _month_rows(self) -> dict[str, list[int]]:
        return self._grouped(lambda paper: {f"{s.date:%Y-%m}" for s in paper.sources if s.date})

    def _grouped(self, keys: Callable[[Paper], set[str]]) -> dict[str, list[int]]:
        groups: dict[str, list[int]] = {}
        for row, paper in enumerate(self.papers):
            for key in keys(paper):
                groups.setdefault(key, []).append(row)
        return groups

    @cached_property
    def _clusters(self) -> Rows:
        """The number of each paper's cluster, shape (P,); -1 without a map."""
        numbers = {point.id: point.cluster for point in self.map.points} if self.map else {}
        return np.asarray([numbers.get(paper.id, -1) for paper in self.papers], dtype=np.int64)

    def cluster_of(self, paper: Paper) -> int | None:
        """The number of a paper's cluster, if there is a map."""
        number = int(self._clusters[self.rows[paper.id]])
        return None if number < 0 else number

    @cached_property
    def by_digest(self) -> list[Count]:
        """How many papers each digest has, newest first, those without a date at the end."""
        digests = list_digests(self.papers)
        labels = Counter(digest.label for digest in digests)
        ordered = [*[d for d in digests if d.date][::-1], *[d for d in digests if not d.date]]
        return [
            Count(d.key, d.label if labels[d.label] == 1 else f"{d.label}, {d.name}", d.papers)
            for d in ordered
        ]

    @cached_property
    def by_month(self) -> list[Count]:
        """How many papers were seen in each month, newest first."""
        return [
            Count(month, month_label(month), len(rows))
            for month, rows in sorted(self._month_rows.items(), reverse=True)
        ]


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
                self._catalogue = Catalogue(self._assistant.papers(), map_)
                self._map = map_
                map_ = self._assistant.collection_map()  # it may have changed between the two
                if map_ is self._map:
                    Thread(target=self._catalogue.prepare, daemon=True).start()
            return self._catalogue

    def listing(self, view: View, marks: Mapping[str, Mark]) -> Listing:
        """The page of a view, whose papers a visitor has marked so."""
        catalogue = self.catalogue()
        only = self._only(view, marks, catalogue)
        words = view.words.strip()
        if view.exact or not words or not catalogue.papers:
            return catalogue.page(view, only)._replace(words=words)
        hits = self._nearest(catalogue, view, only)
        found, why = [hit.paper for hit in hits], {hit.paper.id: hit for hit in hits}
        return Listing(found, len(hits), 1, 1, self._assistant.mended(words), why)

    def papers(self, view: View, marks: Mapping[str, Mark]) -> Sequence[Paper]:
        """The papers on all pages of a view."""
        if view.words.strip() and not view.exact:
            return self.listing(view, marks).papers
        catalogue = self.catalogue()
        return catalogue.kept(view, self._only(view, marks, catalogue))

    def _nearest(self, catalogue: Catalogue, view: View, only: Collection[str] | None) -> list[Hit]:
        """The papers of a view that are nearest to its words, found as for a question."""
        filters = Filters()
        if view.model_copy(update={"words": ""}).narrows:
            ids = tuple(paper.id for paper in catalogue.kept(view, only))
            if not ids:
                return []
            filters = Filters(papers=ids)
        hits = self._assistant.search(view.words, ON_A_PAGE, filters)
        return [hit for hit in hits if hit.score > 0] or hits  # nearer than papers are on average

    def _only(
        self, view: View, marks: Mapping[str, Mark], catalogue: Catalogue
    ) -> frozenset[str] | None:
        """The ids of the papers that are new, or marked, as a view has it; None for all."""
        kept: list[frozenset[str]] = []
        if view.since is not None:
            new = self._assistant.newest(None if view.since == "change" else view.since)
            kept.append(frozenset(paper.id for paper in new))
        if view.starred or view.tag is not None:
            kept.append(frozenset(id_ for id_, mark in marks.items() if view.keeps(mark)))
        elif view.unread:
            unread = (id_ for id_ in catalogue.rows if view.keeps(marks.get(id_, Mark())))
            kept.append(frozenset(unread))
        return frozenset.intersection(*kept) if kept else None
