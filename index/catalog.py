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
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path
from typing import Self, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from index.papers import Dating, Paper, letters
from index.passages import Passage, cut, paper_text
from index.postings import Carried, Rows, packed, unpacked
from index.vectors import Keys, text_keys

PAPERS = "papers.jsonl"
TABLE = "papers.npz"
PASSAGES = "passages.npz"
TEXTS = "passages.txt"
Bytes = bytes | mmap.mmap
_KEPT = 4096
"""Papers that stay in memory once they were read."""
_CODE = (
    "text", "passages", "lexical", "folding", "mentions", "names", "postings", "papers", "catalog",
)  # fmt: skip
_ARRAYS = ("owner", "spans", "text_starts", "paper_keys", "passage_keys")
_T = TypeVar("_T")


@cache
def code_hash() -> str:
    """SHA-256 of the modules that cut papers, count words and compare titles, hexadecimal.

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
class Place:
    """What a paper was found in: a file, and its date there."""

    name: str
    date: dt.date | None
    dated: Dating


@dataclass(frozen=True, eq=False)
class Sightings:
    """Where papers were found: T times in all, in the order of the papers."""

    places: tuple[Place, ...]
    paper: Rows
    """The row of the paper, ascending, shape (T,)."""
    place: Rows
    """The number of its place, shape (T,)."""
    years: Rows
    """The year of each paper, 0 if it has none, shape (P,)."""

    @classmethod
    def of(cls, papers: Sequence[Paper]) -> "Sightings":
        """The sightings of papers; those of a generation are looked up."""
        if isinstance(papers, Papers):
            return papers.sightings
        if isinstance(papers, NextPapers):
            return cls._carried(papers.live.sightings, papers.same, papers.new)
        none = cls((), *(np.empty(0, dtype=np.int64) for _ in range(3)))
        return cls._carried(none, np.full(len(papers), -1), dict(enumerate(papers)))

    @classmethod
    def _carried(cls, old: Self, before: Rows, new: Mapping[int, Paper]) -> Self:
        """The sightings of papers that were there, at some rows before, and of new ones."""
        carried = Carried(old, before)
        rows = carried.places(len(old.years))[old.paper]
        numbers = {place: number for number, place in enumerate(old.places)}
        found = array("q")
        years = np.zeros(len(before), dtype=np.int64)
        years[before >= 0] = old.years[before[before >= 0]]
        for row, paper in new.items():
            years[row] = paper.year or 0
            for s in paper.sources:
                number = numbers.setdefault(Place(s.name, s.date, s.dated), len(numbers))
                found.extend((row, number))
        added = np.frombuffer(found, dtype=np.int64).reshape(-1, 2)
        owners = np.concatenate([rows[rows >= 0], added[:, 0]])
        order = np.argsort(owners, kind="stable")
        place = np.concatenate([old.place[rows >= 0], added[:, 1]])[order]
        used, place = np.unique(place, return_inverse=True)
        every = list(numbers)
        return cls(tuple(every[number] for number in used.tolist()), owners[order], place, years)

    def names(self, without: Sequence[int] = ()) -> set[str]:
        """The names of the files, but for those of some papers alone."""
        left = ~np.isin(self.paper, without)
        return {self.places[number].name for number in set(self.place[left].tolist())}

    @cached_property
    def earliest(self) -> Rows:
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
            self.titles = unpacked(stored["titles"], len(lists["ids"]))
            """The letters of each title."""
        self.ids: list[str] = lists["ids"]
        self.numbers: dict[str, list[int]] = lists["numbers"]
        """The rows of the papers with each DOI, arXiv or PubMed id: see `numbers_of`."""
        self._read: dict[int, Paper] = {}

    def __len__(self) -> int:
        return len(self.ids)

    def lines(self, rows: range) -> bytes:
        """The JSON of papers that follow each other, each with its line feed."""
        return self._lines[self._starts[rows.start] : self._starts[rows.stop]]

    def sizes(self, rows: Rows) -> Rows:
        """The bytes of the lines of papers."""
        sizes: Rows = np.diff(self._starts)[rows]
        return sizes

    def row(self, row: int) -> Paper:
        """The paper of a row."""
        if (paper := self._read.get(row)) is None:
            paper = Paper.model_validate_json(self.lines(range(row, row + 1)))
            if len(self._read) >= _KEPT:
                self._read = {}
            self._read[row] = paper
        return paper

    def __iter__(self) -> Iterator[Paper]:
        return (
            self._read.get(row) or Paper.model_validate_json(self.lines(range(row, row + 1)))
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

    def related(self, papers: Iterable[Paper], sources: Collection[str]) -> list[int]:
        """The rows of the papers that some others may be, or that are of some sources, ascending.

        They share an id, a number or a title with one of them, or with each other.
        """
        by_title: dict[str, list[int]] = defaultdict(list)
        for row, title in enumerate(self.titles):
            by_title[title].append(row)
        of_sources = [at for at, place in enumerate(self.sightings.places) if place.name in sources]
        found: set[int] = set()
        new = set(self.sightings.paper[np.isin(self.sightings.place, of_sources)].tolist())
        others = list(papers)
        while new or others:
            found |= new
            others += [self[row] for row in new]
            new = set()
            for paper in others:
                new.update([self.rows[paper.id]] if paper.id in self.rows else [])
                new.update(by_title.get(letters(paper.title), ()))
                new.update(row for n in numbers_of(paper) for row in self.numbers.get(n, ()))
            new -= found
            others = []
        return sorted(found)


def numbers_of(paper: Paper) -> Iterator[str]:
    """What else a paper is known by, each with its kind: its DOI, arXiv and PubMed ids."""
    for kind, number in (("doi", paper.doi), ("arxiv", paper.arxiv), ("pmid", paper.pmid)):
        if number:
            yield f"{kind}:{number.casefold()}"


def ids_of(papers: Sequence[Paper]) -> list[str]:
    """The ids of papers; those of a generation are looked up."""
    return papers.ids if isinstance(papers, Papers | NextPapers) else [p.id for p in papers]


class NextPapers(RowsRead[Paper]):
    """The P papers of the next generation, in the order of their ids."""

    def __init__(
        self, live: Papers, before: Mapping[str, Paper], after: Mapping[str, Paper]
    ) -> None:
        """Put the papers of `after` in the place of those of `before`, which `live` has, by id."""
        self.live = live
        kept = live.ids if not before else [id_ for id_ in live.ids if id_ not in before]
        self.ids = sorted([*kept, *after])
        rows = live.rows
        same = (rows[i] if i not in after or after[i] == before.get(i) else -1 for i in self.ids)
        self.same = np.fromiter(same, dtype=np.int64)
        """The row in `live` of each paper that is equal to it, else -1, shape (P,)."""
        self.new = {row: after[self.ids[row]] for row in np.flatnonzero(self.same < 0).tolist()}
        """The others, by their rows."""
        self.same_text = self.same.copy()
        """The row in `live` of each paper with the same title and abstract, else -1."""
        for row, paper in self.new.items():
            old = before.get(paper.id)
            if old and (old.title, old.abstract) == (paper.title, paper.abstract):
                self.same_text[row] = rows[paper.id]

    def __len__(self) -> int:
        return len(self.ids)

    def row(self, row: int) -> Paper:
        """The paper of a row."""
        return self.new.get(row) or self.live[int(self.same[row])]


def save_papers(folder: Path, papers: Sequence[Paper]) -> None:
    """Write papers, in the order of their ids, into a generation's folder."""
    titles, sizes, numbers = _known_of(papers)
    with (folder / PAPERS).open("wb") as file:
        for row, kept in _runs(papers):
            file.write(kept)
            if not kept:
                paper = papers[row]
                sizes[row] = file.write(paper.model_dump_json().encode() + b"\n")
                titles[row] = letters(paper.title)
                for number in numbers_of(paper):
                    numbers[number].append(row)
    found = Sightings.of(papers)
    named = [(p.name, p.date and p.date.isoformat(), p.dated) for p in found.places]
    lists = {"ids": ids_of(papers), "places": named, "numbers": numbers}
    with (folder / TABLE).open("wb") as file:
        np.savez(
            file,
            allow_pickle=False,
            starts=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
            lists=np.frombuffer(json.dumps(lists).encode(), dtype=np.uint8),
            titles=packed(titles),
            paper=found.paper,
            place=found.place,
            years=found.years,
        )


