"""Papers without a question: one of them, those like it, and what is new."""

from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from pathlib import Path

import numpy as np

from index.catalog import Sightings, ids_of
from index.errors import InputError, StoreError
from index.manifest import read_papers
from index.papers import Paper
from index.store import Index
from rag.retrieval import PASSAGES_PER_HIT, cite, passage_rows
from rag.schema import Hit


def row_of(index: Index, paper_id: str) -> int:
    """The row of the paper of this id.

    Raises:
        InputError: there is none.
    """
    row = index.row_of(paper_id)
    if row is None or index.papers[row].id != paper_id:
        raise InputError(f"the index has no paper {paper_id!r}: it may have been removed")
    return row


def similar_papers(index: Index, paper: int, limit: int) -> Iterator[Hit]:
    """The `limit` papers nearest to one, best first, by the cosine of whole abstracts."""
    vector = index.paper_vectors[paper]
    cosines = index.paper_vectors @ vector
    order = [int(row) for row in np.argsort(-cosines, kind="stable") if row != paper]
    for row in order[:limit]:
        rows = passage_rows(index, row)
        near = index.passage_vectors[rows.start : rows.stop] @ vector
        best = np.argsort(-near, kind="stable")[:PASSAGES_PER_HIT]
        yield Hit(
            paper=index.papers[row],
            score=float(cosines[row]),
            passages=tuple(cite(index, rows[int(at)]) for at in best),
            found="dense",
        )


def dated_since(index: Index, since: date) -> list[Paper]:
    """The papers whose earliest dated source is of `since` or later, the latest first."""
    days = Sightings.of(index.papers).earliest
    rows = np.flatnonzero(days >= since.toordinal())
    return [index.papers[int(row)] for row in rows[np.argsort(-days[rows], kind="stable")]]


def new_in_last_change(store: Path, index: Index) -> list[Paper]:
    """The papers that the generation before this one did not have, the latest first.

    All of them if there was none before; none if it is not kept any more.
    """
    previous = index.manifest.previous
    before = frozenset[str]() if previous is None else _ids(store, previous)
    if before is None:
        return []
    days = Sightings.of(index.papers).earliest
    rows = np.asarray([r for r, id_ in enumerate(ids_of(index.papers)) if id_ not in before], int)
    return [index.papers[int(row)] for row in rows[np.argsort(-days[rows], kind="stable")]]


@lru_cache(maxsize=4)
def _ids(store: Path, generation: str) -> frozenset[str] | None:
    """The ids of the papers of a generation, which never changes; None if it is gone."""
    try:
        return frozenset(ids_of(read_papers(store, generation)[1]))
    except StoreError:
        return None
