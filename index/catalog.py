"""The files of a generation: its papers, and the passages that they are cut into.

Papers are one a line of JSON, with a table of where each was found, so that digests and dates are
looked up without reading a paper. Passages are arrays, carried over where a paper is as it was.
Both are read when they are asked for.
"""

import datetime as dt
import hashlib
import json
import mmap
from abc import abstractmethod
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Generic, Self, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from index.papers import Dating, Paper, letters
from index.passages import Passage, cut, paper_text
from index.vectors import Keys, text_keys

PAPERS = "papers.jsonl"
TABLE = "papers.npz"
PASSAGES = "passages.npz"
TEXTS = "passages.txt"
Bytes = bytes | mmap.mmap
_KEPT = 4096
"""Papers that stay in memory once they were read."""
_CODE = ("text", "passages", "lexical", "folding", "mentions", "names")
_ARRAYS = ("owner", "spans", "text_starts", "paper_keys", "passage_keys")
_T = TypeVar("_T")
_Rows = NDArray[np.int64]


@cache
def code_hash() -> str:
    """SHA-256 of the modules that cut papers and count words, hexadecimal.

    A generation that another version wrote is cut anew, whatever it changed.
    """
    folder = Path(__file__).parent
    return hashlib.sha256(b"".join((folder / f"{m}.py").read_bytes() for m in _CODE)).hexdigest()


class RowsRead(Sequence[_T]):
    """A sequence whose rows are read when they are asked for."""

    @abstractmethod
    def row(self, row: int) -> _T:
        """The row of a number from 0."""

    @overload
    def __getitem__(self, at: int) -> _T: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[_T, ...]: ...
    def __getitem__(self, at: int | slice) -> _T | tuple[_T, ...]:
        if isinstance(at, slice):
            return tuple(self.row(row) for row in range(*at.indices(len(self))))
        return self.row(range(len(self))[at])


@dataclass(frozen=True, slots=True)
class Carried(Generic[_T]):
    """A table of papers, some of which are among the P papers of the next one as they were."""

    table: _T
    rows: _Rows
    """The row in `table` of each of the P papers that is in it as it is now, else -1."""

    @property
    def new(self) -> list[int]:
        """The rows of the papers that are not in it."""
        return np.flatnonzero(self.rows < 0).tolist()

    def places(self, size: int) -> _Rows:
        """Where each of the `size` papers of the table is now, -1 where it is gone."""
        places = np.full(size, -1, dtype=np.int64)
        places[self.rows[self.rows >= 0]] = np.flatnonzero(self.rows >= 0)
        return places


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
    paper: _Rows
    """The row of the paper, ascending, shape (T,)."""
    place: _Rows
    """The number of its place, shape (T,)."""
    years: _Rows
    """The year of each paper, 0 if it has none, shape (P,)."""

    @classmethod
    def of(cls, papers: Sequence[Paper]) -> "Sightings":
        """The sightings of papers; those of a generation are looked up."""
        if isinstance(papers, Papers):
            return papers.sightings
        numbers: dict[Place, int] = {}
        found = array("q")
        for row, paper in enumerate(papers):
            for s in paper.sources:
                number = numbers.setdefault(Place(s.name, s.date, s.dated), len(numbers))
                found.extend((row, number))
        pairs = np.frombuffer(found, dtype=np.int64).reshape(-1, 2)
        years = np.asarray([paper.year or 0 for paper in papers], dtype=np.int64)
        return cls(tuple(numbers), pairs[:, 0], pairs[:, 1], years)

    @cached_property
    def earliest(self) -> _Rows:
        """The ordinal of the first dated source of each paper, 0 if none has a date, shape (P,)."""
        days = np.asarray([p.date.toordinal() if p.date else 0 for p in self.places], np.int64)
        found = np.full(len(self.years), np.iinfo(np.int64).max)
        dated = days[self.place] > 0 if len(self.place) else np.zeros(0, dtype=np.bool_)
        np.minimum.at(found, self.paper[dated], days[self.place[dated]])
        return np.where(found == np.iinfo(np.int64).max, 0, found)


