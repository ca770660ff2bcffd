"""Build an index: read files, compare them with the live index, publish and report the changes."""

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
from index.encoder import Encoder, ignore
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
from index.plan import Batch, Count, Outcome, Plan, plan_run, read_batch, run_key
from index.publish import new_generation_id, prune, write_generation, writer_lock, writing
from index.readers import Options, Upload
from index.store import Index
from index.vectors import Floats, Keys, Log, append_records

Stage = Literal["read", "words", "embed", "map", "chroma"]
Progress = Callable[[Stage, int, int], None]
"""Called with a stage, the number of items done, and the total (0 while that is unknown)."""
_OUTCOME = TypeAdapter(Outcome)
ASK_BEFORE = 256  # with more texts to encode, papers are published before they are encoded


@dataclass(frozen=True, kw_only=True)
class BuildReport(Outcome):
    """The report of an indexing run, with the numbers of passages now and of texts `embedded`."""

    passages: int
    embedded: int
    seconds: float
    generation: str  # the live generation: a new one, or the old one if nothing changed
    previous: str | None  # the generation that was live before the run; None if there was none
    removed: int = 0  # number of papers removed because no indexed file contains them any more


@dataclass(frozen=True, slots=True)
class RemovalReport:
    """The report of a removal: the papers that were removed, and the numbers of what is left."""

    removed: tuple[Paper, ...]
    papers: int
    passages: int
    generation: str
    previous: str  # the generation before it, which still contains the removed papers


def build(
    paths: Sequence[Path | Upload],
    store: Path,
    encoder: Encoder,
    *,
    progress: Progress = ignore,
    **options: Unpack[Options],
) -> BuildReport:
    """Add the papers of files, folders and uploads to the index in `store`, made if missing.

    If nothing has changed, a repetition of the last run does not parse its files again.

    Raises:
        InputError: a path or format cannot be used, or no paper was found.
        EncoderError: the encoder fails, or is not the one the index was built with.
        StoreBusyError: another process is writing.
        StoreError: the store is damaged or cannot be written.
    """
    started = time.monotonic()
    check_is_store(store)
    if store.is_dir():
        with writer_lock(store):
            pass  # a busy store is refused before the files are read
    key = run_key(paths, store, options)
    if report := _unchanged(store, encoder, key, started):
        return report
    batch = read_batch(paths, store, options, partial(progress, "read"))
    if key != run_key(paths, store, options):
        key = ""  # a file changed while it was read
    merge = options.get("merge", True)
    return _build(batch, store, encoder, progress, key=key, started=started, merge=merge)


def build_papers(
    papers: Iterable[Paper], store: Path, encoder: Encoder, *, progress: Progress = ignore
) -> BuildReport:
    """Add `papers`, in the order in which they were found, to the index in `store`; see `build`."""
    return _build(Batch(list(papers)), store, encoder, progress, started=time.monotonic())


def _unchanged(store: Path, encoder: Encoder, key: str, started: float) -> BuildReport | None:
    """Return the report of a run that repeats the last one and changes nothing, else None."""
    if not key or (live := current(store)) is None:
        return None
    manifest = read_manifest(store, live)
    is_finished = manifest.code == code_hash() and collection_map.FILE_NAME in manifest.files
    if manifest.run.get("key") != key or not is_finished:
        return None
    check_encoder(manifest, encoder)
    check_files(store, manifest)
    outcome = _OUTCOME.validate_python(manifest.run["outcome"])
    return _report(outcome, manifest, started, embedded=0, previous=live)


def _build(
    batch: Batch,
    store: Path,
    encoder: Encoder,
    progress: Progress,
    *,
    started: float,
    key: str = "",
    merge: bool = True,
) -> BuildReport:
    with writer_lock(store):
        live = Index.open(store) if current(store) else None
        if old := live.manifest if live else None:
            check_encoder(old, encoder)
        with writing(store):
            prune(store, {old.generation, old.previous} if old else set())
        plan = plan_run(batch, live.papers if live else (), old.origins if old else {}, merge=merge)
        outcome = plan.outcome(batch)
        count = len(plan.read) - outcome.duplicate
        repeated = replace(outcome, new=0, updated=0, unchanged=count)
        is_stored = len(outcome.problems) + len(outcome.merges) <= 1000  # long lists are not stored
        stored = _OUTCOME.dump_python(repeated, mode="json") if is_stored else {}
        update = {"run": {"key": key if is_stored else "", "outcome": stored}}
        manifest, encoded = _publish(store, live, plan, update, encoder, progress)
    counts = {"embedded": encoded, "removed": len(plan.removed)}
    return _report(outcome, manifest, started, previous=old and old.generation, **counts)


