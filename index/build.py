"""Indexing: read files, compare them with what is there, publish what changed, and report it.

Papers can be asked as soon as their words are counted. Vectors follow, whole papers first, the
newest before all, each batch kept as it is encoded; then the map is drawn. What the live generation
has is carried over.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal, Self, Unpack

import numpy as np
from pydantic import TypeAdapter

from index import collection_map
from index.catalog import Papers, Passages, Sightings, code_hash, ids_of
from index.collection_map import Layout, carry_on, map_collection
from index.encoder import Encoder
from index.errors import InputError
from index.lexical import LexicalIndex, Rows
from index.manifest import (
    VECTORS,
    Manifest,
    check_encoder,
    check_files,
    check_is_store,
    current,
    live_generation,
    read_manifest,
)
from index.names import Names
from index.papers import Paper
from index.plan import Batch, Outcome, Plan, plan_run, read_batch, run_key
from index.publish import new_generation_id, prune, write_generation, writer_lock, writing
from index.readers import Options, Upload
from index.store import Index
from index.vectors import Floats, Keys, Log, append_records

Stage = Literal["read", "words", "embed", "map", "chroma"]
Progress = Callable[[Stage, int, int], None]
"""Called with a stage, how much of it is done, and its total (0 while that is not known)."""
Count = Callable[[int, int], None]
"""The same of one stage."""

ASK_BEFORE = 256
"""Texts to encode beyond which the papers can be asked before they are encoded."""


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
    progress: Progress | None = None,
    **options: Unpack[Options],
) -> BuildReport:
    """Index the papers of files, folders and uploads into `store`, beside those already there.

    `store` is made if missing; `encoder` must be the one the index was built with; `progress` is
    told how far each stage is. `index.readers.Options` says how files can be read,
    `index.plan.plan_run` what becomes of papers that are there already, and `index.plan.preview`
    tells it beforehand. The files of the last run are not read again if nothing has changed since.

    Raises:
        InputError: a path or format cannot be used, or no paper was found.
        EncoderError: the encoder fails, or is not the index's.
        StoreBusyError: another process is writing.
        StoreError: the store is damaged or cannot be written.
    """
    started = time.monotonic()
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
    return _build(batch, store, encoder, (key, started), progress, merge=options.get("merge", True))


def build_papers(
    papers: Iterable[Paper], store: Path, encoder: Encoder, *, progress: Progress | None = None
) -> BuildReport:
    """Index `papers` into `store`, in the order in which they were found; see `build`.

    A run that is stopped loses one batch of vectors: the next one, or `resume`, goes on. No text
    is encoded twice. If nothing changed, nothing is written.
    """
    run = ("", time.monotonic())
    return _build(Batch(list(papers)), store, encoder, run, progress, merge=True)


def _unchanged(store: Path, encoder: Encoder, key: str, started: float) -> BuildReport | None:
    """The report of a run that was the last one and would change nothing; None of any other."""
    live = current(store)
    if live is None or not key:
        return None
    manifest = read_manifest(store, live)
    is_finished = manifest.code == code_hash() and collection_map.FILE_NAME in manifest.files
    if manifest.run.get("key") != key or not is_finished:
        return None
    check_encoder(manifest, encoder)
    check_files(store, manifest)
    outcome = _OUTCOME.validate_python(manifest.run["outcome"])
    return _report(outcome, manifest, 0, started, live)


_OUTCOME = TypeAdapter(Outcome)


def _build(
    batch: Batch,
    store: Path,
    encoder: Encoder,
    run: tuple[str, float],
    progress: Progress | None,
    *,
    merge: bool,
) -> BuildReport:
    """Index what was read by a run: what tells it, if it can be told, and when it began."""
    key, started = run
    with writer_lock(store):
        live = Index.open(store) if current(store) else None
        old = live.manifest if live else None
        if old:
            check_encoder(old, encoder)
        with writing(store):
            prune(store, {old.generation, old.previous} if old else set())
        plan = plan_run(batch, live.papers if live else (), old.origins if old else {}, merge=merge)
        outcome = plan.outcome(batch)
        count = len(plan.read) - outcome.duplicate
        again = replace(outcome, new=0, updated=0, unchanged=count)
        is_told = len(outcome.problems) + len(outcome.merges) <= 1000  # else it is not kept
        told = _OUTCOME.dump_python(again, mode="json") if is_told else {}
        update = {"run": {"key": key if is_told else "", "outcome": told}}
        manifest, encoded = _publish(store, live, plan, update, encoder, progress)
    report = _report(outcome, manifest, encoded, started, old.generation if old else None)
    return replace(report, removed=len(plan.removed))


def _publish(
    store: Path,
    live: Index | None,
    plan: Plan,
    update: dict[str, Any],
    encoder: Encoder | None,
    progress: Progress | None,
) -> tuple[Manifest, int]:
    """Make the papers of a plan those of the index, encode what has no vector, draw the map.

    The caller holds the store's lock. `update` are fields of the manifest; without an encoder,
    what has no vector is published without a map. The live manifest is returned, and how many
    texts were encoded.
    """
    update = {"origins": plan.origins, **update}
    if live and plan.after == plan.before and live.manifest.origins == plan.origins:
        if live.manifest.code == code_hash() and live.is_finished:
            return live.manifest, 0
        # A run that goes on with another can be undone with it.
        update["previous"] = live.manifest.previous
    contents = Contents.next(live, plan.before, plan.after)
    manifest = _next_manifest(store, live, contents, encoder, update)
    path, count = store / manifest.vectors, len(contents.papers)
    missing = _missing(contents.papers, contents.passages, Log.open(path, manifest.dimension))
    if len(missing) and (encoder is None or len(missing) > ASK_BEFORE):
        manifest = write_generation(store, manifest, contents.save)
        counter(progress, "words")(count, count)
        if encoder is None:
            return manifest, 0
        manifest = manifest.model_copy(update={"generation": new_generation_id(), "files": {}})
    if encoder and len(missing):
        told = counter(progress, "embed")
        with writing(store):
            for batch in _encoded(contents.papers, contents.passages, missing, encoder, told):
                append_records(path, manifest.dimension, *batch)
    drawn = contents.drawn(live, Log.open(path, manifest.dimension), counter(progress, "map"))
    return write_generation(store, manifest, drawn.save), len(missing)


def _report(
    outcome: Outcome, manifest: Manifest, embedded: int, started: float, previous: str | None
) -> BuildReport:
    return BuildReport(
        **vars(outcome),
        passages=manifest.passages,
        embedded=embedded,
        seconds=time.monotonic() - started,
        generation=manifest.generation,
        previous=previous,
    )


def resume(store: Path, encoder: Encoder, *, progress: Progress | None = None) -> BuildReport:
    """Encode what an index still lacks.

    The store is held only while a batch is written, so that papers can be added meanwhile.

    Raises:
        EncoderError: the encoder fails, or is not the index's.
        StoreBusyError: another process is writing.
        StoreError: there is no index, it is damaged or cannot be written.
    """
    started = time.monotonic()
    before = live_generation(store)
    encoded = fill(store, encoder, counter(progress, "embed"))
    with writer_lock(store, patient=True):
        live = Index.open(store)
        check_encoder(live.manifest, encoder)
        plan = Plan({}, {}, live.manifest.origins)
        manifest, more = _publish(store, live, plan, {}, encoder, progress)
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
    live_generation(store)
    with writer_lock(store):
        live = Index.open(store)
        there = {id_: row for row, id_ in enumerate(ids_of(live.papers))}
        if unknown := {*ids} - there.keys():
            raise InputError(f"no paper {min(unknown)!r} in the index: give an id that is in it")
        rows = sorted({there[id_] for id_ in ids})
        if len(rows) == len(there):
            raise InputError(
                "that would remove every paper: index others first, or delete the folder"
                f" {store} to start anew"
            )
        removed = {paper.id: paper for paper in (live.papers[row] for row in rows)}
        left = Sightings.of(live.papers).names(without=rows)
        origins = {name: o for name, o in live.manifest.origins.items() if name in left}
        plan = Plan(removed, {}, origins)
        manifest, _ = _publish(store, live, plan, {"run": {}}, None, progress)
    return RemovalReport(
        removed=tuple(removed.values()),
        papers=manifest.papers,
        passages=manifest.passages,
        generation=manifest.generation,
        previous=live.manifest.generation,
    )


def counter(progress: Progress | None, stage: Stage) -> Count:
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
    layout: Layout | None = None

    @classmethod
    def next(
        cls, live: Index | None, before: Mapping[str, Paper], after: Mapping[str, Paper]
    ) -> Self:
        """Cut and count the papers after a change of the live index, `before` being now `after`.

        What the live generation has of the others is taken from there, unless another version of
        the program made it.
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
        lexical = LexicalIndex.build(papers, old.lexical if old else None, there)
        passages = Passages.of(papers, old.cuts if old else None, there)
        names = Names.build(papers, old.names if old else None, there)
        return cls(papers, rows, passages, lexical, names)

    def drawn(self, live: Index | None, log: Log, progress: Count) -> Self:
        """The same with a map, by the vectors of whole papers; gone on with if little changed."""
        layout = live.layout if live and live.manifest.content == self.passages.content else None
        if layout is None:
            progress(0, len(self.papers))
            whole = log.of(self.passages.paper_keys)
            layout = carry_on(live.layout, self.rows, whole) if live and live.layout else None
            layout = layout or map_collection(self.papers, whole)
            progress(len(self.papers), len(self.papers))
        return replace(self, layout=layout)

    def save(self, folder: Path) -> None:
        """Write into a generation's folder."""
        for part in (self.papers, self.passages, self.lexical, self.names, self.layout):
            if part is not None:
                part.save(folder)


