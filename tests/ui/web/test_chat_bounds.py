"""What waits in the chat is bounded, and what comes right behind an answer is not lost."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from web.test_chat_answering import ME, QUESTION, Chat, started

from index.errors import AbstractQAError, StoreError
from rag import Assistant
from ui.web.chat.running import MOST_FOLLOWERS, MOST_OF_ONE, MOST_RUNS, Run, Running
from ui.web.chat.view import Update


@pytest.fixture
def chat(sample_assistant: Assistant, tmp_path: Path) -> Chat:
    return Chat(sample_assistant, tmp_path)


async def until_stopped(run: Run) -> AsyncGenerator[Update, None]:
    """An answer that says one thing, and goes on until it is stopped."""
    yield Update(live="begun")
    await run.stop.wait()
    yield Update(live="")


def test_one_question_waits_in_a_conversation_and_a_stop_is_for_it_too() -> None:
    running = Running()

    async def ask(conversation: str = "c") -> None:
        run = await running.start(ME, conversation, until_stopped)
        await run.over.wait()

    async def scenario() -> None:
        first, second = asyncio.ensure_future(ask()), asyncio.ensure_future(ask())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        with pytest.raises(AbstractQAError, match="another question waits"):
            await asyncio.wait_for(ask(), 2)
        assert running.stop(ME, "c")
        await asyncio.wait_for(first, 2)
        with pytest.raises(AbstractQAError, match="was stopped"):
            await asyncio.wait_for(second, 2)
        assert not running.stop(ME, "c")

    asyncio.run(scenario())


def test_visitors_together_do_not_hold_more_than_there_is() -> None:
    running = Running()

    async def scenario() -> None:
        windows = []
        for number in range(MOST_RUNS):
            run = await running.start(f"visitor {number}", "c", until_stopped)
            windows.append(asyncio.ensure_future(anext(run.follow())))
        with pytest.raises(AbstractQAError, match="many questions are being answered"):
            await running.start("one more", "c", until_stopped)
        for number in range(MOST_RUNS):
            running.stop(f"visitor {number}", "c")

    asyncio.run(scenario())


def test_an_answer_is_followed_in_so_many_windows() -> None:
    running = Running()

    async def scenario() -> None:
        run = await running.start(ME, "c", until_stopped)
        windows = [asyncio.ensure_future(anext(run.follow())) for _ in range(MOST_FOLLOWERS)]
        await asyncio.sleep(0)
        with pytest.raises(AbstractQAError, match="in many windows"):
            await anext(run.follow())
        running.stop(ME, "c")
        for window in windows:
            window.cancel()

    asyncio.run(scenario())


def test_one_visitor_does_not_hold_every_place() -> None:
    running = Running()

    async def scenario() -> None:
        for number in range(MOST_OF_ONE):
            await running.start(ME, str(number), until_stopped)
        with pytest.raises(AbstractQAError, match="several of your questions"):
            await running.start(ME, "one more", until_stopped)
        await running.start("another", "one more", until_stopped)

    asyncio.run(scenario())


def test_an_answer_goes_on_when_its_page_is_closed_and_another_page_follows_it_to_the_end() -> None:
    running = Running()
    go_on = asyncio.Event()

    async def counting(run: Run) -> AsyncGenerator[Update, None]:
        yield Update(conversation="c", live="0", sources="found")
        for number in range(1, 100):
            yield Update(live=str(number))
            if number == 50:
                await go_on.wait()
        yield Update(transcript="done", live="")

    async def scenario() -> None:
        run = await running.start(ME, "c", counting)
        first = run.follow()
        assert (await anext(first)).conversation == "c"
        await first.aclose()
        while run.shown.live != "50":
            await asyncio.sleep(0)
        second = run.follow()
        assert await anext(second) == Update(live="50", sources="found")
        rest = asyncio.ensure_future(_all(second))
        await asyncio.sleep(0)
        go_on.set()
        updates = await asyncio.wait_for(rest, 5)
        assert len(updates) < 20, "a page that is behind gets many as one"
        assert updates[-1] == Update(transcript="done", live="")
        assert running.run(ME, "c") is None

    asyncio.run(scenario())


def test_an_answer_that_nobody_follows_is_stopped_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ui.web.chat.running.SECONDS_UNFOLLOWED", 0.2)
    running = Running()

    async def scenario() -> None:
        left = await running.start(ME, "left", until_stopped)
        followed = await running.start(ME, "followed", until_stopped)
        following = asyncio.ensure_future(_all(followed.follow()))
        await asyncio.wait_for(left.over.wait(), 5)
        await asyncio.sleep(0.3)
        assert not followed.stop.is_set()
        following.cancel()
        await asyncio.wait_for(followed.over.wait(), 5)

    asyncio.run(scenario())


def test_of_too_many_answers_that_nobody_follows_the_first_is_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ui.web.chat.running.MOST_UNFOLLOWED", 2)
    running = Running()

    async def scenario() -> None:
        runs = [await running.start(f"cookie {n}", "c", until_stopped) for n in range(4)]
        pages = [run.follow() for run in runs]
        for page in pages:
            await anext(page)
        for page in pages:
            await page.aclose()
        assert [run.stop.is_set() for run in runs] == [True, True, False, False]

    asyncio.run(scenario())


def test_what_ends_an_answer_before_its_time_is_told_to_its_page() -> None:
    async def failing(_: Run) -> AsyncGenerator[Update, None]:
        yield Update(live="begun")
        raise StoreError("the disk is full")

    async def scenario() -> None:
        run = await Running().start(ME, "c", failing)
        with pytest.raises(StoreError, match="the disk is full"):
            await _all(run.follow())

    asyncio.run(scenario())


async def _all(updates: AsyncGenerator[Update, None]) -> list[Update]:
    return [update async for update in updates]


@pytest.mark.parametrize("undone", [False, True])
def test_a_vote_or_an_undo_right_behind_an_answer_stays(
    chat: Chat, monkeypatch: pytest.MonkeyPatch, undone: bool
) -> None:
    def suggest(*_: Any) -> tuple[str, ...]:
        (conversation,) = chat.site.archive.list(ME)
        (turn,) = chat.read(conversation.id).turns
        if undone:
            chat.changes.undo(ME, conversation.id, turn.id)
        else:
            chat.changes.vote(ME, conversation.id, turn.id, "up", None)
        return ("What is WebArena?",)

    monkeypatch.setattr("ui.web.chat.respond.suggest", suggest)
    turns = chat.read(started(chat.ask(QUESTION))).turns
    assert [(t.vote, t.followups) for t in turns] == (
        [] if undone else [("up", ("What is WebArena?",))]
    )


def test_an_answer_that_cannot_be_kept_is_shown_all_the_same(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> bool:
        raise StoreError("the disk is full")

    monkeypatch.setattr(chat.site.archive, "update", full)
    shown = [u.transcript for u in chat.ask(QUESTION) if isinstance(u.transcript, dict)][-1]
    assert "not kept: the disk is full" in shown["notice"]
    assert any("369" in html for html in shown["html"].values())
