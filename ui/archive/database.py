"""The file behind the archive: opened, versioned, locked; what SQLite says becomes one line."""

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import RLock

from index.errors import InputError, StoreBusyError, StoreError

WAIT_SECONDS = 5.0
"""How long a write waits for another process."""

VERSION = 3
"""Of the file, which keeps it as `user_version`; a newer one is not touched."""
_TABLES = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS conversations (
    id TEXT PRIMARY KEY,
    visitor TEXT NOT NULL,
    title TEXT NOT NULL,
    searched TEXT NOT NULL,
    created TEXT NOT NULL,
    updated TEXT NOT NULL,
    deleted TEXT
);
CREATE INDEX IF NOT EXISTS by_visitor ON conversations (visitor, updated);
CREATE INDEX IF NOT EXISTS by_deletion ON conversations (deleted) WHERE deleted IS NOT NULL;
CREATE TABLE IF NOT EXISTS turns (
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
CREATE TABLE IF NOT EXISTS links (
    secret TEXT PRIMARY KEY,
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    turn TEXT NOT NULL,
    is_alone INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS marks (
    visitor TEXT NOT NULL,
    paper TEXT NOT NULL,
    starred INTEGER NOT NULL,
    read INTEGER NOT NULL,
    note TEXT NOT NULL,
    tags TEXT NOT NULL,
    PRIMARY KEY (visitor, paper)
) WITHOUT ROWID;
PRAGMA user_version = {VERSION};
COMMIT;
"""


def hashed(visitor: str) -> str:
    """How a visitor is called in the file; an `InputError` for nobody, who would be everybody."""
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
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One state of the file for all reads inside; an empty one if there is no file yet.

        A file that is newer, damaged, or cannot be read is a `StoreError`.
        """
        with self._lock, self._plain_words():
            if self._connection is None and not self.path.exists():
                with closing(_connect(":memory:")) as nothing:
                    yield nothing
                return
            with self._opened() as connection:
                connection.execute("BEGIN")
                yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of it is written, or nothing.

        Besides what `reading` raises there are a `StoreBusyError`, where another process writes for
        longer than `WAIT_SECONDS`, and an `InputError` for a text with half a character.
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
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # One that is there is not opened here: closing it would free the locks of this process.
            # SQLite gives its journals the same rights.
            with suppress(FileExistsError):
                os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            self._connection = _connect(self.path)
        return self._connection

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
        except UnicodeEncodeError as error:
            raise InputError("this holds what is no character: type it anew") from error


def _connect(path: Path | str) -> sqlite3.Connection:
    """A connection to a file that has all tables."""
    connection = sqlite3.connect(
        path, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False
    )
    connection.row_factory = sqlite3.Row
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten
        found = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if found > VERSION:
            raise StoreError(
                f"{path} was written by a newer AbstractQA (its version is {found}, here it is"
                f" {VERSION}): update AbstractQA, or move the file away to begin a new one"
            )
        if found < VERSION:
            connection.executescript(_TABLES)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")  # safe with WAL, whenever it is killed
    except BaseException:
        connection.close()
        raise
    return connection
