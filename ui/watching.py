"""A folder that is watched: each file that comes into it, or changes, is indexed."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from index.errors import AbstractQAError, InputError
from index.manifest import current
from ui.indexing import index_files, resume_beside, summary
from ui.terminal import note

if TYPE_CHECKING:
    from rag.settings import Settings

QUIET_SECONDS = 2.0
"""A file is read once nothing has been written to it for so long: half of one is none."""


def watch(folder: Path, settings: "Settings", stop: threading.Event | None = None) -> int:
    """Index a folder, and then whatever comes into it, until it is interrupted.

    A file that cannot be read is told, and read again when it changes.

    Args:
        folder: What to watch, with all folders inside it.
        settings: Where the index is, and its encoder.
        stop: Ends the watching when it is set.

    Raises:
        InputError: there is no such folder.
    """
    _check(folder)
    note(f"watching {folder}; new files are indexed as they come (Ctrl+C ends it)")
    if any(_visible(folder)):
        _index(folder, settings)
    elif current(settings.store) is not None:
        resume_beside(settings)
    for _ in _changes(folder, stop or threading.Event()):
        _index(folder, settings)
    return 0


def watch_beside(folder: Path, settings: "Settings") -> threading.Thread:
    """Watch a folder in a thread that ends with the process.

    Raises:
        InputError: there is no such folder.
    """
    _check(folder)
    thread = threading.Thread(target=watch, args=(folder, settings), daemon=True)
    thread.start()
    return thread


def _check(folder: Path) -> None:
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder: name one to watch")


def _visible(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and path.name[0] != ".")


def _index(folder: Path, settings: "Settings") -> None:
    try:
        report = index_files([folder], settings)
    except AbstractQAError as error:
        note(str(error))
        return
    for problem in report.problems[:5]:
        note(str(problem))
    if report.generation != report.previous:
        note(summary(report, settings.store))


def _changes(folder: Path, stop: threading.Event) -> Iterator[None]:
    """Once for each time that files came or changed, when they are whole."""
    from watchfiles import watch as changes

    for _ in changes(folder, stop_event=stop, raise_interrupt=False):
        while not stop.is_set():
            before = _state(folder)
            if stop.wait(QUIET_SECONDS) or _state(folder) == before:
                break
        yield


def _state(folder: Path) -> dict[Path, tuple[int, int]]:
    """The sizes and times of the files."""
    found: dict[Path, tuple[int, int]] = {}
    for path in _visible(folder):
        try:
            stat = path.stat()
        except OSError:  # gone meanwhile
            continue
        found[path] = (stat.st_size, stat.st_mtime_ns)
    return found