def _known_of(papers: Sequence[Paper]) -> tuple[list[str], Rows, dict[str, list[int]]]:
    """What is known of titles, sizes of lines, and rows by number of papers that were there."""
    sizes = np.zeros(len(papers), dtype=np.int64)
    numbers: dict[str, list[int]] = defaultdict(list)
    if not isinstance(papers, NextPapers):
        return [""] * len(papers), sizes, numbers
    same, live = papers.same, papers.live
    sizes[same >= 0] = live.sizes(same[same >= 0])
    places = Carried(live, same).places(len(live))
    for number, rows in live.numbers.items():
        if kept := [row for row in places[rows].tolist() if row >= 0]:
            numbers[number] = kept
    return [live.titles[row] if row >= 0 else "" for row in same.tolist()], sizes, numbers


def _runs(papers: Sequence[Paper]) -> Iterator[tuple[int, bytes]]:
    """The row of each new paper; that of the first of others that lie together, and their lines."""
    if not isinstance(papers, NextPapers):
        yield from ((row, b"") for row in range(len(papers)))
        return
    same, at = papers.same, np.arange(len(papers))
    steps = np.where(same >= 0, same - at, -len(same) - 1 - at)
    firsts = np.flatnonzero(np.append(True, np.diff(steps) != 0)[: len(same)])
    for first, end in pairwise([*firsts.tolist(), len(same)]):
        kept = range(same[first], same[end - 1] + 1)
        yield first, papers.live.lines(kept) if same[first] >= 0 else b""


@dataclass(frozen=True, eq=False)
class Cuts:
    """The S passages of P papers, those of one paper together and in order."""

    owner: Rows
    """The row of each passage's paper, ascending, shape (S,)."""
    spans: NDArray[np.int32]
    """Where each begins and ends in the stored abstract, in code points, shape (S, 2)."""
    text_starts: Rows
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
    def _taken(cls, one: Self, other: Self, rows: Rows) -> Self:
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

    def places(self, keys: Keys) -> Rows:
        """The place of the text of each key, which is one of a paper or a passage, shape (n,)."""
        every = np.concatenate([self.paper_keys, self.passage_keys])
        order = np.argsort(every, kind="stable")
        return order[np.searchsorted(every, keys, sorter=order)]

    def texts_at(self, places: Rows, papers: Sequence[Paper]) -> list[str]:
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
