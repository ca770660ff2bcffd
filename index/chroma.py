"""Find vectors to compare with a Chroma server; while it does not answer, all are compared."""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property, lru_cache
from pathlib import Path
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
NEAREST: Mapping[Kind, int] = {"papers": 300, "passages": 1000}  # that are compared exactly
BATCH = 1000
TIMEOUT_SECONDS = 10.0
RETRY_SECONDS = 5.0  # a server that did not answer is not asked again for this long
_Ledger = dict[Kind, dict[str, int]]  # the id of each uploaded record, and the key of its text
_LOG = logging.getLogger(__name__)


class Chroma:
    """An index's two collections on a Chroma server; what asks it raises `DatabaseError`."""

    def __init__(self, url: str, token: str | None = None, collection: str = "abstractqa") -> None:
        """Set a server's address, `http://host:8000` or `https://…`, without connecting.

        The token is sent as `x-chroma-token`. The collections are `collection` followed by
        `-papers` and `-passages`. Raises `InputError` for an address that is invalid, or has more
        than scheme, host and port.
        """
        parts = address(url)
        if parts is None:
            raise InputError("ABSTRACTQA_CHROMA_URL is not a valid address: write http://host:8000")
        if parts.username or parts.password or parts.path.strip("/") or parts.query:
            what = "ABSTRACTQA_CHROMA_URL may contain only scheme, host and port"
            raise InputError(f"{what}: put the server's token in ABSTRACTQA_CHROMA_TOKEN")
        self._host, self._ssl = parts.hostname or "", parts.scheme == "https"
        self._port = parts.port or (443 if self._ssl else 8000)
        self.url = f"{parts.scheme}://{parts.netloc}"
        self._token, self._name = token, collection
        self._silent_until = 0.0

    @contextmanager
    def _asking(self) -> Iterator["ClientAPI"]:
        """Yield the client; turn its errors into a `DatabaseError` of one line."""
        # Imported here: it takes a second, and most indexes have no server.
        import httpx
        from chromadb.errors import ChromaError

        try:
            yield self._client
        except (ChromaError, httpx.HTTPError, ValueError, OSError) as error:
            what = f"Chroma at {self.url} did not answer ({first_line(error)})"
            raise DatabaseError(what) from error

    @cached_property
    def _client(self) -> "ClientAPI":
        import chromadb
        import httpx
        from chromadb.config import Settings

        # Chroma's client waits forever; check first whether the server answers.
        httpx.get(f"{self.url}/api/v2/heartbeat", timeout=TIMEOUT_SECONDS)
        headers = {"x-chroma-token": self._token} if self._token else None
        settings = Settings(anonymized_telemetry=False)
        client = chromadb.HttpClient(self._host, self._port, self._ssl, headers, settings)
        session = getattr(getattr(client, "_server", None), "_session", None)
        if isinstance(session, httpx.Client):
            session.timeout = httpx.Timeout(TIMEOUT_SECONDS)
        return client

    def _collection(self, client: "ClientAPI", kind: Kind, store: Path) -> "Collection":
        """Return a store's collection, created if missing; refuse that of another store."""
        owner = hashlib.sha256(str(store.resolve()).encode()).hexdigest()[:16]
        found = client.get_or_create_collection(
            f"{self._name}-{kind}",
            metadata={"store": owner},  # an existing collection keeps its own
            configuration={"hnsw": {"space": "cosine"}},
            embedding_function=None,
        )
        if (found.metadata or {}).get("store") != owner:
            what = f"the collections {self._name!r} at {self.url} belong to another index"
            raise DatabaseError(f"{what}: set ABSTRACTQA_CHROMA_COLLECTION to another name")
        return found

    def _ledger_file(self, store: Path) -> Path:
        place = hashlib.sha256(f"{self.url}\n{self._name}".encode()).hexdigest()[:12]
        return store / f".chroma-{place}.json"

    def _ledger(self, store: Path) -> tuple[_Ledger, str]:
        """Return the uploaded records, and `Manifest.content` of the index that was uploaded."""
        try:
            saved = json.loads(self._ledger_file(store).read_text(encoding="utf-8"))
            return {kind: dict(saved[kind]) for kind in NEAREST}, str(saved["content"])
        except (OSError, ValueError, KeyError, TypeError):
            return {kind: {} for kind in NEAREST}, ""

    def brought(self, store: Path) -> int:
        """Return the time of the last upload, in nanoseconds since 1970; 0 if there was none."""
        with suppress(OSError):
            return self._ledger_file(store).stat().st_mtime_ns
        return 0

    def bring(
        self, index: Index, store: Path, progress: Callable[[int, int], None] = lambda *_: None
    ) -> int:
        """Write new and changed records, delete those that are gone, and return their number."""
        ledger, _ = self._ledger(store)
        changed = 0
        with self._asking() as client:
            for kind in NEAREST:
                collection, held = self._collection(client, kind, store), ledger[kind]
                if collection.count() != len(held):
                    held = _read_keys(collection)
                ledger[kind] = wanted = _keys(index, kind)
                new = [row for row, id_ in enumerate(wanted) if held.get(id_) != wanted[id_]]
                gone = sorted(held.keys() - wanted.keys())
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
        """Check that the server has exactly this index; return False if it does not answer."""
        ledger, content = self._ledger(store)
        if content != index.manifest.content:
            return False
        try:
            with self._asking() as client:
                sizes = [self._collection(client, kind, store).count() for kind in NEAREST]
        except DatabaseError as error:
            _LOG.warning("%s; every vector is compared instead", error)
            return False
        return sizes == [len(ledger[kind]) for kind in NEAREST]

    def count(self) -> int:
        """Return the number of records on the server."""
        with self._asking() as client:
            names = {f"{self._name}-{kind}" for kind in NEAREST}
            return sum(each.count() for each in client.list_collections() if each.name in names)

    def nearest(self, kind: Kind, vector: Floats, count: int) -> list[str]:
        """Return the ids of at most `count` records nearest to a unit vector, best first."""
        with self._asking() as client:
            held = client.get_collection(f"{self._name}-{kind}", embedding_function=None)
            found = held.query(query_embeddings=[vector.tolist()], n_results=count, include=[])
        return found["ids"][0]

    def searching(self, index: Index) -> Index:
        """Return an index that compares only vectors the server finds near, if it answers."""
        papers, sentences = (self._candidates(kind, index) for kind in NEAREST)

        def passages(vector: Floats) -> NDArray[np.int64] | None:
            near, whole = sentences(vector), papers(vector)
            if near is None or whole is None:
                return None
            return np.union1d(near, np.flatnonzero(np.isin(index.owner, whole)))

        return index.searched(papers, passages)

    def _candidates(self, kind: Kind, index: Index) -> Candidates:
        """Return a function that finds the rows near a vector; None while the server fails."""
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
                _LOG.warning("%s; every vector is compared instead", error)
                return None
            rows = [places[id_] for id_ in ids if id_ in places]
            # If there are fewer, the server lost records or has those of another index.
            is_whole = len(rows) >= min(NEAREST[kind], len(places))
            return np.asarray(rows, dtype=np.int64) if is_whole else None

        return candidates


