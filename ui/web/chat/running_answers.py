"""Answers that are being written: each by a task of its own, followed by the pages that show it.

A page that is closed or loaded again only ends its following. An answer ends when it is written,
when its visitor stops it, or when nobody has followed it for long.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress

from index.errors import AbstractQAError
from ui.web.chat.turn_html import SKIP, Update
from ui.web.site import AT_ONCE, WAITING

MOST_OF_ONE = 4
"""Answers written for one visitor at the same time."""
SECONDS_UNFOLLOWED = 120.0
"""After so long without a follower an answer is stopped; what there is of it is kept."""
SECONDS_OF_SILENCE = 1.0
"""After so long without news an update without any is sent: only then does the server look whether
the page is still there."""
_NOTHING = Update()

_log = logging.getLogger(__name__)


class Run:
    """One answer being written, and who follows it. Used in one event loop."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.over = asyncio.Event()
        self.turn = ""
        """The id of its turn, from before that is kept until it is finished."""
        self.is_finished = False
        """Whether its turn is, so that only questions that may follow are still looked for."""
        self.shown = Update()
        """What its pages show of it now; `live` may be a function that draws it."""
        self.error: Exception | None = None
        self.task: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self.followers = 0
        """How many pages show it as it comes."""
        self._deadline: asyncio.TimerHandle | None = None

    def tell(self, update: Update) -> None:
        """Pass an update on to all who follow; what is told while a page is behind, it skips."""
        merged = (was if now is SKIP else now for was, now in zip(self.shown, update, strict=True))
        self.shown = Update(*merged)
        self._wake()

    def end(self) -> None:
        """Nothing more comes."""
        self.over.set()
        self.check_followers()
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news.clear()

    def check_followers(self) -> None:
        """Stop when nobody has followed for long."""
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None
        if not self.followers and not self.over.is_set():
            loop = asyncio.get_running_loop()
            self._deadline = loop.call_later(SECONDS_UNFOLLOWED, self.stop.set)

    async def follow(self, *, is_shown: bool = False) -> AsyncGenerator[Update, None]:
        """What it shows by now, and each update as it comes; without news, one without any.

        With `is_shown` the page shows the conversation as it is kept: what was told before is there
        already, but for what is not finished. It raises what ended the answer before its time.
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
        """What a page that was sent this has not been sent yet."""
        parts = zip(sent, self.shown, strict=True)
        return Update(*(SKIP if now is was else now for was, now in parts))

    async def _change(self, sent: Update, seconds: float, *, with_text: bool) -> None:
        """Wait until a page that was sent this lacks something, or the answer or the time is over.

        Without `with_text` a text that has grown is not waited for.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self.over.is_set():
                    news = self._since(sent)
                    if (news if with_text else news._replace(live=SKIP)) != _NOTHING:
                        return
                    await self._news.wait()


class Running:
    """The answers being written, at most one in a conversation. Used in one event loop."""

    def __init__(self) -> None:
        self._runs: dict[tuple[str, str], Run] = {}

    async def start(
        self, visitor: str, conversation: str, write: Callable[[Run], Awaitable[None]]
    ) -> Run:
        """Begin to write an answer in a visitor's conversation; follow it at once to miss nothing.

        `write` tells the run what there is of it, until it is whole or `stop` is set. Where another
        is being written, or enough are, that is an `AbstractQAError`.
        """
        before = self.run(visitor, conversation)
        if before and (before.is_finished or before.stop.is_set()):
            await before.over.wait()
        if self.run(visitor, conversation):
            raise AbstractQAError("an answer is being written here: wait for it, or stop it")
        self.check_room(visitor)
        run = self._runs[visitor, conversation] = Run()
        run.task = asyncio.create_task(self._write((visitor, conversation), run, write))
        return run

    def check_room(self, visitor: str) -> None:
        """Refuse another answer where enough are being written, for this visitor or for all."""
        if sum(who == visitor for who, _ in self._runs) >= MOST_OF_ONE:
            raise AbstractQAError("busy, try again: several of your questions are being answered")
        if len(self._runs) >= AT_ONCE + WAITING:
            raise AbstractQAError("busy, try again: many questions are being answered")

    async def _write(
        self, key: tuple[str, str], run: Run, write: Callable[[Run], Awaitable[None]]
    ) -> None:
        run.check_followers()
        try:
            await write(run)
        except Exception as error:  # noqa: BLE001 - raised where it is followed
            run.error = error
            if not run.followers:
                _log.exception("an answer that nobody followed failed")
        finally:
            del self._runs[key]
            run.end()

    def stop(self, visitor: str, conversation: str) -> Run | None:
        """Stop the answer being written in a visitor's conversation, if there is one."""
        run = self.run(visitor, conversation)
        if run:
            run.stop.set()
        return run

    async def stopped(self, visitor: str, conversation: str) -> None:
        """Stop the answer being written in a conversation, and wait until it is over."""
        if run := self.stop(visitor, conversation):
            # One that takes longer changes nothing any more that is not there.
            with suppress(TimeoutError):
                await asyncio.wait_for(run.over.wait(), 10)

    def run(self, visitor: str, conversation: str) -> Run | None:
        """The answer being written in a visitor's conversation, if there is one."""
        return self._runs.get((visitor, conversation))
