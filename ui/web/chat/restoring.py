"""Turns that were taken back or replaced, kept for a while so that they can be brought back."""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

from ui.archive.models import Turn

MOST_KEPT = 500
"""Conversations whose last change can be taken back."""


@dataclass(frozen=True)
class Taken:
    """Turns that are gone, and the turn that stands in their place, if there is one."""

    turns: tuple[Turn, ...]
    instead: str | None


class Restorable:
    """The last turns taken out of each conversation; the oldest are forgotten."""

    def __init__(self) -> None:
        self._taken: OrderedDict[tuple[str, str], Taken] = OrderedDict()
        self._lock = Lock()

    def keep(
        self, visitor: str, conversation: str, turns: tuple[Turn, ...], instead: str | None = None
    ) -> None:
        """Remember what was taken out, in the place of what was remembered before."""
        with self._lock:
            self._taken[visitor, conversation] = Taken(turns, instead)
            self._taken.move_to_end((visitor, conversation))
            while len(self._taken) > MOST_KEPT:
                self._taken.popitem(last=False)

    def forget(self, visitor: str, conversation: str) -> None:
        """A new turn came: what was there before is not brought back behind it."""
        with self._lock:
            self._taken.pop((visitor, conversation), None)

    def take(self, visitor: str, conversation: str) -> Taken | None:
        """What can be brought back, once."""
        with self._lock:
            return self._taken.pop((visitor, conversation), None)
