"""Asking without a browser: what is shown and kept, what is stopped, and what is nobody else's."""

import asyncio
import threading
from collections.abc import AsyncGenerator
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from web.chat_answers import Elements, answer, refusal
from web.chat_answers import paper as kites

from eval.feedback import load
from index.errors import InputError
from index.papers import Paper
from rag import Assistant
from rag.digests import Digest
from rag.schema import Answer, Delta, Event, Filters, Finished, Hit, Options, Progress
from rag.settings import Settings
from ui.archive.models import Conversation, Turn
from ui.web.chat import drawer, filters
from ui.web.chat.changes import Changes
from ui.web.chat.handlers import Handlers
from ui.web.chat.history import history
from ui.web.chat.panel import Panel
from ui.web.chat.refusal import Refusals
from ui.web.chat.respond import Asked, Responder
from ui.web.chat.restoring import Restorable
from ui.web.chat.running import Running
from ui.web.chat.transcript import Transcript
from ui.web.chat.view import SKIP, Update
from ui.web.chat.welcome import examples, welcome_html
from ui.web.site import Site

ME, OTHER = "cookie me", "cookie other"
QUESTION = "How many tasks does OSWorld have?"


class Chat:
    """The parts of the chat over one site, used as its page does."""

    def __init__(self, assistant: Any, folder: Path) -> None:
        self.site = Site.over(assistant, Settings(store=Path("unused"), data=folder))
        self.running, restorable = Running(), Restorable()
        refusals = Refusals(assistant)
        transcript, panel = Transcript(refusals), Panel(refusals)
        self.responder = Responder(self.site, self.running, transcript, panel, restorable)
        self.changes = Changes(self.site, transcript, panel, restorable)

    def ask(self, question: str, visitor: str = ME, **more: Any) -> list[Update]:
        async def all_of_it() -> list[Update]:
            return [u async for u in self.responder.respond(visitor, Asked(question, **more))]

        return asyncio.run(all_of_it())

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
    """An assistant whose events a test writes."""

    chat_model = "scripted"

    def __init__(self, *events: Event | threading.Event) -> None:
        self.events = events
        self.closed = threading.Event()

    def check_mode(self, mode: str) -> None: ...

    def papers(self) -> list[object]:
        return []

    async def astream(self, *_: object) -> AsyncGenerator[Event, None]:
        try:
            for event in self.events:
                if isinstance(event, threading.Event):
                    await asyncio.sleep(30)
                else:
                    yield event
        finally:
            self.closed.set()


def test_cards_come_before_the_answer_and_the_answer_is_kept(chat: Chat) -> None:
    updates = chat.ask(QUESTION, from_box=True)
    id_ = started(updates)
    cards = next(i for i, u in enumerate(updates) if u.sources is not SKIP)
    done = next(i for i, u in enumerate(updates) if u.live == "")
    assert updates[0].question == ""
    assert "aqa-chat-writing" in updates[0].live
    assert cards < done
    assert "aqa-found-" in next(iter(updates[cards].sources["html"].values()))
    (turn,) = chat.read(id_).turns
    assert turn.answer
    assert turn.partial is None
    assert updates[done].transcript["order"] == [turn.id]
    assert f"#aqa-source-{turn.id}-1" in updates[done].transcript["html"][turn.id]
    assert f"aqa-source-{turn.id}-1" in updates[done].sources["html"][turn.id]


def test_follow_ups_come_after_the_answer_and_are_kept(chat: Chat) -> None:
    updates = chat.ask(QUESTION)
    *_, before, last = updates
    (turn,) = chat.read(started(updates)).turns
    assert turn.followups
    assert "Ask next" in last.transcript["html"][turn.id]
    assert "Ask next" not in before.transcript["html"][turn.id]


@pytest.mark.parametrize("foreign", [True, False])
def test_an_unknown_or_foreign_conversation_becomes_a_new_one(chat: Chat, foreign: bool) -> None:
    theirs = started(chat.ask(QUESTION, OTHER)) if foreign else "no such id"
    mine = started(chat.ask("What is AdaMerging?", conversation=theirs))
    assert mine != theirs
    assert len(chat.read(mine).turns) == 1
    assert "OSWorld" not in str(chat.read(mine))
    if foreign:
        assert len(chat.read(theirs, OTHER).turns) == 1


