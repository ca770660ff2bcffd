"""Plan an indexing run: read its files, and find how they change the papers of the index."""

import datetime as dt
import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal, Unpack

from index.catalog import Papers, Sightings, code_hash
from index.errors import InputError
from index.manifest import check_is_store, live_papers
from index.papers import Paper, Source, apart, derived_id, identify, letters, merge_as, with_id
from index.readers import Options, Problem, Upload, find_files, read_files
from index.sources import Origin, SourceFile, recognise, renamed, with_sources, without

Count = Callable[[int, int], None]  # called with the number of items done, and the total
State = Literal["new", "unchanged", "updated", "duplicate"]  # a duplicate repeats one of the run


@dataclass(frozen=True, slots=True)
class Entry:
    """One paper as it was read, with the id and the source names that the index gives it."""

    paper: Paper
    state: State


@dataclass(frozen=True, slots=True)
class Merge:
    """Entries of a run that are one paper."""

    title: str
    places: tuple[str, ...]  # where the entries are: "march.txt no. 3"

    def __str__(self) -> str:
        return f"one paper in several places: {self.title} ({', '.join(self.places)})"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The numbers of papers of a run (`new`, `unchanged`, `updated`), and of the index after it.

    Papers that it did not read count as `updated` if a file that was read no longer has them.
    """

    new: int
    unchanged: int
    updated: int
    duplicate: int
    papers: int
    problems: tuple[Problem, ...] = ()
    rejected: int = 0  # entries and files that could not be read, and date lines that are no date
    is_damaged: bool = False  # whether a problem is damage: the command then ends with 1
    formats: tuple[tuple[str, str], ...] = ()
    merges: tuple[Merge, ...] = ()  # the papers that the run contains more than once


@dataclass(frozen=True, kw_only=True)
class Preview(Outcome):
    """The outcome that `index.build.build` would have."""

    entries: tuple[Entry, ...]  # every paper that was recognised, in the order of the files
    removed: tuple[Paper, ...]  # of the index, that no file contains any more


@dataclass(frozen=True)
class Batch:
    """The papers of a run's files, in the order in which they were found, and the problems."""

    papers: list[Paper] = field(default_factory=list)
    files: list[SourceFile] = field(default_factory=list)  # papers of other sources are only added
    problems: list[Problem] = field(default_factory=list)
    formats: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Plan:
    """The changes of a run to the papers of an index that it can touch, and not to `others`."""

    before: Mapping[str, Paper]
    after: Mapping[str, Paper]
    origins: Mapping[str, Origin]  # the files behind the sources of the papers after the run
    others: int = 0
    read: Sequence[Paper] = ()  # what the run read, in the order found, with the index's ids

    @cached_property
    def _changed(self) -> set[str]:
        return {id_ for id_, paper in self.after.items() if self.before.get(id_) != paper}

    @cached_property
    def _moved(self) -> dict[str, str]:
        """The old id of each paper that only gets another id, by its new id."""
        added: dict[str, list[str]] = defaultdict(list)
        for id_ in sorted(self.after.keys() - self.before.keys()):
            added[derived_id(self.after[id_].title, self.after[id_].abstract)].append(id_)
        gone = ((id_, self.before[id_]) for id_ in sorted(self.before.keys() - self.after.keys()))
        same = ((added[derived_id(paper.title, paper.abstract)], id_) for id_, paper in gone)
        return {new.pop(): id_ for new, id_ in same if new}

    @property
    def removed(self) -> tuple[Paper, ...]:
        """Papers that were in the index, and that no file contains any more."""
        kept = {*self.after, *self._moved.values()}
        return tuple(paper for id_, paper in self.before.items() if id_ not in kept)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The papers that the run read, and the state of each."""
        states: dict[str, State] = dict.fromkeys(self.before.keys() | self._moved.keys(), "updated")
        states |= dict.fromkeys(self.after.keys() - self._changed, "unchanged")
        entries: list[Entry] = []
        for paper in self.read:
            entries.append(Entry(paper, states.get(paper.id, "new")))
            states[paper.id] = "duplicate"
        return tuple(entries)

    def outcome(self, batch: Batch) -> Outcome:
        """Return the outcome of the run; a paper that only gets another id is not new."""
        states = Counter(entry.state for entry in self.entries)
        new = len(self.after.keys() - self.before.keys() - self._moved.keys())
        places: dict[str, list[str]] = defaultdict(list)
        for paper in self.read:
            places[paper.id] += [f"{source.name} no. {source.position}" for source in paper.sources]
        several = (
            Merge(self.after[id_].display_title, tuple(found))
            for id_, found in places.items()
            if found[1:]
        )
        return Outcome(
            new=new,
            unchanged=states["unchanged"],
            updated=len(self._changed) - new,
            duplicate=states["duplicate"],
            papers=len(self.after) + self.others,
            problems=tuple(batch.problems),
            rejected=sum(not problem.is_warning for problem in batch.problems),
            is_damaged=any(problem.is_damage for problem in batch.problems),
            formats=tuple(batch.formats),
            merges=tuple(several),
        )


def read_batch(
    paths: Sequence[Path | Upload], store: Path, options: Options, progress: Count
) -> Batch:
    """Read files to be indexed into `store`; `InputError` if one is invalid or has no paper."""
    batch = Batch()
    for reading in read_files(paths, options, store):
        file, papers, problems = reading.file, len(batch.papers), len(batch.problems)
        if reading.format:
            batch.formats.append((file.name, reading.format))
        for found in reading.found:
            if isinstance(found, Problem):
                batch.problems.append(found)
            else:
                batch.papers.append(found)
                progress(len(batch.papers), 0)
        is_whole = not any(problem.is_damage for problem in batch.problems[problems:])
        if reading.origin and len(batch.papers) > papers:
            batch.files.append(SourceFile(file.name, file.path_on_disk, reading.origin, is_whole))
    if batch.papers:
        return batch
    if problem := next((each for each in batch.problems if not each.is_warning), None):
        raise InputError(f"no paper could be read: {problem}")
    named = (path.name if isinstance(path, Upload) else str(path) for path in paths)
    raise InputError(f"no papers in {', '.join(named)}")


def plan_run(
    batch: Batch,
    stored: Sequence[Paper],
    known: Mapping[str, Origin],
    *,
    merge: bool = True,
    today: dt.date | None = None,
) -> Plan:
    """Plan how the papers that a run has read change the `stored` papers of the index.

    A file that was indexed before replaces what it contained, unless only a part could be read.
    `known` are the origins of the index's sources, by name, `today` dates digests without a date.
    """
    names = recognise(batch.files, known)
    replaced = {names[file.name] for file in batch.files if file.is_whole}
    run = renamed(batch.papers, names)
    rows = stored.related(run, replaced) if isinstance(stored, Papers) else [*range(len(stored))]
    touched = [stored[row] for row in rows]
    run = _added(run, touched, today or dt.date.today())
    sightings = [*without(touched, replaced), *run]
    before = {paper.id: paper for paper in touched}
    ids = identify(sightings, before) if merge else apart(sightings)
    after = merge_as(sightings, ids)
    named = {source.name for paper in after.values() for source in paper.sources}
    named |= Sightings.of(stored).names(without=rows)
    # Of files with the same content, the first gives the source its name and place.
    origins = {**known, **{names[file.name]: file.origin for file in reversed(batch.files)}}
    return Plan(
        before,
        dict(sorted(after.items())),
        {name: origins[name] for name in sorted(origins.keys() & named)},
        others=len(stored) - len(touched),
        read=[*map(with_id, run, ids[len(sightings) - len(run) :])],
    )


def _added(papers: Sequence[Paper], stored: Sequence[Paper], today: dt.date) -> list[Paper]:
    """Date the papers of digests without a date by the day on which they were first added."""
    known = ((source, paper) for paper in stored for source in paper.sources)
    days = {(s.name, letters(paper.title)): s.date for s, paper in known if s.dated == "added"}

    def dated(source: Source, paper: Paper) -> Source:
        if source.dated != "added" or source.date:
            return source
        day = days.get((source.name, letters(paper.title)), today)
        return source.model_copy(update={"date": day})

    return [with_sources(each, (dated(source, each) for source in each.sources)) for each in papers]


def preview(paths: Sequence[Path | Upload], store: Path, **options: Unpack[Options]) -> Preview:
    """Return what `index.build.build` would do with the same arguments, without writing anything.

    Raises `InputError` if a path or format cannot be used, or no paper was found, `StoreError` if
    the store is damaged, or the folder is no store.
    """
    check_is_store(store)
    batch = read_batch(paths, store, options, lambda *_: None)
    live, stored = live_papers(store)
    plan = plan_run(batch, stored, live.origins if live else {}, merge=options.get("merge", True))
    return Preview(**vars(plan.outcome(batch)), entries=plan.entries, removed=plan.removed)


def run_key(paths: Sequence[Path | Upload], store: Path, options: Options) -> str:
    """Return a hash of a run's files, options and code; "" if a file can be read only once."""
    parts: list[object] = [code_hash(), sorted(options.items(), key=str)]
    for file in find_files(paths, store):
        if file.is_read_once:
            return ""
        with suppress(OSError):
            parts.append((file.name, file.place, file.digest(), file.year()))
    return hashlib.sha256(repr(parts).encode("utf-8", "backslashreplace")).hexdigest()
