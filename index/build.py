"""From files to a published index: read, compare with what is there, cut what is new, publish."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rapidfuzz import fuzz, process
from rapidfuzz.utils import default_process

from index import collection_map
from index.catalog import code_hash
from index.encoder import Encoder
from index.errors import InputError
from index.filling import Progress, Stage, advance, counter, draw, fill, next_manifest
from index.manifest import (
    Manifest,
    check_encoder,
    check_files,
    check_is_store,
    current,
    generation_folder,
    live_papers,
    no_index,
    read_manifest,
)
from index.papers import Paper, letters
from index.plan import (
    Batch,
    Options,
    Outcome,
    PastRun,
    plan_run,
    read_batch,
    run_key,
)
from index.publish import Contents, prune, write_generation, writer_lock, writing
from index.readers import Upload
from index.store import Index

__all__ = [
    "BuildReport",
    "Progress",
    "RemovalReport",
    "Stage",
    "build",
    "build_papers",
    "find_ids",
    "remove",
    "resume",
]
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

    The papers can be asked as soon as their words are counted; their vectors follow, each batch
    kept as it is encoded. A run that is stopped loses one batch: the next one, or `resume`, goes
    on. No text is encoded twice. If nothing changed, nothing is written.
    """
    batch, started = Batch(list(papers)), time.monotonic()
    return _build(batch, store, encoder, "", started, merge=merge, progress=progress)


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
        old, lines = live_papers(store)
        stored = tuple(lines)  # read once: they are looked at several times
        if old:
            check_encoder(old, encoder)
        with writing(store):
            prune(store, {old.generation, old.previous} if old else set())
        plan = plan_run(batch, stored, old.origins if old else {}, merge=merge)
        outcome = plan.outcome(batch)
        papers = list(plan.after.values())
        runs = _runs(old, plan.changed_sources, key, PastRun.of(plan, outcome))
        if not merge:  # what it kept apart, an earlier run would merge
            runs = {}
        is_the_same = bool(old and plan.after == plan.before and old.origins == plan.origins)
        update = {"origins": plan.origins, "runs": runs}
        manifest, encoded = advance(
            store, old, stored, papers, encoder, update, is_the_same=is_the_same, progress=progress
        )
    previous = old.generation if old else None
    return _report(outcome, manifest, encoded, started, previous, len(plan.removed))


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
    encoded = fill(store, encoder, counter(progress, "embed"))
    with writer_lock(store, patient=True):
        old, stored = live_papers(store)
        if old is None:
            raise no_index(store)
        check_encoder(old, encoder)
        papers = list(stored)
        manifest, more = advance(
            store, old, papers, papers, encoder, {}, is_the_same=True, progress=progress
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
        stored = list(live.papers)
        papers, removed = _parted(stored, set(ids), store)
        contents = Contents.of(papers, live, stored)
        vectors = live.paper_vectors[contents.same] if live.is_covered else None
        count = counter(progress, "map")
        map_ = None if vectors is None else draw(live, papers, vectors, count)
        named = {source.name for paper in papers for source in paper.sources}
        lost = {source.name for paper in removed for source in paper.sources}
        origins = {name: o for name, o in live.manifest.origins.items() if name in named}
        update = {"origins": origins, "runs": _runs(live.manifest, lost, "", None)}
        manifest = write_generation(
            store, next_manifest(live, contents, None, update), contents, map_
        )
    return RemovalReport(
        removed=removed,
        papers=manifest.papers,
        passages=manifest.passages,
        generation=manifest.generation,
        previous=live.manifest.generation,
    )


def _parted(
    stored: Sequence[Paper], gone: set[str], store: Path
) -> tuple[list[Paper], tuple[Paper, ...]]:
    """The papers that stay and those of some ids, which go."""
    if unknown := gone - {paper.id for paper in stored}:
        raise InputError(f"no paper {min(unknown)!r} in the index: give an id that is in it")
    left = [paper for paper in stored if paper.id not in gone]
    if not left:
        raise InputError(
            "that would remove every paper: index others first, or delete the folder"
            f" {store} to start anew"
        )
    return left, tuple(paper for paper in stored if paper.id in gone)


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
