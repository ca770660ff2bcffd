"""What happens when someone asks: stages, cards and text as they come, and the finished turn."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup
from starlette.concurrency import run_in_threadpool

from index.errors import InputError, StoreError
from rag.citations import unescape
from rag.schema import Answer, Delta, Event, Filters, Finished, Mode, Options, Progress, Retrieved
from ui.archive import Conversation, Turn
from ui.web.chat.chat_template import HTML, LONGEST_SHOWN
from ui.web.chat.next_questions import suggest
from ui.web.chat.running_answers import Run, Running
from ui.web.chat.turn_html import TurnHtml, Update, announcement, partial_html, sources
from ui.web.events import told
from ui.web.site import Site

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
        return str(HTML.live(self.turn, self.chips, stages, found, text))


class Answering:
    """Answers questions over one site, and brings back what an answer replaced."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.running = Running()
        self.turns = TurnHtml(site.assistant, may_share=site.settings.share_links)
        self._taken: dict[tuple[str, str], tuple[tuple[Turn, ...], str | None]] = {}

    async def respond(self, visitor: str, asked: Asked) -> AsyncGenerator[Update, None]:
        """Answer a question; a mistake the user can mend becomes the turn's problem.

        Closing this ends what is told of the answer, not the answer.
        """
        if not asked.question.strip():
            yield Update()
            return
        archive, id_ = self._site.archive, asked.conversation
        if await run_in_threadpool(archive.read, visitor, id_) is None:
            self.running.check_room(visitor)  # what is refused leaves no conversation behind
            question = asked.question[:LONGEST_SHOWN]
            id_ = (await run_in_threadpool(archive.begin, visitor, question)).id
        run = await self.running.start(
            visitor, id_, lambda run: self._write(visitor, id_, asked, run)
        )
        async with aclosing(run.follow()) as updates:
            async for update in updates:
                yield update

    async def _write(self, visitor: str, id_: str, asked: Asked, run: Run) -> None:
        """One turn of a conversation that nothing else is written in."""
        turn = Turn(
            question=asked.question.strip()[: LONGEST_SHOWN + 1],
            filters=asked.filters,
            mode=asked.mode,
            options=asked.options,
            partial="",
        )
        run.turn = turn.id  # before it is kept: it is never shown as one that was stopped
        begun, notice = await run_in_threadpool(self._begin, visitor, id_, asked, turn)
        live = Live(turn, await run_in_threadpool(self.turns.chips, turn.filters))
        # What was asked leaves the question box, and comes back to be mended.
        said = {"notice": notice, "withdraw": asked.question}
        shown = self.turns.transcript(begun, "", writing=turn.id, withdraw=asked.question)
        run.tell(Update(conversation=id_, transcript=shown, live=live.html))
        try:
            fields = await _until(run.stop, self._answered(asked, begun, live, run))
        except asyncio.CancelledError:  # the server ends
            rest = {"partial": live.text}
            await run_in_threadpool(self._keep, visitor, begun, turn.id, rest, said)
            raise
        fields = fields or {"partial": live.text}
        if "problem" in fields:
            said["withdraw"], said["refill"] = "", "" if asked.instead_of else asked.question
        run.tell(await run_in_threadpool(self._keep, visitor, begun, turn.id, fields, said))
        run.turn, run.is_finished = "", True
        answer: Answer | None = fields.get("answer")
        if answer is None or answer.suggestions:
            return
        asker = self._site.assistant
        fields["followups"] = await run_in_threadpool(suggest, asker, answer, turn.filters)
        if fields["followups"]:
            more = await run_in_threadpool(self._keep, visitor, begun, turn.id, fields, said)
            run.tell(Update(transcript=more.transcript))

    async def _answered(
        self, asked: Asked, begun: Conversation, live: Live, run: Run
    ) -> dict[str, Any]:
        """What the turn has in the end; what there is of it before is told."""
        assistant, id_ = self._site.assistant, live.turn.id
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
                        cards = {id_: str(HTML.found_cards(event.hits, id_))}
                        run.tell(Update(sources=sources(begun, cards)))
                    if live.take(event):
                        run.tell(Update(live=live.html))
        except Exception as error:  # noqa: BLE001 - the page must say that it failed
            return {"problem": told(error), "partial": None}
        raise AssertionError("a stream ends with the answer")

    def _begin(self, visitor: str, id_: str, asked: Asked, turn: Turn) -> tuple[Conversation, str]:
        """Keep the turn, in the place of what it replaces, which the notice offers to restore."""
        self._taken.pop((visitor, id_), None)  # not brought back behind a new turn
        notice = ""
        if asked.instead_of:
            self.take_back(visitor, id_, asked.instead_of, instead=turn.id)
            notice = str(HTML.notice("The earlier answer was replaced.", "restore", "Restore it"))
        return self._site.archive.put(visitor, id_, turn), notice

    def _keep(
        self,
        visitor: str,
        begun: Conversation,
        id_: str,
        fields: dict[str, Any],
        said: dict[str, str],
    ) -> Update:
        """Keep what a turn has now, and show it, unless it was taken back or deleted meanwhile.

        What cannot be kept is shown all the same, in the conversation as it was begun.
        """
        try:
            now = self._site.archive.change(visitor, begun.id, id_, **fields)
        except StoreError as error:
            _log.warning("an answer is not kept: %s", error)
            said = {**said, "notice": str(HTML.notice(f"This answer is not kept: {error}."))}
            now = begun.changed(id_, **fields)
        turn = now.turn(id_) if now else None
        if now is None or turn is None:  # what took it back has shown the rest
            return Update(live="")
        shown = self.turns.transcript(now, id_, announced=announcement(turn), **said)
        return Update(transcript=shown, live="", sources=self.turns.sources(now, id_))

    def take_back(
        self, visitor: str, conversation: str, turn: str, instead: str | None = None
    ) -> None:
        """Take a turn and all after it out; `instead` is the id of the one in their place.

        Raises:
            InputError: there is no such turn.
        """
        gone = self._site.archive.cut(visitor, conversation, turn)
        self._taken.pop((visitor, conversation), None)
        self._taken[visitor, conversation] = gone, instead
        for oldest in list(self._taken)[:-MOST_RESTORABLE]:
            self._taken.pop(oldest, None)

    def restore(self, visitor: str, conversation: str) -> str:
        """Bring back, once, what was taken out last; its question, if it was put into the box."""
        gone, instead = self._taken.pop((visitor, conversation), ((), None))
        archive = self._site.archive
        if instead:
            with suppress(InputError):  # it was taken back, too
                archive.cut(visitor, conversation, instead)
        for turn in gone:
            archive.put(visitor, conversation, turn)
        return "" if instead or not gone else gone[-1].question


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
