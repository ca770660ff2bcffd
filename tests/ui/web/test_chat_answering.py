"""Asking without a browser: what is shown and kept, what is stopped, and what is nobody else's."""

import asyncio
import threading
from collections.abc import AsyncGenerator
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from browsing import QUESTION, site_of
from web.chat_answers import answer

from eval.feedback import load
from index.errors import AbstractQAError, InputError, StoreError
from rag import Assistant
from rag.schema import Delta, Event, Filters, Finished, Progress
from ui.archive import Conversation, Turn, history
from ui.web.chat import answering, chat_settings
from ui.web.chat.answering import AT_ONCE, MOST_OF_ONE, WAITING
from ui.web.chat.chat_tab import Handlers, Place
from ui.web.chat.turn_html import SKIP, Update
from ui.web.corpus.start_page import examples

ME, OTHER = "session me", "session other"
CHOSEN = ([], "", "", "", "", "auto", "normal")
WRITING = Progress(stage="write", text="Writing")

pytestmark = pytest.mark.anyio


def request(visitor: str = ME, **query: str) -> Any:
    session = visitor.removeprefix("session ")
    return SimpleNamespace(username=None, cookies={}, session_hash=session, query_params=query)


def event(**told: Any) -> Any:
    return SimpleNamespace(_data=told)


async def all_of(updates: AsyncGenerator[Update, None]) -> list[Update]:
    return [update async for update in updates]


class Chat:
    """The handlers over one site, used as its page does."""

    def __init__(self, assistant: Any, folder: Path) -> None:
        self.site = site_of(assistant, folder)
        self.handlers = Handlers(self.site)
        self.answering = self.handlers._answering

    def ask(self, question: str, visitor: str = ME, id_: str = "", **more: Any) -> list[Update]:
        turn = Turn(question=question, **more)
        return asyncio.run(all_of(self.answering.respond(visitor, turn, id_)))

    def change(self, id_: str, visitor: str = ME, **told: Any) -> Update:
        return asyncio.run(self.handlers.change(id_, event(**told), request(visitor)))

    def read(self, id_: str, visitor: str = ME) -> Conversation:
        conversation = self.site.archive.read(visitor, id_)
        assert conversation is not None
        return conversation


@pytest.fixture
def chat(sample_assistant: Assistant, tmp_path: Path) -> Chat:
    return Chat(sample_assistant, tmp_path)


def started(updates: list[Update]) -> str:
    """The id of the conversation that the page was told."""
    (told,) = {u.conversation for u in updates if isinstance(u.conversation, str)}
    return str(told)


class Scripted:
    """An assistant whose events a test writes; it is silent for long at an event of threads."""

    chat_model = "scripted"

    def __init__(self, *events: Event | threading.Event) -> None:
        self.events = events
        self.closed = threading.Event()

    def check_mode(self, mode: str) -> None: ...

    def papers(self, *_: object) -> list[object]:
        return []

    async def astream(self, *_: object) -> AsyncGenerator[Event, None]:
        try:
            for each in self.events:
                if isinstance(each, threading.Event):
                    await asyncio.sleep(30)
                else:
                    yield each
        finally:
            self.closed.set()


def test_the_history_is_plain_text_without_turns_that_came_to_nothing() -> None:
    turns = [
        Turn(question="a <b> & c?", problem="the question is too long"),
        Turn(question="Kites?", answer=answer()),
        Turn(question="And boats?", partial="Boats [1]"),
        Turn(question="Rivers?", partial=""),
    ]
    assert history(turns) == [
        {"role": "user", "content": "Kites?"},
        {"role": "assistant", "content": "Kites are cheap. [1]", "references": ["kites"]},
        {"role": "user", "content": "And boats?"},
        {"role": "assistant", "content": "Boats [1]"},
    ]


def test_a_question_that_is_too_long_comes_back_and_is_kept_short(chat: Chat) -> None:
    question = "x" * 100_000
    updates = chat.ask(question)
    (turn,) = chat.read(started(updates)).turns
    assert "4,000" in str(turn.problem)
    assert updates[-1].transcript["refill"] == question
    assert len(turn.question) < 5_000


def test_an_unforeseen_failure_is_told_without_its_details(tmp_path: Path) -> None:
    class Broken(Scripted):
        async def astream(self, *_: object) -> AsyncGenerator[Event, None]:
            raise RuntimeError("secret detail")
            yield

    updates = Chat(Broken(), tmp_path).ask("Kites?")
    assert "terminal" in str(updates[-1].transcript)
    assert "secret" not in str(updates)


