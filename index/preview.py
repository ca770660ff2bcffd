"""What indexing would do, told before anything is written; no encoder is needed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from index.batch import read_batch
from index.papers import Paper
from index.plan import Entry, Merge, State, plan_run
from index.readers import Problem, Upload
from index.store import check_is_store, live_papers

__all__ = ["Entry", "Preview", "State", "preview"]


@dataclass(frozen=True, slots=True)
class Preview:
    """What `index.build.build` would do; counts mean what they mean in its `BuildReport`."""

    entries: tuple[Entry, ...]
    """Every paper that was recognised, in the order in which they stand in the files."""
    removed: tuple[Paper, ...]
    """Papers of the index that a file which is read again does not name any more."""
    problems: tuple[Problem, ...]
    """What could not be read, and why."""
    new: int
    unchanged: int
    updated: int
    duplicate: int
    papers: int
    """Papers in the index afterwards."""
    is_damaged: bool
    """Whether a problem is damage (`Problem.is_damage`): the command then ends with 1."""
    rejected: int
    """Entries and files that could not be read, and date lines that mean no day."""
    formats: tuple[tuple[str, str], ...]
    """What each file was taken for: its name, and the format."""
    merges: tuple[Merge, ...]
    """The papers that the files have more than once."""


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
    batch = read_batch(paths, store, format=format, year=year, columns=columns)
    live, stored = live_papers(store)
    origins = live.origins if live else {}
    plan = plan_run(batch.papers, batch.files, stored, origins, merge=merge)
    return Preview(
        entries=plan.entries,
        removed=plan.removed,
        problems=batch.problems,
        new=plan.new,
        unchanged=plan.unchanged,
        updated=plan.updated,
        duplicate=plan.duplicate,
        papers=len(plan.after),
        is_damaged=batch.is_damaged,
        rejected=batch.rejected,
        formats=batch.formats,
        merges=plan.merges,
    )
