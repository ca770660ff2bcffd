"""Events of an answer as they come, given up at once when a reader stops it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, TypeVar

T = TypeVar("T")


class Stopped(Exception):  # noqa: N818 - nothing went wrong
    """The reader stopped the answer."""


async def until_stopped(
    events: AsyncIterator[T], stop: asyncio.Event, tick_seconds: float
) -> AsyncGenerator[T | None, None]:
    """Each event as it comes, and None whenever none came for a while.

    Ending it, however that happens, cancels the wait for the next event: the source then closes
    what it has open.

    Raises:
        Stopped: `stop` was set.
    """
    stopped = asyncio.ensure_future(stop.wait())
    following: asyncio.Future[T] | None = None
    try:
        while True:
            following = following or asyncio.ensure_future(anext(events))
            either: tuple[asyncio.Future[Any], ...] = (following, stopped)
            await asyncio.wait(either, timeout=tick_seconds, return_when=asyncio.FIRST_COMPLETED)
            if stopped.done():
                raise Stopped
            if not following.done():
                yield None
                continue
            finished, following = following, None
            try:
                event = finished.result()
            except StopAsyncIteration:
                return
            yield event
    finally:
        stopped.cancel()
        if following:
            following.cancel()
            await asyncio.wait({following})
            if not following.cancelled():
                following.exception()  # looked at, so that nobody is told that nobody did