def _next_manifest(
    store: Path,
    live: Index | None,
    contents: Contents,
    encoder: Encoder | None,
    update: Mapping[str, Any],
) -> Manifest:
    """The manifest of the next generation; its file of vectors is that of the first."""
    known: dict[str, Any] = {}
    generation = new_generation_id()
    with writing(store):
        (store / VECTORS).mkdir(exist_ok=True)
    if live:
        known = dict(live.manifest)
    elif encoder:
        known = {
            "encoder": encoder.name,
            "weights_hash": encoder.weights_hash,
            "dimension": encoder.dimension,
            "vectors": f"{VECTORS}/{generation}.bin",
        }
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


def _missing(papers: Sequence[Paper], passages: Passages, log: Log) -> Rows:
    """The places in `passages.keys` of texts without a vector, each text once, in their order."""
    newest = np.argsort(-Sightings.of(papers).earliest, kind="stable")
    later = np.argsort(np.argsort(newest)[passages.owner], kind="stable") + len(newest)
    places: Rows = np.concatenate([newest, later])
    places = places[log.find(passages.keys)[places] < 0]
    return places[np.sort(np.unique(passages.keys[places], return_index=True)[1])]


def _encoded(
    papers: Sequence[Paper], passages: Passages, missing: Rows, encoder: Encoder, progress: Count
) -> Iterator[tuple[Keys, Floats]]:
    """The vectors of texts that have none, batch by batch, and their keys."""
    keys, total = passages.keys[missing], len(missing)
    progress(0, total)
    for at in range(0, total, encoder.together):
        some = slice(at, at + encoder.together)
        count = partial(lambda at, done: progress(at + done, total), at)
        texts = passages.texts_at(missing[some], papers)
        yield keys[some], encoder.encode(texts, progress=count)


def fill(store: Path, encoder: Encoder, progress: Count) -> int:
    """Encode what the live generation lacks, whoever changes it meanwhile: so many texts.

    The store is held only while a batch is written.
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