class Papers(RowsRead[Paper]):
    """The P papers of a generation, in the order of their ids."""

    def __init__(self, folder: Path) -> None:
        """Map the file that `save_papers` wrote, and read its table."""
        self._lines = _mapped(folder / PAPERS)
        with np.load(folder / TABLE) as stored:
            self._starts = stored["starts"]
            lists = json.loads(stored["lists"].tobytes())
            places = tuple(
                Place(name, dt.date.fromisoformat(day) if day else None, dated)
                for name, day, dated in lists["places"]
            )
            self.sightings = Sightings(places, *(stored[n] for n in ("paper", "place", "years")))
        self.ids: list[str] = lists["ids"]
        self.titles: list[str] = lists["titles"]
        """The letters of each title."""
        self._read: dict[int, Paper] = {}

    def __len__(self) -> int:
        return len(self.ids)

    def line(self, row: int) -> bytes:
        """The JSON of a paper, with its line feed."""
        return self._lines[self._starts[row] : self._starts[row + 1]]

    def row(self, row: int) -> Paper:
        """The paper of a row."""
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
        return {title: row for row, title in enumerate(self.titles)}


def ids_of(papers: Sequence[Paper]) -> list[str]:
    """The ids of papers; those of a generation are looked up."""
    return papers.ids if isinstance(papers, Papers) else [paper.id for paper in papers]


def save_papers(folder: Path, papers: Sequence[Paper], live: Papers | None, same: _Rows) -> None:
    """Write papers into a generation's folder.

    Args:
        folder: Where to.
        papers: In the order of their ids.
        live: Those of the live generation.
        same: The row in `live` of each paper that is equal to it, else -1, shape (P,).
    """
    starts = array("q", [0])
    titles: list[str] = []
    with (folder / PAPERS).open("wb") as file:
        for paper, row in zip(papers, same.tolist(), strict=True):
            if live is not None and row >= 0:
                line, title = live.line(row), live.titles[row]
            else:
                line, title = paper.model_dump_json().encode() + b"\n", letters(paper.title)
            file.write(line)
            starts.append(starts[-1] + len(line))
            titles.append(title)
    found = Sightings.of(papers)
    places = [(p.name, p.date and p.date.isoformat(), p.dated) for p in found.places]
    lists = {"ids": ids_of(papers), "titles": titles, "places": places}
    with (folder / TABLE).open("wb") as file:
        np.savez(
            file,
            allow_pickle=False,
            starts=np.frombuffer(starts, dtype=np.int64),
            lists=np.frombuffer(json.dumps(lists).encode(), dtype=np.uint8),
            paper=found.paper,
            place=found.place,
            years=found.years,
        )


