"""What happens when someone asks: stages, cards and text as they come, and the finished turn."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool

from index.errors import AbstractQAError, StoreError
from rag.schema import Answer, Delta, Filters, Finished, Mode, Options, Progress, Retrieved
from ui.archive.models import Conversation, Turn
from ui.web.chat import view
from ui.web.chat.cards import found_html
from ui.web.chat.history import history
from ui.web.chat.listening import Stopped, until_stopped
from ui.web.chat.live import SECONDS_BETWEEN_UPDATES, Live
from ui.web.chat.panel import Panel
from ui.web.chat.question import LONGEST_SHOWN
from ui.web.chat.refusal import heading
from ui.web.chat.restoring import Restorable
from ui.web.chat.running import Run, Running
from ui.web.chat.suggesting import suggest
from ui.web.chat.transcript import Transcript
from ui.web.chat.view import Update
from ui.web.site import Site

PROBLEM = "Something went wrong here; the terminal that runs AbstractQA says what."

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
    from_box: bool = False
    """Whether it was typed into the question box, which is emptied then."""


class Responder:
    """Answers questions over one site."""

    def __init__(
        self,
        site: Site,
        running: Running,
        transcript: Transcript,
        panel: Panel,
        restorable: Restorable,
    ) -> None:
        self._site = site
        self._running = running
        self._transcript = transcript
        self._panel = panel
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
        run = await self._running.start(
            visitor, id_, lambda run: self._turn(visitor, id_, asked, run)
        )
        async with aclosing(run.follow()) as updates:
            async for update in updates:
                yield update

    async def _turn(
        self, visitor: str, conversation_id: str, asked: Asked, run: Run
    ) -> AsyncGenerator[Update, None]:
        """One turn of a conversation that nothing else is written in."""
        turn = Turn(
            question=asked.question.strip()[: LONGEST_SHOWN + 1],
            filters=asked.filters,
            mode=asked.mode,
            options=asked.options,
            partial="",
        )
        run.turn = turn.id  # before it is kept: it is never shown as one that was stopped
        conversation, notice = await run_in_threadpool(
            self._begin, visitor, conversation_id, asked, turn
        )
        live, cards = Live(turn), [t.id for t in conversation.turns]
        yield Update(
            question="" if asked.from_box else view.SKIP,
            conversation=conversation.id,
            transcript=view.transcript(conversation, {}, without=turn.id),
            live=live.html(),
        )
        drawn = 0.0
        assistant = self._site.assistant
        stream = assistant.astream(
            asked.question,
            history(conversation.turns[:-1]),
            asked.filters,
            asked.mode,
            asked.options,
        )
        try:
            # Opens the chat model, which takes seconds the first time.
            await run_in_threadpool(assistant.check_mode, asked.mode)
            async with (
                aclosing(stream),  # type: ignore[type-var]
                aclosing(until_stopped(stream, run.stop, SECONDS_BETWEEN_UPDATES)) as events,
            ):
                waiting = False
                async for event in events:
                    if isinstance(event, Progress):
                        live.step(event)
                        yield Update(live=live.html())
                    elif isinstance(event, Retrieved):
                        found = {turn.id: found_html(event.hits, turn.id)}
                        live.found = tuple(hit.paper.display_title for hit in event.hits)
                        yield Update(live=live.html(), sources=view.sources(cards, found, turn.id))
                    elif isinstance(event, Delta):
                        live.text += event.text
                        waiting = live.is_written
                    elif isinstance(event, Finished):
                        turn = turn.model_copy(update={"answer": event.answer, "partial": None})
                        break
                    moment = time.monotonic()
                    if waiting and moment - drawn >= SECONDS_BETWEEN_UPDATES:
                        drawn, waiting = moment, False
                        yield Update(live=live.html())
        except Stopped:
            turn = turn.model_copy(update={"partial": live.text})
        except AbstractQAError as error:
            turn = turn.model_copy(update={"problem": str(error), "partial": None})
        except (asyncio.CancelledError, GeneratorExit):
            # The server ends.
            rest = turn.model_copy(update={"partial": live.text})
            await run_in_threadpool(self._keep_rest, visitor, conversation_id, rest)
            raise
        except Exception:  # noqa: BLE001 - the page must say that it failed, whatever it was
            _log.exception("a question failed")
            turn = turn.model_copy(update={"problem": PROBLEM, "partial": None})
        refill = asked.question if asked.from_box and turn.problem is not None else ""
        finished = await run_in_threadpool(
            self._finish, visitor, conversation, turn, notice, refill
        )
        run.turn = ""
        yield Update(**finished)
        async for update in self._suggested(visitor, conversation, turn, notice):
            yield update

    async def _suggested(
        self, visitor: str, conversation: Conversation, turn: Turn, notice: str
    ) -> AsyncGenerator[Update, None]:
        """The turn with questions to ask next, if there are any."""
        if turn.answer is None or turn.answer.suggestions:
            return
        followups = await run_in_threadpool(
            suggest, self._site.assistant, turn.answer, turn.filters
        )
        if followups:
            turn = await run_in_threadpool(self._as_kept, visitor, conversation.id, turn)
            turn = turn.model_copy(update={"followups": followups})
            yield Update(
                **await run_in_threadpool(self._finish, visitor, conversation, turn, notice)
            )

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
        before = archive.read(visitor, conversation_id)
        replaced = before.turn(asked.instead_of) if before and asked.instead_of else None
        if before and replaced:
            gone = before.turns[before.turns.index(replaced) :]
            archive.cut(visitor, conversation_id, replaced.id)
            self._restorable.keep(visitor, conversation_id, gone, instead=turn.id)
            notice = view.notice_html("The earlier answer was replaced.", "Restore it", "restore")
        else:
            self._restorable.forget(visitor, conversation_id)
        archive.put(visitor, conversation_id, turn)
        conversation = archive.read(visitor, conversation_id)
        if conversation is None:  # deleted in another window meanwhile
            raise AssertionError("a conversation that was just written to is there")
        return conversation, notice

    def _finish(
        self, visitor: str, begun: Conversation, turn: Turn, notice: str, refill: str = ""
    ) -> dict[str, object]:
        """Keep the finished turn, and show it, unless it was taken back or deleted meanwhile.

        What cannot be kept is shown all the same, in the conversation as it was begun.
        """
        conversation: Conversation | None = begun
        try:
            is_there = self._site.archive.update(visitor, begun.id, turn)
            conversation = self._site.archive.read(visitor, begun.id)
        except StoreError as error:
            is_there, notice = True, view.told_html(f"This answer is not kept: {error}.")
        if conversation is None or not is_there:  # what took it back has shown the rest
            return {"live": ""}
        order = [each.id for each in conversation.turns]
        return {
            "transcript": view.transcript(
                conversation,
                {turn.id: self._transcript.turn(turn)},
                notice=notice,
                said=announcement(turn),
                refill=refill,
            ),
            "live": "",
            "sources": view.sources(order, {turn.id: self._panel.section(turn)}, turn.id),
        }


def announcement(turn: Turn) -> str:
    """What a screen reader says when a turn is over."""
    if turn.problem is not None:
        return turn.problem
    if turn.answer is None:
        return "Stopped."
    return _outcome(turn.answer)


def _outcome(answer: Answer) -> str:
    if answer.status != "answered":
        return heading(answer)
    count = len(answer.references)
    return f"The answer is there, with {count} source{'s' * (count != 1)}."
