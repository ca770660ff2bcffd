"""From files to a published index: read, compare with what is there, cut what is new, publish.

Papers can be asked as soon as their words are counted. Their vectors follow, whole papers first,
the newest before all, each batch kept as it is encoded; then the map is drawn.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from rapidfuzz import fuzz, process
from rapidfuzz.utils import default_process

from index import collection_map
from index.catalog import Cuts, NextPapers, Papers, Sightings, code_hash, ids_of
from index.collection_map import Layout, carry_on, map_collection
from index.encoder import Encoder
from index.errors import InputError
from index.manifest import (
    VECTORS,
    Manifest,
    check_encoder,
    check_files,
    check_is_store,
    current,
    generation_folder,
    no_index,
    read_manifest,
)
from index.papers import Paper, letters
from index.plan import Batch, Options, Outcome, PastRun, plan_run, read_batch, run_key
from index.publish import (
    Contents,
    new_generation_id,
    prune,
    write_generation,
    writer_lock,
    writing,
)
from index.readers import Upload
from index.store import Index
from index.vectors import BLOCK, Floats, Keys, Log, append_records

Stage = Literal["read", "words", "embed", "map", "chroma"]
Progress = Callable[[Stage, int, int], None]
"""Called with a stage, how much of it is done, and its total (0 while that is not known)."""

ASK_BEFORE = 256
"""Texts to encode beyond which the papers can be asked before they are encoded."""
LEAST_TO_COMPACT = 10_000
"""Vectors from which a file is written anew when most of them are of texts that are gone."""
_RUNS = 8
"""Runs that are remembered: one of the same files that would change nothing need not read them."""


@dataclass(frozen=True, kw_only=True)
class BuildReport(Outcome):
    """What a run of indexing did."""

    passages: int
    """Sentence passages in the index now."""
    embedded: int
    """Texts given to the encoder."""
    seconds: float
    generation: str
    """The live generation: a new one, or the old one if nothing changed."""
    previous: str | None
    """The generation that was live before the run; None if there was none."""
    removed: int = 0
    """Papers that were in the index before, and that none of its files names any more."""


@dataclass(frozen=True, slots=True)
class RemovalReport:
    """What was removed, and what is left."""

    removed: tuple[Paper, ...]
    papers: int
    """Papers in the index now."""
    passages: int
    """Sentence passages in the index now."""
    generation: str
    """The live generation, a new one."""
    previous: str
    """The generation before it, which still has the papers."""


def build(
    paths: Sequence[Path | Upload],
    store: Path,
    encoder: Encoder,
    *,
    format: str = "auto",  # noqa: A002 - the name of the command's option
    year: int | None = None,
    columns: Mapping[str, str] | None = None,
    merge: bool = True,
    progress: Progress | None = None,
) -> BuildReport:
    """Index the papers of files, folders and uploads into `store`, beside those already there.

    `index.plan.plan_run` says what becomes of papers that are there already, and
    `index.plan.preview` tells it beforehand. Files that were read so before are not read again
    where nothing has changed since.

    `paths` are files, uploads, or folders whose readable files are taken; `store` is made if
    missing; `encoder` must be the one the index was built with. The other options are those of
    `index.plan.Options`; `progress` is told how far each stage is.

    Raises:
        InputError: a path or format cannot be used, or no paper was found.
        EncoderError: the encoder fails, or is not the index's.
        StoreBusyError: another process is writing.
        StoreError: the store is damaged or cannot be written.
    """
    started = time.monotonic()
    options = Options(format, year, columns, merge)
    check_is_store(store)
    if store.is_dir():
        with writer_lock(store):  # a busy store is refused before the files are read
            pass
    key = run_key(paths, store, options)
    if report := _unchanged(store, encoder, key, started):
        return report
    batch = read_batch(paths, store, options, counter(progress, "read"))
    if key != run_key(paths, store, options):
        key = ""  # a file has changed meanwhile
    return _build(batch, store, encoder, key, started, merge=merge, progress=progress)


def build_papers(
    papers: Iterable[Paper],
    store: Path,
    encoder: Encoder,
    *,
    merge: bool = True,
    progress: Progress | None = None,
) -> BuildReport:
    """Index `papers` into `store`, in the order in which they were found; see `build`.

    A run that is stopped loses one batch of vectors: the next one, or `resume`, goes on. No text
    is encoded twice. If nothing changed, nothing is written.
    """
    batch, started = Batch(list(papers)), time.monotonic()
    return _build(batch, store, encoder, "", started, merge=merge, progress=progress)


def counter(progress: Progress | None, stage: Stage) -> Callable[[int, int], None]:
    """`progress` for one stage, or nothing."""

    def count(done: int, total: int) -> None:
        if progress:
            progress(stage, done, total)

    return count


def _unchanged(store: Path, encoder: Encoder, key: str, started: float) -> BuildReport | None:
    """The report of a run that was done before and would change nothing; None of any other."""
    live = current(store)
    if live is None:
        return None
    folder = generation_folder(store, live)
    manifest = read_manifest(folder, store)
    past = manifest.runs.get(key)
    is_finished = manifest.code == code_hash() and collection_map.FILE_NAME in manifest.files
    if past is None or not is_finished:
        return None
    check_encoder(manifest, encoder)
    check_files(folder, manifest, store)
    outcome = replace(PastRun.model_validate(past).outcome, papers=manifest.papers)
    return _report(outcome, manifest, 0, started, live)


def _build(
    batch: Batch,
    store: Path,
    encoder: Encoder,
    key: str,
    started: float,
    *,
    merge: bool,
    progress: Progress | None,
) -> BuildReport:
    """Index what was read; `key` tells the run, if it can be told."""
    with writer_lock(store):
        live = Index.open(store) if current(store) else None
        old = live.manifest if live else None
        if old:
            check_encoder(old, encoder)
        with writing(store):
            prune(store, {old.generation, old.previous} if old else set())
        origins = old.origins if old else {}
        plan = plan_run(batch, live.papers if live else (), origins, merge=merge)
        outcome = plan.outcome(batch)
        runs = _runs(old, plan.changed_sources, key, PastRun.of(plan, outcome))
        if not merge:  # what it kept apart, an earlier run would merge
            runs = {}
        is_the_same = bool(old and plan.after == plan.before and old.origins == plan.origins)
        papers = next_papers(live, plan.before, plan.after)
        update = {"origins": plan.origins, "runs": runs}
        manifest, encoded = _advance(
            store, live, papers, encoder, update, is_the_same=is_the_same, progress=progress
        )
    previous = old.generation if old else None
    return _report(outcome, manifest, encoded, started, previous, len(plan.removed))


def next_papers(
    live: Index | None, before: Mapping[str, Paper], after: Mapping[str, Paper]
) -> Sequence[Paper]:
    """The papers of the next generation, those of `before` being those of `after`, by their ids."""
    if live and isinstance(live.papers, Papers):
        return NextPapers(live.papers, before, after)
    return [after[id_] for id_ in sorted(after)]


def _report(
    outcome: Outcome,
    manifest: Manifest,
    embedded: int,
    started: float,
    previous: str | None,
    removed: int = 0,
) -> BuildReport:
    return BuildReport(
        **vars(outcome),
        passages=manifest.passages,
        embedded=embedded,
        seconds=time.monotonic() - started,
        generation=manifest.generation,
        previous=previous,
        removed=removed,
    )


def _runs(
    old: Manifest | None, changed: set[str], key: str, past: PastRun | None
) -> dict[str, dict[str, Any]]:
    """The runs that would change nothing once the papers of the `changed` sources are others."""
    runs = {} if old is None else old.runs
    kept = {k: run for k, run in runs.items() if k != key and changed.isdisjoint(run["sources"])}
    if key and past:
        kept[key] = past.model_dump(mode="json")
    return dict(list(kept.items())[-_RUNS:])


def resume(store: Path, encoder: Encoder, *, progress: Progress | None = None) -> BuildReport:
    """Encode what an index still lacks.

    The store is held only while a batch is written, so that papers can be added meanwhile.

    Raises:
        EncoderError: the encoder fails, or is not the index's.
        StoreBusyError: another process is writing.
        StoreError: there is no index, it is damaged or cannot be written.
    """
    started = time.monotonic()
    check_is_store(store)
    if (before := current(store)) is None:
        raise no_index(store)
    encoded = _fill(store, encoder, counter(progress, "embed"))
    with writer_lock(store, patient=True):
        live = Index.open(store)
        check_encoder(live.manifest, encoder)
        manifest, more = _advance(
            store, live, next_papers(live, {}, {}), encoder, {}, is_the_same=True, progress=progress
        )
    count = manifest.papers
    outcome = Outcome(new=0, unchanged=count, updated=0, duplicate=0, papers=count)
    return _report(outcome, manifest, encoded + more, started, before)


def remove(ids: Sequence[str], store: Path, *, progress: Progress | None = None) -> RemovalReport:
    """Publish the index without the papers of these ids; `index.publish.undo` puts them back.

    Nothing is embedded. A removed paper comes back when a file that names it is indexed again.

    Raises:
        InputError: no id is given, one is not in the index, or no paper would be left.
        StoreBusyError: another process is writing.
        StoreError: there is no index, it is damaged, or cannot be written.
    """
    if not ids:
        raise InputError("nothing to remove: name a paper by its id")
    check_is_store(store)
    if current(store) is None:
        raise no_index(store)
    with writer_lock(store):
        live = Index.open(store)
        removed = _named(set(ids), live.papers)
        if len(removed) == len(live.papers):
            raise InputError(
                "that would remove every paper: index others first, or delete the folder"
                f" {store} to start anew"
            )
        papers = next_papers(live, {paper.id: paper for paper in removed}, {})
        named = Sightings.of(papers).names()
        lost = {source.name for paper in removed for source in paper.sources}
        origins = {name: o for name, o in live.manifest.origins.items() if name in named}
        update = {"origins": origins, "runs": _runs(live.manifest, lost, "", None)}
        manifest, _ = _advance(
            store, live, papers, None, update, is_the_same=False, progress=progress
        )
    return RemovalReport(
        removed=removed,
        papers=manifest.papers,
        passages=manifest.passages,
        generation=manifest.generation,
        previous=live.manifest.generation,
    )


def _named(ids: set[str], papers: Sequence[Paper]) -> tuple[Paper, ...]:
    rows = {id_: row for row, id_ in enumerate(ids_of(papers))}
    if unknown := ids - rows.keys():
        raise InputError(f"no paper {min(unknown)!r} in the index: give an id that is in it")
    return tuple(papers[row] for row in sorted(rows[id_] for id_ in ids))


def find_ids(names: Sequence[str], papers: Iterable[Paper]) -> tuple[str, ...]:
    """The id of each paper that is named by its id or its title, case and LaTeX ignored.

    Raises:
        InputError: a name is no paper's, or that of several; the message says which are near.
    """
    known = list(papers)
    ids = {paper.id for paper in known}
    return tuple(name if name in ids else _find_id(name, known) for name in names)


def _find_id(title: str, papers: Sequence[Paper]) -> str:
    key = letters(title)
    named = [paper.id for paper in papers if key and letters(paper.title) == key]
    if len(named) == 1:
        return named[0]
    if named:
        ids = ", ".join(named)
        raise InputError(f"{len(named)} papers have the title {title!r}: give an id ({ids})")
    titles = [paper.display_title for paper in papers]
    near = process.extract(
        title, titles, scorer=fuzz.WRatio, processor=default_process, limit=3, score_cutoff=50
    )
    nearest = "; ".join(f"{found!r}" for found, *_ in near)
    hint = f"the nearest titles are {nearest}" if near else "give a title or an id that is in it"
    raise InputError(f"no paper {title!r} in the index: {hint}")


def _advance(
    store: Path,
    live: Index | None,
    papers: Sequence[Paper],
    encoder: Encoder | None,
    update: Mapping[str, object],
    *,
    is_the_same: bool,
    progress: Progress | None,
) -> tuple[Manifest, int]:
    """Publish the papers of a run, encode what has no vector, and publish them with their map.

    Without an encoder nothing is encoded.

    Returns:
        The live manifest, and how many texts were encoded.
    """
    if live and is_the_same and live.manifest.code == code_hash() and live.is_finished:
        return live.manifest, 0
    contents = Contents.of(papers, live)
    manifest = _next_manifest(live, contents, encoder, update)
    if live and is_the_same:  # a run that goes on with another can be undone with it
        manifest = manifest.model_copy(update={"previous": live.manifest.previous})
    manifest = _with_vectors(store, live, manifest, contents.cuts)
    path = store / manifest.vectors
    missing = _missing_keys(papers, contents.cuts, Log.open(path, manifest.dimension))
    if len(missing) and (encoder is None or len(missing) > ASK_BEFORE):
        manifest = write_generation(store, manifest, contents, None)
        counter(progress, "words")(len(papers), len(papers))
        if encoder is None:
            return manifest, 0
        manifest = manifest.model_copy(update={"generation": new_generation_id(), "files": {}})
    if encoder and len(missing):
        count = counter(progress, "embed")
        with writing(store):
            for keys, batch in _encoded(papers, contents.cuts, missing, encoder, count):
                append_records(path, manifest.dimension, keys, batch)
    map_ = live.layout if live and live.manifest.content == manifest.content else None
    if map_ is None:
        whole = Log.open(path, manifest.dimension).of(contents.cuts.paper_keys)
        map_ = _draw(live, papers, whole, counter(progress, "map"))
    return write_generation(store, manifest, contents, map_), len(missing)


def _with_vectors(store: Path, live: Index | None, manifest: Manifest, cuts: Cuts) -> Manifest:
    """The manifest with the file of vectors of its generation: the live one's, or a new one."""
    vectors = f"{VECTORS}/{manifest.generation}.bin"
    with writing(store):
        (store / VECTORS).mkdir(exist_ok=True)
        if live and not _compact(live, cuts, store / vectors):
            return manifest
    return manifest.model_copy(update={"vectors": vectors, "checksums": ()})


