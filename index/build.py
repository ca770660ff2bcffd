"""Indexing: read files, compare them with what is there, publish what changed, and report it."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Unpack

from pydantic import TypeAdapter

from index import collection_map
from index.catalog import Sightings, code_hash, ids_of
from index.encoder import Encoder
from index.errors import InputError
from index.generation import Progress, Stage, counter, fill, next_contents, publish_next
from index.manifest import (
    Manifest,
    check_encoder,
    check_files,
    check_is_store,
    current,
    live_generation,
    read_manifest,
)
from index.papers import Paper
from index.plan import Batch, How, Outcome, Plan, plan_run, read_batch, run_key
from index.publish import prune, writer_lock, writing
from index.readers import Upload
from index.store import Index

__all__ = ["BuildReport", "Progress", "RemovalReport", "Stage", "build", "build_papers"]

_RUNS, _MOST_TOLD = 8, 1000
"""Runs that are remembered: one of the same files that would change nothing need not read them;
and the problems and merges that one of them has at most."""


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
    **how: Unpack[How],
) -> BuildReport:
    """Index the papers of files, folders and uploads into `store`, beside those already there.

    `index.plan.plan_run` says what becomes of papers that are there already, and
    `index.plan.preview` tells it beforehand. Files that were read so before are not read again
    where nothing has changed since.

    `paths` are files, uploads, or folders whose readable files are taken; `store` is made if
    missing; `encoder` must be the one the index was built with; `progress` is told how far each
    stage is. `how` the files are read: see `index.plan.How`.

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
    key = run_key(paths, store, how)
    if report := _unchanged(store, encoder, key, started):
        return report
    batch = read_batch(paths, store, how, counter(progress, "read"))
    if key != run_key(paths, store, how):
        key = ""  # a file has changed meanwhile
    return _build(batch, store, encoder, (key, started), progress, merge=how.get("merge", True))


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
    run = ("", time.monotonic())
    return _build(Batch(list(papers)), store, encoder, run, progress, merge=merge)


def _unchanged(store: Path, encoder: Encoder, key: str, started: float) -> BuildReport | None:
    """The report of a run that was done before and would change nothing; None of any other."""
    live = current(store)
    if live is None:
        return None
    manifest = read_manifest(store, live)
    run = manifest.runs.get(key)
    is_finished = manifest.code == code_hash() and collection_map.FILE_NAME in manifest.files
    if run is None or not is_finished:
        return None
    check_encoder(manifest, encoder)
    check_files(store, manifest)
    outcome = _OUTCOME.validate_python(run["outcome"])
    return _report(replace(outcome, papers=manifest.papers), manifest, 0, started, live)


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
        runs = _runs(old, plan)
        if not merge:  # what it kept apart, an earlier run would merge
            runs = {}
        if key and len(outcome.problems) + len(outcome.merges) <= _MOST_TOLD:
            runs.pop(key, None)
            count = len(plan.read) - outcome.duplicate
            again = replace(outcome, new=0, updated=0, unchanged=count)
            told = _OUTCOME.dump_python(again, mode="json")
            runs[key] = {"sources": list(plan.sources), "outcome": told}
        manifest, encoded = _publish(store, live, plan, runs, encoder, progress)
    previous = old.generation if old else None
    return _report(outcome, manifest, encoded, started, previous, len(plan.removed))


_OUTCOME = TypeAdapter(Outcome)


def _runs(old: Manifest | None, plan: Plan) -> dict[str, dict[str, Any]]:
    """The runs that would change nothing when the papers of a plan are others."""
    changed, runs = plan.changed_sources, old.runs if old else {}
    kept = {key: run for key, run in runs.items() if changed.isdisjoint(run["sources"])}
    return dict(list(kept.items())[1 - _RUNS :])


def _publish(
    store: Path,
    live: Index | None,
    plan: Plan,
    runs: dict[str, dict[str, Any]],
    encoder: Encoder | None,
    progress: Progress | None,
) -> tuple[Manifest, int]:
    """Make the papers of a plan those of the index.

    Returns:
        The live manifest, and how many texts were encoded.
    """
    update: dict[str, Any] = {"origins": plan.origins, "runs": runs}
    if live and plan.after == plan.before and live.manifest.origins == plan.origins:
        if live.manifest.code == code_hash() and live.is_finished:
            return live.manifest, 0
        # A run that goes on with another can be undone with it.
        update["previous"] = live.manifest.previous
    contents = next_contents(live, plan.before, plan.after)
    return publish_next(store, live, contents, update, encoder, progress)


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
        manifest, more = _publish(store, live, plan, live.manifest.runs, encoder, progress)
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
        runs = _runs(live.manifest, plan)
        manifest, _ = _publish(store, live, plan, runs, None, progress)
    return RemovalReport(
        removed=tuple(removed.values()),
        papers=manifest.papers,
        passages=manifest.passages,
        generation=manifest.generation,
        previous=live.manifest.generation,
    )
