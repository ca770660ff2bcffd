"""Answers that are being written: each by a task of its own, followed by the pages that show it.

A page that is closed or loaded again only ends its following. An answer ends when it is written,
when its visitor stops it, or when nobody has followed it for long. One more question may wait in a
conversation; it, too, waits whatever becomes of its page.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress

from index.errors import AbstractQAError
from ui.web.chat.turn_html import SKIP, Update

MOST_OF_ONE = 4
"""Answers written for one visitor at the same time."""
MOST_RUNS = 24
"""Answers written for all visitors at the same time."""
SECONDS_UNFOLLOWED = 120.0
"""After so long without a follower an answer is stopped; what there is of it is kept."""
LONGEST_WAIT_SECONDS = 10.0
"""For an answer that was stopped to be over."""
SECONDS_BETWEEN_UPDATES = 0.06
"""A growing text is sent about 16 times a second at most; all else at once."""
SECONDS_OF_SILENCE = 1.0
"""After so long without news an update without any is sent: only then does the server look whether
the page is still there."""

_log = logging.getLogger(__name__)


class _Follower:
    """One page that shows an answer as it comes."""

    def __init__(self, update: Update) -> None:
        self.update = update
        """What it has not been sent yet; of what was told while it was behind, the last."""
        self.news, self.urgent = asyncio.Event(), asyncio.Event()

    def take(self) -> Update:
        """What it is to be sent now."""
        update, self.update = self.update, Update()
        self.news.clear()
        self.urgent.clear()
        return update._replace(live=update.live()) if callable(update.live) else update


class Run:
    """One answer being written, and who follows it. Used in one event loop."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.over = asyncio.Event()
        self.turn = ""
        """The id of its turn, from before that is kept until it is finished."""
        self.is_withdrawn = False
        """Whether its visitor stopped it, or took its turn away; then nothing is asked after it."""
        self.next: Run | None = None
        """The answer to the question that waits until this one is over."""
        self.shown = Update()
        """What its pages show of it now; `live` may be a function that draws it."""
        self.error: Exception | None = None
        self.task: asyncio.Task[None] | None = None
        self._followers: list[_Follower] = []
        self._is_begun = False
        self._deadline: asyncio.TimerHandle | None = None

    @property
    def is_followed(self) -> bool:
        """Whether a page shows it as it comes."""
        return bool(self._followers)

    def begin(self) -> None:
        """It is its turn now; without a follower its time runs."""
        self._is_begun = True
        self._check_followers()

    def tell(self, update: Update) -> None:
        """Pass an update on to all who follow; what is told while a page is behind, it skips."""
        self.shown = _merged(self.shown, update)
        for follower in self._followers:
            follower.update = _merged(follower.update, update)
            follower.news.set()
            if update._replace(live=SKIP) != Update():
                follower.urgent.set()

    def end(self) -> None:
        """Nothing more comes."""
        self.over.set()
        self._check_followers()
        for follower in self._followers:
            follower.news.set()
            follower.urgent.set()

    def _check_followers(self) -> None:
        """Stop when nobody has followed for long."""
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None
        if self._is_begun and not self.is_followed and not self.over.is_set():
            loop = asyncio.get_running_loop()
            self._deadline = loop.call_later(SECONDS_UNFOLLOWED, self.stop.set)

    async def follow(self, *, is_shown: bool = False) -> AsyncGenerator[Update, None]:
        """What it shows by now, and each update as it comes; without news, one without any.

        Args:
            is_shown: Whether the page shows the conversation as it is kept, so that what was told
                before is there already, but for what is not finished.

        Raises:
            Exception: what ended the answer before its time.
        """
        unfinished = Update(live=self.shown.live, sources=self.shown.sources)
        follower = _Follower(unfinished if is_shown else self.shown)
        self._followers.append(follower)
        self._check_followers()
        try:
            while True:
                is_over = self.over.is_set()
                if follower.update != Update():
                    yield follower.take()
                    if not is_over:
                        await _comes(follower.urgent, SECONDS_BETWEEN_UPDATES)
                elif is_over:
                    break
                elif not await _comes(follower.news, SECONDS_OF_SILENCE):
                    yield Update()
        finally:
            self._followers.remove(follower)
            self._check_followers()
        if self.error:
            raise self.error


def _merged(old: Update, new: Update) -> Update:
    return Update(*(was if now is SKIP else now for was, now in zip(old, new, strict=True)))


async def _comes(event: asyncio.Event, seconds: float) -> bool:
    """Whether an event comes within so many seconds."""
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    return event.is_set()


class Running:
    """The answers being written, at most one in a conversation. Used in one event loop."""

    def __init__(self) -> None:
        self._runs: dict[tuple[str, str], Run] = {}

    def start(
        self, visitor: str, conversation: str, write: Callable[[Run], Awaitable[None]]
    ) -> Run:
        """Let this be written as soon as nothing else is answered in this conversation.

        Args:
            visitor: Whose conversation it is.
            conversation: Its id.
            write: Tells the run what there is of the answer, until it is whole or `stop` is set.

        Returns:
            The run; whoever follows it at once misses nothing. Its error is an `AbstractQAError`
            if a stop of the answer before it was for it, too.

        Raises:
            AbstractQAError: enough waits already.
        """
        key = visitor, conversation
        before = self.run(visitor, conversation)
        if before is None:
            self.check_room(visitor)
            run = self._runs[key] = Run()
        elif before.next:
            raise AbstractQAError("busy, try again: another question waits here already")
        else:
            run = before.next = Run()
        run.task = asyncio.create_task(self._write(key, run, before, write))
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
        self,
        key: tuple[str, str],
        run: Run,
        before: Run | None,
        write: Callable[[Run], Awaitable[None]],
    ) -> None:
        try:
            if before:
                await before.over.wait()
                if before.is_withdrawn:
                    raise AbstractQAError(
                        "your next question was not asked, since the answer before it was stopped"
                    )
            run.begin()
            await write(run)
        except Exception as error:  # noqa: BLE001 - raised where it is followed
            run.error = error
            if not run.is_followed:
                _log.exception("an answer that nobody followed failed")
        finally:
            if run.next:
                self._runs[key] = run.next
            else:
                self._runs.pop(key, None)
            run.end()

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
        if run and self.stop(visitor, conversation):
            # One that takes longer changes nothing any more that is not there.
            await _comes(run.over, LONGEST_WAIT_SECONDS)

    def run(self, visitor: str, conversation: str) -> Run | None:
        """The answer being written in a visitor's conversation, if there is one."""
        return self._runs.get((visitor, conversation))