def test_what_others_wrote_is_not_voted_on_undone_or_restored(chat: Chat) -> None:
    theirs = started(chat.ask(QUESTION, OTHER))
    turn = chat.read(theirs, OTHER).turns[0]
    assert chat.changes.vote(ME, theirs, turn.id, "up", None) == Update()
    assert chat.changes.undo(ME, theirs, turn.id) is None
    chat.changes.undo(OTHER, theirs, turn.id)
    assert chat.changes.restore(ME, theirs).transcript["order"] == []
    assert chat.changes.restore(OTHER, theirs).transcript["order"] == [turn.id]


def test_a_follow_up_knows_the_papers_by_their_numbers(chat: Chat) -> None:
    id_ = started(chat.ask("Which papers are about model merging?"))
    chat.ask("What does paper 2 do?", conversation=id_)
    first, second = chat.read(id_).turns
    assert first.answer
    assert second.answer
    titles = [reference.paper.display_title for reference in first.answer.references]
    named = [title for title in titles if title in second.answer.standalone_question]
    assert named == titles[1:2]


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


@pytest.mark.parametrize(
    ("question", "told"), [("x" * 100_000, "4,000"), ("Agents?", "no digest called")]
)
def test_a_mistake_is_told_in_one_line_and_the_question_stays(
    chat: Chat, question: str, told: str
) -> None:
    limits = Filters(digests=() if "4" in told else ("no such digest",))
    updates = chat.ask(question, filters=limits, from_box=True)
    (turn,) = chat.read(started(updates)).turns
    assert turn.problem
    assert told in turn.problem or "no such digest" in turn.problem
    assert updates[0].question == "", "it is emptied"
    assert updates[-1].transcript["refill"] == question
    assert all(u.question == SKIP for u in updates[1:]), "the reader may write the next one"
    again = chat.ask(question, filters=limits, conversation=started(updates), instead_of=turn.id)
    assert all(u.question == SKIP for u in again), "what is half-written stays"
    assert again[-1].transcript["refill"] == ""
    assert "Traceback" not in str(updates[-1].transcript)
    assert len(turn.question) < 5_000


def test_an_unforeseen_failure_is_told_without_its_details(tmp_path: Path) -> None:
    class Broken(Scripted):
        async def astream(self, *_: object) -> AsyncGenerator[Event, None]:
            raise RuntimeError("secret detail")
            yield

    chat = Chat(Broken(), tmp_path)
    updates = chat.ask("Kites?")
    assert "terminal" in str(updates[-1].transcript)
    assert "secret" not in str(updates)


def test_a_blank_question_does_nothing(chat: Chat) -> None:
    assert chat.ask("  \n") == [Update()]
    assert chat.site.archive.list(ME) == []


def test_the_first_piece_of_a_written_text_is_drawn_at_once_and_the_others_a_few_times_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.web.chat.respond.SECONDS_BETWEEN_UPDATES", 30)
    pieces = [Delta(text=f"word{n} ") for n in range(20)]
    script = Scripted(Progress(stage="write", text="Writing"), *pieces, Finished(answer=answer()))
    lives = [str(u.live) for u in Chat(script, tmp_path).ask("Kites?") if u.live is not SKIP]
    assert [live for live in lives if "word0" in live] == [lives[2]]
    assert "word1" not in lives[2]


@pytest.mark.parametrize("text", ["Kites are", ""])
def test_stop_ends_a_silent_model_at_once_and_keeps_the_text_so_far(
    tmp_path: Path, text: str
) -> None:
    deltas = [Delta(text=text)] if text else []
    script = Scripted(Progress(stage="write", text="Writing"), *deltas, threading.Event())
    chat = Chat(script, tmp_path)

    async def stopped() -> list[Update]:
        updates = []
        async for update in chat.responder.respond(ME, Asked("Kites?")):
            updates.append(update)
            id_ = started(updates)
            assert not chat.running.stop(OTHER, id_)
            if len(updates) == (3 if text else 2):
                assert chat.running.stop(ME, id_)
        return updates

    updates = asyncio.run(asyncio.wait_for(stopped(), timeout=20))
    assert script.closed.is_set()
    (turn,) = chat.read(started(updates)).turns
    assert (turn.partial, turn.answer, turn.problem) == (text, None, None)
    assert "Stopped" in str(updates[-1].transcript)
    assert updates[-1].live == ""


