"""Made-up passages kept on disk: the same question costs no second request."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from rag.expansion import PROMPT_VERSION

logger = logging.getLogger(__name__)

MOST_KEPT = 10_000
"""Passages kept, of all models; the oldest ones go first."""
_WAIT_SECONDS = 5


def cache_file() -> Path:
    """Where they are: `abstractqa/expansions.sqlite` in the user's cache folder."""
    return platformdirs.user_cache_path("abstractqa") / "expansions.sqlite"


class ExpansionCache:
    """The passages that one chat model made up, each by its question, in one SQLite file.

    Several threads and processes may use it at a time. It is a help and never a hindrance: a file
    that cannot be read or written is logged, and nothing is known.
    """

    def __init__(self, model: str, path: Path | None = None, most: int = MOST_KEPT) -> None:
        """Take the model that is asked; nothing is opened or made yet.

        Args:
            model: Its name, and where it is if that matters: what another one says is not used.
            path: The file; `cache_file()` by default.
            most: Passages kept.
        """
        self._model = model
        self._path = path or cache_file()
        self._most = most

    def find(self, question: str) -> str | None:
        """The passage kept for a question, or None."""
        try:
            with self._database() as database:
                row = database.execute(
                    "SELECT passage FROM expansions"
                    " WHERE model = ? AND prompt = ? AND question = ?",
                    self._key(question),
                ).fetchone()
        except (sqlite3.Error, OSError) as error:
            logger.warning("made-up passages in %s cannot be read: %s", self._path, error)
            return None
        return str(row[0]) if row else None

    def keep(self, question: str, passage: str) -> None:
        """Keep a passage, and drop the oldest ones beyond the most that are kept."""
        try:
            with self._database() as database, database:
                database.execute(
                    "INSERT OR REPLACE INTO expansions VALUES (NULL, ?, ?, ?, ?)",
                    (*self._key(question), passage),
                )
                database.execute(
                    "DELETE FROM expansions WHERE number <="
                    " (SELECT MAX(number) FROM expansions) - ?",
                    (self._most,),
                )
        except (sqlite3.Error, OSError) as error:
            logger.warning("made-up passages cannot be kept in %s: %s", self._path, error)

    def _key(self, question: str) -> tuple[str, int, str]:
        return self._model, PROMPT_VERSION, " ".join(question.split())

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(self._path, timeout=_WAIT_SECONDS)
        try:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute(
                "CREATE TABLE IF NOT EXISTS expansions (number INTEGER PRIMARY KEY AUTOINCREMENT,"
                " model TEXT, prompt INTEGER, question TEXT, passage TEXT,"
                " UNIQUE (model, prompt, question))"
            )
            yield database
        finally:
            database.close()
