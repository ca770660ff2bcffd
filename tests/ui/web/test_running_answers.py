"""Answers under way: how many there are, who follows them, and what becomes of those left."""

import asyncio

import pytest

from index.errors import AbstractQAError
from ui.web.chat import running_answers
from ui.web.chat.running_answers import AT_ONCE, MOST_OF_ONE, WAITING, Run, Running
from ui.web.chat.turn_html import Update

ME = "cookie me"

pytestmark = pytest.mark.anyio


async def until_stopped(run: Run) -> None:
    """An answer that says one thing, and goes on until it is stopped."""
    run.tell(Update(live="begun"))
    await run.stop.wait()
    run.tell(Update(live=""))


async def test_neither_one_visitor_nor_all_hold_more_than_there_is() -> None:
    running = Running()
    for number in range(MOST_OF_ONE):
        await running.start(ME, str(number), until_stopped)
    with pytest.raises(AbstractQAError, match="several of your questions"):
        await running.start(ME, "one more", until_stopped)
    for number in range(AT_ONCE + WAITING - MOST_OF_ONE):
        await running.start(f"visitor {number}", "c", until_stopped)
    with pytest.raises(AbstractQAError, match="many questions are being answered"):
        await running.start("one more", "c", until_stopped)


async def test_an_answer_that_nobody_follows_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running_answers, "SECONDS_UNFOLLOWED", 0.2)
    monkeypatch.setattr(running_answers, "SECONDS_OF_SILENCE", 0.1)
    running = Running()
    left = await running.start(ME, "left", until_stopped)
    followed = await running.start(ME, "followed", until_stopped)
    updates = followed.follow()
    assert await anext(updates) == Update(live="begun")
    assert await anext(updates) == Update(), "the server looks whether the page is there"
    await asyncio.wait_for(left.over.wait(), 5)
    await asyncio.sleep(0.3)
    assert not followed.stop.is_set()
    await updates.aclose()
    await asyncio.wait_for(followed.over.wait(), 5)
