"""The next generation of an index, and filling it with vectors: whole papers first, newest first.

Its papers can be asked as soon as their words are counted. Their vectors follow, each batch kept as
it is encoded; then the map is drawn.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np

from index.catalog import Cuts, Sightings, code_hash
from index.collection_map import CollectionMap, carry_on, map_collection
from index.encoder import Encoder
from index.manifest import (
    VECTORS,
    Manifest,
    check_encoder,
    current,
    generation_folder,
    live_papers,
    read_manifest,
)
from index.papers import Paper
from index.publish import (
    Contents,
    new_generation_id,
    write_generation,
    writer_lock,
    writing,
)
from index.store import Index
from index.vectors import BLOCK, Floats, Keys, Log, LogWriter

ASK_BEFORE = 256
"""Texts to encode beyond which the papers can be asked before they are encoded."""
LEAST_TO_COMPACT = 10_000
"""Vectors from which a file is written anew when most of them are of texts that are gone."""

Stage = Literal["read", "words", "embed", "map", "chroma"]
Progress = Callable[[Stage, int, int], None]
"""Called with a stage, how much of it is done, and its total (0 while that is not known)."""


def counter(progress: Progress | None, stage: Stage) -> Callable[[int, int], None]:
    """`progress` for one stage, or nothing."""

    def count(done: int, total: int) -> None:
        if progress:
            progress(stage, done, total)

    return count


def advance(
    store: Path,
    old: Manifest | None,
    stored: Sequence[Paper],
    papers: Sequence[Paper],
    encoder: Encoder,
    update: Mapping[str, object],
    *,
    is_the_same: bool,
    progress: Progress | None,
) -> tuple[Manifest, int]:
    """Publish the papers of a run, encode what has no vector, and publish them with their map.

    Returns:
        The live manifest, and how many texts were encoded.
    """
    live = Index.open(store) if old else None
    if live and is_the_same and live.manifest.code == code_hash() and live.is_finished:
        return live.manifest, 0
    contents = Contents.of(papers, live, stored)
    manifest = next_manifest(live, contents, encoder, update)
    if live and is_the_same:  # a run that goes on with another can be undone with it
        manifest = manifest.model_copy(update={"previous": live.manifest.previous})
    with writing(store):
        (store / VECTORS).mkdir(exist_ok=True)
        vectors = f"{VECTORS}/{manifest.generation}.bin"
        if live is None or compact(live, contents.cuts, store / vectors):
            manifest = manifest.model_copy(update={"vectors": vectors, "checksums": ()})
    path = store / manifest.vectors
    missing = missing_keys(papers, contents.cuts, Log.open(path, manifest.dimension))
    if len(missing) > ASK_BEFORE:
        manifest = write_generation(store, manifest, contents, None)
        counter(progress, "words")(len(papers), len(papers))
        manifest = manifest.model_copy(update={"generation": new_generation_id(), "files": {}})
    with writing(store):
        encode_missing(contents, missing, path, encoder, counter(progress, "embed"))
    map_ = live.map if live and live.manifest.content == manifest.content else None
    if map_ is None:
        log = Log.open(path, manifest.dimension)
        vectors_of = log.take(log.find(contents.cuts.paper_keys))
        map_ = draw(live, papers, vectors_of, counter(progress, "map"))
    return write_generation(store, manifest, contents, map_), len(missing)


def draw(
    live: Index | None,
    papers: Sequence[Paper],
    vectors: Floats,
    count: Callable[[int, int], None],
) -> CollectionMap:
    """The map of papers, shape of their vectors (P, d), gone on with where little changed."""
    count(0, len(papers))
    map_ = carry_on(live.map if live else None, papers, vectors)
    map_ = map_ or map_collection(papers, vectors)
    count(len(papers), len(papers))
    return map_


def next_manifest(
    live: Index | None, contents: Contents, encoder: Encoder | None, update: Mapping[str, object]
) -> Manifest:
    """The manifest of the generation after the live one, whose vectors it goes on using."""
    known: dict[str, object] = {}
    if live:
        known = dict(live.manifest)
    elif encoder:
        known = {
            "encoder": encoder.name,
            "weights_hash": encoder.weights_hash,
            "dimension": encoder.dimension,
        }
    return Manifest.model_validate(
        {
            **known,
            "generation": new_generation_id(),
            "previous": live.manifest.generation if live else None,
            "created": datetime.now(UTC),
            "papers": len(contents.papers),
            "passages": len(contents.cuts.owner),
            "content": contents.content,
            "code": code_hash(),
            "files": {},
            **update,
        }
    )


def missing_keys(papers: Sequence[Paper], cuts: Cuts, log: Log) -> Keys:
    """The keys of texts without a vector, each once, in the order in which they are encoded."""
    newest = np.argsort(-Sightings.of(papers).earliest, kind="stable")
    place = np.empty(len(newest), dtype=np.int64)
    place[newest] = np.arange(len(newest))
    passages = np.argsort(place[cuts.owner], kind="stable")
    keys = np.concatenate([cuts.paper_keys[newest], cuts.passage_keys[passages]])
    missing = keys[log.find(keys) < 0]
    _, first = np.unique(missing, return_index=True)
    return missing[np.sort(first)]


def encode_missing(
    contents: Contents,
    missing: Keys,
    path: Path,
    encoder: Encoder,
    progress: Callable[[int, int], None],
) -> None:
    """Encode texts into a file of vectors, each batch kept as soon as it is done."""
    if not len(missing):
        return
    total = len(missing)
    progress(0, total)
    places = contents.cuts.places(missing)
    with LogWriter(path, encoder.dimension) as log:
        for at in range(0, total, encoder.together):
            some = slice(at, at + encoder.together)
            texts = contents.cuts.texts_at(places[some], contents.papers)
            log.append(missing[some], encoder.encode(texts, progress=_from(at, total, progress)))


def fill(store: Path, encoder: Encoder, progress: Callable[[int, int], None]) -> int:
    """Encode what the live generation lacks, whoever changes it meanwhile.

    Returns:
        How many texts were encoded.
    """
    manifest, _ = live_papers(store)
    if manifest is None:
        return 0
    check_encoder(manifest, encoder)
    done = 0
    while True:
        index = Index.open(store)
        if index.cuts is None or index.log is None:
            return done
        missing = missing_keys(index.papers, index.cuts, index.log)
        if not len(missing):
            return done
        places, start, total = index.cuts.places(missing), done, done + len(missing)
        progress(done, total)
        while done < total:
            some = slice(done - start, done - start + encoder.together)
            texts = index.cuts.texts_at(places[some], index.papers)
            vectors = encoder.encode(texts, progress=_from(done, total, progress))
            done += len(vectors)
            if _append(store, index, missing[some], vectors) != index.manifest.generation:
                break  # somebody has changed it: look again what is missing


def _append(store: Path, index: Index, keys: Keys, vectors: Floats) -> str:
    """Keep vectors of an index, where its file is still the live one's; the live generation."""
    with writer_lock(store, patient=True), writing(store):
        if (generation := current(store)) is None:
            return ""
        live = read_manifest(generation_folder(store, generation), store)
        if index.log and store / live.vectors == index.log.path:
            with LogWriter(index.log.path, index.log.dimension) as log:
                log.append(keys, vectors)
        return generation


def _from(at: int, total: int, progress: Callable[[int, int], None]) -> Callable[[int], None]:
    """`progress` of a part that begins at a place of the whole."""
    return lambda done: progress(at + done, total)


def compact(live: Index, cuts: Cuts, path: Path) -> bool:
    """Write the vectors that an index and the next one need into a file, if most are not needed.

    Returns:
        Whether they were written.
    """
    log, parts = live.log, (cuts, live.cuts)
    if log is None:
        return False
    keys = [part for each in parts if each for part in (each.paper_keys, each.passage_keys)]
    needed = np.unique(np.concatenate(keys))
    rows = log.find(needed)
    needed, rows = needed[rows >= 0], rows[rows >= 0]
    if len(log.stored) < max(LEAST_TO_COMPACT, 2 * len(needed)):
        return False
    with LogWriter(path, log.dimension) as written:
        for at in range(0, len(rows), BLOCK):
            some = slice(at, at + BLOCK)
            written.append(needed[some], log.take(rows[some]))
    return True
