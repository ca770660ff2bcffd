"""What a run of indexing does to the papers of an index: before, after, and what differs."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from index.identity import apart, identify, merge_as
from index.papers import Paper, derived_id, letters
from index.sources import Origin, SourceFile, recognise, renamed, without

State = Literal["new", "unchanged", "updated", "duplicate"]
"""Of an entry that was read, against the index before; "duplicate" repeats one of the same run."""


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


@dataclass(frozen=True, slots=True)
class Plan:
    """The papers of an index before a run and after it, by their ids."""

    before: Mapping[str, Paper]
    after: Mapping[str, Paper]
    entries: tuple[Entry, ...]
    """What the run read, in the order in which it was found."""
    origins: dict[str, Origin]
    """The files behind the sources of the papers after the run."""
    merges: tuple[Merge, ...] = ()
    """The papers that the run has more than once."""

    @property
    def new(self) -> int:
        """Papers that were not there; one that only gets another id was."""
        return self._came().total()

    @property
    def updated(self) -> int:
        """Papers that were there and are not the same any more, whether the run names them or not.

        One that the run does not name has lost a source that was read again.
        """
        return len(self._changed()) - self.new

    @property
    def unchanged(self) -> int:
        """Papers of the run that are as they were."""
        return len({entry.paper.id for entry in self.entries} - self._changed())

    @property
    def duplicate(self) -> int:
        """Entries that repeat a paper of the run."""
        return len(self.entries) - len({entry.paper.id for entry in self.entries})

    @property
    def removed(self) -> tuple[Paper, ...]:
        """Papers that were there, and that none of their files names any more."""
        came = _titles(self.after, self.before)
        gone: list[Paper] = []
        for id_, paper in self.before.items():
            if id_ in self.after:
                continue
            title = derived_id(paper.title, paper.abstract)
            if came[title]:
                came[title] -= 1
            else:
                gone.append(paper)
        return tuple(gone)

    def _came(self) -> Counter[str]:
        return _titles(self.after, self.before) - _titles(self.before, self.after)

    def _changed(self) -> set[str]:
        return _changed(self.before, self.after)


def plan_run(
    papers: Sequence[Paper],
    files: Sequence[SourceFile],
    stored: Sequence[Paper],
    known: Mapping[str, Origin],
    *,
    merge: bool = True,
    today: dt.date | None = None,
) -> Plan:
    """Compare what a run has read with what the index holds.

    A file that was indexed before (see `index.sources.recognise`) is now the source of what it
    holds now: its other dates and its other papers are gone, unless another file has them. Only
    a file that is not whole still is the source of what it held.

    Args:
        papers: What was read, in the order in which it was found.
        files: The files it was read from; papers with sources of other names are only added.
        stored: The papers of the index.
        known: The sources of the index that were files, and those files.
        merge: Whether sightings of one paper become one; if not, each is a paper of its own.
        today: The day on which digests without a date are added; by default this one.
    """
    names = recognise(files, known)
    replaced = {names[file.name] for file in files if file.is_whole}
    run = _added(renamed(papers, names), stored, today or dt.datetime.now().astimezone().date())
    sightings = [*without(stored, replaced), *run]
    before = {paper.id: paper for paper in stored}
    every = identify(sightings, before) if merge else apart(sightings)
    after = merge_as(sightings, every)
    ids = every[len(sightings) - len(run) :]
    # Of files with the same content the first one gives the source its name and place.
    origins = {**known, **{names[file.name]: file.origin for file in reversed(files)}}
    named = {source.name for paper in after.values() for source in paper.sources}
    return Plan(
        before=before,
        after={id_: after[id_] for id_ in sorted(after)},
        entries=_entries(run, ids, before, after),
        merges=_merges(run, ids, after),
        origins={name: origins[name] for name in sorted(origins.keys() & named)},
    )


def _added(papers: Sequence[Paper], stored: Sequence[Paper], today: dt.date) -> list[Paper]:
    """The papers with the day on which they came, where their digest has no date."""
    came = {
        (source.name, letters(paper.title)): source.date
        for paper in stored
        for source in paper.sources
    }

    def dated(paper: Paper) -> Paper:
        if all(source.date or source.dated != "added" for source in paper.sources):
            return paper
        key = letters(paper.title)
        sources = tuple(
            source.model_copy(update={"date": came.get((source.name, key), today)})
            if source.dated == "added"
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
    return tuple(
        Merge(after[id_].display_title, tuple(there))
        for id_, there in places.items()
        if len(there) > 1
    )


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
        title = derived_id(after[id_].title, after[id_].abstract)
        if id_ in seen:
            state = "duplicate"
        elif id_ not in changed:
            state = "unchanged"
        elif id_ not in before and went[title]:
            went[title] -= 1  # the same paper under another id
        elif id_ not in before:
            state = "new"
        seen.add(id_)
        entries.append(Entry(paper.model_copy(update={"id": id_}), state))
    return tuple(entries)


def _changed(before: Mapping[str, Paper], after: Mapping[str, Paper]) -> set[str]:
    return {id_ for id_, paper in after.items() if before.get(id_) != paper}


def _titles(papers: Mapping[str, Paper], others: Mapping[str, Paper]) -> Counter[str]:
    """What names the papers that are not among the others: a paper may only get another id."""
    return Counter(
        derived_id(paper.title, paper.abstract)
        for id_, paper in papers.items()
        if id_ not in others
    )
