"""Chroma as a server of vectors beside the store, for collections that exact search is slow on.

It holds every paper and passage of the live generation. The nearest that it finds are compared
exactly, with the vectors of the store; where it does not answer, everything is. `chroma run` (the
server in Rust) and Chroma Cloud are such servers; the older one in Python is not safe to run.
"""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from index.catalog import Sightings, ids_of
from index.errors import DatabaseError, InputError, first_line
from index.remote import address
from index.store import Index
from index.vectors import Candidates, Floats

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

Kind = Literal["papers", "passages"]
NEAREST: Mapping[Kind, int] = {"papers": 300, "passages": 1000}
"""How many of the nearest are compared exactly."""
BATCH = 1000
TIMEOUT_SECONDS = 10.0
RETRY_SECONDS = 5.0
"""A server that did not answer is left alone for so long."""
_Ledger = dict[Kind, dict[str, int]]
"""What was brought to a server: the id of each record and the key of its text."""
_LOG = logging.getLogger(__name__)


class Chroma:
    """The two collections of an index on a server.

    Every method raises `DatabaseError` where the server cannot be reached, or refuses.
    """

    def __init__(self, url: str, token: str | None = None, collection: str = "abstractqa") -> None:
        """Name a server, `http://host:8000` or `https://…` for TLS; nothing is asked of it yet.

        The token is sent as `x-chroma-token`, as Chroma Cloud and proxies read it. Collections are
        called `collection` with `-papers` and `-passages` after it.

        Raises:
            InputError: the address is none.
        """
        parts = address(url)
        if parts is None:
            raise InputError("ABSTRACTQA_CHROMA_URL is no address: write http://host:8000")
        if parts.username or parts.password or parts.path.strip("/") or parts.query:
            raise InputError(
                "ABSTRACTQA_CHROMA_URL holds more than scheme, host and port: give what the server"
                " asks for as ABSTRACTQA_CHROMA_TOKEN"
            )
        self._host, self._ssl = parts.hostname or "", parts.scheme == "https"
        self._port = parts.port or (443 if self._ssl else 8000)
        self.url = f"{parts.scheme}://{parts.netloc}"
        self._token, self._name = token, collection
        self._lock = Lock()
        self._client: ClientAPI | None = None
        self._silent_until = 0.0

    @contextmanager
    def _asking(self) -> Iterator["ClientAPI"]:
        """The client; what goes wrong with it becomes one line."""
        # Imported here: it takes a second, and most indexes have no server.
        import httpx
        from chromadb.errors import ChromaError

        try:
            with self._lock:
                self._client = self._client or self._connected()
            yield self._client
        except (ChromaError, httpx.HTTPError, ValueError, OSError) as error:
            why = first_line(error)
            raise DatabaseError(f"Chroma at {self.url} did not answer ({why})") from error

    def _connected(self) -> "ClientAPI":
        import chromadb
        import httpx
        from chromadb.config import Settings

        # Chroma's client waits for ever; this tells first whether the server is there.
        httpx.get(f"{self.url}/api/v2/heartbeat", timeout=TIMEOUT_SECONDS)
        client = chromadb.HttpClient(
            host=self._host,
            port=self._port,
            ssl=self._ssl,
            headers={"x-chroma-token": self._token} if self._token else None,
            settings=Settings(anonymized_telemetry=False),
        )
        session = getattr(getattr(client, "_server", None), "_session", None)
        if isinstance(session, httpx.Client):
            session.timeout = httpx.Timeout(TIMEOUT_SECONDS)
        return client

    def _of(self, client: "ClientAPI", kind: Kind, store: Path) -> "Collection":
        """The collection of a store, made if it is missing; another store's is refused."""
        owner = hashlib.sha256(str(store.resolve()).encode()).hexdigest()[:16]
        found = client.get_or_create_collection(
            f"{self._name}-{kind}",
            metadata={"store": owner},  # of a collection that is there its own counts
            configuration={"hnsw": {"space": "cosine"}},
            embedding_function=None,
        )
        if (found.metadata or {}).get("store") != owner:
            raise DatabaseError(
                f"the collections {self._name!r} at {self.url} are those of another index: set"
                " ABSTRACTQA_CHROMA_COLLECTION to another name"
            )
        return found

    def _ledger_file(self, store: Path) -> Path:
        place = hashlib.sha256(f"{self.url}\n{self._name}".encode()).hexdigest()[:12]
        return store / f".chroma-{place}.json"

    def _ledger(self, store: Path) -> tuple[_Ledger, str]:
        """What was brought, and the content of the manifest of that index."""
        try:
            there = json.loads(self._ledger_file(store).read_text(encoding="utf-8"))
            return {kind: dict(there[kind]) for kind in NEAREST}, str(there["content"])
        except (OSError, ValueError, KeyError, TypeError):
            return {kind: {} for kind in NEAREST}, ""

    def brought(self, store: Path) -> int:
        """When something was last brought, in nanoseconds; 0 if nothing ever was."""
        try:
            return self._ledger_file(store).stat().st_mtime_ns
        except OSError:
            return 0

    def bring(
        self, index: Index, store: Path, progress: Callable[[int, int], None] = lambda *_: None
    ) -> int:
        """Make the collections those of an index: what is new is written, what is gone deleted.

        A ledger in the store says what was brought before; if the server has another number of
        records, it is asked for its ids. How many were written or deleted is returned.
        """
        ledger, _ = self._ledger(store)
        changed = 0
        with self._asking() as client:
            for kind in NEAREST:
                collection, there = self._of(client, kind, store), ledger[kind]
                if collection.count() != len(there):
                    there = _listed(collection)
                ledger[kind] = wanted = _keys(index, kind)
                new = [row for row, id_ in enumerate(wanted) if there.get(id_) != wanted[id_]]
                gone = sorted(there.keys() - wanted.keys())
                for at in range(0, len(new), BATCH):
                    collection.upsert(**_records(index, kind, new[at : at + BATCH]))
                    progress(changed + at, changed + len(new))
                for at in range(0, len(gone), BATCH):
                    collection.delete(ids=gone[at : at + BATCH])
                changed += len(new) + len(gone)
        file = self._ledger_file(store)
        content = json.dumps({**ledger, "content": index.manifest.content})
        file.with_suffix(".tmp").write_text(content, encoding="utf-8")
        file.with_suffix(".tmp").replace(file)
        return changed

    def holds(self, index: Index, store: Path) -> bool:
        """Whether an index was brought as it is, and is all there; False if nobody answers."""
        ledger, content = self._ledger(store)
        if content != index.manifest.content:
            return False
        try:
            with self._asking() as client:
                sizes = [self._of(client, kind, store).count() for kind in NEAREST]
        except DatabaseError as error:
            _LOG.warning("%s; everything is compared instead", error)
            return False
        return sizes == [len(ledger[kind]) for kind in NEAREST]

    def count(self) -> int:
        """How many records the server has."""
        with self._asking() as client:
            names = {f"{self._name}-{kind}" for kind in NEAREST}
            return sum(each.count() for each in client.list_collections() if each.name in names)

    def nearest(self, kind: Kind, vector: Floats, count: int) -> list[str]:
        """The ids of at most `count` records nearest to a unit vector, shape (d,), best first.

        Those of passages are `paper:start-end`.
        """
        with self._asking() as client:
            there = client.get_collection(f"{self._name}-{kind}", embedding_function=None)
            found = there.query(query_embeddings=[vector.tolist()], n_results=count, include=[])
        return found["ids"][0]

    def _candidates(self, kind: Kind, index: Index) -> Candidates:
        """What finds the rows of an index that are near a vector; None while it cannot."""
        places = {id_: row for row, id_ in enumerate(_keys(index, kind))}

        @lru_cache(maxsize=16)  # one answer compares a few vectors, repeatedly
        def nearest(vector: bytes) -> list[str]:
            return self.nearest(kind, np.frombuffer(vector, dtype=np.float32), NEAREST[kind])

        def candidates(vector: Floats) -> NDArray[np.int64] | None:
            if time.monotonic() < self._silent_until:
                return None
            try:
                ids = nearest(np.asarray(vector, dtype=np.float32).tobytes())
            except DatabaseError as error:
                self._silent_until = time.monotonic() + RETRY_SECONDS
                _LOG.warning("%s; everything is compared instead", error)
                return None
            rows = [places[id_] for id_ in ids if id_ in places]
            # Fewer than were asked for: it has lost records, or has those of another index.
            is_whole = len(rows) >= min(NEAREST[kind], len(places))
            return np.asarray(rows, dtype=np.int64) if is_whole else None

        return candidates

    def searching(self, index: Index) -> Index:
        """The index, with only those vectors compared that the server finds near, if it answers."""
        papers, sentences = (self._candidates(kind, index) for kind in NEAREST)

        def passages(vector: Floats) -> NDArray[np.int64] | None:
            """The nearest passages, and all those of the nearest papers."""
            near, whole = sentences(vector), papers(vector)
            if near is None or whole is None:
                return None
            return np.union1d(near, np.flatnonzero(np.isin(index.owner, whole)))

        return index.searched(papers, passages)