def _publish(
    store: Path,
    live: Index | None,
    plan: Plan,
    update: dict[str, Any],
    encoder: Encoder | None,
    progress: Progress,
) -> tuple[Manifest, int]:
    """Publish a plan, with `update` in the manifest; return it and the number of texts encoded."""
    update = {"origins": plan.origins, **update}
    if live and plan.after == plan.before and live.manifest.origins == plan.origins:
        if live.manifest.code == code_hash() and live.is_finished:
            return live.manifest, 0
        # A run that finishes an earlier one is undone together with it.
        update["previous"] = live.manifest.previous
    contents = Contents.next(live, plan.before, plan.after)
    manifest = contents.manifest(live, encoder, update)
    path, count = store / manifest.vectors, len(contents.papers)
    missing = _find_missing(contents.papers, contents.passages, Log.open(path, manifest.dimension))
    if len(missing) and (encoder is None or len(missing) > ASK_BEFORE):
        manifest = write_generation(store, manifest, contents.save)
        progress("words", count, count)
        if encoder is None:
            return manifest, 0
        manifest = manifest.model_copy(update={"generation": new_generation_id(), "files": {}})
    if encoder and len(missing):
        advance = partial(progress, "embed")
        with writing(store):
            for batch in _encode(contents.papers, contents.passages, missing, encoder, advance):
                append_records(path, manifest.dimension, *batch)
    drawn = contents.drawn(live, Log.open(path, manifest.dimension), partial(progress, "map"))
    return write_generation(store, manifest, drawn.save), len(missing)


def _report(outcome: Outcome, manifest: Manifest, started: float, **counts: Any) -> BuildReport:
    """Make the report of a run; `counts` are fields of it that neither outcome nor manifest has."""
    counts |= {"passages": manifest.passages, "generation": manifest.generation}
    return BuildReport(**vars(outcome), **counts, seconds=time.monotonic() - started)


def resume(store: Path, encoder: Encoder, *, progress: Progress = ignore) -> BuildReport:
    """Encode the texts of an index that have no vector yet, then draw the map.

    Papers can be added meanwhile. Raises `StoreError` if there is no index, and what `build` raises
    for its encoder and store.
    """
    started = time.monotonic()
    before = live_generation(store)
    encoded = _fill(store, encoder, partial(progress, "embed"))
    with writer_lock(store, patient=True):
        live = Index.open(store)
        check_encoder(live.manifest, encoder)
        plan = Plan({}, {}, live.manifest.origins)
        manifest, more = _publish(store, live, plan, {}, encoder, progress)
    count = manifest.papers
    outcome = Outcome(new=0, unchanged=count, updated=0, duplicate=0, papers=count)
    return _report(outcome, manifest, started, embedded=encoded + more, previous=before)


def remove(ids: Sequence[str], store: Path, *, progress: Progress = ignore) -> RemovalReport:
    """Publish the index without the papers of these ids; `index.publish.undo` restores them.

    Raises `InputError` if no id is given, one is not in the index, or no paper would be left, and
    what `resume` raises for its store.
    """
    if not ids:
        raise InputError("nothing to remove: name a paper by its id")
    live_generation(store)
    with writer_lock(store):
        live = Index.open(store)
        row_of = {id_: row for row, id_ in enumerate(ids_of(live.papers))}
        if unknown := {*ids} - row_of.keys():
            raise InputError(f"no paper {min(unknown)!r} in the index: give an id that is in it")
        rows = sorted({row_of[id_] for id_ in ids})
        if len(rows) == len(row_of):
            remedy = f"index others first, or delete the folder {store} to start over"
            raise InputError(f"that would remove every paper: {remedy}")
        removed = {live.papers[row].id: live.papers[row] for row in rows}
        left = Sightings.of(live.papers).names(without=rows)
        origins = {name: o for name, o in live.manifest.origins.items() if name in left}
        plan = Plan(removed, {}, origins)
        manifest, _ = _publish(store, live, plan, {"run": {}}, None, progress)
    counts, previous = (manifest.papers, manifest.passages), live.manifest.generation
    return RemovalReport(tuple(removed.values()), *counts, manifest.generation, previous)


