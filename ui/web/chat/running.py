"""Answers that are being written, so that a stop button finds the one it is for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True)
class _Run:
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Running:
    """The answers being written, at most one in a conversation. Used in one event loop."""

    def __init__(self) -> None:
        self._runs: dict[tuple[str, str], _Run] = {}

    @asynccontextmanager
    async def answering(self, visitor: str, conversation: str) -> AsyncIterator[asyncio.Event]:
        """Wait until nothing else is answered in this conversation, and then hold it.

        Yields:
            What is set when the visitor wants this answer stopped.
        """
        key = visitor, conversation
        while run := self._runs.get(key):
            await run.over.wait()
        mine = self._runs[key] = _Run()
        try:
            yield mine.stop
        finally:
            del self._runs[key]
            mine.over.set()

    def stop(self, visitor: str, conversation: str) -> bool:
        """Stop the answer being written in a visitor's conversation; whether there is one."""
        run = self._runs.get((visitor, conversation))
        if run:
            run.stop.set()
        return run is not None