def test_an_answer_that_is_not_kept_is_shown(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(chat.site.archive, "change", full)
    shown = [u.transcript for u in chat.ask(QUESTION) if isinstance(u.transcript, dict)][-1]
    assert "not saved: the disk is full" in shown["notice"]
    assert any("369" in html for html in shown["html"].values())


@pytest.mark.parametrize("text", ["Kites are", ""])
async def test_stop_ends_a_silent_model_and_keeps_its_text(tmp_path: Path, text: str) -> None:
    deltas = [Delta(text=text)] if text else []
    script = Scripted(WRITING, *deltas, threading.Event())
    chat = Chat(script, tmp_path)
    updates: list[Update] = []
    async with asyncio.timeout(20):
        async for update in chat.answering.respond(ME, Turn(question="Kites?")):
            updates.append(update)
            if "Writing" in str(update.live) and text in str(update.live):
                assert not chat.answering.run(OTHER, started(updates))
                await chat.handlers.stop(started(updates), request())
    assert script.closed.is_set()
    (turn,) = chat.read(started(updates)).turns
    assert (turn.partial, turn.answer, turn.problem) == (text, None, None)
    assert "Stopped" in str(updates[-1].transcript)
    assert updates[-1].live["html"] == ""


def test_a_closed_tab_ends_nothing_and_the_end_keeps_the_text_so_far(tmp_path: Path) -> None:
    script = Scripted(WRITING, Delta(text="Kites are"), threading.Event())
    chat = Chat(script, tmp_path)

    async def closed() -> str:
        updates = chat.answering.respond(ME, Turn(question="Kites?"))
        first = await anext(updates)
        while "Kites are" not in str((await anext(updates)).live):
            pass
        await updates.aclose()
        await asyncio.sleep(0.1)
        assert not script.closed.is_set()
        return str(first.conversation)

    id_ = asyncio.run(asyncio.wait_for(closed(), timeout=20))
    assert script.closed.wait(timeout=20)
    assert chat.read(id_).turns[0].partial == "Kites are"


@pytest.mark.parametrize("do", ["undo", "delete"])
async def test_another_window_follows_an_answer_and_can_end_it(tmp_path: Path, do: str) -> None:
    chat = Chat(Scripted(WRITING, Delta(text="Kites are"), threading.Event()), tmp_path)
    handlers = chat.handlers
    async with asyncio.timeout(20):
        updates, seen = handlers.ask(request(), event(), "Kites?", "", *CHOSEN), []
        while "Kites are" not in str((seen and seen[-1].live) or ""):
            seen.append(await anext(updates))
        id_ = started(seen)
        rest = asyncio.ensure_future(all_of(updates))
        opened = handlers.open(event(id=id_), request())
        loaded = handlers.load(request(c=id_))
        for shown in (opened, loaded):
            assert shown.transcript["order"] == []
            assert "Kites are" in shown.live["html"]
            assert shown.following
        assert opened.following != loaded.following, "the page hears of a change alone"
        following = handlers.follow(loaded.following, id_, request())
        assert "Kites are" in (await anext(following)).live["html"]
        followed = asyncio.ensure_future(all_of(following))
        (turn,) = (each.id for each in chat.read(id_).turns)
        own = handlers.open(event(id=id_, writing=turn), request())
        assert (own.following, own.live, own.transcript["order"]) == (SKIP, SKIP, [])
        await handlers.change(id_, event(do=do, turn=turn, id=id_), request())
        await asyncio.wait_for(rest, 5)
        told = [update.live["html"] for update in await followed if update.live is not SKIP]
        assert told[-1] == ""
        assert await all_of(handlers.follow("", id_, request())) == []
        if do == "delete":
            assert chat.site.archive.list(ME) == []
            await handlers.change("", event(do="undelete"), request())
        left = [turn.partial for turn in chat.read(id_).turns]
        assert left == ([] if do == "undo" else ["Kites are"]), "what was undone stays away"


@pytest.mark.parametrize("do", ["undo", "delete"])
async def test_nothing_of_a_turn_is_drawn_after_it_was_taken_back(tmp_path: Path, do: str) -> None:
    class Growing(Scripted):
        async def astream(self, *_: object) -> AsyncGenerator[Event, None]:
            yield WRITING
            while True:
                yield Delta(text="kites ")
                await asyncio.sleep(0.01)

    chat, seen = Chat(Growing(), tmp_path), list[Update]()

    async def watch() -> None:
        async for update in chat.answering.respond(ME, Turn(question="Kites?")):
            seen.append(update)

    async with asyncio.timeout(20):
        watching = asyncio.ensure_future(watch())
        while "kites kites" not in str((seen and seen[-1].live) or ""):
            await asyncio.sleep(0.01)
        (conversation,) = chat.site.archive.list(ME)
        (turn,) = chat.read(conversation.id).turns
        run = chat.answering.run(ME, conversation.id)
        await chat.handlers.change(
            conversation.id, event(do=do, turn=turn.id, id=conversation.id), request()
        )
        shown = len(seen)
        await watching
    assert run
    assert (run.shown.transcript, run.shown.sources) == (SKIP, SKIP)
    for update in seen[shown:]:
        assert (update.transcript, update.sources) == (SKIP, SKIP)
        assert update.live is SKIP or update.live["html"] == ""


async def test_one_question_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    silence, looked_for = threading.Event(), threading.Event()
    chat = Chat(Scripted(WRITING, silence), tmp_path)

    def suggest(*_: Any) -> tuple[str, ...]:
        looked_for.wait(5)
        return ()

    monkeypatch.setattr("ui.web.chat.answering.suggest", suggest)

    async with asyncio.timeout(20):
        first = chat.answering.respond(ME, Turn(question="Kites?"))
        id_ = str((await anext(first)).conversation)
        with pytest.raises(AbstractQAError, match="wait for it, or stop it"):
            await all_of(chat.answering.respond(ME, Turn(question="Boats?"), id_))
        await chat.handlers.stop(id_, request())
        await all_of(first)
        chat.site.assistant.events = (Finished(answer=answer()),)  # type: ignore[misc]
        async for update in chat.answering.respond(ME, Turn(question="Kites?"), id_):
            if update.live is not SKIP and not update.live["html"]:
                break
        boats = chat.answering.respond(ME, Turn(question="Boats?"), id_)
        again = asyncio.ensure_future(all_of(boats))
        await asyncio.sleep(0.05)
        assert not again.done(), "what may follow is still looked for"
        looked_for.set()
        assert await again
        assert [turn.question for turn in chat.read(id_).turns] == ["Kites?", "Kites?", "Boats?"]


def test_a_question_that_is_asked_again_is_a_new_one_of_the_same_papers(chat: Chat) -> None:
    limits = Filters(title="world")
    id_ = started(chat.ask(QUESTION, filters=limits))
    (first,) = chat.read(id_).turns
    told = event(do="retry", turn=first.id)
    asyncio.run(all_of(chat.handlers.ask(request(), told, "", id_, *CHOSEN)))
    kept, again = chat.read(id_).turns
    assert kept == first
    assert (again.question, again.filters) == (QUESTION, limits)


def test_the_last_answer_is_taken_back_and_restored_once_by_its_visitor_alone(chat: Chat) -> None:
    id_ = started(chat.ask(QUESTION))
    (turn,) = chat.read(id_).turns
    assert chat.change(id_, do="undo", turn="another window's").transcript["order"] == [turn.id]
    chat.change(id_, do="undo", turn=turn.id)
    assert chat.change(id_, OTHER, do="restore").transcript["order"] == []
    for _ in range(2):
        assert chat.change(id_, do="restore").transcript["order"] == [turn.id]
    chat.change(id_, do="undo", turn=turn.id)
    asyncio.run(all_of(chat.handlers.ask(request(), event(), "What is AdaMerging?", id_, *CHOSEN)))
    assert len(chat.change(id_, do="restore").transcript["order"]) == 1


@pytest.mark.parametrize("do", ["undo", "vote"])
def test_votes_behind_an_answer_stay(chat: Chat, monkeypatch: pytest.MonkeyPatch, do: str) -> None:
    def turns() -> tuple[str, tuple[Turn, ...]]:
        (conversation,) = chat.site.archive.list(ME)
        return conversation.id, chat.read(conversation.id).turns

    def suggest(*_: Any) -> tuple[str, ...]:
        id_, (turn,) = turns()
        told = {"do": do, "turn": turn.id, "vote": "up"}
        getattr(chat.handlers, f"_{do}")(Place(ME, id_), told)
        return ("What is WebArena?",)

    monkeypatch.setattr("ui.web.chat.answering.suggest", suggest)
    shown = [update for update in chat.ask(QUESTION) if update.transcript is not SKIP]
    left = [(turn.vote, turn.followups) for turn in turns()[1]]
    assert left == ([] if do == "undo" else [("up", ("What is WebArena?",))])
    assert ("What is WebArena?" in str(shown[-1].transcript)) == (do == "vote")


def test_a_vote_is_feedback_until_it_is_taken_back(chat: Chat) -> None:
    id_ = started(chat.ask(QUESTION))
    (turn,) = chat.read(id_).turns
    vote = {"do": "vote", "turn": turn.id, "vote": "down"}
    chat.change(id_, **vote)
    update = chat.change(id_, **vote, reason=" Wrong \n papers ")
    assert chat.read(id_).turns[0].vote_reason == "Wrong papers"
    assert 'aria-pressed="true"' in update.transcript["html"][turn.id]
    (given,) = load(chat.site.settings.data)
    assert (given.id, given.vote, given.reason) == (turn.id, "down", "Wrong papers")
    chat.change(id_, **vote)
    assert chat.read(id_).turns[0].vote is None
    assert [feedback.vote for feedback in load(chat.site.settings.data)] in ([], [None])


def test_filters_and_settings_are_checked_before_anything_is_asked() -> None:
    read, early, late = chat_settings.read_filters, "2025-03-14", "2025-03-15"
    limits = Filters(digests=("a",), since=date(2025, 3, 14), title="x")
    assert read(["a"], early, "", " x ", "") == limits
    for since, until, told in (("", "soon", "write it as 2025"), (late, early, "is after “Until”")):
        with pytest.raises(InputError, match=told):
            read([], since, until, "", "")
    for wrong in (("x", "normal"), ("auto", "x")):
        with pytest.raises(InputError):
            chat_settings.read_settings(*wrong)


def test_anything_that_is_sent_to_a_handler_is_answered_with_nothing_of_others(chat: Chat) -> None:
    theirs = started(chat.ask(QUESTION, OTHER))
    before = chat.read(theirs, OTHER)
    own = {"turn": before.turns[0].id, "vote": "up", "id": theirs, "title": "x"}
    handlers, me = chat.handlers, request(c=theirs)
    loaded = handlers.load(me)
    assert "not yours" in loaded.transcript["notice"]
    assert loaded.transcript["order"] == []
    shown = [loaded]
    does = "vote undo restore share unshare rename delete undelete nothing".split()
    for told in (None, {}, *(own | {"do": do} for do in (*does, 3)), {"do": "rename", "id": ["x"]}):
        sent: Any = SimpleNamespace(_data=told)
        shown.append(handlers.open(sent, me))
        shown.append(asyncio.run(handlers.change(theirs, sent, me)))
        assert "text" not in handlers.export(theirs, sent, me)
    assert "OSWorld" not in str(shown)
    assert started(chat.ask("What is AdaMerging?", id_=theirs)) != theirs
    assert handlers.list(theirs, "OSWorld", me).count("<li") == 0
    assert chat.read(theirs, OTHER) == before


def test_examples_are_of_the_papers_at_hand_and_answered(sample_assistant: Assistant) -> None:
    overview, new, listing = examples(sample_assistant) or []
    map_ = sample_assistant.collection_map()
    assert map_
    assert "collection" in overview
    assert sample_assistant.digests()[-1].label in new
    assert any(term in listing for cluster in map_.clusters for term in cluster.terms)
    for question in (overview, new, listing):
        found = sample_assistant.ask(question)
        assert found.status == "answered", question
        assert found.references, question


async def test_neither_one_visitor_nor_all_hold_more_than_there_is(tmp_path: Path) -> None:
    chat = Chat(Scripted(WRITING, threading.Event()), tmp_path)

    async def begin(visitor: str) -> None:
        await anext(chat.answering.respond(visitor, Turn(question="Kites?")))

    for _ in range(MOST_OF_ONE):
        await begin(ME)
    with pytest.raises(AbstractQAError, match="several of your questions"):
        await begin(ME)
    assert len(chat.site.archive.list(ME)) == MOST_OF_ONE
    for number in range(AT_ONCE + WAITING - MOST_OF_ONE):
        await begin(f"visitor {number}")
    with pytest.raises(AbstractQAError, match="many questions are being answered"):
        await begin("one more")


async def test_an_answer_that_nobody_follows_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "SECONDS_UNFOLLOWED", 0.2)
    monkeypatch.setattr(answering, "SECONDS_OF_SILENCE", 0.1)
    chat = Chat(Scripted(WRITING, threading.Event()), tmp_path)
    runs = []
    for question in ("left", "followed"):
        updates = chat.answering.respond(ME, Turn(question=question))
        id_ = str((await anext(updates)).conversation)
        runs.append(chat.answering.run(ME, id_))
        if question == "left":
            await updates.aclose()
    left, followed = runs
    assert left
    assert followed
    await asyncio.wait_for(left.task, 5)
    for _ in range(4):
        last = await anext(updates)
    assert last == Update(), "the server looks whether the page is there"
    assert not followed.stop.is_set()
    await updates.aclose()
    await asyncio.wait_for(followed.task, 5)
