"""Changing the index from the page: who may, what was changed last, and taking that back."""

from pathlib import Path
from threading import Lock

from index.build import RemovalReport, remove
from index.errors import InputError
from index.publish import undo

MOST_AT_ONCE = 10_000
"""Papers that one request removes."""


class Changes:
    """Removes papers from one store, and takes a visitor's last change back."""

    def __init__(self, store: Path, *, may_change: bool) -> None:
        self.may_change = may_change
        self._store = store
        self._lock = Lock()
        self._made: dict[str, str] = {}

    def check(self) -> None:
        """Refuse where papers are not to be changed from the page.

        Raises:
            InputError: they are not.
        """
        if not self.may_change:
            raise InputError("papers cannot be changed from this page")

    def remove(self, visitor: str, ids: object) -> RemovalReport:
        """Remove the papers of these ids.

        Raises:
            InputError: they are no ids of papers, or all papers would go.
            StoreError: the store is busy, damaged, or cannot be written.
        """
        self.check()
        if not isinstance(ids, list) or not all(isinstance(id_, str) for id_ in ids):
            raise InputError("no papers were chosen")
        if len(ids) > MOST_AT_ONCE:
            raise InputError(f"at most {MOST_AT_ONCE:,} papers at a time: choose fewer")
        report = remove(ids, self._store)
        self.made(visitor, report.generation)
        return report

    def made(self, visitor: str, generation: str) -> None:
        """Remember the generation that a visitor's change has made."""
        with self._lock:
            self._made[visitor] = generation

    def undo(self, visitor: str) -> str:
        """Take the visitor's last change back, if nothing has changed the index since.

        Returns:
            The generation that is live again.

        Raises:
            InputError: there is none.
            StoreError: the index was changed since, or cannot be written.
        """
        self.check()
        with self._lock:
            generation = self._made.pop(visitor, None)
        if generation is None:
            raise InputError("there is no change to take back")
        return undo(self._store, expected=generation)
