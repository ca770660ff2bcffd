"""Postings: which papers have each of many terms, grown by what changes and never counted anew."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

_T = TypeVar("_T")
Rows = NDArray[np.int64]
Ints = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Carried(Generic[_T]):
    """A table of papers, some of which are among the P papers of the next one as they were."""

    table: _T
    rows: Rows
    """The row in `table` of each of the P papers that is in it as it is now, else -1."""

    @property
    def new(self) -> list[int]:
        """The rows of the papers that are not in it."""
        return np.flatnonzero(self.rows < 0).tolist()

    def places(self, size: int) -> Rows:
        """Where each of the `size` papers of the table is now, -1 where it is gone."""
        places = np.full(size, -1, dtype=np.int64)
        places[self.rows[self.rows >= 0]] = np.flatnonzero(self.rows >= 0)
        return places


class Found:
    """Postings as they are found, in any order."""

    def __init__(self) -> None:
        self.terms: dict[str, int] = {}
        """Each term → its number."""
        # A list of as many numbers would take ten times the memory.
        self._postings = array("i")

    def add(self, row: int, values: Mapping[str, int]) -> None:
        """Note which terms the paper of a row has, each with a number of at most 16 bits."""
        numbers, postings = self.terms, self._postings
        for term, value in values.items():
            postings.extend((numbers.setdefault(term, len(numbers)), row, value))

    def columns(self) -> tuple[NDArray[np.integer], NDArray[np.integer], NDArray[np.integer]]:
        """The number of the term, the row and the value of each posting."""
        found = np.frombuffer(self._postings, dtype=np.int32).reshape(-1, 3)
        return found[:, 0], found[:, 1], found[:, 2]


@dataclass(frozen=True, eq=False)
class Postings:
    """V terms that have N postings in all: a paper, and a number about it."""

    terms: list[str]
    """Ascending."""
    starts: Ints
    """Where the postings of each term begin, shape (V + 1,)."""
    rows: Ints
    """The papers of each term, ascending, shape (N,)."""
    values: NDArray[np.unsignedinteger]
    """Shape (N,)."""

    @classmethod
    def of(cls, found: Found) -> Self:
        """Sort postings that were found."""
        terms = sorted(found.terms)
        ranks = np.empty(len(terms), dtype=np.int64)
        ranks[[found.terms[term] for term in terms]] = np.arange(len(terms))
        numbers, rows, values = found.columns()
        codes = (ranks[numbers] << 32) | rows
        order = np.argsort(codes, kind="stable")
        small = np.minimum(values[order], 65_535).astype(np.uint16)
        is_wide = values.max(initial=0) > 255
        return cls._of(terms, codes[order], small if is_wide else small.astype(np.uint8))

    @classmethod
    def _of(cls, terms: list[str], codes: Rows, values: NDArray[np.unsignedinteger]) -> Self:
        """The postings of sorted codes: the place of a term above, a row in the lower 32 bits.

        What was found twice of a paper, it has once.
        """
        is_new = np.append(True, (np.diff(codes) != 0) | (values[1:] != values[:-1]))[: len(codes)]
        codes, values = codes[is_new], values[is_new]
        counts = np.bincount(codes >> 32, minlength=len(terms))
        used = np.flatnonzero(counts)
        if len(used) < len(terms):
            terms = [terms[place] for place in used.tolist()]
        starts = np.concatenate([[0], np.cumsum(counts[used])]).astype(np.int32)
        return cls(terms, starts, (codes & 0xFFFFFFFF).astype(np.int32), values)

    def _codes(self, term_places: Rows, row_places: Rows) -> Rows:
        """The code of each posting, its term and its paper being at other places."""
        return (np.repeat(term_places, np.diff(self.starts)) << 32) | row_places[self.rows]

    def carried(self, places: Rows, found: Found) -> Self:
        """The postings with those of new papers; `places` are the rows of the others now, or -1."""
        added = self.of(found)
        new = [term for term in added.terms if self.place(term) is None]
        ahead = np.asarray([bisect_left(self.terms, term) for term in new], dtype=np.int64)
        moved = np.arange(len(self.terms))
        moved += np.searchsorted(ahead, moved, side="right")
        terms = sorted([*self.terms, *new])
        stays = places[self.rows] >= 0
        codes, values = self._codes(moved, places)[stays], self.values[stays]
        if (np.diff(places[places >= 0]) < 0).any():
            order = np.argsort(codes, kind="stable")
            codes, values = codes[order], values[order]
        own = np.asarray([bisect_left(terms, term) for term in added.terms], dtype=np.int64)
        more = added._codes(own, np.arange(added.rows.max(initial=-1) + 1))
        at = np.searchsorted(codes, more, side="right")
        width = np.promote_types(values.dtype, added.values.dtype)
        return self._of(
            terms, np.insert(codes, at, more), np.insert(values.astype(width), at, added.values)
        )

    def place(self, term: str) -> int | None:
        """The number of a term from 0; None if there is none."""
        place = bisect_left(self.terms, term)
        return place if place < len(self.terms) and self.terms[place] == term else None

    def slice(self, term: str) -> slice:
        """Where the postings of a term are; an empty slice if it has none."""
        if (place := self.place(term)) is None:
            return slice(0)
        return slice(int(self.starts[place]), int(self.starts[place + 1]))

    def begins(self, prefix: str) -> bool:
        """Whether a longer term begins with this one."""
        place = bisect_right(self.terms, prefix)
        return place < len(self.terms) and self.terms[place].startswith(prefix)

    def between(self, first: str, end: str) -> range:
        """The places of the terms from `first` to before `end`."""
        return range(bisect_left(self.terms, first), bisect_left(self.terms, end))

    def packed(self) -> dict[str, NDArray[np.generic]]:
        """The arrays that `unpacked` makes postings of."""
        arrays = {name: getattr(self, name) for name in ("starts", "rows", "values")}
        return {"terms": packed(self.terms), **arrays}

    @classmethod
    def unpacked(cls, stored: Mapping[str, NDArray[np.generic]]) -> Self:
        """The postings of arrays that are read."""
        terms = unpacked(stored["terms"], len(stored["starts"]) - 1)
        arrays = (stored[name] for name in ("starts", "rows", "values"))
        return cls(terms, *arrays)  # type: ignore[arg-type] # kinds are as `packed` wrote them


def packed(lines: Iterable[str]) -> NDArray[np.uint8]:
    """Texts without line feeds as an array."""
    return np.frombuffer("\n".join(lines).encode(), dtype=np.uint8)


def unpacked(column: NDArray[np.generic], count: int) -> list[str]:
    """The `count` texts of an array that `packed` made."""
    return column.tobytes().decode().split("\n") if count else []