@dataclass(frozen=True, eq=False)
class Contents:
    """Everything that a generation stores about P papers, except their vectors."""

    papers: Papers
    rows: Rows  # each paper's row in the live generation, -1 if it is new or its text changed
    passages: Passages
    lexical: LexicalIndex
    names: Names
    layout: Layout | None = None

    @classmethod
    def next(
        cls, live: Index | None, before: Mapping[str, Paper], after: Mapping[str, Paper]
    ) -> Self:
        """Replace `before` by `after` in the live index; copy the rest if this version wrote it."""
        old = live if live and live.manifest.code == code_hash() else None
        stored = live.papers if live and isinstance(live.papers, Papers) else Papers()
        papers = stored.changed(before, after, anew=old is None)
        texts = {id_: (paper.title, paper.abstract) for id_, paper in before.items()}
        anew = {id_ for id_, new in after.items() if texts.get(id_) != (new.title, new.abstract)}
        old_rows = (-1 if id_ in anew else stored.rows.get(id_, -1) for id_ in papers.ids)
        rows = np.fromiter(old_rows, dtype=np.int64)
        copied = rows if old else np.full(len(papers), -1)
        lexical = LexicalIndex.build(papers, old.lexical if old else None, copied)
        passages = Passages.of(papers, old.cuts if old else None, copied)
        names = Names.build(papers, old.names if old else None, copied)
        return cls(papers, rows, passages, lexical, names)

    def drawn(self, live: Index | None, log: Log, progress: Count) -> Self:
        """Return these contents with a map; the live map is kept, or updated after few changes."""
        layout = live.layout if live and live.manifest.content == self.passages.content else None
        if layout is None:
            progress(0, len(self.papers))
            whole = log.take(log.find(self.passages.paper_keys))
            layout = carry_on(live.layout, self.rows, whole) if live and live.layout else None
            layout = layout or map_collection(self.papers, whole)
            progress(len(self.papers), len(self.papers))
        return replace(self, layout=layout)

    def manifest(
        self, live: Index | None, encoder: Encoder | None, update: Mapping[str, Any]
    ) -> Manifest:
        """Make the manifest of the next generation, which shares the first one's vectors."""
        generation = new_generation_id()
        known: dict[str, Any] = dict(live.manifest) if live else {}
        previous = known.get("generation")
        if encoder and not live:
            known = {"encoder": encoder.name, "weights_hash": encoder.weights_hash}
            known |= {"dimension": encoder.dimension, "vectors": f"{VECTORS}/{generation}.bin"}
        known |= {"generation": generation, "previous": previous, "created": datetime.now(UTC)}
        known |= {"papers": len(self.papers), "passages": len(self.passages), "files": {}}
        known |= {"content": self.passages.content, "code": code_hash()}
        return Manifest.model_validate(known | dict(update))

    def save(self, folder: Path) -> None:
        """Write every part into a generation's folder."""
        for part in (self.papers, self.passages, self.lexical, self.names, self.layout):
            if part is not None:
                part.save(folder)


def _find_missing(papers: Sequence[Paper], passages: Passages, log: Log) -> Rows:
    """Return the places in `passages.keys` of texts without a vector, in encoding order."""
    newest = np.argsort(-Sightings.of(papers).earliest, kind="stable")
    later = np.argsort(np.argsort(newest)[passages.owner], kind="stable") + len(newest)
    places: Rows = np.concatenate([newest, later])
    places = places[log.find(passages.keys)[places] < 0]
    return places[np.sort(np.unique(passages.keys[places], return_index=True)[1])]


def _encode(
    papers: Sequence[Paper], passages: Passages, missing: Rows, encoder: Encoder, progress: Count
) -> Iterator[tuple[Keys, Floats]]:
    """Encode the missing texts; yield the keys and the vectors of each batch."""
    keys, total = passages.keys[missing], len(missing)
    progress(0, total)
    for at in range(0, total, encoder.together):
        batch = slice(at, at + encoder.together)
        count = partial(lambda at, done: progress(at + done, total), at)
        texts = passages.texts_at(missing[batch], papers)
        yield keys[batch], encoder.encode(texts, progress=count)


def _fill(store: Path, encoder: Encoder, progress: Count) -> int:
    """Encode the texts without a vector, also those published meanwhile; return their number."""
    done = 0
    while True:
        index = Index.open(store)
        check_encoder(index.manifest, encoder)
        missing, log = _find_missing(index.papers, index.cuts, index.log), index.log
        if not len(missing):
            return done
        count = partial(lambda before, n, of: progress(before + n, before + of), done)
        for keys, vectors in _encode(index.papers, index.cuts, missing, encoder, count):
            done += len(keys)
            with writer_lock(store, patient=True), writing(store):
                live = read_manifest(store, live_generation(store))
                if store / live.vectors == log.path:
                    append_records(log.path, log.dimension, keys, vectors)
            if live.generation != index.manifest.generation:
                break  # another process has published: look again for missing texts
