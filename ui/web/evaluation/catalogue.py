"""The runs in a folder: which there are, what they measured, and what is wrong with the others.

What was read is kept by the folder and the time of its files, so that looking again is cheap.
"""

import os
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any, Literal

from eval.compare import Comparison, compare_runs
from eval.figures import as_interval
from eval.runs import (
    ANSWERS,
    METRICS,
    PRIMARY,
    QUESTIONS,
    RECORD,
    SCORES,
    Recorded,
    load_run,
    read_json,
)
from eval.statistics import Interval
from index.errors import InputError

DEEPEST = 4
"""Folders between the one of all runs and a run."""
KEPT = 8
"""Runs kept whole, and comparisons."""

State = Literal["finished", "unfinished", "damaged", "of another kind"]
Stamp = tuple[tuple[int, int] | None, ...]
"""Modification time in nanoseconds and size in bytes of each file of a run, None if missing."""

_FIGURES = "intervals"
_SIZES = ("questions", "queries")


@dataclass(frozen=True, slots=True)
class Entry:
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
    data: str = ""
    """The same for runs of the same questions: what they can be compared by."""
    questions: int = 0
    started: datetime | None = None
    figures: Mapping[str, Interval] | None = None

    @property
    def primary(self) -> str:
        """The figure that says how often a question went right."""
        return PRIMARY[self.kind]

    def figure(self, name: str) -> Interval | None:
        """A figure with its interval, if the run has it."""
        return (self.figures or {}).get(name)


class Catalogue:
    """The runs below a folder. May be used from several threads at once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._entries: dict[Path, tuple[Stamp, Entry]] = {}
        self._runs: OrderedDict[tuple[Path, Stamp], Recorded] = OrderedDict()
        self._compared: OrderedDict[tuple[object, ...], Comparison] = OrderedDict()
        self._lock = Lock()
        self._comparing = Lock()

    def entries(self) -> list[Entry]:
        """Every run, the newest first; those without a date last."""
        found = [self._entry(folder) for folder in _run_folders(self.root)]
        with self._lock:
            here = {entry.folder for entry in found}
            self._entries = {at: kept for at, kept in self._entries.items() if at in here}
        newest = datetime.min.replace(tzinfo=UTC)
        return sorted(found, key=lambda entry: (entry.started or newest, entry.name), reverse=True)

    def _entry(self, folder: Path) -> Entry:
        stamp = _stamp(folder)
        with self._lock:
            kept = self._entries.get(folder)
        if kept and kept[0] == stamp:
            return kept[1]
        entry = _read(folder, folder.relative_to(self.root).as_posix())
        with self._lock:
            self._entries[folder] = stamp, entry
        return entry

    def run(self, name: str) -> Recorded:
        """A finished run, read whole.

        Raises:
            InputError: there is no such run, it is not finished, or it is damaged.
        """
        # The name comes from a page: it is looked for, never made into a path.
        entry = next((entry for entry in self.entries() if entry.name == name), None)
        if entry is None:
            raise InputError(f"there is no run {name!r} any more; read the runs again")
        key = entry.folder, _stamp(entry.folder)
        with self._lock:
            if key in self._runs:
                self._runs.move_to_end(key)
                return self._runs[key]
        run = load_run(entry.folder)
        with self._lock:
            self._runs[key] = run
            while len(self._runs) > KEPT:
                self._runs.popitem(last=False)
        return run

    def compare(self, before: str, after: str) -> Comparison:
        """Two runs against each other.

        Raises:
            InputError: one of them cannot be read, or they cannot be compared.
        """
        if before == after:
            raise InputError("choose two different runs")
        first, second = self.run(before), self.run(after)
        key = (first.folder, _stamp(first.folder), second.folder, _stamp(second.folder))
        with self._comparing:  # seconds of work: not twice at the same time
            if key not in self._compared:
                self._compared[key] = compare_runs(first, second)
                while len(self._compared) > KEPT:
                    self._compared.popitem(last=False)
            self._compared.move_to_end(key)
            return self._compared[key]


def _run_folders(root: Path) -> Iterator[Path]:
    """The folders below `root` that hold a record; what is in a run is no run."""
    for here, folders, files in os.walk(root):
        depth = len(Path(here).relative_to(root).parts)
        if RECORD in files and depth:
            folders.clear()
            yield Path(here)
        elif depth >= DEEPEST:
            folders.clear()


def _stamp(folder: Path) -> Stamp:
    return tuple(_of_file(folder / name) for name in (RECORD, METRICS, SCORES, ANSWERS))


def _of_file(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _read(folder: Path, name: str) -> Entry:
    """What the record and the metrics of a run say; whatever is wrong is told, never raised."""
    try:
        record = read_json(folder / RECORD)
        if record.get("kind") not in PRIMARY:
            problem = f"holds {record.get('kind')!r}, which has no place in these tables"
            return Entry(name, folder, "of another kind", problem)
        known = _described(record)
        if not (folder / METRICS).exists():
            return Entry(name, folder, "unfinished", _progress(folder), **known)
        return Entry(name, folder, "finished", **known, figures=_figures(folder))
    except (InputError, AttributeError, KeyError, TypeError, ValueError, OSError):
        files = f"{RECORD} or {METRICS}"
        return Entry(name, folder, "damaged", f"its {files} cannot be read; make the run anew")


def _described(record: Mapping[str, Any]) -> dict[str, Any]:
    data = record["dataset"]
    size = next((int(data[key]) for key in _SIZES if key in data), 0)
    asked = data.get("sha256", data.get("queries_sha256"))
    started = record.get("started")
    return {
        "kind": record["kind"],
        "system": str(record["system"]),
        "dataset": str(data["name"]),
        "data": f"{record['kind']} {data['name']} {asked} {size}",
        "questions": size,
        "started": datetime.fromisoformat(str(started)).astimezone(UTC) if started else None,
    }


def _figures(folder: Path) -> dict[str, Interval]:
    stored: Any = read_json(folder / METRICS).get(_FIGURES, {})
    found = {name: as_interval(section) for name, section in stored.items()}
    return {name: figure for name, figure in found.items() if figure is not None}


def _progress(folder: Path) -> str:
    done, all_ = (_lines(folder / name) for name in (ANSWERS, QUESTIONS))
    return f"not finished: {done} of {all_} questions; the command that began it goes on"


def _lines(path: Path) -> int:
    try:
        with path.open("rb") as file:
            return sum(1 for _ in file)
    except OSError:
        return 0
