"""Measure the index at the size of a field and print the figures: `make bench-scale`.

A cheap encoder replaces the real one, so that the figures show everything but encoding. Each part
runs in a new process, so that its memory and start can be measured.
"""

import argparse
import hashlib
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import HashingVectorizer

from eval.datasets import load_beir
from eval.scoring import mean_metrics, query_metrics, ranked
from index import minilm
from index.build import build, remove, resume
from index.encoder import KEPT_TOGETHER, LocalEncoder, Vectors
from index.publish import undo
from index.store import Index
from rag.assistant import Assistant
from rag.retrieval import Probe, encode_candidates, rank

QUESTIONS, KILLS = 30, 30
CORPUS, STORE = "corpus.jsonl", "store"
SLOWLY = "index slowly"  # a part that indexes a file into a store, to be killed, or asked meanwhile


class CheapEncoder:
    """Hashes words into vectors of the bundled encoder's length, in almost no time."""

    name = "cheap"
    weights_hash = hashlib.sha256(b"hashed words").hexdigest()
    dimension = minilm.DIMENSION
    together = KEPT_TOGETHER

    def __init__(self, batch_seconds: float = 0.0) -> None:
        """Pause for so long at each batch, so that a kill meets it encoding."""
        self._pause = batch_seconds
        self._words = HashingVectorizer(
            n_features=self.dimension, analyzer=str.split, alternate_sign=False, dtype=np.float32
        )

    def encode(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> Vectors:
        """Return unit vectors, shape (len(texts), dimension)."""
        time.sleep(self._pause)
        if progress:
            progress(len(texts))
        return np.asarray(self._words.transform(texts).toarray(), dtype=np.float32)

    def encode_query(self, text: str) -> Vectors:
        """Return the unit vector of a text, shape (dimension,)."""
        return np.asarray(self.encode([text])[0], dtype=np.float32)


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _quantiles(seconds: Sequence[float]) -> str:
    median, high = 1000 * np.quantile(seconds, [0.5, 0.95])
    return f"{median:.0f} ms (p95 {high:.0f} ms)"


def _part(beir: Path, folder: Path, part: str) -> list[str]:
    """Return the command that runs a part of this module in a process of its own."""
    return [sys.executable, "-m", "eval.scale", str(beir), "--folder", str(folder), "--part", part]


def measure_index(corpus: Path, store: Path) -> Iterator[str]:
    """Index a corpus: time until it answers, time without encoding, memory, disk."""
    reached: dict[str, float] = {}
    started = time.perf_counter()

    def note(stage: str, done: int, total: int) -> None:
        if stage == "words" or (stage == "embed" and done == total):
            reached[stage] = time.perf_counter() - started

    report = build([corpus], store, CheapEncoder(), progress=note)
    total = time.perf_counter() - started
    encoding = reached["embed"] - reached["words"] if "words" in reached else 0.0
    size = sum(path.stat().st_size for path in store.rglob("*") if path.is_file())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    yield f"papers {report.papers:,}, sentences {report.passages:,}"
    yield f"can be asked after: {reached.get('words', total):.1f} s"
    yield f"everything but encoding: {total - encoding:.1f} s"
    yield f"… per 1,000 abstracts: {1000 * (total - encoding) / report.papers:.2f} s"
    yield f"disk per abstract: {size / report.papers / 1000:.1f} kB; peak memory {peak:,.0f} MB"


def measure_open(_: Path, folder: Path) -> Iterator[str]:
    """Open the index: time, and memory beyond what the process had."""

    def pages() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1])

    before = pages()
    seconds = _timed(lambda: Index.open(folder / STORE))
    size = (pages() - before) * os.sysconf("SC_PAGE_SIZE") / 1e6
    yield f"open: {seconds:.2f} s, {size:.0f} MB"


def measure_asking(beir: Path, folder: Path) -> Iterator[str]:
    """Ask and search a warm index, also with several askers at once."""
    texts = [json.loads(line)["text"] for line in (beir / "queries.jsonl").open()]
    asked = [text for text in texts if len(text) < 4000][: 3 * QUESTIONS]
    encoder = CheapEncoder()
    assistant = Assistant(folder / STORE, encoder)  # type: ignore[arg-type] # an encoder will do
    for text in asked[:3]:
        assistant.ask(text)
    first, second = asked[:QUESTIONS], asked[QUESTIONS : 2 * QUESTIONS]
    yield f"ask, warm: {_quantiles([_timed(partial(assistant.ask, text)) for text in first])}"
    yield f"search: {_quantiles([_timed(partial(assistant.search, text)) for text in second])}"
    rest = asked[2 * QUESTIONS :]
    in_turn = _timed(lambda: [assistant.ask(text) for text in rest])
    with ThreadPoolExecutor(8) as pool:
        together = _timed(lambda: list(pool.map(assistant.ask, [f"{t} " for t in rest])))
    yield f"eight askers ÷ one: {in_turn / together:.2f} × the questions a second"


