"""The papers of one generation of the index: narrowed, sorted, paged and counted."""

import secrets
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.papers import Paper, Source
from rag.digests import Digest, list_digests
from ui.web.corpus.view import Sort, View
from ui.web.corpus.words import Words

if TYPE_CHECKING:
    from index.collection_map import CollectionMap

ON_A_PAGE = 50
"""Papers of one page of the table."""

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]


def newest(paper: Paper) -> Source | None:
    """Where a paper was seen last."""
    return max(paper.sources, key=lambda s: (s.date or date.min, s.name), default=None)


def digest_key(source: Source) -> str:
    """The key of the digest that a source is of."""
    return Digest(source.name, source.date, 0).key


def _by_title(paper: Paper) -> str:
    return paper.display_title.casefold()


def _by_date(paper: Paper) -> date:
    source = newest(paper)
    return (source.date if source else None) or date.min


def _by_digest(paper: Paper) -> tuple[str, date]:
    source = newest(paper)
    return (source.name.casefold() if source else "", _by_date(paper))


def _by_position(paper: Paper) -> tuple[str, int]:
    source = newest(paper)
    return (source.name, source.position) if source else ("", 0)


_KEYS: dict[Sort, Callable[[Paper], Any]] = {
    "title": _by_title,
    "date": _by_date,
    "digest": _by_digest,
}


class Count(NamedTuple):
    """How many papers a digest or a month has."""

    key: str
    """What a view calls it."""
    label: str
    papers: int


@dataclass(frozen=True)
class Listing:
    """One page of the papers that a view keeps."""

    papers: Sequence[Paper]
    total: int
    """Papers on all pages."""
    page: int
    """From 1."""
    pages: int

    @property
    def first(self) -> int:
        """The place of the page's first paper, from 1."""
        return (self.page - 1) * ON_A_PAGE + 1


class Catalogue:
    """The papers of one generation. What takes time is made when it is first needed, and kept."""

    def __init__(self, papers: Sequence[Paper], map_: "CollectionMap | None" = None) -> None:
        self.papers = papers
        self.map = map_
        self.key = secrets.token_hex(8)
        """Another one for each catalogue: what was drawn from an older one is told by it."""
        self.rows = {paper.id: row for row, paper in enumerate(papers)}
        self._orders: dict[tuple[Sort, bool], Rows] = {}

    def page(self, view: View, new: Collection[str] | None = None) -> Listing:
        """The page of `view`, of the papers with an id in `new` if it is given."""
        mask = self._mask(view, new)
        order = self._order(view.sort, view.down)
        kept = order[mask[order]]
        pages = max(1, -(-len(kept) // ON_A_PAGE))
        page = min(view.page, pages)
        shown = kept[(page - 1) * ON_A_PAGE : page * ON_A_PAGE]
        return Listing([self.papers[row] for row in shown.tolist()], len(kept), page, pages)

    def prepare(self) -> None:
        """Make what searching and sorting need, which takes seconds for 50,000 papers."""
        self._words, self._digest_rows, self._month_rows, self._clusters  # noqa: B018
        for sort in _KEYS:
            self._order(sort, down=sort == "date")

    def _mask(self, view: View, new: Collection[str] | None) -> Mask:
        mask = np.ones(len(self.papers), dtype=np.bool_)
        if view.words.strip():
            mask &= self._only(self._words.holding(view.words))
        if view.digest is not None:
            mask &= self._only(self._digest_rows.get(view.digest, ()))
        if view.month is not None:
            mask &= self._only(self._month_rows.get(view.month, ()))
        if view.cluster is not None:
            mask &= self._clusters == view.cluster
        if new is not None:
            mask &= self._only(self.rows[id_] for id_ in new if id_ in self.rows)
        return mask

    def _only(self, rows: Iterable[int]) -> Mask:
        mask = np.zeros(len(self.papers), dtype=np.bool_)
        mask[np.fromiter(rows, dtype=np.int64)] = True
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


def month_label(month: str) -> str:
    """What people call a month: Apr 2025 for "2025-04"."""
    try:
        return f"{date.fromisoformat(f'{month}-01'):%b %Y}"
    except ValueError:  # an address can name any
        return month
