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

    def add(self, term: str, row: int, value: int) -> None:
        """Note that the paper of a row has a term, and a number of at most 16 bits about it."""
        self._postings.extend((self.terms.setdefault(term, len(self.terms)), row, value))

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
    def of(cls, found: Found, old: Self | None = None, places: Rows | None = None) -> Self:
        """Sort postings, together with those of papers that are as they were.

        Args:
            found: The postings of new papers.
            old: Those of the papers that were there.
            places: The rows of those papers now, -1 where one is gone.
        """
        names = list(found.terms)
        numbers, rows, values = found.columns()
        if old is not None and places is not None:
            rows_now = places[old.rows]
            stays = rows_now >= 0
            known = {term: number for number, term in enumerate(old.terms)}
            renumbered = [known.setdefault(term, len(known)) for term in names]
            names = list(known)
            before = np.repeat(np.arange(len(old.terms)), np.diff(old.starts))[stays]
            numbers = np.concatenate([before, np.asarray(renumbered, dtype=np.int64)[numbers]])
            rows = np.concatenate([rows_now[stays], rows])
            values = np.concatenate([old.values[stays], values])
        used = np.flatnonzero(np.bincount(numbers, minlength=len(names)))
        ranked = sorted(used.tolist(), key=names.__getitem__)
        place = np.zeros(len(names), dtype=np.int64)
        place[ranked] = np.arange(len(ranked))
        columns = place[numbers]
        # What was sorted before still is: a stable sort only merges the rest in.
        order = np.argsort((columns << 32) | rows, kind="stable")
        starts = np.concatenate([[0], np.cumsum(np.bincount(columns, minlength=len(ranked)))])
        return cls(
            [names[number] for number in ranked],
            starts.astype(np.int32),
            rows[order].astype(np.int32),
            _narrow(values[order]),
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
        return cls(terms, *(stored[name] for name in ("starts", "rows", "values")))  # type: ignore[arg-type]


def _narrow(values: NDArray[np.integer]) -> NDArray[np.unsignedinteger]:
    """Numbers of at most 16 bits, in 8 where that is enough."""
    small: NDArray[np.unsignedinteger] = np.minimum(values, 65_535).astype(np.uint16)
    return small if values.max(initial=0) > 255 else small.astype(np.uint8)


def packed(lines: Iterable[str]) -> NDArray[np.uint8]:
    """Texts without line feeds as an array."""
    return np.frombuffer("\n".join(lines).encode(), dtype=np.uint8)


def unpacked(column: NDArray[np.generic], count: int) -> list[str]:
    """The `count` texts of an array that `packed` made."""
    return column.tobytes().decode().split("\n") if count else []
