"""Writing a store: the writer's lock, and generations that go live all at once or not at all."""

import errno
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from index.errors import StoreBusyError, StoreError
from index.manifest import FILE_NAME, Manifest, check_files, read_manifest
from index.store import (
    CURRENT,
    GENERATIONS,
    LOCK,
    UNFINISHED,
    VECTORS,
    check_is_store,
    current,
    generation_folder,
    no_index,
    own_generations,
)
from index.vectors import keys_of

_WHY = {
    errno.ENOSPC: "there is no space left on its disk; free some and run the command again",
    errno.EDQUOT: "the disk quota is used up; free some space and run the command again",
    errno.EROFS: "it is read-only; give another --store",
    errno.EACCES: "it is read-only for this user; give another --store",
    errno.EPERM: "it is read-only for this user; give another --store",
}


@contextmanager
def writing(store: Path) -> Iterator[None]:
    """Turn what the operating system says while writing into one line.

    Raises:
        StoreError: instead of any OSError inside.
    """
    try:
        yield
    except OSError as error:
        why = _WHY.get(error.errno or 0, f"{error.strerror or error}; give another --store")
        raise StoreError(f"cannot write the index at {store}: {why}") from error


@contextmanager
def writer_lock(store: Path) -> Iterator[None]:
    """Hold the store, made if missing, as its only writer.

    The lock is the operating system's, so it is free again when the process ends, however.

    Raises:
        StoreBusyError: another process holds it.
        StoreError: the folder is not a store, or cannot be written.
    """
    check_is_store(store)
    with writing(store):
        store.mkdir(parents=True, exist_ok=True)
        file = (store / LOCK).open("a", encoding="utf-8")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StoreBusyError(
                f"another process is writing to the index at {store}: wait until it has finished"
            ) from error
        yield


def new_generation_id() -> str:
    """An id that no generation had before: the UTC time to the microsecond, and chance."""
    now = datetime.now(UTC)
    return f"{now:%Y%m%dT%H%M%S}-{now.microsecond:05x}{secrets.randbelow(16**3):03x}"


def stage(store: Path, generation: str) -> Path:
    """Make the folder in which a generation is written before it goes live."""
    folder = store / GENERATIONS / (generation + UNFINISHED)
    folder.mkdir(parents=True)
    return folder


def publish(store: Path, staged: Path, manifest: Manifest) -> None:
    """Write the manifest into the staged folder and make it the live generation.

    Everything is on the disk before `CURRENT` changes; a kill before that leaves the old one
    live.
    """
    (staged / FILE_NAME).write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
    for path in (*staged.rglob("*"), staged):
        _sync(path)
    staged.rename(generation_folder(store, manifest.generation))
    _sync(staged.parent)
    _set_current(store, manifest.generation)


def prune(store: Path, keep: set[str | None]) -> None:
    """Remove every generation, finished or not, that is not to be kept, and their vectors."""
    needed = set()
    for folder in own_generations(store):
        if folder.name not in keep:
            shutil.rmtree(folder)
            continue
        try:
            manifest = read_manifest(folder, store)
        except StoreError:
            if folder.name == current(store):
                raise
            shutil.rmtree(folder)  # no way back to it, and none is needed to go on
            continue
        if manifest.vectors:
            needed |= {store / manifest.vectors, keys_of(store / manifest.vectors)}
    for path in (store / VECTORS).glob("*.*"):
        if path not in needed:
            path.unlink()


def undo(store: Path, expected: str | None = None) -> str:
    """Make the generation before the live one live again, and return its id.

    Args:
        store: The index's folder.
        expected: The generation to take back, so that nobody takes back what another has done
            since; by default the live one.

    Raises:
        StoreError: there is none, or the live generation is not the one expected, or the store
            cannot be read or written.
        StoreBusyError: another process is writing.
    """
    check_is_store(store)
    if current(store) is None:
        raise no_index(store)
    with writer_lock(store):
        live = current(store) or ""
        if expected not in {None, live}:
            raise StoreError(
                f"the index at {store} has been changed since: that change cannot be taken back"
                " alone any more"
            )
        previous = read_manifest(generation_folder(store, live), store).previous
        if previous is None or not generation_folder(store, previous).is_dir():
            raise StoreError(f"the index at {store} has no earlier state to go back to")
        check_files(
            generation_folder(store, previous),
            read_manifest(generation_folder(store, previous), store),
            store,
        )
        with writing(store):
            _set_current(store, previous)
    return previous


def _set_current(store: Path, generation: str) -> None:
    temporary = store / f"{CURRENT}.tmp"
    temporary.write_text(generation + "\n", encoding="utf-8")
    _sync(temporary)
    temporary.replace(store / CURRENT)
    _sync(store)


def _sync(path: Path) -> None:
    """Make the operating system put a file or a folder's entries on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
