"""From files to a published index: read, compare with what is there, embed what is new, write."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np

from index.batch import read_batch
from index.catalog import Sightings
from index.collection_map import carry_on, map_collection
from index.cuts import Cuts, code_hash
from index.encoder import Encoder
from index.errors import StoreBusyError
from index.generation import Contents, write_generation
from index.manifest import FORMAT_VERSION, Manifest, check_encoder
from index.papers import Paper
from index.plan import Merge, plan_run
from index.publish import new_generation_id, prune, writer_lock, writing
from index.readers import Problem, Upload
from index.sources import Origin, SourceFile
from index.store import VECTORS, Index, check_is_store, current, live_papers, no_index
from index.vectors import BLOCK, Keys, Log, LogWriter

ASK_BEFORE = 256
"""Texts to encode beyond which the papers can be asked before they are encoded."""
LEAST_TO_COMPACT = 10_000
"""Vectors from which a file is written anew when most of them are of texts that are gone."""
BUSY_SECONDS = 0.5
"""After so long a store that another process writes is tried again."""
KEPT_TOGETHER = 512
"""Texts that are encoded, and kept, at once: what a kill loses."""

Stage = Literal["read", "words", "embed", "map", "chroma"]
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

    The papers can be asked as soon as their words are counted; their vectors follow, each batch
    kept as it is encoded. A run that is stopped loses one batch: the next one, or `resume`, goes
    on. No text is encoded twice. If nothing changed, nothing is written.

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
        old, lines = live_papers(store)
        stored = tuple(lines)  # read once: they are looked at several times
        if old:
            check_encoder(old, encoder)
        with writing(store):
            prune(store, {old.generation, old.previous} if old else set())
        plan = plan_run(list(papers), files, stored, old.origins if old else {}, merge=merge)
        ordered = list(plan.after.values())
        is_the_same = bool(old and plan.after == plan.before and old.origins == plan.origins)
        manifest, encoded = _advance(
            store, old, list(plan.before.values()), ordered, plan.origins, encoder,
            is_the_same=is_the_same, progress=progress,
        )  # fmt: skip
    return BuildReport(
        new=plan.new,
        unchanged=plan.unchanged,
        updated=plan.updated,
        duplicate=plan.duplicate,
        removed=len(plan.removed),
        merges=plan.merges,
        papers=manifest.papers,
        passages=manifest.passages,
        embedded=encoded,
        seconds=time.monotonic() - started,
        generation=manifest.generation,
        previous=old.generation if old else None,
    )


def resume(store: Path, encoder: Encoder, *, progress: Progress | None = None) -> BuildReport:
    """Encode what an index still lacks; bring one over that an earlier version wrote.

    The store is held only while a batch is written, so that papers can be added meanwhile.

    Raises:
        EncoderError: the encoder fails, or is not the index's.
        StoreBusyError: another process is writing.
        StoreError: there is no index, it is damaged or cannot be written.
    """
    started = time.monotonic()
    check_is_store(store)
    if current(store) is None:
        raise no_index(store)
    before, encoded = current(store), _fill(store, encoder, _counter(progress, "embed"))
    with _patient_lock(store):
        old, stored = live_papers(store)
        if old is None:
            raise no_index(store)
        check_encoder(old, encoder)
        papers = list(stored)
        manifest, more = _advance(
            store, old, papers, papers, old.origins, encoder, is_the_same=True, progress=progress
        )
    return BuildReport(
        new=0,
        unchanged=len(papers),
        updated=0,
        duplicate=0,
        papers=manifest.papers,
        passages=manifest.passages,
        embedded=encoded + more,
        seconds=time.monotonic() - started,
        generation=manifest.generation,
        previous=before,
    )


def _fill(store: Path, encoder: Encoder, progress: Callable[[int, int], None]) -> int:
    """Encode what the live generation lacks, whoever changes it meanwhile.

    Returns:
        How many texts were encoded.
    """
    manifest, _ = live_papers(store)
    if manifest is None or manifest.format_version < FORMAT_VERSION:
        return 0
    check_encoder(manifest, encoder)
    together, done = getattr(encoder, "together", KEPT_TOGETHER), 0
    while True:
        index = Index.open(store)
        if index.cuts is None or index.log is None:
            return done
        missing = _missing(index.papers, index.cuts, index.log)
        if not len(missing):
            return done
        texts, total = index.cuts.texts_of(missing, index.papers), done + len(missing)
        progress(done, total)
        for at in range(0, len(missing), together):
            some = slice(at, at + together)
            vectors = encoder.encode(texts[some], progress=_from(done, total, progress))
            done += len(vectors)
            with _patient_lock(store), writing(store):
                live, _ = live_papers(store)
                if live and store / live.vectors == index.log.path:
                    with LogWriter(index.log.path, index.log.dimension) as log:
                        log.append(missing[some], vectors)
                if live is None or live.generation != index.manifest.generation:
                    break  # somebody has changed it: look again what is missing


@contextmanager
def _patient_lock(store: Path) -> Iterator[None]:
    """The lock of the store, waited for while another process holds it."""
    with ExitStack() as held:
        while True:
            try:
                held.enter_context(writer_lock(store))
                break
            except StoreBusyError:
                time.sleep(BUSY_SECONDS)
        yield


def _advance(
    store: Path,
    old: Manifest | None,
    stored: Sequence[Paper],
    papers: Sequence[Paper],
    origins: dict[str, Origin],
    encoder: Encoder,
    *,
    is_the_same: bool,
    progress: Progress | None,
) -> tuple[Manifest, int]:
    """Publish the papers of a run, encode what has no vector, and publish them with their map.

    Returns:
        The live manifest, and how many texts were encoded.
    """
    is_current = old is not None and old.format_version == FORMAT_VERSION
    live = Index.open(store) if is_current else None
    is_cut_so = is_the_same and live is not None and live.manifest.code == code_hash()
    if old and live and is_cut_so and live.map_json is not None and live.coverage == 1:
        return old, 0
    contents = Contents.of(papers, live, stored)
    generation = new_generation_id()
    vectors = f"{VECTORS}/{generation}.bin"
    if live and not _compact(live, contents, store, store / vectors):
        vectors = live.manifest.vectors
    manifest = Manifest(
        generation=generation,
        # A run that goes on with another, or brings an index over, can be undone with it.
        previous=(old.previous if is_the_same and is_current else old.generation) if old else None,
        created=datetime.now(UTC),
        encoder=encoder.name,
        weights_hash=encoder.weights_hash,
        dimension=old.dimension if old else encoder.dimension,
        papers=len(papers),
        passages=len(contents.cuts.owner),
        origins=origins,
        content=contents.content,
        code=code_hash(),
        vectors=vectors,
        checksums=live.manifest.checksums if live and live.manifest.vectors == vectors else (),
    )
    path = store / manifest.vectors
    with writing(store):
        path.parent.mkdir(exist_ok=True)
    log = Log.open(path, manifest.dimension)
    missing = _missing(contents.papers, contents.cuts, log)
    manifest = manifest.model_copy(update={"records": len(log.stored)})
    if len(missing) > ASK_BEFORE:
        manifest = write_generation(store, manifest, contents, None)
        _counter(progress, "words")(len(papers), len(papers))
        manifest = manifest.model_copy(update={"generation": new_generation_id(), "files": {}})
    with writing(store):
        _encode(contents, missing, path, encoder, _counter(progress, "embed"))
    log = Log.open(path, manifest.dimension)
    map_ = live.map if live and live.manifest.content == manifest.content else None
    if map_ is None:
        count = _counter(progress, "map")
        count(0, len(papers))
        vectors_of = log.take(log.find(contents.cuts.paper_keys))
        map_ = carry_on(live.map if live else None, papers, vectors_of)
        map_ = map_ or map_collection(papers, vectors_of)
        count(len(papers), len(papers))
    manifest = manifest.model_copy(update={"records": len(log.stored)})
    return write_generation(store, manifest, contents, map_), len(missing)


def _compact(live: Index, contents: Contents, store: Path, path: Path) -> bool:
    """Write the vectors that are needed into a file of their own, if most are not.

    Returns:
        Whether they were written.
    """
    log, parts = live.log, (contents.cuts, live.cuts)
    if log is None:
        return False
    keys = [part for cuts in parts if cuts for part in (cuts.paper_keys, cuts.passage_keys)]
    needed = np.unique(np.concatenate(keys))
    rows = log.find(needed)
    needed, rows = needed[rows >= 0], rows[rows >= 0]
    if len(log.stored) < LEAST_TO_COMPACT or len(log.stored) < 2 * len(needed):
        return False
    with writing(store), LogWriter(path, log.dimension) as written:
        for at in range(0, len(rows), BLOCK):
            some = slice(at, at + BLOCK)
            written.append(needed[some], log.take(rows[some]))
    return True


def _missing(papers: Sequence[Paper], cuts: Cuts, log: Log) -> Keys:
    """The keys of texts without a vector, each once: whole papers first, the newest before all."""
    newest = np.argsort(-Sightings.of(papers).earliest, kind="stable")
    place = np.empty(len(newest), dtype=np.int64)
    place[newest] = np.arange(len(newest))
    passages = np.argsort(place[cuts.owner], kind="stable")
    keys = np.concatenate([cuts.paper_keys[newest], cuts.passage_keys[passages]])
    missing = keys[log.find(keys) < 0]
    _, first = np.unique(missing, return_index=True)
    return missing[np.sort(first)]


def _encode(
    contents: Contents,
    missing: Keys,
    path: Path,
    encoder: Encoder,
    progress: Callable[[int, int], None],
) -> None:
    """Encode texts, each batch kept as soon as it is done."""
    if not len(missing):
        return
    total = len(missing)
    progress(0, total)
    texts = contents.cuts.texts_of(missing, contents.papers)
    with LogWriter(path, encoder.dimension) as log:
        together = getattr(encoder, "together", KEPT_TOGETHER)  # a cluster takes more at once
        for at in range(0, total, together):
            some = slice(at, at + together)
            vectors = encoder.encode(texts[some], progress=_from(at, total, progress))
            log.append(missing[some], vectors)


def _from(at: int, total: int, progress: Callable[[int, int], None]) -> Callable[[int], None]:
    """`progress` of a part that begins at a place of the whole."""
    return lambda done: progress(at + done, total)


def _counter(progress: Progress | None, stage: Stage) -> Callable[[int, int], None]:
    """`progress` for one stage, or nothing."""

    def count(done: int, total: int) -> None:
        if progress:
            progress(stage, done, total)

    return count
