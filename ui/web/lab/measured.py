"""The measured runs in a folder: which there are, their main figures, what is wrong with others."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from eval.figures import as_interval
from eval.runs import ANSWERS, METRICS, PRIMARY, QUESTIONS, RECORD, read_json
from eval.statistics import Interval
from index.errors import InputError

DEEPEST = 4
"""Folders between the one of all runs and a run."""

State = Literal["finished", "unfinished", "damaged", "of another kind"]


@dataclass(frozen=True, slots=True)
class MeasuredRun:
    """One run, by what its record and its metrics say of it."""

    name: str
    """Its path within the folder of all runs."""
    folder: Path
    state: State
    problem: str = ""
    """Why it is not shown as a finished run, in one line."""
    kind: str = ""
    system: str = ""
    dataset: str = ""
    questions: int = 0
    started: datetime | None = None
    figures: Mapping[str, Interval] = field(default_factory=dict)

    @property
    def when(self) -> str:
        """When it began, in UTC."""
        return f"{self.started:%Y-%m-%d %H:%M}" if self.started else "–"


def measured_runs(root: Path) -> list[MeasuredRun]:
    """Every run below `root`, the newest first; those without a date last."""
    found = [_read(folder, folder.relative_to(root).as_posix()) for folder in _folders(root)]
    oldest = datetime.min.replace(tzinfo=UTC)
    return sorted(found, key=lambda run: (run.started or oldest, run.name), reverse=True)


def find_run(root: Path, name: str) -> MeasuredRun:
    """The finished run of this name, which may come from a page: it never becomes a path.

    Raises:
        InputError: there is no such run.
    """
    for run in measured_runs(root):
        if run.name == name and run.state == "finished":
            return run
    raise InputError(f"there is no finished run {name!r}; read the runs again")


def _folders(root: Path) -> Iterator[Path]:
    """The folders below `root` that hold a record; what is in a run is no run."""
    for here, folders, files in os.walk(root):
        depth = len(Path(here).relative_to(root).parts)
        if RECORD in files and depth:
            folders.clear()
            yield Path(here)
        elif depth >= DEEPEST:
            folders.clear()


def _read(folder: Path, name: str) -> MeasuredRun:
    """What the files of a run say; whatever is wrong with them becomes its problem."""
    try:
        record = read_json(folder / RECORD)
        if record.get("kind") not in PRIMARY:
            problem = f"holds {record.get('kind')!r}, which has no place in this table"
            return MeasuredRun(name, folder, "of another kind", problem)
        known = _description(record)
        if not (folder / METRICS).exists():
            return MeasuredRun(name, folder, "unfinished", _progress(folder), **known)
        stored: Any = read_json(folder / METRICS).get("intervals", {})
        figures = {key: found for key, value in stored.items() if (found := as_interval(value))}
        return MeasuredRun(name, folder, "finished", **known, figures=figures)
    except (InputError, AttributeError, KeyError, TypeError, ValueError, OSError):
        problem = f"its {RECORD} or {METRICS} cannot be read; make the run anew"
        return MeasuredRun(name, folder, "damaged", problem)


def _description(record: Mapping[str, Any]) -> dict[str, Any]:
    data, started = record["dataset"], record.get("started")
    return {
        "kind": record["kind"],
        "system": str(record["system"]),
        "dataset": str(data["name"]),
        "questions": int(data.get("questions", data.get("queries", 0))),
        "started": datetime.fromisoformat(str(started)).astimezone(UTC) if started else None,
    }


def _progress(folder: Path) -> str:
    done, total = (_count_lines(folder / name) for name in (ANSWERS, QUESTIONS))
    return f"not finished: {done} of {total} questions; the command that began it goes on"


def _count_lines(path: Path) -> int:
    return len(path.read_bytes().splitlines()) if path.exists() else 0
