"""From files to a published index: read, compare with what is there, embed what is new, write."""

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from index.changes import Change, compare, content_hash, records_of, vectors_of
from index.encoder import Encoder
from index.errors import InputError
from index.lexical import LexicalIndex
from index.manifest import Manifest, check_encoder, hash_files
from index.papers import Paper, derived_id, identify, merge_all
from index.publish import new_generation_id, prune, publish, stage, writer_lock, writing
from index.readers import Problem, read_files
from index.sources import SourceFile, recognise, renamed, without
from index.store import (
    CHROMA,
    LEXICAL,
    PAPERS,
    Index,
    check_is_store,
    current,
    generation_folder,
    read_papers,
)
from index.vectors import COLLECTIONS, chroma, copy_chroma, create_collections, delete, upsert

Stage = Literal["read", "embed", "write"]
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
    rejected: int = 0
    """Entries and files that could not be read, and date lines that mean no day."""
    problems: tuple[Problem, ...] = ()
    """Why, one for each of them."""
    is_damaged: bool = False
    """Whether one of them is damage (`Problem.is_damage`): the command then ends with 1."""
    removed: int = 0
    """Papers that were in the index before, and that none of its files names any more."""


def build(
    paths: Sequence[Path],
    store: Path,
    encoder: Encoder,
    *,
    format: str = "auto",  # noqa: A002 - the name of the command's option
    year: int | None = None,
    progress: Progress | None = None,
) -> BuildReport:
    """Index the papers of files and folders into `store`, beside those already there.

    A file that was indexed before (see `index.sources.recognise`) is now the source of what it
    holds now: its other dates and its other papers are gone, unless another file has them. Only
    where nothing could be read from it, or it is damaged, it still is the source of what it held.

    Args:
        paths: Files, or folders whose readable files are taken.
        store: The index's folder; made if missing.
        encoder: Must be the one the index was built with.
        format: A reader's name, or "auto" to tell by the file.
        year: The year of digest dates that have none; default: the file's modification year.
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
    papers: list[Paper] = []
    problems: list[Problem] = []
    files: list[SourceFile] = []
    for reading in read_files(paths, format=format, year=year, leave_out=store):
        papers_before, problems_before = len(papers), len(problems)
        for found in reading.found:
            if isinstance(found, Problem):
                problems.append(found)
            else:
                papers.append(found)
                if progress:
                    progress("read", len(papers), 0)
        if reading.origin and len(papers) > papers_before:
            is_whole = not any(problem.is_damage for problem in problems[problems_before:])
            file = reading.file
            files.append(SourceFile(file.name, file.path, reading.origin, is_whole=is_whole))
    if not papers:
        if not problems:
            raise InputError(f"no papers in {', '.join(str(path) for path in paths)}")
        raise InputError(f"no paper could be read: {problems[0]}")
    report = build_papers(papers, store, encoder, files=files, progress=progress)
    return replace(
        report,
        rejected=len(problems),
        problems=tuple(problems),
        is_damaged=any(problem.is_damage for problem in problems),
        seconds=time.monotonic() - started,
    )


def build_papers(
    papers: Iterable[Paper],
    store: Path,
    encoder: Encoder,
    *,
    files: Sequence[SourceFile] = (),
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
        progress: Told how far each stage is.
    """
    started = time.monotonic()
    run = list(papers)
    with writer_lock(store):
        old, stored = _live_papers(store, encoder)
        with writing(store):
            prune(store, {old.generation, old.previous} if old else set())
        origins = old.origins if old else {}
        names = recognise(files, origins)
        replaced = {names[file.name] for file in files if file.is_whole}
        sightings = [*without(stored, replaced), *renamed(run, names)]
        before = {paper.id: paper for paper in stored}
        after = merge_all(sightings)
        # Of files with the same content the first one gives the source its name and place.
        origins = origins | {names[file.name]: file.origin for file in reversed(files)}
        named = {source.name for paper in after.values() for source in paper.sources}
        origins = {name: origins[name] for name in sorted(origins.keys() & named)}
        ordered = [after[key] for key in sorted(after)]
        records = records_of(ordered)
        content = content_hash(records)
        embedded = 0
        if old and after == before and (old.content, old.origins) == (content, origins):
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
                origins=origins,
                content=content,
            )
            _write(store, manifest, ordered, change, vectors, _counter(progress, "write"))
            with writing(store):
                prune(store, {manifest.generation, manifest.previous})
    entries = set(identify(sightings)[len(sightings) - len(run) :])
    changed = {id_ for id_, paper in after.items() if before.get(id_) != paper}
    came, went = _titles(after, before), _titles(before, after)
    new = (came - went).total()
    return BuildReport(
        new=new,
        unchanged=len(entries - changed),
        updated=len(changed) - new,
        duplicate=len(run) - len(entries),
        removed=(went - came).total(),
        papers=manifest.papers,
        passages=manifest.passages,
        embedded=embedded,
        seconds=time.monotonic() - started,
        generation=manifest.generation,
    )


def _titles(papers: Mapping[str, Paper], others: Mapping[str, Paper]) -> Counter[str]:
    """What names the papers that are not among the others: a paper may only get another id."""
    return Counter(
        derived_id(paper.title, paper.abstract)
        for id_, paper in papers.items()
        if id_ not in others
    )


def _counter(progress: Progress | None, stage: Stage) -> Callable[[int, int], None]:
    """`progress` for one stage, or nothing."""

    def count(done: int, total: int) -> None:
        if progress:
            progress(stage, done, total)

    return count


def _live_papers(store: Path, encoder: Encoder) -> tuple[Manifest | None, tuple[Paper, ...]]:
    """The live generation's manifest and papers, if there is one; Chroma stays closed."""
    generation = current(store)
    if generation is None:
        return None, ()
    manifest, papers = read_papers(store, generation)
    check_encoder(manifest, encoder)
    return manifest, papers


def _write(
    store: Path,
    manifest: Manifest,
    papers: Sequence[Paper],
    change: Change,
    vectors: dict[str, NDArray[np.float32]],
    progress: Callable[[int, int], None],
) -> None:
    """Write the generation of `manifest` beside the live one, add its files' hashes, publish."""
    total = sum(map(len, change.upserts.values()))
    with writing(store):
        staged = stage(store, manifest.generation)
        try:
            if manifest.previous:
                live = generation_folder(store, manifest.previous)
                copy_chroma(live / CHROMA, staged / CHROMA)
            done = 0
            with chroma(staged / CHROMA) as client:
                if not manifest.previous:
                    create_collections(client)
                for name in COLLECTIONS:
                    delete(client, name, change.deletions[name])
                    if records := change.upserts[name]:
                        rows = np.stack([vectors[record.text] for record in records])
                        for size in upsert(client, name, records, rows):
                            done += size
                            progress(done, total)
            with (staged / PAPERS).open("w", encoding="utf-8") as file:
                file.writelines(paper.model_dump_json() + "\n" for paper in papers)
            LexicalIndex.build(papers).save(staged / LEXICAL)
            files = hash_files(staged)
            publish(store, staged, manifest.model_copy(update={"files": files}))
        except BaseException:
            shutil.rmtree(staged, ignore_errors=True)
            raise
