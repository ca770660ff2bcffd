"""From files to a published index: read, compare with what is there, embed what is new, write."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from index import collection_map, names
from index.batch import read_batch
from index.changes import Records, compare, content_hash, records_of, vectors_of
from index.collection_map import CollectionMap, map_collection
from index.encoder import Encoder
from index.generation import write_generation
from index.manifest import Manifest, check_encoder
from index.papers import Paper
from index.plan import Merge, plan_run
from index.publish import new_generation_id, prune, writer_lock, writing
from index.readers import Problem, Upload
from index.sources import SourceFile
from index.store import Index, check_is_store, live_papers

Stage = Literal["read", "embed", "map", "write"]
Progress = Callable[[Stage, int, int], None]
"""Called with a stage, how much of it is done, and its total (0 while that is not known)."""


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a run of indexing did.

    `new`, `unchanged` and `updated` count papers against the index before the run; those of
    other runs count only as `updated`, where a file that was read again does not name them any
    more. `duplicate` counts entries that repeat a paper of the same run.
    """

    new: int
    unchanged: int
    updated: int
    duplicate: int
    papers: int
    """Papers in the index now."""
    passages: int
    """Sentence passages in the index now."""
    embedded: int
    """Texts given to the encoder."""
    seconds: float
    generation: str
    """The live generation: a new one, or the old one if nothing changed."""
    previous: str | None
    """The generation that was live before the run; None if there was none."""
    rejected: int = 0
    """Entries and files that could not be read, and date lines that mean no day."""
    problems: tuple[Problem, ...] = ()
    """Why, one for each of them."""
    is_damaged: bool = False
    """Whether one of them is damage (`Problem.is_damage`): the command then ends with 1."""
    removed: int = 0
    """Papers that were in the index before, and that none of its files names any more."""
    formats: tuple[tuple[str, str], ...] = ()
    """What each file was taken for: its name, and the format."""
    merges: tuple[Merge, ...] = ()
    """The papers that the run has more than once."""


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
    `index.preview.preview` tells it beforehand.

    Args:
        paths: Files, uploads, or folders whose readable files are taken.
        store: The index's folder; made if missing.
        encoder: Must be the one the index was built with.
        format: A reader's name, or "auto" to tell by the file.
        year: The year of digest dates that have none; default: as `index.readers` says.
        columns: Field → heading of its column, for tables whose headings do not tell.
        merge: Whether sightings of one paper become one.
        progress: Told how far each stage is.

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
    read = _counter(progress, "read")
    batch = read_batch(
        paths,
        store,
        format=format,
        year=year,
        columns=columns,
        progress=lambda papers: read(papers, 0),
    )
    report = build_papers(
        batch.papers, store, encoder, files=batch.files, merge=merge, progress=progress
    )
    return replace(
        report,
        rejected=batch.rejected,
        formats=batch.formats,
        problems=batch.problems,
        is_damaged=batch.is_damaged,
        seconds=time.monotonic() - started,
    )


def build_papers(
    papers: Iterable[Paper],
    store: Path,
    encoder: Encoder,
    *,
    files: Sequence[SourceFile] = (),
    merge: bool = True,
    progress: Progress | None = None,
) -> BuildReport:
    """Index `papers` into `store`; see `build`.

    No text is embedded twice: vectors of texts in the live generation are taken from there. If
    nothing changed, nothing is written.

    Args:
        papers: In the order in which they were found.
        store: The index's folder; made if missing.
        encoder: Must be the one the index was built with.
        files: The files that `papers` come from. Papers with sources of other names are added to
            what is there.
        merge: Whether sightings of one paper become one.
        progress: Told how far each stage is.
    """
    started = time.monotonic()
    with writer_lock(store):
        old, stored = live_papers(store)
        if old:
            check_encoder(old, encoder)
        with writing(store):
            prune(store, {old.generation, old.previous} if old else set())
        plan = plan_run(list(papers), files, stored, old.origins if old else {}, merge=merge)
        ordered = list(plan.after.values())
        records = records_of(ordered)
        content = content_hash(records)
        embedded = 0
        is_the_same = old and plan.after == plan.before and old.origins == plan.origins
        has_all = old and {collection_map.FILE_NAME, names.FILE_NAME} <= old.files.keys()
        if old and is_the_same and old.content == content and has_all:
            manifest = old
        else:
            live = Index.open(store) if old else None
            change = compare(live, records)
            vectors, embedded = vectors_of(change, live, encoder, _counter(progress, "embed"))
            manifest = Manifest(
                generation=new_generation_id(),
                previous=old.generation if old else None,
                created=datetime.now(UTC),
                encoder=encoder.name,
                weights_hash=encoder.weights_hash,
                dimension=old.dimension if old else encoder.dimension,
                papers=len(records["papers"]),
                passages=len(records["passages"]),
                origins=plan.origins,
                content=content,
            )
            known = live.map if live and live.manifest.content == content else None
            map_ = known or _map(ordered, records, vectors, _counter(progress, "map"))
            write = _counter(progress, "write")
            write_generation(store, manifest, ordered, map_, change, vectors, write)
    return BuildReport(
        new=plan.new,
        unchanged=plan.unchanged,
        updated=plan.updated,
        duplicate=plan.duplicate,
        removed=len(plan.removed),
        merges=plan.merges,
        papers=manifest.papers,
        passages=manifest.passages,
        embedded=embedded,
        seconds=time.monotonic() - started,
        generation=manifest.generation,
        previous=old.generation if old else None,
    )


def _map(
    papers: Sequence[Paper],
    records: Records,
    vectors: Mapping[str, NDArray[np.float32]],
    progress: Callable[[int, int], None],
) -> CollectionMap:
    """The map of papers by the vectors of their whole texts."""
    rows = [vectors[record.text] for record in records["papers"]]
    progress(0, len(papers))
    map_ = map_collection(papers, np.asarray(rows, dtype=np.float32))
    progress(len(papers), len(papers))
    return map_


def _counter(progress: Progress | None, stage: Stage) -> Callable[[int, int], None]:
    """`progress` for one stage, or nothing."""

    def count(done: int, total: int) -> None:
        if progress:
            progress(stage, done, total)

    return count
