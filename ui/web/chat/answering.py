"""What happens when someone asks: stages, cards and text as they come, and the finished turn."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from markupsafe import Markup
from starlette.concurrency import run_in_threadpool

from index.errors import AbstractQAError, StoreError
from rag.citations import unescape
from rag.schema import Delta, Event, Filters, Finished, Mode, Options, Progress, Retrieved
from ui.archive import Conversation, Turn
from ui.web.chat.next_questions import suggest
from ui.web.chat.running_answers import Run, Running
from ui.web.chat.source_cards import HTML, found_html
from ui.web.chat.turn_html import (
    LONGEST_SHOWN,
    TurnHtml,
    Update,
    announcement,
    partial_html,
    question_lines,
    sources,
    transcript,
)
from ui.web.site import Site

PROBLEM = "Something went wrong here; the terminal that runs AbstractQA says what."
TITLES_SHOWN = 3
MOST_RESTORABLE = 500
"""Conversations whose last change can be taken back."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asked:
    """A question as it was put: where, to which papers, and how it is to be answered."""

    question: str
    conversation: str = ""
    filters: Filters = field(default_factory=Filters)
    mode: Mode = "auto"
    options: Options = field(default_factory=Options)
    instead_of: str | None = None
    """The id of the turn that it replaces, with all after it."""


@dataclass
class Live:
    """What has happened so far of one turn that is being written."""

    turn: Turn
    chips: Markup
    """Its filters."""
    stages: list[Progress] = field(default_factory=list)
    text: str = ""
    found: tuple[str, ...] = ()
    """Titles of the papers found, best first: a narrow screen has no room for their cards."""

    def take(self, event: Event) -> bool:
        """Take in what happened; whether there is anything new to see."""
        if isinstance(event, Progress):
            if self.stages and self.stages[-1].stage == event.stage:
                self.stages.pop()  # it says anew what it said before
            self.stages.append(event)
        elif isinstance(event, Retrieved):
            self.found = tuple(hit.paper.display_title for hit in event.hits)
        elif isinstance(event, Delta):
            self.text += event.text
            # Quotes come at once: they are seen when they are finished.
            return any(stage.stage == "write" for stage in self.stages)
        return True

    def html(self) -> str:
        """The turn as it is now."""
        more = len(self.found) - TITLES_SHOWN
        found = "; ".join(self.found[:TITLES_SHOWN]) + (f"; and {more} more" if more > 0 else "")
        stages = [stage.text for stage in self.stages] or ["Reading the question"]
        text = partial_html(self.text) if self.text else ""
        question = question_lines(self.turn.question)
        return str(HTML.live(self.turn.id, question, self.chips, stages, found, text))


class Taken(NamedTuple):
    """Turns that are gone, and the turn that stands in their place, if there is one."""

    turns: tuple[Turn, ...]
    instead: str | None = None


class Restorable:
    """The last turns taken out of each visitor's conversations; the oldest are forgotten."""

    def __init__(self) -> None:
        self._taken: dict[tuple[str, str], Taken] = {}

    def keep(self, visitor: str, conversation: str, taken: Taken) -> None:
        """Remember what was taken out, in the place of what was remembered before."""
        self.take(visitor, conversation)
        self._taken[visitor, conversation] = taken
        for oldest in list(self._taken)[:-MOST_RESTORABLE]:
            self._taken.pop(oldest, None)

    def take(self, visitor: str, conversation: str) -> Taken | None:
        """What can be brought back, once."""
        return self._taken.pop((visitor, conversation), None)