def test_a_tab_that_is_closed_ends_nothing_but_the_end_of_the_server_keeps_the_text_so_far(
    tmp_path: Path,
) -> None:
    script = Scripted(
        Progress(stage="write", text="Writing"), Delta(text="Kites are"), threading.Event()
    )
    chat = Chat(script, tmp_path)

    async def closed() -> str:
        updates = chat.responder.respond(ME, Asked("Kites?"))
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


def test_a_silent_model_sends_an_update_a_second_so_that_a_closed_tab_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.web.chat.running.SECONDS_OF_SILENCE", 0.1)
    script = Scripted(Progress(stage="write", text="Writing"), threading.Event())
    chat = Chat(script, tmp_path)

    async def silent() -> None:
        updates = chat.responder.respond(ME, Asked("Kites?"))
        while await anext(updates) != Update():
            pass
        assert await anext(updates) == Update()
        await updates.aclose()

    asyncio.run(asyncio.wait_for(silent(), timeout=20))
    assert script.closed.wait(timeout=20)


def test_another_window_shows_what_is_written_follows_it_and_can_undo_or_delete_it(
    tmp_path: Path,
) -> None:
    script = Scripted(
        Progress(stage="write", text="Writing"), Delta(text="Kites are"), threading.Event()
    )
    chat = Chat(script, tmp_path)
    handlers = Handlers(chat.site)
    request: Any = SimpleNamespace(
        username=None, cookies={}, session_hash="s", query_params={}, request=None
    )

    def event(**told: str) -> Any:
        return SimpleNamespace(_data=told)

    chosen = ([], "", "", "", "auto", "", 0, "normal")

    async def during(does: str) -> None:
        updates, seen = handlers.ask(request, "Kites?", "", "", *chosen), []
        while "Kites are" not in str((seen and seen[-1].live) or ""):
            seen.append(await anext(updates))
        id_ = started(seen)
        (summary,) = chat.site.archive.list("session s")
        rest = asyncio.ensure_future(_all(updates))
        request.query_params["c"] = summary.id
        opened, loaded = handlers.open("", event(id=id_), request), handlers.load("", request)
        for shown in (opened, loaded):
            assert shown.transcript["order"] == []
            assert "Kites are" in shown.live
        assert opened.following
        assert loaded.following
        assert opened.following != loaded.following, "the page hears of a change alone"
        following = handlers.follow(loaded.following, id_, "", request)
        assert "Kites are" in (await anext(following)).live
        followed = asyncio.ensure_future(_all(following))
        (turn,) = (each.id for each in chat.read(id_, "session s").turns)
        own = handlers.open("", event(id=id_, writing=turn), request)
        assert own.following == SKIP
        assert own.transcript["order"] == []
        assert own.live == SKIP
        if does == "undo":
            await handlers.change(id_, "", event(do="undo", turn=turn), request)
        else:
            await handlers.arrange(id_, "", event(do="delete", id=id_), request)
        await asyncio.wait_for(rest, 5)
        assert [update.live for update in await followed if update.live is not SKIP][-1] == ""
        assert await _all(handlers.follow("", id_, "", request)) == []
        if does == "undo":
            kept = chat.site.archive.read("session s", id_)
            assert kept
            assert kept.turns == (), "it does not come back"
            chat.site.archive.delete("session s", id_)
        else:
            assert id_ in handlers.search("", "other words", request), "still offered"
            await handlers.arrange("", "", event(do="undelete", id=id_), request)
            kept = chat.site.archive.read("session s", id_)
            assert kept
            assert kept.turns[0].partial == "Kites are"

    async def both() -> None:
        await during("undo")
        await during("delete")

    asyncio.run(asyncio.wait_for(both(), timeout=20))


async def _all(updates: AsyncGenerator[Update, None]) -> list[Update]:
    return [update async for update in updates]


def test_a_second_question_in_a_conversation_waits_for_the_first(chat: Chat) -> None:
    id_ = started(chat.ask(QUESTION))
    at_work = 0

    async def one(question: str) -> None:
        nonlocal at_work
        async for update in chat.responder.respond(ME, Asked(question, conversation=id_)):
            if isinstance(update.conversation, str):
                at_work += 1
                assert at_work == 1
            if update.live == "":
                at_work = 0
                await asyncio.sleep(0.05)

    async def both() -> None:
        await asyncio.gather(one("What is AdaMerging?"), one("Which papers are about agents?"))

    asyncio.run(both())
    assert len(chat.read(id_).turns) == 3


