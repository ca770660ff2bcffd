"""The file behind the archive: opened, versioned, locked; what SQLite says becomes one line."""

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock

from index.errors import InputError, StoreBusyError, StoreError

WAIT_SECONDS = 5.0
"""How long a write waits for another process."""

_TABLES = (
    """
CREATE TABLE conversations (
    id TEXT PRIMARY KEY,
    visitor TEXT NOT NULL,
    title TEXT NOT NULL,
    searched TEXT NOT NULL,
    created TEXT NOT NULL,
    updated TEXT NOT NULL,
    deleted TEXT
);
CREATE INDEX by_visitor ON conversations (visitor, updated);
CREATE INDEX by_deletion ON conversations (deleted) WHERE deleted IS NOT NULL;
CREATE TABLE turns (
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    id TEXT NOT NULL,
    asked TEXT NOT NULL,
    question TEXT NOT NULL,
    body TEXT NOT NULL,
    searched TEXT NOT NULL,
    PRIMARY KEY (conversation, number),
    UNIQUE (conversation, id)
) WITHOUT ROWID;
""",
    """
CREATE TABLE links (
    secret TEXT PRIMARY KEY,
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    turn TEXT NOT NULL,
    is_alone INTEGER NOT NULL
) WITHOUT ROWID;
""",
    """
CREATE TABLE marks (
    visitor TEXT NOT NULL,
    paper TEXT NOT NULL,
    starred INTEGER NOT NULL,
    read INTEGER NOT NULL,
    note TEXT NOT NULL,
    tags TEXT NOT NULL,
    PRIMARY KEY (visitor, paper)
) WITHOUT ROWID;
""",
)
"""What each version adds. The file keeps the number of its version as `user_version`; a newer file
is not touched."""
VERSION = len(_TABLES)


def hashed(visitor: str) -> str:
    """How a visitor is called in the file.

    Raises:
        InputError: it is nobody, who would be everybody.
    """
    if not visitor:
        raise InputError("it is not known who is asking: reload the page")
    return hashlib.sha256(visitor.encode("utf-8", "surrogatepass")).hexdigest()


class Database:
    """One connection, used by one thread at a time; other processes may have theirs.

    The file is made at the first write, readable by its owner alone.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = RLock()
        self._connection: sqlite3.Connection | None = None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection | None]:
        """One state of the file for all reads inside; None if there is no file yet.

        Raises:
            StoreError: the file is newer, damaged, or cannot be read.
        """
        with self._lock, self._plain_words():
            if self._connection is None and not self.path.exists():
                yield None
                return
            with self._opened() as connection:
                connection.execute("BEGIN")
                yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of it is written, or nothing.

        Raises:
            StoreBusyError: another process writes for longer than `WAIT_SECONDS`.
            StoreError: the file is newer, damaged, or cannot be written.
        """
        with self._lock, self._plain_words(), self._opened() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._make_file()
            connection = sqlite3.connect(
                self.path, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False
            )
            connection.row_factory = sqlite3.Row
            try:
                _prepare(connection, self.path)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _make_file(self) -> None:
        """Make the file for its owner alone; SQLite gives its journals the same rights.

        One that is there is not opened here: closing it would free the locks of this process.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            return

    @contextmanager
    def _plain_words(self) -> Iterator[None]:
        """Turn what SQLite and the system say into one line."""
        try:
            yield
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise StoreBusyError(
                    f"another process is writing to {self.path}: try again in a moment"
                ) from error
            raise StoreError(f"cannot read or write {self.path}: {error}") from error
        except sqlite3.DatabaseError as error:
            raise StoreError(
                f"{self.path} does not hold conversations, or is damaged ({error}): move it away"
                " to begin a new one"
            ) from error
        except OSError as error:
            raise StoreError(f"cannot write {self.path}: {error.strerror}") from error


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Set a new connection up, and make the tables that the file does not have yet."""
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten
    if _version(connection, path) < VERSION:
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            # Read again: another process may have been first.
            for statement in ";".join(_TABLES[_version(connection, path) :]).split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")  # safe with WAL, whenever a process is killed


def _version(connection: sqlite3.Connection, path: Path) -> int:
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if found > VERSION:
        raise StoreError(
            f"{path} was written by a newer AbstractQA (its version is {found}, here it is"
            f" {VERSION}): update AbstractQA, or move the file away to begin a new one"
        )
    return found
