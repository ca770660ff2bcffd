"""The next generation: papers that can be asked as soon as their words are counted, then vectors.

Vectors follow, whole papers first, the newest before all, each batch kept as it is encoded; then
the map is drawn. What the live generation has is carried over.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from index.catalog import Papers, Passages, Sightings, code_hash
from index.collection_map import Layout, carry_on, map_collection
from index.encoder import Encoder
from index.lexical import LexicalIndex
from index.manifest import (
    VECTORS,
    Manifest,
    check_encoder,
    current,
    read_manifest,
)
from index.names import Names
from index.papers import Paper
from index.postings import Rows
from index.publish import new_generation_id, write_generation, writer_lock, writing
from index.store import Index
from index.vectors import BLOCK, Floats, Keys, Log, append_records

Stage = Literal["read", "words", "embed", "map", "chroma"]
Progress = Callable[[Stage, int, int], None]
"""Called with a stage, how much of it is done, and its total (0 while that is not known)."""

ASK_BEFORE = 256
"""Texts to encode beyond which the papers can be asked before they are encoded."""
LEAST_TO_COMPACT = 10_000
"""Vectors from which a file is written anew when most of them are of texts that are gone."""
MANY = 5000
"""New papers whose names are gathered in a process of its own."""


def counter(progress: Progress | None, stage: Stage) -> Callable[[int, int], None]:
    """`progress` for one stage, or nothing."""
    return partial(progress, stage) if progress else lambda *_: None


@dataclass(frozen=True, eq=False)
class Contents:
    """All that is known of P papers without their vectors."""

    papers: Papers
    rows: Rows
    """The row in the live generation of each with the same title and abstract, else -1."""
    passages: Passages
    lexical: LexicalIndex
    names: Names

    def save(self, folder: Path) -> None:
        """Write into a generation's folder."""
        for part in (self.papers, self.passages, self.lexical, self.names):
            part.save(folder)


