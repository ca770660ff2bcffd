"""Answers that are being written: each by itself, followed by the pages that show it.

A page that is closed or loaded again only ends its following. An answer ends when it is written,
when its visitor stops it, or when nobody has followed it for long.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress

from index.errors import AbstractQAError
from ui.web.chat.view import SKIP, Update

MOST_OF_ONE = 4
"""Answers written for one visitor at the same time."""
MOST_RUNS = 24
"""Answers written for all visitors at the same time."""
MOST_FOLLOWERS = 8
"""Pages that follow one answer."""
MOST_UNFOLLOWED = 8
"""Answers that nobody follows; one more stops the one that was left first."""
SECONDS_UNFOLLOWED = 120.0
"""After so long without a follower an answer is stopped; what there is of it is kept."""
LONGEST_WAIT_SECONDS = 10.0
"""For an answer that was stopped to be over."""
SECONDS_OF_SILENCE = 1.0
"""After so long without news an update without any is sent: only then does the server look whether
the page is still there."""
_MOST_BEHIND = 16
"""Updates that wait for a slow page; more become one with the last."""

_log = logging.getLogger(__name__)


class Run:
    """One answer being written, and who follows it. Used in one event loop."""

    def __init__(self, left: Callable[[], None]) -> None:
        """Begin with no follower; `left` is called when the last one has gone."""
        self.stop = asyncio.Event()
        self.over = asyncio.Event()
        self.turn = ""
        """The id of its turn, from before that is kept until it is finished."""
        self.is_withdrawn = False
        """Whether its visitor stopped it, or took its turn away; then nothing is asked after it."""
        self.is_awaited = False
        """Whether another question waits until it is over."""
        self.shown = Update()
        """What its pages show of it now."""
        self.error: Exception | None = None
        self.task: asyncio.Task[None] | None = None
        self.left_at = time.monotonic()
        self._left = left
        self._followers: list[_Follower] = []
        self._deadline: asyncio.TimerHandle | None = None

    @property
    def is_followed(self) -> bool:
        """Whether a page shows it as it comes."""
        return bool(self._followers)

    def tell(self, update: Update) -> None:
        """Pass an update on to all who follow."""
        self.shown = _both(self.shown, update)
        for follower in self._followers:
            follower.add(update)

    def end(self) -> None:
        """Nothing more comes."""
        self.over.set()
        if self._deadline:
            self._deadline.cancel()
        for follower in self._followers:
            follower.woken.set()

    def wait_for_followers(self) -> None:
        """Nobody follows: stop when nobody has come for long."""
        self.left_at = time.monotonic()
        self._deadline = asyncio.get_running_loop().call_later(SECONDS_UNFOLLOWED, self.stop.set)

    async def follow(self) -> AsyncGenerator[Update, None]:
        """What it shows by now, and each update as it comes; without news, one without any.

        Raises:
            Exception: what ended the answer before its time.
        """
        if len(self._followers) >= MOST_FOLLOWERS:
            raise AbstractQAError("busy, try again: this answer is followed in many windows")
        follower = _Follower()
        self._followers.append(follower)
        if self._deadline:
            self._deadline.cancel()
        try:
            if self.shown != Update():
                yield Update(live=self.shown.live, sources=self.shown.sources)
            while True:
                while follower.updates:
                    yield follower.updates.popleft()
                if self.over.is_set():
                    break
                if not await follower.wait(SECONDS_OF_SILENCE):
                    yield Update()
        finally:
            self._followers.remove(follower)
            if not self._followers and not self.over.is_set():
                self.wait_for_followers()
                self._left()
        if self.error:
            raise self.error


class _Follower:
    """What one page has still to be told."""

    def __init__(self) -> None:
        self.updates: deque[Update] = deque()
        self.woken = asyncio.Event()

    def add(self, update: Update) -> None:
        if len(self.updates) < _MOST_BEHIND:
            self.updates.append(update)
        else:
            self.updates[-1] = _both(self.updates[-1], update)
        self.woken.set()

    async def wait(self, seconds: float) -> bool:
        """Whether there is news within so many seconds."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.woken.wait(), seconds)
        was_woken = self.woken.is_set()
        self.woken.clear()
        return was_woken


