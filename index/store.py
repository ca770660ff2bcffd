"""An open index: a generation of a store, whose texts and vectors are read when needed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from index import collection_map
from index.catalog import Cuts, Papers, Passages, ids_of
from index.collection_map import CollectionMap, Layout
from index.encoder import Encoder
from index.lexical import LexicalIndex
from index.manifest import (
    Manifest,
    check_is_store,
    damaged,
    generation_folder,
    no_index,
    read_live,
    read_papers,
    unreadable,
)
from index.names import Names
from index.papers import Paper, letters
from index.passages import Passage, paper_text
from index.vectors import Candidates, Log, Vectors, checksums

FEW = 20_000
"""Papers that are compared one by one where a filter leaves no more."""


@dataclass(frozen=True, eq=False)
class Index:
    """A generation of the index. Texts and vectors are read from mapped files when needed.

    What is published never changes, and a removed file stays readable for who has it open, so
    neither a writer nor a later generation disturbs this one. With P papers, S passages and
    vectors of length d, all of unit length:
    """

    manifest: Manifest
    papers: Sequence[Paper]
    """P papers in the order of their ids."""
    passages: Sequence[Passage]
    """S passages, those of one paper together and in order, in the order of the papers."""
    owner: NDArray[np.int64]
    """The row in `papers` of each passage, shape (S,), ascending."""
    paper_vectors: Vectors | NDArray[np.float32]
    """Shape (P, d)."""
    passage_vectors: Vectors | NDArray[np.float32]
    """Shape (S, d)."""
    lexical: LexicalIndex
    names: Names
    layout: Layout | None = None
    """The map as it is kept; None if it is not drawn yet."""

    @cached_property
    def _rows(self) -> tuple[dict[str, int], dict[str, int]]:
        """Row of each paper by its id, and by the letters of its title."""
        if isinstance(self.papers, Papers):
            return self.papers.rows, self.papers.titled
        rows = {paper.id: row for row, paper in enumerate(self.papers)}
        return rows, {letters(paper.title): row for row, paper in enumerate(self.papers)}

    def row_of(self, name: str) -> int | None:
        """The row of the paper of this id or title; None if there is none."""
        ids, titles = self._rows
        row = ids.get(name)
        return titles.get(letters(name)) if row is None else row

    @cached_property
    def map(self) -> CollectionMap | None:
        """The map of the collection; None if it is not drawn yet."""
        return self.layout.of(ids_of(self.papers)) if self.layout else None

    @cached_property
    def clusters(self) -> NDArray[np.int64]:
        """The cluster of each paper on the map, 0 without one, shape (P,)."""
        return self.layout.groups if self.layout else np.zeros(len(self.papers), dtype=np.int64)

    @cached_property
    def coverage(self) -> float:
        """The share of papers and passages that have their vectors, from 0 to 1."""
        parts = (self.paper_vectors, self.passage_vectors)
        missing = sum(int(each.missing.sum()) for each in parts if isinstance(each, Vectors))
        return 1 - missing / max(1, sum(map(len, parts)))

    @cached_property
    def is_covered(self) -> bool:
        """Whether everything has its vector."""
        return self.coverage == 1

    @classmethod
    def open(cls, store: Path) -> Self:
        """Open the live generation of `store` after checking its files.

        Raises:
            StoreError: there is no index, it is damaged, or of another format.
        """
        check_is_store(store)
        index = read_live(store, lambda generation: cls._read(store, generation))
        if index is None:
            raise no_index(store)
        return index

    @classmethod
    def _read(cls, store: Path, generation: str) -> Self:
        manifest, papers = read_papers(store, generation)
        folder = generation_folder(store, generation)
        try:
            log = Log.open(store / manifest.vectors, manifest.dimension)
            # More may have come since.
            is_whole = len(log.stored) >= manifest.records
            sums = checksums(log.path, manifest.records, log.dimension) if is_whole else []
            if tuple(sums) != manifest.checksums:
                raise damaged(store, f"{manifest.vectors} has changed since it was written")
            cuts = Cuts.load(folder)
            is_drawn = collection_map.FILE_NAME in manifest.files
            return cls(
                manifest=manifest,
                papers=papers,
                passages=Passages(cuts, papers.ids),
                owner=cuts.owner,
                paper_vectors=Vectors(log, log.find(cuts.paper_keys)),
                passage_vectors=Vectors(log, log.find(cuts.passage_keys)),
                lexical=LexicalIndex.load(folder),
                names=Names.load(folder),
                layout=Layout.load(folder) if is_drawn else None,
            )
        except OSError as error:
            raise unreadable(store, error) from error

    @property
    def is_finished(self) -> bool:
        """Whether everything has its vector, and the map is drawn."""
        return self.is_covered and self.layout is not None

    @property
    def is_searched(self) -> bool:
        """Whether vectors are compared with candidates alone."""
        vectors = self.passage_vectors
        return isinstance(vectors, Vectors) and vectors.candidates is not None

    def followed(self) -> Self:
        """The same generation with the vectors that were encoded since it was opened."""
        old, cuts = self.log, self.cuts
        if self.is_covered or old is None or cuts is None or not old.grown:
            return self
        log = Log.open(old.path, old.dimension)
        if len(old.extra):
            log = log.with_extra(old.keys[len(old.stored) :], old.extra)
        return self._with(log, cuts)

    def encoded(self, papers: Sequence[int], passages: Sequence[int], encoder: Encoder) -> Self:
        """The same generation with vectors of some papers and passages that had none, in memory."""
        log, cuts = self.log, self.cuts
        if log is None or cuts is None:
            return self
        texts = {int(cuts.paper_keys[row]): paper_text(self.papers[row]) for row in papers}
        texts |= {int(cuts.passage_keys[row]): cuts.text(row) for row in passages}
        if not texts:
            return self
        keys = np.fromiter(texts, dtype=np.uint64, count=len(texts))
        return self._with(log.with_extra(keys, encoder.encode(list(texts.values()))), cuts)

    def searched(self, papers: Candidates | None, passages: Candidates | None) -> Self:
        """The same generation, in which a vector is compared with candidates alone, if any."""
        wholes, sentences = self.paper_vectors, self.passage_vectors
        if not isinstance(wholes, Vectors) or not isinstance(sentences, Vectors):
            return self
        return replace(
            self,
            paper_vectors=replace(wholes, candidates=papers),
            passage_vectors=replace(sentences, candidates=passages),
        )

    def within(self, allowed: NDArray[np.bool_]) -> Self:
        """The same generation, in which the papers that may answer are compared if not all may."""
        vectors = self.paper_vectors
        if not isinstance(vectors, Vectors) or vectors.candidates is None:
            return self
        rows = np.flatnonzero(allowed)
        if len(rows) == len(allowed):
            return self
        if len(rows) > FEW:
            return self.searched(None, None)
        passages = np.flatnonzero(allowed[self.owner])
        return self.searched(lambda _: rows, lambda _: passages)

    def _with(self, log: Log, cuts: Cuts) -> Self:
        return replace(
            self,
            paper_vectors=Vectors(log, log.find(cuts.paper_keys)),
            passage_vectors=Vectors(log, log.find(cuts.passage_keys)),
        )

    @property
    def log(self) -> Log | None:
        """Its file of vectors, if it is a generation."""
        vectors = self.paper_vectors
        return vectors.log if isinstance(vectors, Vectors) else None

    @property
    def cuts(self) -> Cuts | None:
        """How the papers are cut, if the passages are those of a generation."""
        return self.passages.cuts if isinstance(self.passages, Passages) else None