def next_contents(
    live: Index | None, before: Mapping[str, Paper], after: Mapping[str, Paper]
) -> Contents:
    """Cut and count the papers after a change of the live generation, `before` being now `after`.

    What the live generation has of the others is taken from there, unless another version of the
    program made it.
    """
    is_ours = live is not None and live.manifest.code == code_hash()
    stored = live.papers if live and isinstance(live.papers, Papers) else Papers()
    papers = stored.changed(before, after, anew=not is_ours)
    rows = np.asarray([stored.rows.get(id_, -1) for id_ in papers.ids], dtype=np.int64)
    for row, id_ in enumerate(papers.ids):
        was, new = before.get(id_), after.get(id_)
        if new and not (was and (was.title, was.abstract) == (new.title, new.abstract)):
            rows[row] = -1
    old, there = (live, rows) if live and is_ours else (None, np.full(len(papers), -1))
    count = int((there < 0).sum())
    with _named_beside(papers if count > max(MANY, len(papers) // 2) else None) as named:
        lexical = LexicalIndex.build(papers, old.lexical if old else None, there)
        passages = Passages.of(papers, old.cuts if old else None, there)
        names = named() or Names.build(papers, old.names if old else None, there)
    return Contents(papers, rows, passages, lexical, names)


@contextmanager
def _named_beside(papers: Papers | None) -> Iterator[Callable[[], Names | None]]:
    """Gather the names of papers in a process of its own, which takes as long as all else.

    Yields:
        What waits for them; None where there are no papers, or where the process failed.
    """
    if papers is None:
        yield lambda: None
        return
    with tempfile.TemporaryDirectory(prefix="abstractqa-") as scratch:
        folder = Path(scratch)
        papers.save(folder)
        path = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
        process = subprocess.Popen(  # noqa: S603 - this program
            [sys.executable, "-m", "index.names", scratch],
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield lambda: Names.load(folder) if process.wait() == 0 else None
        finally:
            process.kill()
            process.wait()


def publish_next(
    store: Path,
    live: Index | None,
    contents: Contents,
    update: Mapping[str, Any],
    encoder: Encoder | None,
    progress: Progress | None,
) -> tuple[Manifest, int]:
    """Publish papers, encode what has no vector (if there is an encoder), publish with the map.

    The caller holds the store's lock. `update` are more fields of the manifest.

    Returns:
        The live manifest, and how many texts were encoded.
    """
    papers, passages = contents.papers, contents.passages
    manifest = _next_manifest(store, live, contents, encoder, update)
    path = store / manifest.vectors
    missing = _missing(papers, passages, Log.open(path, manifest.dimension))
    if len(missing) and (encoder is None or len(missing) > ASK_BEFORE):
        manifest = write_generation(store, manifest, contents.save)
        counter(progress, "words")(len(papers), len(papers))
        if encoder is None:
            return manifest, 0
        manifest = manifest.model_copy(update={"generation": new_generation_id(), "files": {}})
    if encoder and len(missing):
        count = counter(progress, "embed")
        with writing(store):
            for keys, batch in _encoded(papers, passages, missing, encoder, count):
                append_records(path, manifest.dimension, keys, batch)
    layout = live.layout if live and live.manifest.content == manifest.content else None
    if layout is None:
        whole = Log.open(path, manifest.dimension).of(passages.paper_keys)
        layout = _next_layout(live, contents, whole, counter(progress, "map"))

    def save(folder: Path) -> None:
        contents.save(folder)
        layout.save(folder)

    return write_generation(store, manifest, save), len(missing)


def _next_layout(
    live: Index | None, contents: Contents, whole: Floats, count: Callable[[int, int], None]
) -> Layout:
    """The map by the vectors of whole papers; gone on with where little changed."""
    papers = contents.papers
    count(0, len(papers))
    layout = carry_on(live.layout, contents.rows, whole) if live and live.layout else None
    layout = layout or map_collection(papers, whole)
    count(len(papers), len(papers))
    return layout


def _next_manifest(
    store: Path,
    live: Index | None,
    contents: Contents,
    encoder: Encoder | None,
    update: Mapping[str, Any],
) -> Manifest:
    """The manifest of the next generation; its file of vectors is the live one's, or a new one."""
    known: dict[str, Any] = {}
    generation = new_generation_id()
    vectors = f"{VECTORS}/{generation}.bin"
    with writing(store):
        (store / VECTORS).mkdir(exist_ok=True)
        if live is None or _compact(live, contents.passages, store / vectors):
            known = {"vectors": vectors, "checksums": ()}
    if live:
        known = dict(live.manifest) | known
    elif encoder:
        names = ("weights_hash", "dimension")
        known |= {"encoder": encoder.name, **{name: getattr(encoder, name) for name in names}}
    known |= {
        "generation": generation,
        "previous": live.manifest.generation if live else None,
        "created": datetime.now(UTC),
        "papers": len(contents.papers),
        "passages": len(contents.passages),
        "content": contents.passages.content,
        "code": code_hash(),
        "files": {},
    }
    return Manifest.model_validate({**known, **update})


def _compact(live: Index, passages: Passages, path: Path) -> bool:
    """Write the vectors that an index and the next one need into a file, if most are not needed.

    Returns:
        Whether they were written.
    """
    if len(live.log.stored) < max(LEAST_TO_COMPACT, 2 * len(passages.keys)):
        return False
    needed = np.unique(np.concatenate([passages.keys, live.cuts.keys]))
    rows = live.log.find(needed)
    needed, rows = needed[rows >= 0], rows[rows >= 0]
    if len(live.log.stored) < 2 * len(needed):
        return False
    for at in range(0, len(rows), BLOCK):
        some = slice(at, at + BLOCK)
        append_records(path, live.log.dimension, needed[some], live.log.take(rows[some]))
    return True


def _missing(papers: Sequence[Paper], passages: Passages, log: Log) -> Rows:
    """The places in `passages.keys` of texts without a vector, each text once, in their order."""
    newest = np.argsort(-Sightings.of(papers).earliest, kind="stable")
    later = np.argsort(np.argsort(newest)[passages.owner], kind="stable") + len(newest)
    places: Rows = np.concatenate([newest, later])
    places = places[log.find(passages.keys)[places] < 0]
    return places[np.sort(np.unique(passages.keys[places], return_index=True)[1])]


def _encoded(
    papers: Sequence[Paper],
    passages: Passages,
    missing: Rows,
    encoder: Encoder,
    progress: Callable[[int, int], None],
) -> Iterator[tuple[Keys, Floats]]:
    """The vectors of texts that have none, batch by batch, and their keys."""
    keys, total = passages.keys[missing], len(missing)
    progress(0, total)
    for at in range(0, total, encoder.together):
        some = slice(at, at + encoder.together)
        count = partial(lambda at, done: progress(at + done, total), at)
        texts = passages.texts_at(missing[some], papers)
        yield keys[some], encoder.encode(texts, progress=count)


def fill(store: Path, encoder: Encoder, progress: Callable[[int, int], None]) -> int:
    """Encode what the live generation lacks, whoever changes it meanwhile.

    The store is held only while a batch is written.

    Returns:
        How many texts were encoded.
    """
    done = 0
    while True:
        index = Index.open(store)
        check_encoder(index.manifest, encoder)
        missing = _missing(index.papers, index.cuts, index.log)
        if not len(missing):
            return done
        count = partial(lambda before, n, of: progress(before + n, before + of), done)
        for keys, vectors in _encoded(index.papers, index.cuts, missing, encoder, count):
            done += len(keys)
            if _append(store, index.log, keys, vectors) != index.manifest.generation:
                break  # somebody has changed it: look again what is missing


def _append(store: Path, log: Log, keys: Keys, vectors: Floats) -> str:
    """Keep vectors where their file is still the live generation's, whose id is returned."""
    with writer_lock(store, patient=True), writing(store):
        if (generation := current(store)) is None:
            return ""
        live = read_manifest(store, generation)
        if store / live.vectors == log.path:
            append_records(log.path, log.dimension, keys, vectors)
        return generation
