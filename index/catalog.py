"""Read and write the papers of a generation and their passages; copy unchanged ones unparsed."""

import datetime as dt
import hashlib
import json
import mmap
from abc import abstractmethod
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import pairwise, starmap
from pathlib import Path
from typing import NamedTuple, Self, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from index.lexical import Rows, packed, unpacked
from index.papers import Dating, Paper, letters, numbers_of
from index.passages import Passage, cut, paper_text
from index.sources import sha256_of
from index.vectors import Keys, text_keys

PAPERS = "papers.jsonl"
TABLE = "papers.npz"
PASSAGES = "passages.npz"
TEXTS = "passages.txt"
Bytes = bytes | mmap.mmap
_SEEN = ("paper", "place", "years")
_ARRAYS = ("owner", "spans", "text_starts", "paper_keys", "passage_keys")
_T = TypeVar("_T")


@cache
def code_hash() -> str:
    """Return the SHA-256 of this package's code; after a change of it, an index is built anew."""
    return sha256_of(*sorted(Path(__file__).parent.rglob("*.py")))


class RowsRead(Sequence[_T]):
    """A sequence whose items are read from storage on access."""

    @abstractmethod
    def row(self, row: int) -> _T:
        """Read the item of a row, counted from 0."""

    @overload
    def __getitem__(self, at: int) -> _T: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[_T, ...]: ...
    def __getitem__(self, at: int | slice) -> _T | tuple[_T, ...]:
        if isinstance(at, slice):
            return tuple(self.row(row) for row in range(*at.indices(len(self))))
        return self.row(range(len(self))[at])


class Place(NamedTuple):
    """A place in which a paper was found: the file, and the date there."""

    name: str
    date: dt.date | None
    dated: Dating


@dataclass(frozen=True, eq=False)
class Sightings:
    """The T sightings of P papers, in the order of the papers; each is a paper found in a place."""

    places: tuple[Place, ...]
    paper: Rows  # the row of each sighting's paper, ascending, shape (T,)
    place: Rows  # the index in `places` of each sighting's place, shape (T,)
    years: Rows  # the year of each paper, 0 if it has none, shape (P,)

    @classmethod
    def of(cls, papers: Sequence[Paper]) -> "Sightings":
        """Return the sightings of papers; a generation's papers have them stored."""
        if not isinstance(papers, Papers):
            papers = Papers().changed({}, {paper.id: paper for paper in papers})
        return papers.sightings

    @classmethod
    def listed(cls, rows: Sequence[tuple[int, Sequence[Place]]]) -> Self:
        """Build sightings from the year and the places of each paper."""
        numbers: dict[Place, int] = {}
        seen = ((row, place) for row, (_, places) in enumerate(rows) for place in places)
        found = [(row, numbers.setdefault(place, len(numbers))) for row, place in seen]
        paper, place = np.asarray(found, dtype=np.int64).reshape(-1, 2).T
        return cls(tuple(numbers), paper, place, np.asarray([year for year, _ in rows], np.int64))

    @cached_property
    def rows(self) -> list[tuple[int, list[Place]]]:
        """The year (0 if it has none) and the places of each paper: the input of `listed`."""
        found: list[tuple[int, list[Place]]] = [(year, []) for year in self.years.tolist()]
        for row, number in zip(self.paper.tolist(), self.place.tolist(), strict=True):
            found[row][1].append(self.places[number])
        return found

    def names(self, without: Sequence[int] = ()) -> set[str]:
        """Return the names of the files that contain a paper outside the rows `without`."""
        left = ~np.isin(self.paper, without)
        return {self.places[number].name for number in set(self.place[left].tolist())}

    @cached_property
    def earliest(self) -> Rows:
        """The ordinal day of each paper's earliest source, 0 if none has a date, shape (P,)."""
        never = dt.date.max.toordinal()
        days = np.asarray([(p.date or dt.date.max).toordinal() for p in self.places], np.int64)
        found = np.full(len(self.years), never)
        np.minimum.at(found, self.paper, days[self.place])
        return np.where(found == never, 0, found)