def measure_changes(beir: Path, folder: Path) -> Iterator[str]:
    """Index the same again, add, remove, undo; and how long askers wait meanwhile."""
    encoder, store, new = CheapEncoder(), folder / STORE, folder / "added.jsonl"
    yield f"unchanged again: {_timed(lambda: build([beir / CORPUS], store, encoder)):.1f} s"
    row = '{{"id": "added{0}", "title": "An added kettle {0}", "abstract": "It has {0} lids."}}\n'
    new.write_text("".join(map(row.format, range(10))))
    assistant = Assistant(store, encoder)  # type: ignore[arg-type] # an encoder will do
    waits: list[float] = []
    added = threading.Event()

    def ask() -> None:
        while not added.is_set():
            waits.append(_timed(lambda: assistant.search("machine translation")))
        # The first search of what was added reads it.
        waits.append(_timed(lambda: assistant.search("An added kettle")))

    asker = threading.Thread(target=ask)
    asker.start()
    seconds = _timed(lambda: subprocess.run(_part(new, store, SLOWLY), check=True))
    added.set()
    asker.join()
    yield f"add 10: {seconds:.1f} s, in a process of its own while it is asked"
    yield f"longest wait of an asker meanwhile: {1000 * max(waits):.0f} ms"
    yield f"remove 1: {_timed(lambda: remove(['added3'], store)):.1f} s"
    yield f"undo: {_timed(lambda: undo(store)):.2f} s"


def measure_kills(beir: Path, folder: Path) -> Iterator[str]:
    """Kill indexing at random moments, and count what is lost."""
    first, rest, store = (folder / name for name in ("first.jsonl", "rest.jsonl", "kills"))
    with (beir / CORPUS).open() as corpus:
        lines = list(islice(corpus, 4000))
    first.write_text("".join(lines[:1000]))
    rest.write_text("".join(lines))
    draw = random.Random(0)  # noqa: S311 - moments, not secrets
    build([first], store, CheapEncoder())
    lost = wasted = 0
    for _ in range(KILLS):
        before = Index.open(store)
        with suppress(subprocess.TimeoutExpired):  # then `run` has killed it
            subprocess.run(_part(rest, store, SLOWLY), check=False, timeout=draw.uniform(1, 12))
        after = Index.open(store)
        lost += len({p.id for p in before.papers} - {p.id for p in after.papers})
        wasted += len(before.log.stored) > len(after.log.stored)
    resume(store, CheapEncoder())
    whole = Index.open(store).is_covered
    yield f"{KILLS} kills: {lost} published papers lost, {wasted} times encoded work lost"
    yield f"afterwards everything is encoded: {'yes' if whole else 'no'}"


def measure_start(beir: Path, folder: Path) -> Iterator[str]:
    """Run the real command and encoder: seconds until it can be asked, and until it answers."""
    store = folder / "real"
    question = "Which papers are about machine translation of low-resource languages?"
    command = [sys.executable, "-m", "ui.cli"]
    started = time.perf_counter()
    indexing = [*command, "index", str(beir / CORPUS), "--store", str(store)]
    process = subprocess.Popen(indexing, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not (store / "CURRENT").exists() and process.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.2)
        yield f"can be asked after: {time.perf_counter() - started:.0f} s"
        ask = [*command, "ask", question, "--store", str(store), "--json"]
        status = json.loads(subprocess.check_output(ask, text=True))["status"]
        yield f"first answer ({status}) after: {time.perf_counter() - started:.0f} s"
    finally:
        process.terminate()  # a process in the background ignores an interrupt
        process.wait()


def measure_words(beir: Path, folder: Path) -> Iterator[str]:
    """Compare nDCG@10 of an index without vectors, by the real encoder, with plain BM25."""
    benchmark, encoder = load_beir(beir), LocalEncoder.open(minilm.NAME)
    index = Index.open(folder / "real")
    everything = np.ones(len(index.papers), dtype=np.bool_)
    runs: dict[str, dict[str, dict[str, float]]] = {"BM25": {}, "nothing encoded": {}}
    for id_, text in benchmark.queries.items():
        probe = Probe.of(text, index, encoder, mended=False)
        words = np.argsort(-index.lexical.scores(probe.tokens), kind="stable")
        encoded = rank(encode_candidates(index, probe, encoder, everything), probe)
        for run, rows in zip(runs.values(), (words, encoded.rows), strict=True):
            run[id_] = ranked((index.papers[int(row)].id, 1.0) for row in rows[:10])
    for name, run in runs.items():
        figure = mean_metrics(query_metrics(benchmark.qrels, run))["nDCG@10"]
        yield f"nDCG@10, {name}: {figure:.3f}"


def _measure_small(beir: Path, folder: Path) -> Iterator[str]:
    small = folder / "small.jsonl"
    with (beir / CORPUS).open() as corpus:
        small.write_text("".join(islice(corpus, 5000)))
    return measure_index(small, folder / "small")


PARTS: dict[str, Callable[[Path, Path], Iterator[str]]] = {
    "5,000 abstracts": _measure_small,
    "the whole corpus": lambda beir, folder: measure_index(beir / CORPUS, folder / STORE),
    "opened": measure_open,
    "asked": measure_asking,
    "changed": measure_changes,
    "killed": measure_kills,
    "real encoder": measure_start,
    "words alone": measure_words,
}
"""What is measured of a BEIR folder in a new folder, in this order."""


def main(arguments: Sequence[str]) -> None:
    """Measure everything, each part in a process of its own; print each line at once."""
    parser = argparse.ArgumentParser(prog="python -m eval.scale", description=__doc__)
    parser.add_argument("beir", type=Path, help="a folder with corpus.jsonl and queries.jsonl")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--part", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.part == SLOWLY:
        build([given.beir], given.folder, CheapEncoder(batch_seconds=0.2))
    elif given.part:
        for line in PARTS[given.part](given.beir, given.folder):
            print(line, flush=True)
    else:
        place = os.environ.get("SCALE_FOLDER")
        with tempfile.TemporaryDirectory(prefix="scale-", dir=place) as folder:
            for part in PARTS:
                print(f"-- {part}", flush=True)
                subprocess.run(_part(given.beir, Path(folder), part), check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
