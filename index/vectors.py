"""Vectors in Chroma: one collection of papers and one of sentence passages."""

import errno
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
from numpy.typing import NDArray

from index.errors import StoreError

if TYPE_CHECKING:
    from chromadb.api.client import Client

CollectionName = Literal["papers", "passages"]
COLLECTIONS: tuple[CollectionName, ...] = ("papers", "passages")
PAGE = 1000
_NO_SPACE = 1 << 20
"""Bytes free on a disk that counts as full."""

Metadata = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Record:
    """What a collection holds beside the vector: an id, the text embedded, flat metadata."""

    id: str
    text: str
    metadata: Metadata


@contextmanager
def chroma(folder: Path) -> Iterator["Client"]:
    """Open Chroma's files in `folder`, made if missing, for one process at a time.

    Chroma changes its files even when it is only read: open a copy of what must stay the same.

    Raises:
        OSError: the disk is full.
        StoreError: Chroma failed otherwise; the message is its first line.
    """
    # Imported here: it takes most of a second, which looking at a manifest can do without.
    import chromadb
    from chromadb.config import Settings
    from chromadb.errors import ChromaError

    try:
        settings = Settings(anonymized_telemetry=False)
        client = cast("Client", chromadb.PersistentClient(folder, settings=settings))
        try:
            yield client
        finally:
            client.close()
    except ChromaError as error:
        # SQLite says it; Chroma's other parts fail with whatever they were doing.
        if "disk is full" in str(error) or shutil.disk_usage(folder).free < _NO_SPACE:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder)) from error
        first_line = (str(error).splitlines() or [type(error).__name__])[0]
        raise StoreError(f"Chroma failed in {folder}: {first_line}") from error


def copy_chroma(folder: Path, copy: Path) -> Path:
    """Copy Chroma's files, closed, to a new folder `copy`, and return it.

    Raises:
        OSError: the first that occurs; `shutil.copytree` would gather them into one long text.
    """
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            target = copy / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    return copy


def create_collections(client: "Client") -> None:
    """Make both collections, empty, with cosine distance."""
    for name in COLLECTIONS:
        client.create_collection(
            name, configuration={"hnsw": {"space": "cosine"}}, embedding_function=None
        )


def read_collection(
    client: "Client", name: CollectionName, dimension: int
) -> tuple[list[Record], NDArray[np.float32]]:
    """Everything in a collection: n records and their vectors, shape (n, dimension)."""
    collection = client.get_collection(name, embedding_function=None)
    size = collection.count()
    records: list[Record] = []
    vectors = np.empty((size, dimension), dtype=np.float32)
    for offset in range(0, size, PAGE):
        page = collection.get(
            limit=PAGE, offset=offset, include=["embeddings", "documents", "metadatas"]
        )
        vectors[offset : offset + len(page["ids"])] = page["embeddings"]
        rows = zip(page["ids"], page["documents"] or (), page["metadatas"] or (), strict=True)
        records += (Record(id_, text, _flat(metadata)) for id_, text, metadata in rows)
    return records, vectors


def upsert(
    client: "Client",
    name: CollectionName,
    records: Sequence[Record],
    vectors: NDArray[np.float32],
) -> Iterator[int]:
    """Write `records` with their vectors, shape (n, d), yielding the size of each batch."""
    collection = client.get_collection(name, embedding_function=None)
    batch = min(client.get_max_batch_size(), PAGE)
    for at in range(0, len(records), batch):
        some = records[at : at + batch]
        collection.upsert(
            ids=[record.id for record in some],
            documents=[record.text for record in some],
            metadatas=[dict(record.metadata) for record in some],
            embeddings=vectors[at : at + batch],
        )
        yield len(some)


def delete(client: "Client", name: CollectionName, ids: Sequence[str]) -> None:
    """Delete the records of `ids`."""
    collection = client.get_collection(name, embedding_function=None)
    batch = min(client.get_max_batch_size(), PAGE)
    for at in range(0, len(ids), batch):
        collection.delete(ids=list(ids[at : at + batch]))


def _flat(metadata: Mapping[str, object]) -> Metadata:
    return {key: value for key, value in metadata.items() if isinstance(value, str | int)}
