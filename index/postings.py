"""Postings: which papers have each of many terms, grown by what changes and never counted anew."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]
Ints = NDArray[np.int32]


def places(rows: Rows, size: int) -> Rows:
    """Where each of `size` papers of a table is in the next one, -1 where it is gone.

    `rows` are those in the table of the papers of the next one, -1 of a new paper.
    """
    found = np.full(size, -1, dtype=np.int64)
    found[rows[rows >= 0]] = np.flatnonzero(rows >= 0)
    return found


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
        none = np.zeros(0, dtype=np.int32)
        empty = cls([], np.zeros(1, dtype=np.int32), none, none.astype(np.uint8))
        return empty.carried(none.astype(np.int64), found)

    def carried(self, places: Rows, found: Found) -> Self:
        """The postings with those of new papers; `places` are the rows of the others now, or -1.

        What was found twice of a paper, it has once.
        """
        terms = sorted([*self.terms, *(term for term in found.terms if self.place(term) is None)])
        ranks = {term: rank for rank, term in enumerate(terms)}
        old, new = (
            np.fromiter(map(ranks.__getitem__, some), dtype=np.int64)
            for some in (self.terms, found.terms)
        )
        numbers, rows, values = found.columns()
        was = np.repeat(old, np.diff(self.starts)) << 32 | places[self.rows]
        codes = np.concatenate([was, new[numbers] << 32 | rows])  # -1 of papers that are gone
        values = np.concatenate([self.values, np.minimum(values, 65_535).astype(np.uint16)])
        codes, values = codes[codes >= 0], values[codes >= 0]
        if (np.diff(codes) < 0).any():
            order = np.argsort(codes, kind="stable")
            codes, values = codes[order], values[order]
        is_new = np.append(True, (np.diff(codes) != 0) | (np.diff(values) != 0))[: len(codes)]
        codes, values = codes[is_new], values[is_new]
        counts = np.bincount(codes >> 32, minlength=len(terms))
        starts = np.concatenate([[0], np.cumsum(counts[counts > 0])]).astype(np.int32)
        return type(self)(
            [term for term, count in zip(terms, counts.tolist(), strict=True) if count],
            starts,
            (codes & 0xFFFFFFFF).astype(np.int32),
            values if values.max(initial=0) > 255 else values.astype(np.uint8),
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
