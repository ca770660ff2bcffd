"""Indexes of benchmarks that are kept between runs: measuring again embeds no text twice."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import platformdirs
from tqdm.auto import tqdm

from index.build import Stage, build_papers
from index.encoder import Encoder
from index.manifest import FORMAT_VERSION
from index.papers import Paper


def benchmark_store(papers: Sequence[Paper], encoder: Encoder) -> Path:
    """Index a benchmark's papers into the user's cache, or find them there.

    Papers and an encoder's weights have one store; indexing it again embeds only what this
    version of AbstractQA reads or cuts otherwise than the version that built it.
    """
    key = hash_of(papers_hash(papers), encoder.weights_hash, str(FORMAT_VERSION))[:16]
    store = platformdirs.user_cache_path("abstractqa") / "eval" / key
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
