"""What a run of indexing reads, and what it does to the papers of an index."""

import datetime as dt
import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, Field

from index.catalog import Papers, Sightings
from index.errors import InputError
from index.manifest import check_is_store, live_papers
from index.papers import Paper, apart, derived_id, identify, letters, merge_as
from index.readers import Problem, Upload, find_files, read_files
from index.sources import Origin, SourceFile, recognise, renamed, sha256_of, without

State = Literal["new", "unchanged", "updated", "duplicate"]
"""Of an entry that was read, against the index before; "duplicate" repeats one of the same run."""
_MOST_TOLD = 1000
"""Problems and merges that are kept of a run."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One paper as it was read, with the id and the names of sources that the index gives it."""

    paper: Paper
    state: State


@dataclass(frozen=True, slots=True)
class Merge:
    """Entries of a run that are one paper."""

    title: str
    places: tuple[str, ...]
    """Where they are: "march.txt no. 3"."""

    def __str__(self) -> str:
        return f"one paper: {self.title} ({', '.join(self.places)})"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run does, in numbers.

    `new`, `unchanged` and `updated` count papers against the index before the run; those of
    other runs count only as `updated`, where a file that was read again does not name them any
    more. `duplicate` counts entries that repeat a paper of the same run.
    """

    new: int
    unchanged: int
    updated: int
    duplicate: int
    papers: int
    """Papers in the index afterwards."""
    problems: tuple[Problem, ...] = ()
    """What could not be read or is odd, and why."""
    rejected: int = 0
    """Entries and files that could not be read, and date lines that mean no day."""
    is_damaged: bool = False
    """Whether a problem is damage (`Problem.is_damage`): the command then ends with 1."""
    formats: tuple[tuple[str, str], ...] = ()
    """What each file was taken for: its name, and the format."""
    merges: tuple[Merge, ...] = ()
    """The papers that the run has more than once."""


@dataclass(frozen=True, kw_only=True)
class Preview(Outcome):
    """What `index.build.build` would do."""

    entries: tuple[Entry, ...]
    """Every paper that was recognised, in the order in which they stand in the files."""
    removed: tuple[Paper, ...]
    """Papers of the index that a file which is read again does not name any more."""


class PastRun(BaseModel):
    """A run that would change nothing if its files were read so again."""

    sources: tuple[str, ...] = Field(description="What the index calls its files.")
    outcome: Outcome

    @classmethod
    def of(cls, plan: "Plan", outcome: Outcome) -> Self | None:
        """What is kept of a run that is done; None where there is too much to tell of it."""
        if len(outcome.problems) + len(outcome.merges) > _MOST_TOLD:
            return None
        count = len(plan.entries) - outcome.duplicate
        return cls(
            sources=plan.sources, outcome=replace(outcome, new=0, updated=0, unchanged=count)
        )


@dataclass(frozen=True)
class Options:
    """How the files of a run are read."""

    format: str = "auto"
    """A reader's name, or "auto" to tell by the file."""
    year: int | None = None
    """The year of digest dates that have none; default: as `index.readers` says."""
    columns: Mapping[str, str] | None = None
    """Field → heading of its column, for tables whose headings do not tell."""
    merge: bool = True
    """Whether sightings of one paper become one."""


@dataclass(frozen=True)
class Batch:
    """The papers of a run's files, in the order in which they were found, and the problems."""

    papers: Sequence[Paper]
    files: Sequence[SourceFile] = ()
    """The files that the papers come from; papers of other sources are only added."""
    problems: tuple[Problem, ...] = ()
    formats: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Plan:
    """What a run does to the papers of an index that it can touch, by their ids."""

    before: Mapping[str, Paper]
    after: Mapping[str, Paper]
    others: int
    """Papers of the index that it leaves alone."""
    entries: tuple[Entry, ...]
    """What the run read, in the order in which it was found."""
    origins: dict[str, Origin]
    """The files behind the sources of the papers after the run."""
    sources: tuple[str, ...]
    """What the index calls the files of the run."""
    merges: tuple[Merge, ...] = ()
    """The papers that the run has more than once."""

    @cached_property
    def _changed(self) -> set[str]:
        return _changed(self.before, self.after)

    @property
    def changed_sources(self) -> set[str]:
        """The sources of papers that are not as they were."""
        ids = self._changed | (self.before.keys() - self.after.keys())
        papers = [p for every in (self.before, self.after) for i in ids if (p := every.get(i))]
        return {source.name for paper in papers for source in paper.sources}

    @cached_property
    def removed(self) -> tuple[Paper, ...]:
        """Papers that were there, and that none of their files names any more."""
        came = _titles(self.after, self.before)
        gone: list[Paper] = []
        for id_, paper in self.before.items():
            if id_ not in self.after:
                title = derived_id(paper.title, paper.abstract)
                came[title] -= 1
                gone += [paper] if came[title] < 0 else []
        return tuple(gone)

    def outcome(self, batch: Batch) -> Outcome:
        """What the run does: a paper that only gets another id is not new."""
        new = (_titles(self.after, self.before) - _titles(self.before, self.after)).total()
        named = {entry.paper.id for entry in self.entries}
        return Outcome(
            new=new,
            unchanged=len(named - self._changed),
            updated=len(self._changed) - new,
            duplicate=len(self.entries) - len(named),
            papers=len(self.after) + self.others,
            problems=batch.problems,
            rejected=sum(not problem.is_warning for problem in batch.problems),
            is_damaged=any(problem.is_damage for problem in batch.problems),
            formats=batch.formats,
            merges=self.merges,
        )


