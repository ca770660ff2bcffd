"""Chroma as a server of vectors beside the store, for collections that exact search is slow on.

It holds every paper and passage of the live generation: vector, text, and metadata to filter by.
The nearest that it finds are compared exactly, with the vectors of the store; where it does not
answer, everything is. `chroma run` (the server in Rust) and Chroma Cloud are such servers; the
older one in Python is not safe to run.
"""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from index.catalog import Sightings, ids_of
from index.cuts import Cuts
from index.errors import DatabaseError, InputError
from index.store import Index
from index.vectors import Floats, Vectors

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

_Record = tuple[str, int]
"""An id, and the key of the text."""
Kind = Literal["papers", "passages"]
KINDS: tuple[Kind, ...] = ("papers", "passages")
NEAREST: Mapping[Kind, int] = {"papers": 300, "passages": 1000}
"""How many of the nearest are compared exactly."""
BATCH = 1000
RETRY_SECONDS = 5.0
"""A server that did not answer is left alone for so long."""

_LOG = logging.getLogger(__name__)


class Chroma:
    """The two collections of an index on a server."""

    def __init__(self, url: str, token: str | None = None, collection: str = "abstractqa") -> None:
        """Nothing is asked of the server yet.

        Args:
            url: Its address: `http://host:8000`, or `https://…` for TLS.
            token: Sent as `x-chroma-token`, as Chroma Cloud and proxies read it.
            collection: The collections are called so, with `-papers` and `-passages` after it.

        Raises:
            InputError: the address is none.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise InputError(f"ABSTRACTQA_CHROMA_URL {url!r} is no address: write http://host:8000")
        self.url = url
        self._host, self._ssl = parts.hostname, parts.scheme == "https"
        self._port = parts.port or (443 if self._ssl else 8000)
        self._token = token
        self._name = collection
        self._lock = Lock()
        self._client: ClientAPI | None = None
        self._silent_until = 0.0

    @contextmanager
    def _asking(self) -> Iterator["ClientAPI"]:
        """The client; what goes wrong with it becomes one line.

        Raises:
            DatabaseError: the server cannot be reached, or refuses.
        """
        # Imported here: it takes a second, and most indexes have no server.
        import chromadb
        import httpx
        from chromadb.config import Settings
        from chromadb.errors import ChromaError

        try:
            with self._lock:
                if self._client is None:
                    self._client = chromadb.HttpClient(
                        host=self._host,
                        port=self._port,
                        ssl=self._ssl,
                        headers={"x-chroma-token": self._token} if self._token else None,
                        settings=Settings(anonymized_telemetry=False),
                    )
            yield self._client
        except (ChromaError, httpx.HTTPError, ValueError, OSError) as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
            raise DatabaseError(f"Chroma at {self.url} did not answer ({reason})") from error

    def _collection(self, client: "ClientAPI", kind: Kind) -> "Collection":
        return client.get_or_create_collection(
            f"{self._name}-{kind}",
            configuration={"hnsw": {"space": "cosine"}},
            embedding_function=None,
        )

    def bring(
        self, index: Index, store: Path, progress: Callable[[int, int], None] = lambda *_: None
    ) -> int:
        """Make the collections those of an index: what is new is written, what is gone deleted.

        A ledger in the store says what was brought before; if the server has another number of
        records, it is asked for its ids.

        Returns:
            How many records were written or deleted.

        Raises:
            DatabaseError: the server cannot be reached, or refuses.
        """
        ledger = _Ledger.read(store, self.url, self._name)
        changed = 0
        with self._asking() as client:
            for kind in KINDS:
                collection = self._collection(client, kind)
                there = ledger.there[kind]
                if collection.count() != len(there):
                    there = _listed(collection)
                wanted = _records(index, kind)
                new = [row for row, (id_, key) in enumerate(wanted) if there.get(id_) != key]
                gone = sorted(there.keys() - {id_ for id_, _ in wanted})
                for at in range(0, len(new), BATCH):
                    _upsert(
                        collection,
                        index,
                        kind,
                        [(row, wanted[row]) for row in new[at : at + BATCH]],
                    )
                    progress(changed + at, changed + len(new))
                for at in range(0, len(gone), BATCH):
                    collection.delete(ids=gone[at : at + BATCH])
                changed += len(new) + len(gone)
                ledger.there[kind] = dict(wanted)
        ledger.content = index.manifest.content
        ledger.write()
        return changed

    def holds(self, index: Index, store: Path) -> bool:
        """Whether an index was brought as it is."""
        return _Ledger.read(store, self.url, self._name).content == index.manifest.content

    def nearest(
        self, kind: Kind, vector: Floats, count: int, where: Mapping[str, Any] | None = None
    ) -> list[str]:
        """The ids of the records nearest to a unit vector, best first.

        Args:
            kind: Papers, or passages, whose ids are `paper:start-end`.
            vector: Shape (d,).
            count: How many, at most.
            where: A filter in Chroma's terms over `paper`, `year`, `day` (an ordinal) and `title`.

        Raises:
            DatabaseError: the server cannot be reached, or refuses.
        """
        with self._asking() as client:
            found = self._collection(client, kind).query(
                query_embeddings=[vector.tolist()],
                n_results=count,
                where=dict(where) if where else None,
                include=[],
            )
        return found["ids"][0]

    def searching(self, index: Index) -> Index:
        """The index, with only those vectors compared that the server finds near.

        While the server does not answer, all are.
        """
        places: dict[Kind, dict[str, int]] = {
            kind: {id_: row for row, id_ in enumerate(_ids(index, kind))} for kind in KINDS
        }

        def of(kind: Kind) -> Callable[[Floats], NDArray[np.int64] | None]:
            def candidates(vector: Floats) -> NDArray[np.int64] | None:
                if time.monotonic() < self._silent_until:
                    return None
                try:
                    ids = self.nearest(kind, vector, NEAREST[kind])
                except DatabaseError as error:
                    self._silent_until = time.monotonic() + RETRY_SECONDS
                    _LOG.warning("%s; everything is compared instead", error)
                    return None
                rows = (places[kind].get(id_) for id_ in ids)
                return np.asarray([row for row in rows if row is not None], dtype=np.int64)

            return candidates

        return index.searched(of("papers"), of("passages"))


def recall(index: Index, chroma: Chroma, kind: Kind = "passages", queries: int = 20) -> float:
    """The share of the ten exactly nearest that the server finds, over some vectors of the index.

    Raises:
        DatabaseError: the server cannot be reached, or refuses.
    """
    vectors = index.passage_vectors if kind == "passages" else index.paper_vectors
    if not isinstance(vectors, Vectors) or not len(vectors):
        return 1.0
    ids = _ids(index, kind)
    found = []
    for row in np.linspace(0, len(vectors) - 1, min(queries, len(vectors))).astype(int).tolist():
        cosines = vectors.exact @ vectors[row]
        # Texts that are the same are equally near: any of them is found.
        least = np.sort(cosines)[-min(10, len(cosines))] - 1e-5
        there = {id_: at for at, id_ in enumerate(ids)}
        near = [there[id_] for id_ in chroma.nearest(kind, vectors[row], 10) if id_ in there]
        found.append(float((cosines[near] >= least).sum()) / min(10, len(cosines)))
    return float(np.mean(found))


class _Ledger:
    """What was brought to a server: the id of each record and the key of its text."""

    def __init__(self, path: Path, there: dict[Kind, dict[str, int]], content: str) -> None:
        self._path = path
        self.there = there
        self.content = content
        """That of the manifest of the index."""

    @classmethod
    def read(cls, store: Path, url: str, name: str) -> Self:
        place = hashlib.sha256(f"{url}\n{name}".encode()).hexdigest()[:12]
        path = store / f".chroma-{place}.json"
        try:
            there = json.loads(path.read_text(encoding="utf-8"))
            return cls(path, {kind: dict(there[kind]) for kind in KINDS}, there["content"])
        except (OSError, ValueError, KeyError, TypeError):
            return cls(path, {kind: {} for kind in KINDS}, "")

    def write(self) -> None:
        self._path.write_text(json.dumps(self.there | {"content": self.content}), encoding="utf-8")


def _cuts(index: Index) -> Cuts:
    if index.cuts is None:
        raise DatabaseError("only an index that lies in a store can be brought to Chroma")
    return index.cuts


def _ids(index: Index, kind: Kind) -> list[str]:
    papers = ids_of(index.papers)
    if kind == "papers":
        return papers
    cuts = _cuts(index)
    rows = zip(cuts.owner.tolist(), cuts.spans.tolist(), strict=True)
    return [f"{papers[row]}:{start}-{end}" for row, (start, end) in rows]


def _records(index: Index, kind: Kind) -> list[_Record]:
    """The id and the key of each paper or passage."""
    cuts = _cuts(index)
    keys = cuts.paper_keys if kind == "papers" else cuts.passage_keys
    return list(zip(_ids(index, kind), (keys >> np.uint64(1)).tolist(), strict=True))


def _listed(collection: "Collection") -> dict[str, int]:
    """The ids on the server, with the keys that it was given."""
    found: dict[str, int] = {}
    for offset in range(0, collection.count(), BATCH):
        page = collection.get(limit=BATCH, offset=offset, include=["metadatas"])
        for id_, metadata in zip(page["ids"], page["metadatas"] or (), strict=True):
            key = metadata.get("key")
            found[id_] = key if isinstance(key, int) else -1
    return found


def _upsert(
    collection: "Collection", index: Index, kind: Kind, records: Sequence[tuple[int, _Record]]
) -> None:
    """Write records, given by their rows."""
    cuts, days = _cuts(index), Sightings.of(index.papers).earliest
    texts: list[str] = []
    metadatas: list[Mapping[str, str | int]] = []
    for row, (_, key) in records:
        owner = row if kind == "papers" else int(cuts.owner[row])
        paper = index.papers[owner]
        metadata: dict[str, str | int] = {
            "paper": paper.id,
            "title": paper.display_title,
            "key": key,
            "year": paper.year or 0,
            "day": int(days[owner]),
        }
        if kind == "passages":
            metadata |= dict(zip(("start", "end"), cuts.spans[row].tolist(), strict=True))
        texts.append(paper.display_title if kind == "papers" else cuts.text(row))
        metadatas.append(metadata)
    vectors = index.paper_vectors if kind == "papers" else index.passage_vectors
    collection.upsert(
        ids=[id_ for _, (id_, _) in records],
        documents=texts,
        metadatas=list(metadatas),
        embeddings=np.asarray(vectors[[row for row, _ in records]]),
    )