def recall(index: Index, chroma: Chroma, kind: Kind = "passages") -> float:
    """The share of the ten exactly nearest that the server finds, over 20 vectors of the index.

    Raises:
        DatabaseError: the server cannot be reached, or refuses.
    """
    vectors = index.passage_vectors if kind == "passages" else index.paper_vectors
    there = {id_: at for at, id_ in enumerate(_keys(index, kind))}
    most, found = min(10, len(vectors)), []
    for row in sorted({*np.linspace(0, len(vectors) - 1, min(20, len(vectors))).astype(int)}):
        cosines = vectors.exact @ vectors[row]
        # Texts that are the same are equally near: any of them is found.
        least = np.sort(cosines)[-most] - 1e-5
        near = [there[id_] for id_ in chroma.nearest(kind, vectors[row], 10) if id_ in there]
        found.append(float((cosines[near] >= least).sum()) / most)
    return float(np.mean(found or [1.0]))


def _keys(index: Index, kind: Kind) -> dict[str, int]:
    """The id of each paper or passage, in order → the key of its text."""
    papers, cuts = ids_of(index.papers), index.cuts
    ids, keys = papers, cuts.paper_keys
    if kind == "passages":
        rows = zip(cuts.owner.tolist(), cuts.spans.tolist(), strict=True)
        ids = [f"{papers[row]}:{start}-{end}" for row, (start, end) in rows]
        keys = cuts.passage_keys
    return dict(zip(ids, (keys >> np.uint64(1)).tolist(), strict=True))