def read_batch(
    paths: Sequence[Path | Upload],
    store: Path,
    options: Options,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Batch:
    """Read files, folders and uploads that are to be indexed into `store`; it is not read itself.

    `progress` is told how many papers were found so far, and 0.

    Raises:
        InputError: a path or format cannot be used, or no paper was found.
    """
    papers: list[Paper] = []
    problems: list[Problem] = []
    files: list[SourceFile] = []
    formats: list[tuple[str, str]] = []
    readings = read_files(
        paths, format=options.format, year=options.year, columns=options.columns, leave_out=store
    )
    for reading in readings:
        if reading.format:
            formats.append((reading.file.name, reading.format))
        papers_before, problems_before = len(papers), len(problems)
        for found in reading.found:
            if isinstance(found, Problem):
                problems.append(found)
            else:
                papers.append(found)
                progress(len(papers), 0)
        if reading.origin and len(papers) > papers_before:
            is_whole = not any(problem.is_damage for problem in problems[problems_before:])
            name, path = reading.file.name, reading.file.path_on_disk
            files.append(SourceFile(name, path, reading.origin, is_whole=is_whole))
    if not papers:
        if reasons := [problem for problem in problems if not problem.is_warning]:
            error = InputError(f"no paper could be read: {reasons[0]}")
            if reasons[0].option:
                error.add_note(reasons[0].option)  # for the command alone
            raise error
        named = (path.name if isinstance(path, Upload) else str(path) for path in paths)
        raise InputError(f"no papers in {', '.join(named)}")
    return Batch(papers, files, tuple(problems), tuple(formats))


def plan_run(
    batch: Batch,
    stored: Sequence[Paper],
    known: Mapping[str, Origin],
    *,
    merge: bool = True,
    today: dt.date | None = None,
) -> Plan:
    """Compare what a run has read with what the index holds.

    A file that was indexed before (see `index.sources.recognise`) is now the source of what it
    holds now: its other dates and its other papers are gone, unless another file has them. Only
    a file that is not whole still is the source of what it held. Of the `stored` papers of a
    generation only those are looked at that the run can touch (see `Papers.related`).

    `known` are the sources of the index that were files; digests without a date are added `today`,
    by default this day.
    """
    names = recognise(batch.files, known)
    replaced = {names[file.name] for file in batch.files if file.is_whole}
    run = renamed(batch.papers, names)
    rows: Sequence[int] = range(len(stored))
    if isinstance(stored, Papers):
        rows = stored.related(run, replaced)
    touched = [stored[row] for row in rows]
    run = _added(run, touched, today or dt.date.today())
    sightings = [*without(touched, replaced), *run]
    before = {paper.id: paper for paper in touched}
    every = identify(sightings, before) if merge else apart(sightings)
    after = merge_as(sightings, every)
    ids = every[len(sightings) - len(run) :]
    named = {source.name for paper in after.values() for source in paper.sources}
    named |= Sightings.of(stored).names(without=rows)
    # Of files with the same content the first one gives the source its name and place.
    origins = {**known, **{names[file.name]: file.origin for file in reversed(batch.files)}}
    return Plan(
        before=before,
        after={id_: after[id_] for id_ in sorted(after)},
        others=len(stored) - len(touched),
        entries=_entries(run, ids, before, after),
        merges=_merges(run, ids, after),
        origins={name: origins[name] for name in sorted(origins.keys() & named)},
        sources=tuple(sorted(set(names.values()))),
    )


def _added(papers: Sequence[Paper], stored: Sequence[Paper], today: dt.date) -> list[Paper]:
    """The papers with the day on which they came, where their digest has no date."""
    names = {s.name for paper in papers for s in paper.sources if s.dated == "added" and not s.date}
    came = {
        (source.name, letters(paper.title)): source.date
        for paper in stored
        for source in paper.sources
        if source.name in names
    }

    def dated(paper: Paper) -> Paper:
        if not any(source.name in names for source in paper.sources):
            return paper
        sources = tuple(
            source.model_copy(update={"date": came.get((source.name, letters(paper.title)), today)})
            if source.dated == "added" and not source.date
            else source
            for source in paper.sources
        )
        return paper.model_copy(update={"sources": sources})

    return [dated(paper) for paper in papers]


def _merges(
    run: Sequence[Paper], ids: Sequence[str], after: Mapping[str, Paper]
) -> tuple[Merge, ...]:
    places: dict[str, list[str]] = defaultdict(list)
    for paper, id_ in zip(run, ids, strict=True):
        places[id_] += [f"{source.name} no. {source.position}" for source in paper.sources]
    several = ((id_, there) for id_, there in places.items() if len(there) > 1)
    return tuple(Merge(after[id_].display_title, tuple(there)) for id_, there in several)


def _entries(
    run: Sequence[Paper],
    ids: Sequence[str],
    before: Mapping[str, Paper],
    after: Mapping[str, Paper],
) -> tuple[Entry, ...]:
    changed, went = _changed(before, after), _titles(before, after)
    seen: set[str] = set()
    entries: list[Entry] = []
    for paper, id_ in zip(run, ids, strict=True):
        state: State = "updated"
        if id_ in seen:
            state = "duplicate"
        elif id_ not in changed:
            state = "unchanged"
        elif id_ not in before:
            title = derived_id(after[id_].title, after[id_].abstract)
            went[title] -= 1
            state = "updated" if went[title] >= 0 else "new"  # the same paper under another id
        seen.add(id_)
        named = paper if paper.id == id_ else paper.model_copy(update={"id": id_})
        entries.append(Entry(named, state))
    return tuple(entries)


def _changed(before: Mapping[str, Paper], after: Mapping[str, Paper]) -> set[str]:
    return {
        id_
        for id_, paper in after.items()
        if (old := before.get(id_)) is not paper and old != paper
    }


def _titles(papers: Mapping[str, Paper], others: Mapping[str, Paper]) -> Counter[str]:
    """What names the papers that are not among the others: a paper may only get another id."""
    return Counter(
        derived_id(paper.title, paper.abstract)
        for id_, paper in papers.items()
        if id_ not in others
    )


def preview(
    paths: Sequence[Path | Upload],
    store: Path,
    *,
    format: str = "auto",  # noqa: A002 - the name of the command's option
    year: int | None = None,
    columns: Mapping[str, str] | None = None,
    merge: bool = True,
) -> Preview:
    """What `index.build.build` would do with the same arguments; nothing is written.

    Raises:
        InputError: a path or format cannot be used, or no paper was found.
        StoreError: the store is damaged, or no store.
    """
    check_is_store(store)
    batch = read_batch(paths, store, Options(format, year, columns, merge))
    live, stored = live_papers(store)
    plan = plan_run(batch, stored, live.origins if live else {}, merge=merge)
    outcome = plan.outcome(batch)
    return Preview(**vars(outcome), entries=plan.entries, removed=plan.removed)


@cache
def _reading_code() -> str:
    """SHA-256 of the code that reads and merges papers, hexadecimal."""
    return sha256_of(*sorted(Path(__file__).parent.rglob("*.py")))


def run_key(paths: Sequence[Path | Upload], store: Path, options: Options) -> str:
    """What tells a run: its files by place and content, how they are read, and by what code.

    Returns:
        Hexadecimal digits; "" of files that cannot be told, such as a pipe.
    """
    parts: list[object] = [_reading_code(), options.format, options.year, options.merge]
    parts.append(sorted((options.columns or {}).items()))
    for file in find_files(paths, store):
        if file.is_read_once:
            return ""
        with suppress(OSError):
            place = hashlib.sha256(file.place).hexdigest()
            parts.append((file.name, place, file.digest(), file.year()))
    return hashlib.sha256(repr(parts).encode("utf-8", "backslashreplace")).hexdigest()
