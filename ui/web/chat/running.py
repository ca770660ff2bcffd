"""Answers that are being written, so that a stop button finds the one it is for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from index.errors import AbstractQAError

MOST_OF_ONE = 4
"""Answers written for one visitor at the same time."""
LONGEST_WAIT_SECONDS = 10.0
"""For an answer that was stopped to be over."""


@dataclass
class Run:
    """One answer being written."""

    stop: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    turn: str = ""
    """The id of its turn, from when that is kept until it is finished."""
    is_awaited: bool = False
    """Whether another question waits until it is over."""


class Running:
    """The answers being written, at most one in a conversation. Used in one event loop."""

    def __init__(self) -> None:
        self._runs: dict[tuple[str, str], Run] = {}

    @asynccontextmanager
    async def answering(self, visitor: str, conversation: str) -> AsyncIterator[Run]:
        """Wait until nothing else is answered in this conversation, and then hold it.

        Yields:
            The run; its `stop` is set when the visitor wants this answer stopped.

        Raises:
            AbstractQAError: enough waits already, or a stop was for what waits, too.
        """
        key = visitor, conversation
        while run := self._runs.get(key):
            await self._next_after(run)
        if sum(who == visitor for who, _ in self._runs) >= MOST_OF_ONE:
            raise AbstractQAError("busy, try again: several of your questions are being answered")
        mine = self._runs[key] = Run()
        try:
            yield mine
        finally:
            del self._runs[key]
            mine.over.set()

    async def _next_after(self, run: Run) -> None:
        if run.is_awaited:
            raise AbstractQAError("busy, try again: another question waits here already")
        run.is_awaited = True
        try:
            await run.over.wait()
        finally:
            run.is_awaited = False
        if run.stop.is_set():
            raise AbstractQAError("your next question was not asked, since you pressed Stop")

    def stop(self, visitor: str, conversation: str) -> bool:
        """Stop the answer being written in a visitor's conversation; whether there is one."""
        run = self._runs.get((visitor, conversation))
        if run:
            run.stop.set()
        return run is not None

    async def stopped(self, visitor: str, conversation: str) -> None:
        """Stop the answer being written in a conversation, and wait until it is over."""
        run = self._runs.get((visitor, conversation))
        if run is None:
            return
        run.stop.set()
        with suppress(TimeoutError):  # it changes nothing any more that is not there
            await asyncio.wait_for(run.over.wait(), LONGEST_WAIT_SECONDS)

    def turn(self, visitor: str, conversation: str) -> str:
        """The id of the turn being written in a conversation; "" if there is none."""
        run = self._runs.get((visitor, conversation))
        return run.turn if run else ""
