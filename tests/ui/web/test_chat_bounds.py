"""What waits in the chat is bounded, and what comes right behind an answer is not lost."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from web.test_chat_answering import ME, QUESTION, Chat, started

from index.errors import AbstractQAError, StoreError
from rag import Assistant
from ui.web.chat.running import MOST_OF_ONE, Running


@pytest.fixture
def chat(sample_assistant: Assistant, tmp_path: Path) -> Chat:
    return Chat(sample_assistant, tmp_path)


def test_one_question_waits_in_a_conversation_and_a_stop_is_for_it_too() -> None:
    running = Running()

    async def ask(conversation: str = "c") -> None:
        async with running.answering(ME, conversation) as run:
            await run.stop.wait()

    async def scenario() -> None:
        first, second = asyncio.ensure_future(ask()), asyncio.ensure_future(ask())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        with pytest.raises(AbstractQAError, match="another question waits"):
            await asyncio.wait_for(ask(), 2)
        assert running.stop(ME, "c")
        await asyncio.wait_for(first, 2)
        with pytest.raises(AbstractQAError, match="pressed Stop"):
            await asyncio.wait_for(second, 2)
        assert not running.stop(ME, "c")

    asyncio.run(scenario())


def test_one_visitor_does_not_hold_every_place() -> None:
    running = Running()

    async def scenario() -> None:
        held = [running.answering(ME, str(number)) for number in range(MOST_OF_ONE)]
        for each in held:
            await each.__aenter__()
        with pytest.raises(AbstractQAError, match="several of your questions"):
            await running.answering(ME, "one more").__aenter__()
        async with running.answering("another", "one more"):
            pass
        for each in held:
            await each.__aexit__(None, None, None)

    asyncio.run(scenario())


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
