"""The catalogue of the papers that are in the index now."""

from datetime import date
from threading import Lock, Thread
from typing import TYPE_CHECKING, Literal

from ui.web.corpus.catalogue import Catalogue

if TYPE_CHECKING:
    from rag import Assistant

_MOST_DAYS = 100
"""Days of which it is kept what is new since."""


class Live:
    """The catalogue of the generation that answers now."""

    def __init__(self, assistant: "Assistant") -> None:
        self._assistant = assistant
        self._lock = Lock()
        self._map: object = self  # of no index yet
        self._catalogue = Catalogue(())
        self._new: dict[date | Literal["change"], frozenset[str]] = {}

    def catalogue(self) -> Catalogue:
        """The papers as they are now; each generation that is opened has a map of its own."""
        with self._lock:
            map_ = self._assistant.collection_map()
            while map_ is not self._map:
                self._catalogue = Catalogue(self._assistant.papers(), map_)
                self._new.clear()
                self._map = map_
                map_ = self._assistant.collection_map()  # it may have changed between the two
                if map_ is self._map:
                    Thread(target=self._catalogue.prepare, daemon=True).start()
            return self._catalogue

    def new(self, since: date | Literal["change"] | None) -> frozenset[str] | None:
        """The ids of the papers that are new since a day or in the last change; None for all."""
        if since is None:
            return None
        with self._lock:  # what is of another generation by then goes when that one is looked at
            if since not in self._new:
                if len(self._new) >= _MOST_DAYS:
                    self._new.clear()
                newest_ones = self._assistant.newest(None if since == "change" else since)
                self._new[since] = frozenset(paper.id for paper in newest_ones)
            return self._new[since]
