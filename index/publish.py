"""Write, publish, prune and undo generations; a generation goes live all at once or not at all."""

import errno
import fcntl
import os
import secrets
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from index.errors import StoreBusyError, StoreError
from index.manifest import (
    CURRENT,
    FILE_NAME,
    GENERATIONS,
    LOCK,
    UNFINISHED,
    VECTORS,
    Manifest,
    check_files,
    check_is_store,
    current,
    hash_files,
    live_generation,
    own_generations,
    read_manifest,
)
from index.vectors import checksums, count_records, keys_of

_WHY = {
    errno.ENOSPC: "there is no space left on its disk; free some and run the command again",
    errno.EDQUOT: "the disk quota is used up; free some space and run the command again",
    errno.EROFS: "it is read-only; choose another --store",
    errno.EACCES: "it is read-only for this user; choose another --store",
    errno.EPERM: "it is read-only for this user; choose another --store",
}


@contextmanager
def writing(store: Path) -> Iterator[None]:
    """Turn the operating system's errors while writing into a `StoreError` of one line."""
    try:
        yield
    except OSError as error:
        why = _WHY.get(error.errno or 0, f"{error.strerror or error}; choose another --store")
        raise StoreError(f"cannot write the index at {store}: {why}") from error


@contextmanager
def writer_lock(store: Path, *, patient: bool = False) -> Iterator[None]:
    """Lock the store, made if missing, as its only writer; `patient` waits for another writer.

    Raises `StoreBusyError` if another process holds it, `StoreError` if the folder is not a store,
    or cannot be written.
    """
    check_is_store(store)
    with writing(store):
        store.mkdir(parents=True, exist_ok=True)
        file = (store / LOCK).open("a+", encoding="utf-8")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if patient else fcntl.LOCK_NB))
        except BlockingIOError as error:
            file.seek(0)
            what = f"the index at {store} is being written by another process{file.read()}"
            remedy = "run the command again when it has finished"
            raise StoreBusyError(f"{what}: {remedy}") from error
        command = " ".join(" ".join((Path(sys.argv[0]).name, *sys.argv[1:])).split())[:80]
        with writing(store):
            file.truncate(0)
            file.write(f" ({command}: process {os.getpid()} on {socket.gethostname()})")
            file.flush()
        yield


def new_generation_id() -> str:
    """Return an unused id: the UTC time to the microsecond, and random digits."""
    now = datetime.now(UTC)
    return f"{now:%Y%m%dT%H%M%S}-{now.microsecond:05x}{secrets.randbelow(16**3):03x}"


def write_generation(store: Path, manifest: Manifest, save: Callable[[Path], None]) -> Manifest:
    """Write a generation and publish it, holding the store's lock; only it and the last are kept.

    `save` writes all files but the manifest. `StoreError` if it cannot be written.
    """
    with writing(store):
        staged = store / GENERATIONS / (manifest.generation + UNFINISHED)
        staged.mkdir(parents=True)
        try:
            save(staged)
            log = store / manifest.vectors, manifest.dimension
            records = count_records(*log)
            sums = tuple(checksums(*log, records, manifest.checksums))
            update = {"files": hash_files(staged), "checksums": sums, "records": records}
            manifest = manifest.model_copy(update=update)
            _publish(store, staged, manifest)
        except BaseException:
            shutil.rmtree(staged, ignore_errors=True)
            raise
        prune(store, {manifest.generation, manifest.previous})
    return manifest


def _publish(store: Path, staged: Path, manifest: Manifest) -> None:
    """Make the staged folder the live generation; all is on disk before `CURRENT` changes."""
    (staged / FILE_NAME).write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
    for path in (*staged.rglob("*"), staged):
        _sync(path)
    staged.rename(staged.with_suffix(""))
    _sync(staged.parent)
    _set_current(store, manifest.generation)


def prune(store: Path, keep: set[str | None]) -> None:
    """Remove every generation, finished or not, that is not in `keep`, and unused vector files."""
    needed = set()
    for folder in own_generations(store):
        try:
            manifest = read_manifest(store, folder.name) if folder.name in keep else None
        except StoreError:
            if folder.name == current(store):
                raise
            manifest = None  # it cannot be restored, and nothing else needs it
        if manifest is None:
            shutil.rmtree(folder)
        elif manifest.vectors:
            needed |= {store / manifest.vectors, keys_of(store / manifest.vectors)}
    for path in {*(store / VECTORS).glob("*.*")} - needed:
        path.unlink()


def undo(store: Path, expected: str | None = None) -> str:
    """Make the generation before the live one live again, remove the latter, and return the id.

    Raises `StoreError` if there is no earlier one, the live one is not `expected` (by default any),
    or the store cannot be read or written, `StoreBusyError` if another process is writing.
    """
    live_generation(store)
    with writer_lock(store):
        live = live_generation(store)
        if expected not in {None, live}:
            why = "that change can no longer be undone on its own"
            raise StoreError(f"the index at {store} has been changed since: {why}")
        previous = read_manifest(store, live).previous
        if previous is None or not (store / GENERATIONS / previous).is_dir():
            raise StoreError(f"the index at {store} has no earlier state to go back to")
        check_files(store, read_manifest(store, previous))
        with writing(store):
            _set_current(store, previous)
            prune(store, {previous})
    return previous


def _set_current(store: Path, generation: str) -> None:
    temporary = store / f"{CURRENT}.tmp"
    temporary.write_text(generation + "\n", encoding="utf-8")
    _sync(temporary)
    temporary.replace(store / CURRENT)
    _sync(store)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
