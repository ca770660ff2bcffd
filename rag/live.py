"""Open the live generation of a store, reload it when it changes, encode what it lacks."""

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
    """The live index of a store and its pipeline. Several threads may use it at once."""

    def __init__(
        self, store: Path, encoder: SentenceEncoder, recipe: Recipe | None, chroma: Chroma | None
    ) -> None:
        """Open the live generation; search by `chroma` as soon as that server holds it.

        Raises StoreError if there is no index, or one that is damaged or of another version, and
        EncoderError if it was built with another encoder.
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
        """Return the pipeline of the live generation; reload if another process published one.

        A large index is loaded in the background; until then the former generation answers.
        """
        with self._lock:
            index = self._pipeline.index
            live = current(self._store)
            if live is not None and live != index.manifest.generation:
                if len(index.papers) < 20_000:
                    self._pipeline = self._load()
                elif self._opening is None or not self._opening.is_alive():
                    self._opening = Thread(target=self._open_in_background, daemon=True)
                    self._opening.start()
            elif (followed := self._with_chroma(index.followed())) is not index:
                self._pipeline = Pipeline(followed, self._encoder, self._recipe)
            return self._pipeline

    def encoded_for(
        self, read: Pipeline, text: str, allowed: NDArray[np.bool_] | None = None
    ) -> Pipeline:
        """Encode the papers that a text is likely about, and return the pipeline over them.

        The new vectors are kept for later questions. A fully encoded index is returned as it is.
        `allowed` is the mask of the papers that may answer, shape (P,); all by default.
        """
        if read.index.is_covered:
            return read
        probe = Probe.of(text, read.index, self._encoder)
        return self._keep(read, encode_candidates(read.index, probe, self._encoder, allowed))

    def encoded_around(self, read: Pipeline, row: int) -> Index:
        """Return the index with the paper at `row` and papers that are likely near it encoded."""
        index = read.index
        if index.is_covered:
            return index
        encoded = index.encoded([row], passage_rows(index, row), self._encoder)
        return self.encoded_for(self._keep(read, encoded), index.papers[row].display_title).index

    def newest(self, since: date | None) -> list[Paper]:
        """Return the new papers, those of the latest digest first; see `Assistant.newest`."""
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
        return Pipeline(self._with_chroma(index), self._encoder, self._recipe)

    def _open_in_background(self) -> None:
        with suppress(AbstractQAError):  # the next question tries again
            pipeline = self._load()
            with self._lock:
                self._pipeline = pipeline

    def _with_chroma(self, index: Index) -> Index:
        """Return the index, with vector search by the Chroma server if that holds it."""
        if self._chroma is None or index.is_searched or not index.is_covered:
            return index
        brought = self._chroma.brought(self._store)
        if brought == self._brought:
            return index
        self._brought = brought
        return self._chroma.searching(index) if self._chroma.holds(index, self._store) else index

    def _keep(self, read: Pipeline, encoded: Index) -> Pipeline:
        """Make a pipeline over the encoded index, the live one unless `read` was replaced."""
        pipeline = Pipeline(encoded, self._encoder, self._recipe)
        with self._lock:
            if self._pipeline is read:
                self._pipeline = pipeline
        return pipeline


def row_of(index: Index, paper_id: str) -> int:
    """Return the row of the paper with this id; raise InputError if there is none."""
    row = index.row_of(paper_id)
    if row is None or index.papers[row].id != paper_id:
        raise InputError(f"the index has no paper {paper_id!r}: it may have been removed")
    return row


@lru_cache(maxsize=4)
def _ids(store: Path, generation: str) -> frozenset[str] | None:
    """Return the paper ids of a generation, which never changes; None if it is not kept."""
    try:
        return frozenset(ids_of(read_papers(store, generation)[1]))
    except StoreError:
        return None