class Running:
    """The answers being written, at most one in a conversation. Used in one event loop."""

    def __init__(self) -> None:
        self._runs: dict[tuple[str, str], Run] = {}

    async def start(
        self,
        visitor: str,
        conversation: str,
        write: Callable[[Run], AsyncGenerator[Update, None]],
    ) -> Run:
        """Wait until nothing else is answered in this conversation; then let this be written.

        Args:
            visitor: Whose conversation it is.
            conversation: Its id.
            write: Gives the updates of the answer; the run's `stop` is set when it is to stop.

        Returns:
            The run; whoever follows it at once misses nothing.

        Raises:
            AbstractQAError: enough waits already, or a stop was for what waits, too.
        """
        key = visitor, conversation
        while before := self._runs.get(key):
            await self._next_after(before)
        self.check_room(visitor)
        run = self._runs[key] = Run(self._make_room)
        run.wait_for_followers()
        run.task = asyncio.create_task(self._write(key, run, write(run)))
        return run

    def check_room(self, visitor: str) -> None:
        """Refuse another answer where enough are being written.

        Raises:
            AbstractQAError: there are, for this visitor or for all.
        """
        if sum(who == visitor for who, _ in self._runs) >= MOST_OF_ONE:
            raise AbstractQAError("busy, try again: several of your questions are being answered")
        if len(self._runs) >= MOST_RUNS:
            raise AbstractQAError("busy, try again: many questions are being answered")

    async def _write(
        self, key: tuple[str, str], run: Run, updates: AsyncGenerator[Update, None]
    ) -> None:
        try:
            async with aclosing(updates):
                async for update in updates:
                    run.tell(update)
        except Exception as error:  # noqa: BLE001 - raised where it is followed
            run.error = error
            if not run.is_followed:
                _log.exception("an answer that nobody followed failed")
        finally:
            del self._runs[key]
            run.end()

    async def _next_after(self, run: Run) -> None:
        if run.is_awaited:
            raise AbstractQAError("busy, try again: another question waits here already")
        run.is_awaited = True
        try:
            await run.over.wait()
        finally:
            run.is_awaited = False
        if run.is_withdrawn:
            raise AbstractQAError(
                "your next question was not asked, since the answer before it was stopped"
            )

    def _make_room(self) -> None:
        """Stop the answer that was left first, if too many are left."""
        alone = [run for run in self._runs.values() if not (run.is_followed or run.stop.is_set())]
        if len(alone) > MOST_UNFOLLOWED:
            min(alone, key=lambda run: run.left_at).stop.set()

    def stop(self, visitor: str, conversation: str) -> bool:
        """Stop the answer being written in a visitor's conversation; whether there is one."""
        run = self.run(visitor, conversation)
        if run:
            run.is_withdrawn = True
            run.stop.set()
        return run is not None

    async def stopped(self, visitor: str, conversation: str) -> None:
        """Stop the answer being written in a conversation, and wait until it is over."""
        run = self.run(visitor, conversation)
        if run is None:
            return
        run.is_withdrawn = True
        run.stop.set()
        with suppress(TimeoutError):  # it changes nothing any more that is not there
            await asyncio.wait_for(run.over.wait(), LONGEST_WAIT_SECONDS)

    def run(self, visitor: str, conversation: str) -> Run | None:
        """The answer being written in a visitor's conversation, if there is one."""
        return self._runs.get((visitor, conversation))

    def turn(self, visitor: str, conversation: str) -> str:
        """The id of the turn being written in a conversation; "" if there is none."""
        run = self.run(visitor, conversation)
        return run.turn if run else ""


def _both(before: Update, after: Update) -> Update:
    """Two updates as one: of each part the later value."""
    return Update(*(old if new is SKIP else new for old, new in zip(before, after, strict=True)))
