"""Run answers as background tasks, and stream each to the pages that show it.

A page that is closed or reloaded only stops following. An answer ends when it is written, when its
visitor stops it, or when no page has followed it for `SECONDS_UNFOLLOWED`.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress

from index.errors import AbstractQAError
from ui.web.chat.turn_html import SKIP, Update
from ui.web.site import AT_ONCE, WAITING

MOST_OF_ONE = 4
"""The most answers written for one visitor at the same time."""
SECONDS_UNFOLLOWED = 120.0
"""An answer without a follower for so long is stopped; its text so far is kept."""
SECONDS_OF_SILENCE = 1.0
"""After so long an empty update is sent: only by sending the server notices a page that is gone."""
_NOTHING = Update()

_log = logging.getLogger(__name__)


class Run:
    """One answer being written, and the pages that follow it. Used in one event loop."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.over = asyncio.Event()
        self.turn = ""
        """The id of its turn, set from before the turn is stored until it is finished."""
        self.is_finished = False
        """Whether the turn is finished; only follow-up questions are still being searched."""
        self.shown = Update()
        """What its pages should show now; `live` may be a function that returns the HTML."""
        self.error: Exception | None = None
        self.task: asyncio.Task[None] | None = None
        self.followers = 0  # pages
        self._news = asyncio.Event()
        self._deadline: asyncio.TimerHandle | None = None

    def tell(self, update: Update) -> None:
        """Publish an update to all followers; a slow page gets only the latest values."""
        merged = (was if now is SKIP else now for was, now in zip(self.shown, update, strict=True))
        self.shown = Update(*merged)
        self._wake()

    def end(self) -> None:
        """Mark the answer as over."""
        self.over.set()
        self.check_followers()
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news.clear()

    def check_followers(self) -> None:
        """Start the countdown to stop if no page follows; cancel it if one does."""
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None
        if not self.followers and not self.over.is_set():
            loop = asyncio.get_running_loop()
            self._deadline = loop.call_later(SECONDS_UNFOLLOWED, self.stop.set)

    async def follow(self, *, is_shown: bool = False) -> AsyncGenerator[Update, None]:
        """Yield the current values, then each update, and an empty one after a second without news.

        With `is_shown` the page shows the stored conversation already, so only the values of the
        unfinished turn come first. Raises the error that ended the answer early.
        """
        sent = self.shown._replace(live=SKIP, sources=SKIP) if is_shown else _NOTHING
        self.followers += 1
        self.check_followers()
        try:
            while not self.over.is_set() or self._since(sent) != _NOTHING:
                await self._change(sent, SECONDS_OF_SILENCE, with_text=True)
                news, sent = self._since(sent), self.shown
                if news != _NOTHING or not self.over.is_set():
                    yield news._replace(live=news.live()) if callable(news.live) else news
                    # A growing text is sent about 16 times a second at most; all else at once.
                    await self._change(sent, 0.06, with_text=False)
        finally:
            self.followers -= 1
            self.check_followers()
        if self.error:
            raise self.error

    def _since(self, sent: Update) -> Update:
        """Return the values that have changed since `sent`; `SKIP` for the others."""
        parts = zip(sent, self.shown, strict=True)
        return Update(*(SKIP if now is was else now for was, now in parts))

    async def _change(self, sent: Update, seconds: float, *, with_text: bool) -> None:
        """Wait for values newer than `sent`, not only `live` without `with_text`, or the end."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self.over.is_set():
                    news = self._since(sent)
                    if (news if with_text else news._replace(live=SKIP)) != _NOTHING:
                        return
                    await self._news.wait()


class Running:
    """The answers being written, at most one in each conversation. Used in one event loop."""

    def __init__(self) -> None:
        self._runs: dict[tuple[str, str], Run] = {}

    async def start(
        self, visitor: str, conversation: str, write: Callable[[Run], Awaitable[None]]
    ) -> Run:
        """Start writing an answer in a visitor's conversation; follow it at once to miss nothing.

        `write` publishes updates to the run until the answer is done or `stop` is set. Raises an
        `AbstractQAError` if one is being written there already, or too many are in all.
        """
        previous = self.run(visitor, conversation)
        if previous and (previous.is_finished or previous.stop.is_set()):
            await previous.over.wait()
        if self.run(visitor, conversation):
            raise AbstractQAError("an answer is being written here: wait for it, or stop it")
        self.check_room(visitor)
        run = self._runs[visitor, conversation] = Run()

        async def work() -> None:
            run.check_followers()
            try:
                await write(run)
            except Exception as error:  # noqa: BLE001 - raised in `follow`
                run.error = error
                if not run.followers:
                    _log.exception("an answer that nobody followed failed")
            finally:
                del self._runs[visitor, conversation]
                run.end()

        run.task = asyncio.create_task(work())
        return run

    def check_room(self, visitor: str) -> None:
        """Raise an `AbstractQAError` if too many answers are being written, for one or for all."""
        if sum(who == visitor for who, _ in self._runs) >= MOST_OF_ONE:
            raise AbstractQAError("busy, try again: several of your questions are being answered")
        if len(self._runs) >= AT_ONCE + WAITING:
            raise AbstractQAError("busy, try again: many questions are being answered")

    def stop(self, visitor: str, conversation: str) -> Run | None:
        """Stop the answer being written in a visitor's conversation; return it, or None."""
        run = self.run(visitor, conversation)
        if run:
            run.stop.set()
        return run

    async def stopped(self, visitor: str, conversation: str) -> None:
        """Stop the answer being written in a conversation, and wait up to 10 s for its end."""
        if run := self.stop(visitor, conversation):
            # A slower one does no harm: it only changes a turn that is still stored.
            with suppress(TimeoutError):
                await asyncio.wait_for(run.over.wait(), 10)

    def run(self, visitor: str, conversation: str) -> Run | None:
        """Return the answer being written in a visitor's conversation, or None."""
        return self._runs.get((visitor, conversation))
