"""Vectors and indexes kept between runs: measuring again embeds no text twice, nor does a peer."""

import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import platformdirs
from tqdm.auto import tqdm

from index.build import Stage, build_papers
from index.embedding import SentenceEncoder
from index.encoder import Encoder, Vectors
from index.errors import InputError
from index.manifest import FORMAT_VERSION
from index.papers import Paper

_CHUNK = 512
"""Texts embedded before they are written: what a kill loses at most."""


def cache_folder() -> Path:
    """Where measuring keeps what it can make again: `abstractqa/eval` in the user's cache."""
    return platformdirs.user_cache_path("abstractqa") / "eval"


def benchmark_store(papers: Sequence[Paper], encoder: Encoder) -> Path:
    """Index a benchmark's papers into the user's cache, or find them there.

    Papers and an encoder's weights have one store; indexing it again embeds only what this
    version of AbstractQA reads or cuts otherwise than the version that built it.
    """
    key = hash_of(papers_hash(papers), encoder.weights_hash, str(FORMAT_VERSION))[:16]
    store = cache_folder() / key
    with tqdm(desc="index", unit="text", leave=False, disable=None) as bar:

        def progress(stage: Stage, done: int, total: int) -> None:
            bar.set_description(stage)
            bar.total = total or None
            bar.n = done
            bar.refresh()

        build_papers(papers, store, encoder, progress=progress)
    return store


def papers_hash(papers: Sequence[Paper]) -> str:
    """SHA-256 of the papers' records in their order, hexadecimal."""
    return hash_of(*(paper.model_dump_json() for paper in papers))


def hash_of(*parts: str) -> str:
    """SHA-256 of texts in their order, hexadecimal."""
    return hashlib.sha256("".join(f"{part}\n" for part in parts).encode()).hexdigest()


class CachedEncoder(SentenceEncoder):
    """An encoder that looks a text up before it embeds it.

    The vectors of one encoder's weights are one SQLite file: SHA-256 of the text → float32s.
    Several processes may use it at a time.
    """

    def encode(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> Vectors:
        """Encode texts to be indexed; see `LocalEncoder.encode`. New ones are kept."""
        keys = [hashlib.sha256(text.encode()).digest() for text in texts]
        with self._database() as database:
            known = {key: found for key in keys if (found := _find(database, key))}
            new = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
            # By length, as the encoder sorts them: chunks of like texts waste little padding.
            order = sorted(new, key=lambda key: -len(new[key]))
            for at in range(0, len(order), _CHUNK):
                chunk = order[at : at + _CHUNK]
                rows = super().encode([new[key] for key in chunk])
                kept = {key: row.tobytes() for key, row in zip(chunk, rows, strict=True)}
                known |= kept
                with database:
                    database.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)",
                                         kept.items())  # fmt: skip
                if progress:
                    progress(len(texts) - len(order) + at + len(chunk))
        vectors = [np.frombuffer(known[key], dtype=np.float32) for key in keys]
        return np.array(vectors, dtype=np.float32).reshape(len(texts), self.dimension)

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        path = cache_folder() / f"vectors-{self.weights_hash[:16]}.sqlite"
        path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(path, timeout=60)
        try:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute(
                "CREATE TABLE IF NOT EXISTS vectors (text BLOB PRIMARY KEY, vector BLOB)"
                " WITHOUT ROWID"
            )
            yield database
        except sqlite3.DatabaseError as error:
            raise InputError(
                f"the vectors kept in {path} cannot be read ({error}): delete it"
            ) from error
        finally:
            database.close()


def _find(database: sqlite3.Connection, key: bytes) -> bytes | None:
    row = database.execute("SELECT vector FROM vectors WHERE text = ?", (key,)).fetchone()
    return row[0] if row else None
