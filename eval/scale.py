"""How the index behaves at the size of a field: `make bench-scale` prints what is measured here.

A cheap encoder stands for the real one, so that everything but encoding shows. Each figure that
counts memory or a start comes from a process of its own.
"""

import argparse
import hashlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import HashingVectorizer

from index.build import build, remove
from index.encoder import KEPT_TOGETHER, Vectors
from index.store import Index
from rag.assistant import Assistant

QUESTIONS = 30


class CheapEncoder:
    """Words hashed into vectors as long as the bundled encoder's, made in no time."""

    name = "cheap"
    weights_hash = hashlib.sha256(b"hashed words").hexdigest()
    dimension = 384
    together = KEPT_TOGETHER

    def __init__(self) -> None:
        """Make the table of words."""
        self._words = HashingVectorizer(
            n_features=self.dimension, analyzer=str.split, alternate_sign=False, dtype=np.float32
        )

    def encode(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> Vectors:
        """Unit vectors, shape (len(texts), 384)."""
        if progress:
            progress(len(texts))
        return np.asarray(self._words.transform(texts).toarray(), dtype=np.float32)

    def encode_query(self, text: str) -> Vectors:
        """The unit vector of a text, shape (384,)."""
        return np.asarray(self.encode([text])[0], dtype=np.float32)


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _quartiles(seconds: Sequence[float]) -> str:
    high = float(np.quantile(seconds, 0.95))
    return f"{1000 * statistics.median(seconds):.0f} ms (p95 {1000 * high:.0f} ms)"


def _command(*arguments: object) -> list[str]:
    """A part of this module in a process of its own."""
    return [sys.executable, "-m", "eval.scale", *map(str, arguments)]


def measure_index(corpus: Path, store: Path) -> Iterator[str]:
    """Index a corpus: time until it can be asked, time besides encoding, memory, disk."""
    reached: dict[str, float] = {}
    started = time.perf_counter()

    def note(stage: str, done: int, total: int) -> None:
        if stage == "words" or (stage == "embed" and done == total):
            reached[stage] = time.perf_counter() - started

    report = build([corpus], store, CheapEncoder(), progress=note)
    total = time.perf_counter() - started
    encoding = max(0.0, reached.get("embed", 0.0) - reached.get("words", 0.0))
    size = sum(path.stat().st_size for path in store.rglob("*") if path.is_file())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    yield f"papers {report.papers:,}, sentences {report.passages:,}"
    yield f"can be asked after: {reached.get('words', total):.1f} s"
    yield f"everything but encoding: {total - encoding:.1f} s"
    yield f"disk per abstract: {size / report.papers / 1000:.1f} kB; peak memory {peak:,.0f} MB"


def measure_asking(store: Path, queries: Path) -> Iterator[str]:
    """Open the index, ask and search, warm."""
    yield f"open: {_timed(lambda: Index.open(store)):.2f} s"
    texts = [json.loads(line)["text"] for line in queries.read_text().splitlines()]
    asked = [text for text in texts if len(text) < 4000][: 2 * QUESTIONS]
    assistant = Assistant(store, CheapEncoder())  # type: ignore[arg-type] # an encoder will do
    for text in asked[:3]:
        assistant.ask(text)
    first, second = asked[:QUESTIONS], asked[QUESTIONS:]
    yield f"ask, warm: {_quartiles([_timed(partial(assistant.ask, text)) for text in first])}"
    yield f"search: {_quartiles([_timed(partial(assistant.search, text)) for text in second])}"


def measure_changes(store: Path, corpus: Path) -> Iterator[str]:
    """Index the same again, add ten papers, remove one."""
    encoder = CheapEncoder()
    yield f"unchanged again: {_timed(lambda: build([corpus], store, encoder)):.1f} s"
    new = store.parent / "added.jsonl"
    row = '{{"id": "added{0}", "title": "An added kettle {0}", "abstract": "It has {0} lids."}}\n'
    new.write_text("".join(map(row.format, range(10))))
    yield f"add 10: {_timed(lambda: build([new], store, encoder)):.1f} s"
    yield f"remove 1: {_timed(lambda: remove(['added3'], store)):.1f} s"


MEASURES: dict[str, Callable[[Path, Path], Iterator[str]]] = {
    "index": measure_index,
    "asking": measure_asking,
    "changes": measure_changes,
}


def main(arguments: Sequence[str]) -> None:
    """One measure with its arguments, or all over a BEIR folder, each in a process of its own."""
    if arguments and arguments[0] in MEASURES:
        for line in MEASURES[arguments[0]](*map(Path, arguments[1:])):
            print(line, flush=True)
        return
    parser = argparse.ArgumentParser(prog="python -m eval.scale", description=__doc__)
    parser.add_argument("beir", type=Path, help="a folder with corpus.jsonl and queries.jsonl")
    beir = parser.parse_args(arguments).beir
    corpus, queries = beir / "corpus.jsonl", beir / "queries.jsonl"
    with tempfile.TemporaryDirectory(prefix="scale-", dir=os.environ.get("SCALE_FOLDER")) as folder:
        store = Path(folder) / "store"
        for measure in (
            ("index", corpus, store),
            ("asking", store, queries),
            ("changes", store, corpus),
        ):
            subprocess.run(_command(*measure), check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