def _listed(collection: "Collection") -> dict[str, int]:
    """The ids on the server, with the keys that it was given."""
    found: dict[str, int] = {}
    for offset in range(0, collection.count(), BATCH):
        page = collection.get(limit=BATCH, offset=offset, include=["metadatas"])
        for id_, metadata in zip(page["ids"], page["metadatas"] or (), strict=True):
            key = metadata.get("key")
            found[id_] = key if isinstance(key, int) else -1
    return found


def _records(index: Index, kind: Kind, rows: Sequence[int]) -> dict[str, Any]:
    cuts, days = index.cuts, Sightings.of(index.papers).earliest
    keys, vectors = cuts.paper_keys, index.paper_vectors
    if kind == "passages":
        keys, vectors = cuts.passage_keys, index.passage_vectors
    records = []
    for row in rows:
        owner = row if kind == "papers" else int(cuts.owner[row])
        paper = index.papers[owner]
        known = {
            "paper": paper.id,
            "title": paper.display_title,
            "key": int(keys[row]) >> 1,
            "year": paper.year or 0,
            "day": int(days[owner]),
        }
        if kind == "papers":
            records.append((paper.id, paper.display_title, known))
        else:
            passage = cuts[row]
            span = {"start": passage.start, "end": passage.end}
            records.append((passage.id, passage.text, known | span))
    columns = map(list, zip(*records, strict=True))
    named = dict(zip(("ids", "documents", "metadatas"), columns, strict=True))
    return {**named, "embeddings": np.asarray(vectors[list(rows)])}
