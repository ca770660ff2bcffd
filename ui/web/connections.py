"""How many connections there may be, and how long one may take to say what it wants.

A connection waits until its request is there, body and all: only such a one is closed to make room
for another, the oldest first. So whoever opens many, and says little on them, pushes out their own.
"""

import asyncio
import itertools
import resource
from collections.abc import Callable
from typing import cast

from uvicorn.protocols.http.h11_impl import H11Protocol

from ui.web.guesses import network_of

HEAD_SECONDS = 10
"""From the opening of a connection, or the first byte of a request, to the end of its head."""
LARGEST_HEAD = 32_768
"""Bytes that are kept of one that is not all there."""
MOST_CONNECTIONS = 1_000
SHARE_OF_ONE = 4
"""One address has a quarter of all connections, but for a named proxy."""
_FILE_HANDLES = 4_096

_places = itertools.count()


def most_connections() -> int:
    """How many connections fit into the file handles of this process, raised as far as may be.

    As many again may be accepted before they are counted; the rest is for files.
    """
    handles, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILE_HANDLES if most == resource.RLIM_INFINITY else min(_FILE_HANDLES, most)
    if handles != resource.RLIM_INFINITY and handles < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
        handles = wanted
    return MOST_CONNECTIONS if handles < 0 else min(MOST_CONNECTIONS, handles // 4)


class Connection(H11Protocol):
    """One connection to the page."""

    most = MOST_CONNECTIONS
    is_proxy: Callable[[str], bool] = staticmethod(lambda _: False)
    """Whether an address passes on the requests of many."""

    address = ""
    """Who opened it."""
    place = 0
    """In the order in which connections were opened."""
    _deadline: asyncio.TimerHandle | None = None

    @classmethod
    def limited(cls, most: int, is_proxy: Callable[[str], bool]) -> type["Connection"]:
        """The class of the connections of one server."""
        return type(cls.__name__, (cls,), {"most": most, "is_proxy": staticmethod(is_proxy)})

    @property
    def waits(self) -> bool:
        """Whether its request is not all there."""
        return self._waits_for_head or bool(self.cycle.more_body)

    @property
    def _waits_for_head(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Make room for it, or close it at once."""
        super().connection_made(transport)
        self.place = next(_places)
        self.address = network_of(self.client[0] if self.client else "")
        every = [
            each
            for each in cast("set[Connection]", self.connections)
            if not each.transport.is_closing()
        ]
        same = [each for each in every if each.address == self.address]
        from_proxy = self.client is not None and self.is_proxy(self.client[0])
        if not from_proxy and len(same) > self.most // SHARE_OF_ONE:
            self._make_room(same)
        elif len(every) > self.most:
            self._make_room(every)
        self._watch_head()

    def _make_room(self, among: "list[Connection]") -> None:
        waiting = [each for each in among if each.waits]
        min(waiting, key=lambda each: each.place).transport.abort()

    def data_received(self, data: bytes) -> None:
        """Read on; the time for a head begins with its first byte."""
        super().data_received(data)
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        super().connection_lost(exc)
        self._stop_watching()

    def _watch_head(self) -> None:
        if not self._waits_for_head:
            self._stop_watching()
        elif self._deadline is None and not self.transport.is_closing():
            self._deadline = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def _stop_watching(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
