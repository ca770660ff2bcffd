"""The live generation of a store: opened, followed, and encoded where it has gaps."""

from contextlib import suppress
from datetime import date
from functools import lru_cache
from pathlib import Path
from threading import Lock, Thread

import numpy as np
from numpy.typing import NDArray

from index.catalog import Sightings, ids_of
from index.chroma import Chroma
from index.embedding import SentenceEncoder
from index.errors import AbstractQAError, InputError, StoreError
from index.manifest import check_encoder, current, read_papers
from index.papers import Paper
from index.store import Index
from rag.pipeline import Pipeline, Recipe
from rag.retrieval import Probe, encode_candidates, passage_rows


class LiveIndex:
    """The index in a store and the pipeline over it. Several threads may use it at once."""

    def __init__(
        self,
        store: Path,
        encoder: SentenceEncoder,
        recipe: Recipe | None = None,
        chroma: Chroma | None = None,
    ) -> None:
        """Open the live generation; `chroma` finds what is near once it has been brought there.

        Raises:
            StoreError: there is no index, it is damaged, or of another version.
            EncoderError: it was built with another encoder.
        """
        self._store = store
        self._encoder = encoder
        self._recipe = recipe
        self._chroma = chroma
        self._brought = 0
        self._opening: Thread | None = None
        self._lock = Lock()
        self._pipeline = self._load()

    def read(self) -> Pipeline:
        """That over the live generation; opened anew if another process published one.

        That of a large index is opened while questions go to the one before.
        """
        with self._lock:
            index = self._pipeline.index
            live = current(self._store)
            if live is not None and live != index.manifest.generation:
                if len(index.papers) < 20_000:
                    self._pipeline = self._load()
                elif self._opening is None or not self._opening.is_alive():
                    self._opening = Thread(target=self._open_beside, daemon=True)
                    self._opening.start()
            elif (followed := self._searching(index.followed())) is not index:
                self._pipeline = Pipeline(followed, self._encoder, self._recipe)
            return self._pipeline

    def encoded_for(
        self, read: Pipeline, text: str, allowed: NDArray[np.bool_] | None = None
    ) -> Pipeline:
        """What `read` gave, with what a text may be about encoded in its index.

        What is encoded is kept for the next questions. An index without gaps stays as it is.
        `allowed` says which papers may answer, shape (P,); all by default.
        """
        if read.index.is_covered:
            return read
        probe = Probe.of(text, read.index, self._encoder)
        return self._keep(read, encode_candidates(read.index, probe, self._encoder, allowed))

    def encoded_around(self, read: Pipeline, row: int) -> Index:
        """The index of what was read, in which a paper and those likely near it are encoded."""
        index = read.index
        if index.is_covered:
            return index
        own = index.encoded([row], passage_rows(index, row), self._encoder)
        return self.encoded_for(self._keep(read, own), index.papers[row].display_title).index

    def newest(self, since: date | None) -> list[Paper]:
        """The papers first seen on `since` or later, those of the latest digest first.

        By default those that the generation before this one did not have: all of them if there was
        none before, none if it is not kept any more.
        """
        index = self.read().index
        days = Sightings.of(index.papers).earliest
        if since:
            is_new = days >= since.toordinal()
        else:
            previous = index.manifest.previous
            before = _ids(self._store, previous) if previous else frozenset()
            ids = ids_of(index.papers)
            is_new = np.fromiter((before is not None and id_ not in before for id_ in ids), bool)
        rows = np.flatnonzero(is_new)
        return [index.papers[int(row)] for row in rows[np.argsort(-days[rows], kind="stable")]]

    def _load(self) -> Pipeline:
        index = Index.open(self._store)
        check_encoder(index.manifest, self._encoder)
        self._brought = 0
        return Pipeline(self._searching(index), self._encoder, self._recipe)

    def _open_beside(self) -> None:
        with suppress(AbstractQAError):  # the next question tries again
            pipeline = self._load()
            with self._lock:
                self._pipeline = pipeline

    def _searching(self, index: Index) -> Index:
        """The index, searched by the Chroma server if it has been brought there."""
        if self._chroma is None or index.is_searched or not index.is_covered:
            return index
        brought = self._chroma.brought(self._store)
        if brought == self._brought:
            return index
        self._brought = brought
        return self._chroma.searching(index) if self._chroma.holds(index, self._store) else index

    def _keep(self, read: Pipeline, encoded: Index) -> Pipeline:
        """Make the index with what was encoded of it the live one, unless another thread did."""
        pipeline = Pipeline(encoded, self._encoder, self._recipe)
        with self._lock:
            if self._pipeline is read:
                self._pipeline = pipeline
        return pipeline


def row_of(index: Index, paper_id: str) -> int:
    """The row of the paper of this id.

    Raises:
        InputError: there is none.
    """
    row = index.row_of(paper_id)
    if row is None or index.papers[row].id != paper_id:
        raise InputError(f"the index has no paper {paper_id!r}: it may have been removed")
    return row


@lru_cache(maxsize=4)
def _ids(store: Path, generation: str) -> frozenset[str] | None:
    """The ids of the papers of a generation, which never changes; None if it is gone."""
    try:
        return frozenset(ids_of(read_papers(store, generation)[1]))
    except StoreError:
        return None
