"""The SQLite file of the archive: open, version and lock it, with errors of one line."""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import RLock

from index.errors import InputError, StoreBusyError, StoreError

WAIT_SECONDS = 5.0
VERSION = 3  # of the file, kept as `user_version`; a newer file is refused unchanged
_TABLES = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS conversations (
    id TEXT PRIMARY KEY, visitor TEXT NOT NULL, title TEXT NOT NULL, searched TEXT NOT NULL,
    created TEXT NOT NULL, updated TEXT NOT NULL, deleted TEXT
);
CREATE INDEX IF NOT EXISTS by_visitor ON conversations (visitor, updated);
CREATE INDEX IF NOT EXISTS by_deletion ON conversations (deleted) WHERE deleted IS NOT NULL;
CREATE TABLE IF NOT EXISTS turns (
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    number INTEGER NOT NULL, id TEXT NOT NULL, asked TEXT NOT NULL,
    question TEXT NOT NULL, body TEXT NOT NULL, searched TEXT NOT NULL,
    PRIMARY KEY (conversation, number), UNIQUE (conversation, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS links (
    secret TEXT PRIMARY KEY,
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    turn TEXT NOT NULL, is_alone INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS marks (
    visitor TEXT NOT NULL, paper TEXT NOT NULL, starred INTEGER NOT NULL, read INTEGER NOT NULL,
    note TEXT NOT NULL, tags TEXT NOT NULL, PRIMARY KEY (visitor, paper)
) WITHOUT ROWID;
PRAGMA user_version = {VERSION};
COMMIT;
"""


def hashed(visitor: str) -> str:
    """Return the hash by which the file knows an id; raise an `InputError` if the id is empty."""
    if not visitor:
        raise InputError("the visitor is unknown: reload the page")
    return hashlib.sha256(visitor.encode("utf-8", "surrogatepass")).hexdigest()


class Database:
    """One connection, used by one thread at a time; other processes may have their own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = RLock()
        self._connection: sqlite3.Connection | None = None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection that reads one state of the file, empty if there is no file yet."""
        with self._lock, self._translated_errors():
            if self._connection is None and not self.path.exists():
                with closing(_connect(":memory:")) as nothing:
                    yield nothing
                return
            with self._opened() as connection:
                connection.execute("BEGIN")
                yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection in a transaction; `StoreBusyError` if another's takes too long."""
        with self._lock, self._translated_errors(), self._opened() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # Do not open an existing file: closing it would release the locks of this process.
            # SQLite gives its journals the same permissions.
            with suppress(FileExistsError):
                self.path.touch(0o600, exist_ok=False)
            self._connection = _connect(self.path)
        return self._connection

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        """Turn errors of SQLite and the system into our own, which are one line."""
        try:
            yield
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                busy = f"another process is writing to {self.path}: try again in a moment"
                raise StoreBusyError(busy) from error
            raise StoreError(f"cannot read or write {self.path}: {error}") from error
        except sqlite3.DatabaseError as error:
            what = f"{self.path} is not a file of conversations, or is damaged ({error})"
            raise StoreError(f"{what}: move it away to begin a new one") from error
        except OSError as error:
            raise StoreError(f"cannot write {self.path}: {error.strerror}") from error
        except UnicodeEncodeError as error:
            raise InputError("this contains an invalid character: type it again") from error


def _connect(path: Path | str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False
    )
    connection.row_factory = sqlite3.Row
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")  # overwrite what is deleted
        found = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if found > VERSION:
            raise StoreError(
                f"{path} was written by a newer AbstractQA (file version {found}; this one"
                f" reads {VERSION}): update AbstractQA, or move the file away to begin a new one"
            )
        if found < VERSION:
            connection.executescript(_TABLES)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")  # safe with WAL, even if killed
    except BaseException:
        connection.close()
        raise
    return connection
