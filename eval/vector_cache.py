"""Vectors and indexes kept between runs: measuring again embeds no text twice, nor does a peer."""

import fcntl
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import platformdirs
from tqdm.auto import tqdm

from index.build import Stage, build_papers
from index.embedding import SentenceEncoder
from index.encoder import Encoder
from index.manifest import FORMAT_VERSION
from index.papers import Paper
from index.vectors import Floats, Log, append_records, text_keys

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

    The vectors of one encoder's weights are a log of texts as a store has them
    (`index.vectors.Log`). Several processes may use it at a time.
    """

    def encode(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> Floats:
        """Encode texts to be indexed; see `LocalEncoder.encode`. New ones are kept."""
        path = cache_folder() / f"vectors-{self.weights_hash[:16]}.f32"
        path.parent.mkdir(parents=True, exist_ok=True)
        keys = text_keys(texts)
        rows = Log.open(path, self.dimension).find(keys)
        new = {int(key): text for key, text, row in zip(keys, texts, rows, strict=True) if row < 0}
        # By length, as the encoder sorts them: chunks of like texts waste little padding.
        order = sorted(new, key=lambda key: -len(new[key]))
        for at in range(0, len(order), _CHUNK):
            chunk = order[at : at + _CHUNK]
            vectors = super().encode([new[key] for key in chunk])
            with path.with_suffix(".lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                append_records(path, self.dimension, np.array(chunk, dtype=np.uint64), vectors)
            if progress:
                progress(len(texts) - len(order) + at + len(chunk))
        return Log.open(path, self.dimension).of(keys)
