"""The papers of a generation: one a line of JSON, read when they are asked for.

Beside them is a table of where each was found, so that digests and dates are looked up without
reading a paper.
"""

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.cuts import mapped
from index.papers import Dating, Paper, letters

FILE_NAME = "papers.jsonl"
TABLE = "papers.npz"
_KEPT = 4096
"""Papers that stay in memory once they were read."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a paper was found in: a file, and its date there."""

    name: str
    date: dt.date | None
    dated: Dating


@dataclass(frozen=True, eq=False)
class Sightings:
    """Where papers were found: T times in all, in the order of the papers."""

    places: tuple[Place, ...]
    paper: NDArray[np.int64]
    """The row of the paper, ascending, shape (T,)."""
    place: NDArray[np.int64]
    """The number of its place, shape (T,)."""
    years: NDArray[np.int64]
    """The year of each paper, 0 if it has none, shape (P,)."""

    @classmethod
    def of(cls, papers: Sequence[Paper]) -> "Sightings":
        """The sightings of papers; those of a generation are looked up."""
        if isinstance(papers, Papers):
            return papers.sightings
        numbers: dict[Place, int] = {}
        found = [
            (row, numbers.setdefault(Place(s.name, s.date, s.dated), len(numbers)))
            for row, paper in enumerate(papers)
            for s in paper.sources
        ]
        pairs = np.asarray(found, dtype=np.int64).reshape(-1, 2)
        years = np.asarray([paper.year or 0 for paper in papers], dtype=np.int64)
        return cls(tuple(numbers), pairs[:, 0], pairs[:, 1], years)

    @cached_property
    def earliest(self) -> NDArray[np.int64]:
        """The ordinal of the first dated source of each paper, 0 if none has a date, shape (P,)."""
        days = np.asarray([p.date.toordinal() if p.date else 0 for p in self.places], np.int64)
        found = np.full(len(self.years), np.iinfo(np.int64).max)
        dated = days[self.place] > 0 if len(self.place) else np.zeros(0, dtype=np.bool_)
        np.minimum.at(found, self.paper[dated], days[self.place[dated]])
        return np.where(found == np.iinfo(np.int64).max, 0, found)


class Papers(Sequence[Paper]):
    """The P papers of a generation, in the order of their ids."""

    def __init__(self, folder: Path) -> None:
        """Map the file that `save_papers` wrote, and read its table."""
        self._lines = mapped(folder / FILE_NAME)
        with np.load(folder / TABLE) as stored:
            self._starts = stored["starts"]
            lists = json.loads(stored["lists"].tobytes())
            places = tuple(
                Place(name, dt.date.fromisoformat(day) if day else None, dated)
                for name, day, dated in lists["places"]
            )
            self.sightings = Sightings(places, *(stored[n] for n in ("paper", "place", "years")))
        self.ids: list[str] = lists["ids"]
        self._titles: list[str] = lists["titles"]
        self._read: dict[int, Paper] = {}

    def __len__(self) -> int:
        return len(self.ids)

    def line(self, row: int) -> bytes:
        """The JSON of a paper, with its line feed."""
        return self._lines[self._starts[row] : self._starts[row + 1]]

    def __getitem__(self, at):  # type: ignore[no-untyped-def] # a paper, or a tuple of a slice
        if isinstance(at, slice):
            return tuple(self[row] for row in range(*at.indices(len(self))))
        row = range(len(self))[at]
        if (paper := self._read.get(row)) is None:
            paper = Paper.model_validate_json(self.line(row))
            if len(self._read) >= _KEPT:
                self._read = {}
            self._read[row] = paper
        return paper

    def __iter__(self) -> Iterator[Paper]:
        return (
            self._read.get(row) or Paper.model_validate_json(self.line(row))
            for row in range(len(self))
        )

    @cached_property
    def rows(self) -> dict[str, int]:
        """The row of each paper by its id."""
        return {id_: row for row, id_ in enumerate(self.ids)}

    @cached_property
    def titled(self) -> dict[str, int]:
        """The row of the last paper with the letters of each title."""
        return {title: row for row, title in enumerate(self._titles)}


def ids_of(papers: Sequence[Paper]) -> list[str]:
    """The ids of papers; those of a generation are looked up."""
    return papers.ids if isinstance(papers, Papers) else [paper.id for paper in papers]


def save_papers(
    folder: Path, papers: Sequence[Paper], live: Papers | None, same: NDArray[np.int64]
) -> None:
    """Write papers into a generation's folder.

    Args:
        folder: Where to.
        papers: In the order of their ids.
        live: Those of the live generation.
        same: The row in `live` of each paper that is equal to it, else -1, shape (P,).
    """
    starts = [0]
    titles: list[str] = []
    with (folder / FILE_NAME).open("wb") as file:
        for paper, row in zip(papers, same.tolist(), strict=True):
            if live is not None and row >= 0:
                line, title = live.line(row), live._titles[row]
            else:
                line, title = paper.model_dump_json().encode() + b"\n", letters(paper.title)
            file.write(line)
            starts.append(starts[-1] + len(line))
            titles.append(title)
    found = Sightings.of(tuple(papers))
    lists = {
        "ids": [paper.id for paper in papers],
        "titles": titles,
        "places": [
            (place.name, place.date and place.date.isoformat(), place.dated)
            for place in found.places
        ],
    }
    with (folder / TABLE).open("wb") as file:
        np.savez(
            file,
            allow_pickle=False,
            starts=np.asarray(starts, dtype=np.int64),
            lists=np.frombuffer(json.dumps(lists).encode(), dtype=np.uint8),
            paper=found.paper,
            place=found.place,
            years=found.years,
        )