@dataclass(frozen=True, eq=False)
class Cuts:
    """The S passages of P papers, those of one paper together and in order."""

    owner: _Rows
    """The row of each passage's paper, ascending, shape (S,)."""
    spans: NDArray[np.int32]
    """Where each begins and ends in the stored abstract, in code points, shape (S, 2)."""
    text_starts: _Rows
    """Where the text of each begins in `texts`, shape (S + 1,)."""
    paper_keys: Keys
    """The key of the text that stands for each paper, shape (P,)."""
    passage_keys: Keys
    """Shape (S,)."""
    texts: Bytes = field(repr=False)
    """The cleaned sentences, one after the other, in UTF-8."""

    @classmethod
    def of(cls, papers: Sequence[Paper], before: Carried[Self] | None = None) -> Self:
        """Cut P papers, those that were there before only once."""
        if before is None:
            return cls._cut(papers)
        rows = before.rows.copy()
        rows[before.new] = len(before.table.paper_keys) + np.arange(len(before.new))
        return cls._taken(before.table, cls._cut([papers[row] for row in before.new]), rows)

    @classmethod
    def _cut(cls, papers: Sequence[Paper]) -> Self:
        counts, spans, sizes = array("q"), array("i"), array("q")
        keys, paper_keys, texts = bytearray(), bytearray(), bytearray()
        for paper in papers:
            passages = cut(paper)
            counts.append(len(passages))
            for passage in passages:
                spans.extend((passage.start, passage.end))
                text = passage.text.encode("utf-8", "surrogatepass")
                sizes.append(len(text))
                texts += text
            keys += text_keys(passage.text for passage in passages).tobytes()
            paper_keys += text_keys([paper_text(paper)]).tobytes()
        return cls(
            np.repeat(np.arange(len(papers)), np.asarray(counts, dtype=np.int64)),
            np.asarray(spans, dtype=np.int32).reshape(-1, 2),
            np.concatenate([[0], np.cumsum(np.asarray(sizes, dtype=np.int64))]).astype(np.int64),
            np.frombuffer(paper_keys, dtype="<u8"),
            np.frombuffer(keys, dtype="<u8"),
            bytes(texts),
        )

    @classmethod
    def _taken(cls, one: Self, other: Self, rows: _Rows) -> Self:
        """The cuts of papers of two, those of the other one counted on from those of the one."""
        owner = np.concatenate([one.owner, other.owner + len(one.paper_keys)])
        bounds = np.searchsorted(owner, np.arange(len(one.paper_keys) + len(other.paper_keys) + 1))
        firsts, counts = bounds[rows], bounds[rows + 1] - bounds[rows]
        ends = np.cumsum(counts)
        taken = np.repeat(firsts - (ends - counts), counts) + np.arange(counts.sum())
        starts = np.concatenate([one.text_starts, other.text_starts[1:] + one.text_starts[-1]])
        texts = memoryview(one.texts[:] + other.texts[:])
        pieces = zip(starts[firsts].tolist(), starts[firsts + counts].tolist(), strict=True)
        return cls(
            np.repeat(np.arange(len(rows)), counts),
            np.concatenate([one.spans, other.spans])[taken],
            np.concatenate([[0], np.cumsum(np.diff(starts)[taken])]).astype(np.int64),
            np.concatenate([one.paper_keys, other.paper_keys])[rows],
            np.concatenate([one.passage_keys, other.passage_keys])[taken],
            b"".join(texts[first:end] for first, end in pieces),
        )

    def text(self, row: int) -> str:
        """The cleaned sentence of a passage."""
        found = self.texts[self.text_starts[row] : self.text_starts[row + 1]]
        return found.decode("utf-8", "surrogatepass")

    def places(self, keys: Keys) -> _Rows:
        """The place of the text of each key, which is one of a paper or a passage, shape (n,)."""
        every = np.concatenate([self.paper_keys, self.passage_keys])
        order = np.argsort(every, kind="stable")
        return order[np.searchsorted(every, keys, sorter=order)]

    def texts_at(self, places: _Rows, papers: Sequence[Paper]) -> list[str]:
        """The texts at some places: those of papers come first, then those of passages."""
        count = len(self.paper_keys)
        return [
            paper_text(papers[at]) if at < count else self.text(at - count)
            for at in places.tolist()
        ]

    def save(self, folder: Path) -> None:
        """Write into a generation's folder."""
        with (folder / PASSAGES).open("wb") as file:
            np.savez(file, allow_pickle=False, **{name: getattr(self, name) for name in _ARRAYS})
        (folder / TEXTS).write_bytes(self.texts)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; the texts stay on the disk until they are asked for."""
        with np.load(folder / PASSAGES) as stored:
            owner, spans, starts, papers, passages = (stored[name] for name in _ARRAYS)
        return cls(owner, spans, starts, papers, passages, _mapped(folder / TEXTS))


def _mapped(path: Path) -> Bytes:
    """The bytes of a file, mapped into memory."""
    with path.open("rb") as file:
        size = path.stat().st_size
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""


@dataclass(frozen=True, eq=False)
class Passages(RowsRead[Passage]):
    """The passages of an index, made when they are asked for."""

    cuts: Cuts
    ids: Sequence[str]
    """The ids of the papers."""

    def __len__(self) -> int:
        return len(self.cuts.owner)

    def row(self, row: int) -> Passage:
        """The passage of a row."""
        start, end = self.cuts.spans[row].tolist()
        return Passage(self.ids[int(self.cuts.owner[row])], start, end, self.cuts.text(row))