def _draw(
    live: Index | None,
    papers: Sequence[Paper],
    vectors: Floats,
    count: Callable[[int, int], None],
) -> Layout:
    """The map of papers, shape of their vectors (P, d), gone on with where little changed."""
    count(0, len(papers))
    map_ = None
    if live and live.layout:
        before = {id_: row for row, id_ in enumerate(ids_of(live.papers))}
        rows = np.asarray([before.get(id_, -1) for id_ in ids_of(papers)], dtype=np.int64)
        if isinstance(papers, NextPapers):
            rows = papers.same_text
        map_ = carry_on(live.layout, rows, vectors)
    map_ = map_ or map_collection(papers, vectors)
    count(len(papers), len(papers))
    return map_


def _next_manifest(
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


def _missing_keys(papers: Sequence[Paper], cuts: Cuts, log: Log) -> Keys:
    """The keys of texts without a vector, each once, in the order in which they are encoded."""
    newest = np.argsort(-Sightings.of(papers).earliest, kind="stable")
    place = np.empty(len(newest), dtype=np.int64)
    place[newest] = np.arange(len(newest))
    passages = np.argsort(place[cuts.owner], kind="stable")
    keys = np.concatenate([cuts.paper_keys[newest], cuts.passage_keys[passages]])
    missing = keys[log.find(keys) < 0]
    _, first = np.unique(missing, return_index=True)
    return missing[np.sort(first)]


def _encoded(
    papers: Sequence[Paper],
    cuts: Cuts,
    missing: Keys,
    encoder: Encoder,
    progress: Callable[[int, int], None],
) -> Iterator[tuple[Keys, Floats]]:
    """The vectors of texts that have none, batch by batch, and their keys."""
    total, places = len(missing), cuts.places(missing)
    progress(0, total)
    for at in range(0, total, encoder.together):
        some = slice(at, at + encoder.together)
        count = partial(lambda at, done: progress(at + done, total), at)
        texts = cuts.texts_at(places[some], papers)
        yield missing[some], encoder.encode(texts, progress=count)


def _fill(store: Path, encoder: Encoder, progress: Callable[[int, int], None]) -> int:
    """Encode what the live generation lacks, whoever changes it meanwhile.

    Returns:
        How many texts were encoded.
    """
    done = 0
    while True:
        index = Index.open(store)
        check_encoder(index.manifest, encoder)
        if index.cuts is None or index.log is None:
            return done
        missing = _missing_keys(index.papers, index.cuts, index.log)
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
        live = read_manifest(generation_folder(store, generation), store)
        if store / live.vectors == log.path:
            append_records(log.path, log.dimension, keys, vectors)
        return generation


def _compact(live: Index, cuts: Cuts, path: Path) -> bool:
    """Write the vectors that an index and the next one need into a file, if most are not needed.

    Returns:
        Whether they were written.
    """
    log, parts = live.log, (cuts, live.cuts)
    texts = len(cuts.paper_keys) + len(cuts.passage_keys)
    if log is None or len(log.stored) < max(LEAST_TO_COMPACT, 2 * texts):
        return False
    keys = [part for each in parts if each for part in (each.paper_keys, each.passage_keys)]
    needed = np.unique(np.concatenate(keys))
    rows = log.find(needed)
    needed, rows = needed[rows >= 0], rows[rows >= 0]
    if len(log.stored) < 2 * len(needed):
        return False
    for at in range(0, len(rows), BLOCK):
        some = slice(at, at + BLOCK)
        append_records(path, log.dimension, needed[some], log.take(rows[some]))
    return True
