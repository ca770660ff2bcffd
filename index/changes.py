"""What the next generation changes: records to write, to delete, and the vectors they need."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.encoder import Encoder
from index.lexical import TOKENS_VERSION
from index.papers import Paper
from index.passages import cut, paper_text
from index.store import Index
from index.vectors import COLLECTIONS, CollectionName, Record

Records = dict[CollectionName, list[Record]]


def records_of(papers: Sequence[Paper]) -> Records:
    """What both collections hold for `papers`: one record a paper and one a sentence."""
    return {
        "papers": [
            Record(p.id, paper_text(p), {"paper": p.id, "title": p.display_title}) for p in papers
        ],
        "passages": [
            Record(s.id, s.text, {"paper": s.paper_id, "start": s.start, "end": s.end})
            for paper in papers
            for s in cut(paper)
        ],
    }


def content_hash(records: Records) -> str:
    """SHA-256 of the ids and texts of all records, hexadecimal.

    It changes when a paper does, and when a newer version cleans, cuts or tokenizes the same
    paper anew.
    """
    digest = hashlib.sha256(f"tokens {TOKENS_VERSION}".encode())
    for name in COLLECTIONS:
        for record in records[name]:
            digest.update(json.dumps([name, record.id, record.text]).encode())
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Change:
    """How the next generation's collections differ from the live ones."""

    upserts: Records
    deletions: dict[CollectionName, list[str]]


def compare(live: Index | None, records: Records) -> Change:
    """Compare the records that there should be with those of `live`."""
    there: dict[CollectionName, dict[str, str]] = {"papers": {}, "passages": {}}
    if live:
        ids = (paper.id for paper in live.papers)
        there["papers"] = dict(zip(ids, live.paper_texts, strict=True))
        there["passages"] = {passage.id: passage.text for passage in live.passages}
    return Change(
        upserts={
            name: [r for r in records[name] if there[name].get(r.id) != r.text]
            for name in COLLECTIONS
        },
        deletions={
            name: sorted(there[name].keys() - {record.id for record in records[name]})
            for name in COLLECTIONS
        },
    )


def vectors_of(
    change: Change, live: Index | None, encoder: Encoder, progress: Callable[[int, int], None]
) -> tuple[dict[str, NDArray[np.float32]], int]:
    """The vectors of the texts to be written, each of shape (d,), encoding only unknown texts.

    Returns:
        Text → vector for at least every text of `change.upserts`, and how many texts had to be
        encoded; `progress` is told how many of them are done, and their number.
    """
    vectors: dict[str, NDArray[np.float32]] = {}
    if live:
        vectors.update(zip(live.paper_texts, live.paper_vectors, strict=True))
        texts = (passage.text for passage in live.passages)
        vectors.update(zip(texts, live.passage_vectors, strict=True))
    needed = {record.text: None for name in COLLECTIONS for record in change.upserts[name]}
    unknown = [text for text in needed if text not in vectors]
    if unknown:
        total = len(unknown)
        progress(0, total)
        encoded = encoder.encode(unknown, progress=lambda done: progress(done, total))
        vectors.update(zip(unknown, encoded, strict=True))
    return vectors, len(unknown)