def recall(index: Index, chroma: Chroma, kind: Kind = "passages") -> float:
    """Return the server's recall@10 over 20 vectors; `DatabaseError` if it does not answer."""
    index = index.searched(None, None)
    vectors = index.passage_vectors if kind == "passages" else index.paper_vectors
    row_of = {id_: at for at, id_ in enumerate(_keys(index, kind))}
    most, found = min(10, len(vectors)), []
    for row in sorted({*np.linspace(0, len(vectors) - 1, min(20, len(vectors))).astype(int)}):
        cosines = vectors @ vectors[row]
        # Identical texts are equally near: any of them counts.
        least = np.sort(cosines)[-most] - 1e-5
        near = [row_of[id_] for id_ in chroma.nearest(kind, vectors[row], 10) if id_ in row_of]
        found.append(float((cosines[near] >= least).sum()) / most)
    return float(np.mean(found or [1.0]))


def _keys(index: Index, kind: Kind) -> dict[str, int]:
    """Map the id of each paper or passage, in order, to the upper 63 bits of its text's key."""
    ids, keys, cuts = ids_of(index.papers), index.cuts.paper_keys, index.cuts
    if kind == "passages":
        rows = zip(cuts.owner.tolist(), cuts.spans.tolist(), strict=True)
        ids, keys = [f"{ids[row]}:{first}-{end}" for row, (first, end) in rows], cuts.passage_keys
    return dict(zip(ids, (keys >> np.uint64(1)).tolist(), strict=True))


def _read_keys(collection: "Collection") -> dict[str, int]:
    """Read the ids on the server, and the key stored with each (-1 if it has none)."""
    found: dict[str, int] = {}
    for offset in range(0, collection.count(), BATCH):
        page = collection.get(limit=BATCH, offset=offset, include=["metadatas"])
        for id_, metadata in zip(page["ids"], page["metadatas"] or (), strict=True):
            key = metadata.get("key")
            found[id_] = key if isinstance(key, int) else -1
    return found


def _records(index: Index, kind: Kind, rows: Sequence[int]) -> dict[str, Any]:
    """Return the columns of the records of papers or passages, as Chroma takes them."""
    cuts, days = index.cuts, Sightings.of(index.papers).earliest
    is_paper = kind == "papers"
    keys = cuts.paper_keys if is_paper else cuts.passage_keys
    ids, documents, metadatas = [], [], []
    for row in rows:
        owner = row if is_paper else int(cuts.owner[row])
        paper, passage = index.papers[owner], None if is_paper else cuts[row]
        title, key, day = paper.display_title, int(keys[row]) >> 1, int(days[owner])
        known = {"paper": paper.id, "title": title, "key": key, "year": paper.year or 0, "day": day}
        ids.append(passage.id if passage else paper.id)
        documents.append(passage.text if passage else title)
        metadatas.append(known | ({"start": passage.start, "end": passage.end} if passage else {}))
    vectors = (index.paper_vectors if is_paper else index.passage_vectors)[list(rows)]
    return {"ids": ids, "documents": documents, "metadatas": metadatas, "embeddings": vectors}
