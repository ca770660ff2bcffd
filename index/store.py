"""Open an index: a generation of a store, whose texts and vectors are read when needed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from index import collection_map
from index.catalog import Papers, Passages, ids_of
from index.collection_map import CollectionMap, Layout
from index.encoder import Encoder
from index.lexical import LexicalIndex
from index.manifest import GENERATIONS, Manifest, damaged, read_live, read_papers, unreadable
from index.names import Names
from index.papers import Paper, letters
from index.passages import Passage
from index.vectors import Candidates, Log, Vectors, checksums, count_records

FEW = 20_000  # if a filter leaves no more papers, only those are compared


@dataclass(frozen=True, eq=False)
class Index:
    """A generation of the index, whose files stay readable while it is open even if removed.

    Its P papers are in the order of their ids, its S passages in that of papers and abstracts;
    their vectors have unit length, shapes (P, d) and (S, d).
    """

    manifest: Manifest
    papers: Sequence[Paper]
    passages: Sequence[Passage]
    owner: NDArray[np.int64]  # the row in `papers` of each passage's paper, ascending, shape (S,)
    paper_vectors: Vectors
    passage_vectors: Vectors
    lexical: LexicalIndex
    names: Names
    layout: Layout | None = None  # the map as it is stored; None if it is not drawn yet

    @cached_property
    def _rows(self) -> tuple[dict[str, int], dict[str, int]]:
        """The row of each paper by its id, and by the letters of its title."""
        if isinstance(self.papers, Papers):
            return self.papers.rows, self.papers.titled
        rows = {paper.id: row for row, paper in enumerate(self.papers)}
        return rows, {letters(paper.title): row for row, paper in enumerate(self.papers)}

    def row_of(self, name: str) -> int | None:
        """Return the row of the paper with this id or title; None if there is none."""
        ids, titles = self._rows
        return ids[name] if name in ids else titles.get(letters(name))

    @cached_property
    def map(self) -> CollectionMap | None:
        """The map of the collection; None if it is not drawn yet."""
        return self.layout.of(ids_of(self.papers)) if self.layout else None

    @cached_property
    def clusters(self) -> NDArray[np.int64]:
        """The cluster of each paper on the map, 0 without a map, shape (P,)."""
        return self.layout.groups if self.layout else np.zeros(len(self.papers), dtype=np.int64)

    @cached_property
    def coverage(self) -> float:
        """The share of papers and passages that have a vector, from 0 to 1."""
        parts = (self.paper_vectors, self.passage_vectors)
        missing = sum(int(each.missing.sum()) for each in parts)
        return 1 - missing / max(1, sum(map(len, parts)))

    @property
    def is_covered(self) -> bool:
        """Whether all papers and passages have a vector."""
        return self.coverage == 1

    @property
    def is_finished(self) -> bool:
        """Whether all papers and passages have a vector, and the map is drawn."""
        return self.is_covered and self.layout is not None

    @property
    def is_searched(self) -> bool:
        """Whether only candidates are compared, not all vectors."""
        return self.passage_vectors.candidates is not None

    @property
    def log(self) -> Log:
        """The file of the vectors."""
        return self.paper_vectors.log

    @property
    def cuts(self) -> Passages:
        """The passages as a generation stores them; an index in memory raises `TypeError`."""
        if not isinstance(self.passages, Passages):
            raise TypeError("an index in memory has no files")
        return self.passages

    @classmethod
    def open(cls, store: Path) -> Self:
        """Open the live generation of `store` after checking its files, or raise a `StoreError`."""
        return read_live(store, cls._read)

    @classmethod
    def _read(cls, store: Path, generation: str) -> Self:
        manifest, papers = read_papers(store, generation)
        folder = store / GENERATIONS / generation
        try:
            log = Log.open(store / manifest.vectors, manifest.dimension)
            known = min(len(log.stored), manifest.records)  # more may have been added since
            sums = checksums(log.path, log.dimension, known)
            if known < manifest.records or tuple(sums) != manifest.checksums:
                raise damaged(store, f"{manifest.vectors} has changed since it was written")
            passages = Passages.load(folder, papers.ids)
            is_drawn = collection_map.FILE_NAME in manifest.files
            return cls(
                manifest=manifest,
                papers=papers,
                passages=passages,
                owner=passages.owner,
                paper_vectors=Vectors(log, log.find(passages.paper_keys)),
                passage_vectors=Vectors(log, log.find(passages.passage_keys)),
                lexical=LexicalIndex.load(folder),
                names=Names.load(folder),
                layout=Layout.load(folder) if is_drawn else None,
            )
        except OSError as error:
            raise unreadable(store, error) from error

    def followed(self) -> Self:
        """Return the same generation with the vectors that were encoded since it was opened."""
        old = self.log
        if self.is_covered or count_records(old.path, old.dimension) <= len(old.stored):
            return self
        log = Log.open(old.path, old.dimension)
        return self._with(log.with_extra(old.keys[len(old.stored) :], old.extra))

    def encoded(self, papers: Sequence[int], passages: Sequence[int], encoder: Encoder) -> Self:
        """Return the same generation with papers and passages that had no vector encoded."""
        places = np.asarray([*papers, *(row + len(self.papers) for row in passages)], np.int64)
        if not len(places):
            return self
        keys, firsts = np.unique(self.cuts.keys[places], return_index=True)
        texts = self.cuts.texts_at(places[firsts], self.papers)
        return self._with(self.log.with_extra(keys, encoder.encode(texts)))

    def _with(self, log: Log) -> Self:
        keys = (self.cuts.paper_keys, self.cuts.passage_keys)
        papers, passages = (Vectors(log, log.find(each)) for each in keys)
        return replace(self, paper_vectors=papers, passage_vectors=passages)

    def searched(self, papers: Candidates | None, passages: Candidates | None) -> Self:
        """Return the same generation, comparing only candidates; with None, all are compared."""
        whole = replace(self.paper_vectors, candidates=papers)
        sentences = replace(self.passage_vectors, candidates=passages)
        return replace(self, paper_vectors=whole, passage_vectors=sentences)

    def within(self, allowed: NDArray[np.bool_]) -> Self:
        """Return the generation, comparing only `allowed` papers, mask (P,), or all if many."""
        rows = np.flatnonzero(allowed)
        if not self.is_searched or len(rows) == len(allowed):
            return self
        if len(rows) > FEW:
            return self.searched(None, None)
        passages = np.flatnonzero(allowed[self.owner])
        return self.searched(lambda _: rows, lambda _: passages)