class Responder:
    """Answers questions over one site."""

    def __init__(
        self, site: Site, running: Running, turns: TurnHtml, restorable: Restorable
    ) -> None:
        self._site = site
        self._running = running
        self._turns = turns
        self._restorable = restorable

    async def respond(self, visitor: str, asked: Asked) -> AsyncGenerator[Update, None]:
        """Answer a question; a mistake the user can mend becomes the turn's problem.

        Closing this ends what is told of the answer, not the answer.
        """
        if not asked.question.strip():
            yield Update()
            return
        archive = self._site.archive
        conversation = await run_in_threadpool(archive.read, visitor, asked.conversation)
        if conversation is None:
            self._running.check_room(visitor)  # what is refused leaves no conversation behind
            conversation = await run_in_threadpool(
                archive.begin, visitor, asked.question[:LONGEST_SHOWN]
            )
        id_ = conversation.id
        run = self._running.start(visitor, id_, lambda run: self._write(visitor, id_, asked, run))
        async with aclosing(run.follow()) as updates:
            async for update in updates:
                yield update

    async def _write(self, visitor: str, conversation_id: str, asked: Asked, run: Run) -> None:
        """One turn of a conversation that nothing else is written in."""
        turn = Turn(
            question=asked.question.strip()[: LONGEST_SHOWN + 1],
            filters=asked.filters,
            mode=asked.mode,
            options=asked.options,
            partial="",
        )
        run.turn = turn.id  # before it is kept: it is never shown as one that was stopped
        begun, notice = await run_in_threadpool(self._begin, visitor, conversation_id, asked, turn)
        live = Live(turn, await run_in_threadpool(self._turns.chips, turn.filters))
        run.tell(
            Update(
                conversation=begun.id,
                transcript=transcript(begun, {}, without=turn.id, withdraw=asked.question),
                live=live.html,
            )
        )
        try:
            outcome = await _until(run.stop, self._answered(asked, begun, live, run))
        except asyncio.CancelledError:  # the server ends
            rest = turn.model_copy(update={"partial": live.text})
            await run_in_threadpool(self._keep_rest, visitor, conversation_id, rest)
            raise
        turn = turn.model_copy(update=outcome or {"partial": live.text})
        # What was asked leaves the question box, and comes back to be mended.
        box = {"withdraw": asked.question}
        if turn.problem is not None:
            box = {"refill": "" if asked.instead_of else asked.question}
        finished = await run_in_threadpool(self._finish, visitor, begun, turn, notice, **box)
        run.turn = ""
        run.tell(finished)
        if turn.answer is None or turn.answer.suggestions:
            return
        asker = self._site.assistant
        followups = await run_in_threadpool(suggest, asker, turn.answer, turn.filters)
        if followups:
            turn = await run_in_threadpool(self._as_kept, visitor, begun.id, turn)
            turn = turn.model_copy(update={"followups": followups})
            with_them = await run_in_threadpool(self._finish, visitor, begun, turn, notice, **box)
            run.tell(Update(transcript=with_them.transcript))  # the next turn may be shown by now

    async def _answered(
        self, asked: Asked, begun: Conversation, live: Live, run: Run
    ) -> dict[str, Any]:
        """What the turn has in the end; what there is of it before is told."""
        assistant, cards = self._site.assistant, [turn.id for turn in begun.turns]
        try:
            # Opens the chat model, which takes seconds the first time.
            await run_in_threadpool(assistant.check_mode, asked.mode)
            stream = assistant.astream(
                asked.question, history(begun.turns[:-1]), asked.filters, asked.mode, asked.options
            )
            async with aclosing(stream):  # type: ignore[type-var]
                async for event in stream:
                    if isinstance(event, Finished):
                        return {"answer": event.answer, "partial": None}
                    if isinstance(event, Retrieved):
                        found = {live.turn.id: found_html(event.hits, live.turn.id)}
                        run.tell(Update(sources=sources(cards, found, live.turn.id)))
                    if live.take(event):
                        run.tell(Update(live=live.html))
        except AbstractQAError as error:
            return {"problem": str(error), "partial": None}
        except Exception:  # noqa: BLE001 - the page must say that it failed, whatever it was
            _log.exception("a question failed")
        return {"problem": PROBLEM, "partial": None}

    def _as_kept(self, visitor: str, conversation_id: str, turn: Turn) -> Turn:
        """The turn with what was thought of it meanwhile."""
        try:
            conversation = self._site.archive.read(visitor, conversation_id)
        except StoreError:
            return turn
        kept = conversation.turn(turn.id) if conversation else None
        if kept is None:
            return turn
        return turn.model_copy(update={"vote": kept.vote, "vote_reason": kept.vote_reason})

    def _keep_rest(self, visitor: str, conversation_id: str, turn: Turn) -> None:
        """Keep what there was of an answer that nobody waits for any more."""
        try:
            self._site.archive.update(visitor, conversation_id, turn)
        except AbstractQAError as error:
            _log.warning("an answer that was given up is not kept: %s", error)

    def _begin(
        self, visitor: str, conversation_id: str, asked: Asked, turn: Turn
    ) -> tuple[Conversation, str]:
        """Put the turn into the archive, in the place of what it replaces."""
        archive, notice = self._site.archive, ""
        self._restorable.take(visitor, conversation_id)  # not brought back behind a new turn
        before = archive.read(visitor, conversation_id)
        replaced = before.turn(asked.instead_of) if before and asked.instead_of else None
        if before and replaced:
            gone = before.turns[before.turns.index(replaced) :]
            archive.cut(visitor, conversation_id, replaced.id)
            self._restorable.keep(visitor, conversation_id, Taken(gone, turn.id))
            notice = str(HTML.notice("The earlier answer was replaced.", "restore", "Restore it"))
        archive.put(visitor, conversation_id, turn)
        conversation = archive.read(visitor, conversation_id)
        if conversation is None:  # deleted in another window meanwhile
            raise AssertionError("a conversation that was just written to is there")
        return conversation, notice

    def _finish(
        self, visitor: str, begun: Conversation, turn: Turn, notice: str, **box: str
    ) -> Update:
        """Keep the finished turn, and show it, unless it was taken back or deleted meanwhile.

        What cannot be kept is shown all the same, in the conversation as it was begun.
        """
        conversation: Conversation | None = begun
        try:
            is_there = self._site.archive.update(visitor, begun.id, turn)
            conversation = self._site.archive.read(visitor, begun.id)
        except StoreError as error:
            is_there, notice = True, str(HTML.notice(f"This answer is not kept: {error}."))
        if conversation is None or not is_there:  # what took it back has shown the rest
            return Update(live="")
        order = [each.id for each in conversation.turns]
        return Update(
            transcript=transcript(
                conversation,
                {turn.id: self._turns.turn(turn)},
                notice=notice,
                announced=announcement(turn),
                **box,
            ),
            live="",
            sources=sources(order, {turn.id: self._turns.cards(turn)}, turn.id),
        )


async def _until(stop: asyncio.Event, doing: Any) -> Any:
    """What comes of a coroutine; None if it was ended because `stop` was set."""
    task, stopping = asyncio.ensure_future(doing), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        if task.cancel():
            await asyncio.wait({task})  # it closes what it has open
    return None if task.cancelled() else task.result()


def history(turns: Iterable[Turn]) -> list[dict[str, object]]:
    """The turns in plain text, oldest first, without those that came to nothing.

    An answer brings the ids of the papers it cites, so that "the second paper" is the one with
    that number.
    """
    messages: list[dict[str, object]] = []
    for turn in turns:
        text = unescape(turn.answer.text) if turn.answer else turn.partial
        if not text:
            continue
        messages.append({"role": "user", "content": turn.question})
        reply: dict[str, object] = {"role": "assistant", "content": text}
        if turn.answer and turn.answer.references:
            reply["references"] = [reference.paper.id for reference in turn.answer.references]
        messages.append(reply)
    return messages