@dataclass(frozen=True, eq=False)
class Papers(RowsRead[Paper]):
    """P papers in the order of their ids, as a generation stores them."""

    lines: Bytes = b""  # each paper as JSON, followed by a line feed
    # The byte at which each line begins, and the end of the last, shape (P + 1,).
    starts: Rows = field(default_factory=lambda: np.zeros(1, dtype=np.int64))
    ids: list[str] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)  # each title, reduced by `index.papers.letters`
    numbers: dict[str, list[int]] = field(default_factory=dict)
    """The rows of the papers with each DOI, arXiv or PubMed id; keys are like "doi:10.1/a"."""
    sightings: Sightings = field(default_factory=lambda: Sightings.listed(()))
    _read: dict[int, Paper] = field(default_factory=dict)

    def changed(
        self, before: Mapping[str, Paper], after: Mapping[str, Paper], *, anew: bool = False
    ) -> Self:
        """Replace papers, by id, without parsing the others unless all are to be written `anew`."""
        ids = sorted([*(id_ for id_ in self.ids if id_ not in before), *after])
        lines, titles, seen, new = [], [], [], {}
        numbers: dict[str, list[int]] = defaultdict(list)
        known: dict[int, list[str]] = defaultdict(list)
        for number, rows in self.numbers.items():
            for row in rows:
                known[row].append(number)
        starts = self.starts.tolist()
        for row, id_ in enumerate(ids):
            old, paper = self.rows.get(id_, -1), after.get(id_)
            if not anew and (paper is None or paper == before.get(id_)):
                lines.append(self.lines[starts[old] : starts[old + 1]])
                titles.append(self.titles[old])
                seen.append(self.sightings.rows[old])
            else:
                new[row] = paper = paper or self[old]
                lines.append(paper.model_dump_json().encode() + b"\n")
                titles.append(letters(paper.title))
                places = [Place(s.name, s.date, s.dated) for s in paper.sources]
                seen.append((paper.year or 0, places))
            for number in numbers_of(new[row]) if row in new else known.get(old, ()):
                numbers[number].append(row)
        ends = np.cumsum([0, *map(len, lines)], dtype=np.int64)
        sightings = Sightings.listed(seen)
        return type(self)(b"".join(lines), ends, ids, titles, dict(numbers), sightings, new)

    def save(self, folder: Path) -> None:
        """Write the papers and their table into a generation's folder."""
        (folder / PAPERS).write_bytes(self.lines)
        found = self.sightings
        lists = {"ids": self.ids, "places": found.places, "numbers": self.numbers}
        arrays = {name: getattr(found, name) for name in _SEEN} | {"starts": self.starts}
        arrays["lists"] = packed([json.dumps(lists, default=dt.date.isoformat)])
        np.savez(folder / TABLE, allow_pickle=False, titles=packed(self.titles), **arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Map the file of papers that `save` wrote, and read the table."""
        with np.load(folder / TABLE) as stored:
            lists = json.loads(stored["lists"].tobytes())
            ids, numbers = lists["ids"], lists["numbers"]
            places = (
                (n, day and dt.date.fromisoformat(day), how) for n, day, how in lists["places"]
            )
            found = Sightings(tuple(starmap(Place, places)), *(stored[name] for name in _SEEN))
            titles = unpacked(stored["titles"], len(ids))
            return cls(_mapped(folder / PAPERS), stored["starts"], ids, titles, numbers, found)

    def __len__(self) -> int:
        return len(self.ids)

    def row(self, row: int) -> Paper:
        """Return the paper of a row; those read recently are cached."""
        if (paper := self._read.get(row)) is None:
            line = self.lines[self.starts[row] : self.starts[row + 1]]
            paper = Paper.model_validate_json(line)
            if len(self._read) >= 4096:
                self._read.clear()
            self._read[row] = paper
        return paper

    @cached_property
    def rows(self) -> dict[str, int]:
        """The row of each paper, by id."""
        return {id_: row for row, id_ in enumerate(self.ids)}

    @cached_property
    def titled(self) -> dict[str, int]:
        """The row of the last paper with each title, by the title's letters."""
        return {title: row for row, title in enumerate(self.titles)}

    def related(self, papers: Iterable[Paper], sources: Collection[str]) -> list[int]:
        """Return the rows of papers of `sources`, or that share an id, number or title with any."""
        by_title: dict[str, list[int]] = defaultdict(list)
        for row, title in enumerate(self.titles):
            by_title[title].append(row)
        of_sources = [at for at, place in enumerate(self.sightings.places) if place.name in sources]
        found = set(self.sightings.paper[np.isin(self.sightings.place, of_sources)].tolist())
        others = [*papers, *(self[row] for row in found)]
        while others:
            near: set[int] = set()
            for paper in others:
                near.update([self.rows[paper.id]] if paper.id in self.rows else [])
                near.update(by_title.get(letters(paper.title), ()))
                near.update(*(self.numbers.get(number, ()) for number in numbers_of(paper)))
            others = [self[row] for row in near - found]
            found |= near
        return sorted(found)


def ids_of(papers: Sequence[Paper]) -> list[str]:
    """Return the ids of papers; a generation's papers have them stored."""
    return papers.ids if isinstance(papers, Papers) else [paper.id for paper in papers]


class _Cut(NamedTuple):
    """A paper cut into passages; `sizes` are the lengths of their texts in bytes."""

    spans: NDArray[np.int32]
    sizes: Rows
    keys: Keys
    paper_key: np.uint64
    texts: bytes

    @classmethod
    def of(cls, paper: Paper) -> Self:
        passages = cut(paper)
        texts = [passage.text.encode("utf-8", "surrogatepass") for passage in passages]
        spans = np.asarray([(each.start, each.end) for each in passages], dtype=np.int32)
        sizes = np.asarray([*map(len, texts)], dtype=np.int64)
        keys, paper_keys = text_keys(each.text for each in passages), text_keys([paper_text(paper)])
        return cls(spans.reshape(-1, 2), sizes, keys, paper_keys[0], b"".join(texts))


@dataclass(frozen=True, eq=False)
class Passages(RowsRead[Passage]):
    """The S passages of P papers, grouped by paper and in order."""

    ids: Sequence[str] = field(repr=False)
    owner: Rows  # the row of each passage's paper, ascending, shape (S,)
    spans: NDArray[np.int32]  # start and end in the stored abstract, in code points, shape (S, 2)
    text_starts: Rows  # the byte at which each text begins, and the end of the last, shape (S + 1,)
    paper_keys: Keys  # the key of the text that represents each whole paper, shape (P,)
    passage_keys: Keys  # the key of the text of each passage, shape (S,)
    texts: Bytes = field(repr=False)  # the cleaned sentences, one after the other, in UTF-8

    @classmethod
    def of(cls, papers: Sequence[Paper], old: Self | None = None, rows: Rows | None = None) -> Self:
        """Cut P papers; copy those that are in `old`, at `rows` there (-1 for the others)."""
        places = [-1] * len(papers) if rows is None else rows.tolist()
        known = old._cuts() if old else []
        cuts = [known[at] if at >= 0 else _Cut.of(papers[row]) for row, at in enumerate(places)]
        none = np.empty(0, dtype=np.int64)
        return cls(
            ids_of(papers),
            np.repeat(np.arange(len(cuts)), [len(each.keys) for each in cuts]),
            np.concatenate([none.astype(np.int32).reshape(0, 2), *(each.spans for each in cuts)]),
            np.concatenate([none, [0], *(each.sizes for each in cuts)]).cumsum(),
            np.asarray([each.paper_key for each in cuts], dtype=np.uint64),
            np.concatenate([none.astype(np.uint64), *(each.keys for each in cuts)]),
            b"".join(each.texts for each in cuts),
        )

    def _cuts(self) -> list[_Cut]:
        firsts = np.searchsorted(self.owner, np.arange(len(self.paper_keys) + 1))
        columns = (self.spans, np.diff(self.text_starts), self.passage_keys)
        parts = (np.split(column, firsts[1:-1]) for column in columns)
        texts = (self.texts[at:end] for at, end in pairwise(self.text_starts[firsts].tolist()))
        return [*map(_Cut, *parts, self.paper_keys, texts)]

    def __len__(self) -> int:
        return len(self.owner)

    def row(self, row: int) -> Passage:
        """Return the passage of a row."""
        start, end = self.spans[row].tolist()
        return Passage(self.ids[int(self.owner[row])], start, end, self.text(row))

    def text(self, row: int) -> str:
        """Return the cleaned sentence of a passage."""
        found = self.texts[self.text_starts[row] : self.text_starts[row + 1]]
        return found.decode("utf-8", "surrogatepass")

    @property
    def keys(self) -> Keys:
        """The keys of all texts, first of papers, then of passages, shape (P + S,)."""
        return np.concatenate([self.paper_keys, self.passage_keys])

    @property
    def content(self) -> str:
        """The SHA-256 of the papers' ids, the texts' keys and the spans, hexadecimal."""
        digest = hashlib.sha256("\n".join(self.ids).encode())
        for part in (self.keys, self.spans):
            digest.update(part.tobytes())
        return digest.hexdigest()

    def texts_at(self, places: Rows, papers: Sequence[Paper]) -> list[str]:
        """Return the texts whose keys are at some places of `keys`."""
        size, every = len(self.paper_keys), places.tolist()
        return [paper_text(papers[at]) if at < size else self.text(at - size) for at in every]

    def save(self, folder: Path) -> None:
        """Write the passages into a generation's folder."""
        np.savez(folder / PASSAGES, **{name: getattr(self, name) for name in _ARRAYS})
        (folder / TEXTS).write_bytes(self.texts)

    @classmethod
    def load(cls, folder: Path, ids: Sequence[str]) -> Self:
        """Read what `save` wrote; the texts are mapped, and read on access."""
        with np.load(folder / PASSAGES) as stored:
            arrays = {name: stored[name] for name in _ARRAYS}
        return cls(ids=ids, texts=_mapped(folder / TEXTS), **arrays)


def _mapped(path: Path) -> Bytes:
    with path.open("rb") as file:
        size = path.stat().st_size
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