def test_an_edited_question_replaces_its_turn_and_all_after_and_can_be_taken_back_once(
    chat: Chat,
) -> None:
    id_ = started(chat.ask(QUESTION))
    chat.ask("What is AdaMerging?", conversation=id_)
    first, second = chat.read(id_).turns
    updates = chat.ask("What is RT-H?", conversation=id_, instead_of=first.id)
    (now,) = chat.read(id_).turns
    assert now.question == "What is RT-H?"
    assert "Restore it" in updates[-1].transcript["notice"]
    assert chat.changes.restore(ME, id_).transcript["order"] == [first.id, second.id]
    assert chat.read(id_).turns == (first, second)
    chat.changes.restore(ME, id_)
    assert chat.read(id_).turns == (first, second)


def test_suggestions_for_a_question_that_was_taken_back_change_nothing_shown(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    def undone_before_the_suggestions(*_: Any) -> tuple[str, ...]:
        (conversation,) = chat.site.archive.list(ME)
        (turn,) = chat.read(conversation.id).turns
        assert chat.changes.undo(ME, conversation.id, turn.id)
        return ("What is WebArena?",)

    monkeypatch.setattr("ui.web.chat.respond.suggest", undone_before_the_suggestions)
    *_, finished, suggested = (update for update in chat.ask(QUESTION) if update != Update())
    assert "369" in str(finished.transcript)
    assert suggested == Update(live="")


def test_undo_brings_the_question_back_to_the_box_and_a_new_question_ends_its_restoring(
    chat: Chat,
) -> None:
    id_ = started(chat.ask(QUESTION))
    assert chat.changes.undo(ME, id_, "another window's") is None
    undone = chat.changes.undo(ME, id_, chat.read(id_).turns[-1].id)
    assert undone
    assert undone.question == SKIP
    assert undone.transcript["refill"] == QUESTION
    assert undone.transcript["order"] == []
    assert "Restore" in undone.transcript["notice"]
    chat.ask("What is AdaMerging?", conversation=id_)
    assert len(chat.changes.restore(ME, id_).transcript["order"]) == 1


def test_a_vote_is_kept_with_its_turn_and_becomes_feedback_until_it_is_taken_back(
    chat: Chat,
) -> None:
    id_ = started(chat.ask(QUESTION))
    turn = chat.read(id_).turns[0]
    chat.changes.vote(ME, id_, turn.id, "down", None)
    update = chat.changes.vote(ME, id_, turn.id, "down", " Wrong \n papers ")
    assert chat.read(id_).turns[0].vote_reason == "Wrong papers"
    assert 'aria-pressed="true"' in update.transcript["html"][turn.id]
    (given,) = load(chat.site.settings.data)
    assert (given.id, given.vote, given.reason) == (turn.id, "down", "Wrong papers")
    chat.changes.vote(ME, id_, turn.id, "down", None)
    assert chat.read(id_).turns[0].vote is None
    assert [feedback.vote for feedback in load(chat.site.settings.data)] in ([], [None])
    assert chat.changes.vote(ME, id_, turn.id, "sideways", None) == Update()


def test_filters_and_settings_are_checked_before_anything_is_asked() -> None:
    assert filters.read(["a"], "2025-03-01", "", " x ") == Filters(
        digests=("a",), since=date(2025, 3, 1), title="x"
    )
    with pytest.raises(InputError, match="Until: “soon” is not a date; write it like 2025-03-14"):
        filters.read([], "", "soon", "")
    assert "soon" in filters.chosen_html([], "soon", "", "")
    late, early = "2025-03-15", "2025-03-14"
    assert filters.read([], early, early, "").until == date(2025, 3, 14)
    with pytest.raises(InputError, match=f"“From” .{late}. is after “Until” .{early}."):
        filters.read([], late, early, "")
    assert drawer.read("auto", "", 0, "normal") == ("auto", Options())
    assert drawer.read("generative", "m", 3, "strict") == (
        "generative",
        Options(model="m", sources=3, strictness="strict"),
    )
    for wrong in (("x", "", 0, "normal"), ("auto", "", 99, "normal"), ("auto", "", 0, "x")):
        with pytest.raises(InputError):
            drawer.read(*wrong)
    choices = drawer.model_choices("a", ["a", "b"])
    assert drawer.kept_model({"model": "b"}, choices) == "b"
    for stored in ({"model": "x"}, {"model": ["b"]}, {}, None, "b"):
        assert drawer.kept_model(stored, choices) == drawer.NO_MODEL


def test_anything_that_is_sent_to_a_handler_is_answered_with_nothing_of_others(
    chat: Chat, sample_assistant: Assistant
) -> None:
    theirs = started(chat.ask(QUESTION, OTHER))
    handlers = Handlers(chat.site)
    request: Any = SimpleNamespace(
        username=None, cookies={}, session_hash="s", query_params={"c": theirs}
    )
    loaded = handlers.load("", request)
    assert loaded._replace(listing=SKIP) == Update(), "someone may have asked before it came"
    shown = [loaded]
    for told in (None, {}, {"id": theirs}, {"do": "rename", "id": theirs, "title": "x"},
                 {"do": "vote", "turn": "x", "vote": "up"}, {"do": 3, "id": ["x"]}):  # fmt: skip
        event: Any = SimpleNamespace(_data=told)
        shown.append(handlers.open("", event, request))
        shown.append(asyncio.run(handlers.change(theirs, "", event, request)))
        shown.append(asyncio.run(handlers.arrange(theirs, "", event, request)))
        assert "text" not in handlers.export(theirs, event, request)
    assert "OSWorld" not in str(shown)
    assert handlers.search(theirs, "OSWorld", request).count("<li") == 0
    assert chat.read(theirs, OTHER).title != "x"


def test_every_example_can_be_answered(sample_assistant: Assistant) -> None:
    questions = examples(sample_assistant)
    assert questions
    assert len(set(questions)) == 4
    for question in questions:
        answer = sample_assistant.ask(question)
        assert answer.status == "answered", question
        assert answer.references, question


def test_examples_are_made_of_the_papers_at_hand(sample_assistant: Assistant) -> None:
    overview, new, comparison, listing = examples(sample_assistant) or []
    newest = sample_assistant.digests()[-1]
    map_ = sample_assistant.collection_map()
    names = [paper.head for paper in sample_assistant.papers() if paper.head]
    assert map_
    assert "collection" in overview
    assert newest.label in new
    assert sum(name in comparison for name in names) >= 2
    assert any(term in listing for cluster in map_.clusters for term in cluster.terms)


class Refusing:
    """An assistant over two papers of one digest, which refuses all questions but some."""

    def __init__(self, papers: list[Paper], *answered: str) -> None:
        self._papers, self._answered = papers, answered
        self.asked: list[str] = []

    def papers(self) -> list[Paper]:
        return self._papers

    def digests(self) -> list[Digest]:
        return [Digest("march.txt", date(2025, 3, 14), len(self._papers))]

    def collection_map(self) -> None:
        return None

    def similar(self, id_: str, limit: int) -> list[Hit]:
        others = [paper for paper in self._papers if paper.id != id_]
        return [Hit(paper=paper, score=0.5, passages=()) for paper in others[:limit]]

    def ask(self, question: str, mode: str) -> Answer:
        assert mode == "extractive"
        self.asked.append(question)
        return answer() if question in self._answered else refusal()


def test_an_example_that_is_refused_or_answered_from_too_few_papers_is_not_offered() -> None:
    papers = [kites(id=name, title=f"{name}: Flying Far") for name in ("KiteNet", "BoatNet")]
    overview, differ = "What is this collection about?", "How do KiteNet and BoatNet differ?"
    refusing: Any = Refusing(papers, overview, differ)
    assert examples(refusing) == [overview], "the comparison cites one of the two alone"
    assert differ in refusing.asked
    none: Any = Refusing([])
    assert examples(none) is None
    assert none.asked == []
    assert "There are no papers yet" in welcome_html(None)


def test_an_unclear_question_has_what_may_have_been_meant_and_no_other_follow_ups(
    tmp_path: Path,
) -> None:
    meant = ("What is “Kite One”?",)
    unclear = refusal("Two papers are called Kite.", suggestions=meant, nearest=())
    chat = Chat(Scripted(Finished(answer=unclear)), tmp_path)
    updates = chat.ask("What is Kite?")
    (turn,) = chat.read(started(updates)).turns
    html = updates[-1].transcript["html"][turn.id]
    assert Elements(html).inside["aqa-chat-suggestion"] == list(meant)
    assert updates[-1].transcript["said"] == "The question is unclear."
    assert turn.followups == ()
