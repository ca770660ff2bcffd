"""Answer questions of the chat as background tasks, each streamed to the pages that show it.

A page that is closed or reloaded only stops following. An answer ends when it is written, when its
visitor stops it, or when no page has followed it for `SECONDS_UNFOLLOWED`.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Coroutine, Iterator
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

from starlette.concurrency import run_in_threadpool

from index.errors import AbstractQAError, StoreError
from rag import Assistant
from rag.schema import Answer, Delta, Event, Filters, Finished, Progress, Retrieved
from ui.archive import Conversation, Turn, history
from ui.web.chat import turn_html
from ui.web.chat.turn_html import HTML, LONGEST_SHOWN, SKIP, TurnHtml, Update, live
from ui.web.site import AT_ONCE, WAITING, Site, told

MOST_FOLLOWED = 4 * AT_ONCE  # pages that follow answers at the same time; others wait
MOST_OF_ONE = 4  # the most answers written for one visitor at the same time
SECONDS_UNFOLLOWED = 120.0  # until an answer without a follower is stopped; its text is kept
SECONDS_TO_STOP = 2.0  # an undo or a deletion waits at most so long for the answer's end
SECONDS_OF_SILENCE = 1.0  # until an empty update is sent: so the server notices a closed page
_NOTHING = Update()
_ASPECTS = (
    "What results does {} report?",
    "How does {} work?",
    "What data does {} use?",
    "How is {} evaluated?",
)  # follow-up questions about a paper, those that researchers ask most often first

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class Run:
    """One turn being written, and the pages that follow it. Used in one event loop."""

    conversation: str
    turn: Turn
    chips: str = ""  # the HTML of its filters
    stages: list[Progress] = field(default_factory=list)
    text: str = ""
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    is_finished: bool = False  # whether only follow-up questions are still being searched
    is_dropped: bool = False  # whether its turn is being undone or deleted
    shown: Update = _NOTHING  # on its pages now; `live` may be a function that returns the HTML
    followers: int = 0  # pages
    task: asyncio.Task[None] = field(init=False)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _deadline: asyncio.TimerHandle | None = None

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Write the answer in a task; follow it at once to miss nothing."""
        self.task = asyncio.create_task(work)
        self.task.add_done_callback(lambda _: self._wake())
        self._watch()

    @property
    def writing(self) -> str:
        """The id of its turn until that is finished."""
        return "" if self.is_finished else self.turn.id

    def take(self, event: Event) -> bool:
        """Record an event; return whether the page has something new to show."""
        if isinstance(event, Progress):
            if self.stages and self.stages[-1].stage == event.stage:
                self.stages.pop()  # a newer text of the same stage
            self.stages.append(event)
        elif isinstance(event, Delta):
            self.text += event.text
            # Quotes come all at once: show them when they are finished.
            return any(stage.stage == "write" for stage in self.stages)
        return True

    def drawn(self) -> dict[str, str]:
        """Return the update of the turn as it is now."""
        stages = [stage.text for stage in self.stages] or ["Reading the question"]
        text = turn_html.partial_html(self.text) if self.text else ""
        return live(self.conversation, str(HTML.live(self.turn, self.chips, stages, text)))

    def tell(self, update: Update) -> None:
        """Publish an update to all followers; a slow page gets only the latest values."""
        if self.is_dropped:  # the undo or the deletion has updated the page
            update = Update(live=live(self.conversation))
        merged = (was if now is SKIP else now for was, now in zip(self.shown, update, strict=True))
        self.shown = Update(*merged)
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news.clear()

    def _watch(self) -> None:
        """Start the countdown to stop if no page follows; cancel it if one does."""
        if self._deadline:
            self._deadline.cancel()
        loop, late = asyncio.get_running_loop(), SECONDS_UNFOLLOWED
        self._deadline = None if self.followers else loop.call_later(late, self.stop.set)

    async def follow(self, *, is_shown: bool = False) -> AsyncGenerator[Update, None]:
        """Yield the current values, then each update, and an empty one after a second without news.

        With `is_shown` the page shows the stored conversation already, so only the values of the
        unfinished turn come first. Raises the error that ended the answer early.
        """
        sent = self.shown._replace(live=SKIP, sources=SKIP) if is_shown else _NOTHING
        self.followers += 1
        self._watch()
        try:
            while sent is not self.shown or not self.task.done():
                with suppress(TimeoutError):
                    async with asyncio.timeout(SECONDS_OF_SILENCE):
                        while sent is self.shown and not self.task.done():
                            await self._news.wait()
                parts = zip(sent, self.shown, strict=True)
                news = Update(*(SKIP if now is was else now for was, now in parts))
                sent = self.shown
                if news != _NOTHING or not self.task.done():
                    yield news._replace(live=news.live()) if callable(news.live) else news
                    # A growing text is sent about 16 times a second, all else at once.
                    await asyncio.sleep(0.06 if self.text else 0)
        finally:
            self.followers -= 1
            self._watch()
        if not self.task.cancelled():
            self.task.result()


class Answering:
    """Answers the chat questions of one site, one at a time in each conversation."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._runs: dict[tuple[str, str], Run] = {}
        self.turns = TurnHtml(site.assistant, may_share=site.settings.share_links)

    def run(self, visitor: str, conversation: str) -> Run | None:
        """Return the answer being written in a visitor's conversation, or None."""
        return self._runs.get((visitor, conversation))

    async def drop(self, run: Run) -> None:
        """Stop an answer whose turn is undone or deleted; wait, not for long, until it is kept."""
        run.is_dropped, run.shown = True, _NOTHING
        run.stop.set()
        # A slower one does no harm: it only changes a turn that is still stored.
        await asyncio.wait({run.task}, timeout=SECONDS_TO_STOP)

    async def respond(
        self, visitor: str, asked: Turn, id_: str = ""
    ) -> AsyncGenerator[Update, None]:
        """Answer a question of a conversation, or of a new one, and yield updates.

        An error becomes the turn's problem. Closing the generator stops only the updates. Raises an
        `AbstractQAError` if an answer is being written there already, or too many are in all.
        """
        if not asked.question.strip():
            yield Update()
            return
        archive = self._site.archive
        if await run_in_threadpool(archive.read, visitor, id_) is None:
            self._check_room(visitor)  # refuse before a conversation is made
            question = asked.question[:LONGEST_SHOWN]
            id_ = (await run_in_threadpool(archive.begin, visitor, question)).id
        previous = self.run(visitor, id_)
        if previous and (previous.is_finished or previous.stop.is_set()):
            await asyncio.wait({previous.task})
        if self.run(visitor, id_):
            raise AbstractQAError("an answer is being written here: wait for it, or stop it")
        self._check_room(visitor)
        short = asked.question.strip()[: LONGEST_SHOWN + 1]
        turn = asked.model_copy(update={"question": short, "partial": ""})
        run = Run(id_, turn)
        run.start(self._write(visitor, asked, run))
        self._runs[visitor, id_] = run
        run.task.add_done_callback(partial(self._forget, visitor, id_))
        async with aclosing(run.follow()) as updates:
            async for update in updates:
                yield update

    def _forget(self, visitor: str, conversation: str, task: asyncio.Task[None]) -> None:
        run = self._runs.pop((visitor, conversation))
        if not run.followers and not task.cancelled() and (error := task.exception()):
            _log.error("an answer that nobody followed failed", exc_info=error)

    def _check_room(self, visitor: str) -> None:
        if sum(who == visitor for who, _ in self._runs) >= MOST_OF_ONE:
            raise AbstractQAError("busy, try again: several of your questions are being answered")
        if len(self._runs) >= AT_ONCE + WAITING:
            raise AbstractQAError("busy, try again: many questions are being answered")

    async def _write(self, visitor: str, asked: Turn, run: Run) -> None:
        """Write one turn of a conversation; it is the only one being written there."""
        turn, archive = run.turn, self._site.archive
        begun = await run_in_threadpool(archive.put, visitor, run.conversation, turn)
        run.chips = await run_in_threadpool(self.turns.chips, turn.filters)
        # The question is removed from the question box, and put back there after an error.
        extras = {"withdraw": asked.question}
        shown = self.turns.transcript(begun, "", writing=turn.id, **extras)
        run.tell(Update(conversation=begun.id, transcript=shown, live=run.drawn))
        keep = partial(self._keep, visitor, begun, turn.id)
        try:
            fields = await _until(run.stop, self._answered(asked, begun, run))
        except asyncio.CancelledError:  # the server is shutting down
            await run_in_threadpool(keep, {"partial": run.text}, extras)
            raise
        fields = fields or {"partial": run.text}
        if "problem" in fields:
            extras = {"refill": asked.question}
        run.tell(await run_in_threadpool(keep, fields, extras))
        run.is_finished = True
        answer: Answer | None = fields.get("answer")
        if answer is None or answer.suggestions:
            return
        if more := await run_in_threadpool(suggest, self._site.assistant, answer, turn.filters):
            last = await run_in_threadpool(keep, {**fields, "followups": more}, extras)
            run.tell(Update(transcript=last.transcript))

    async def _answered(self, asked: Turn, begun: Conversation, run: Run) -> dict[str, Any]:
        """Stream the answer into `run`; return the fields of the finished turn."""
        assistant, id_ = self._site.assistant, run.turn.id
        try:
            # This opens the chat model, which takes seconds the first time.
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
                        run.tell(Update(sources=turn_html.sources(begun, cards)))
                    elif run.take(event):
                        run.tell(Update(live=run.drawn))
        except Exception as error:  # noqa: BLE001 - shown in the turn
            return {"problem": told(error), "partial": None}
        raise AssertionError("a stream ends with the answer")

    def _keep(
        self, visitor: str, begun: Conversation, id_: str, fields: dict[str, Any], extras: Any
    ) -> Update:
        """Store fields of a turn, if it is still there; return its update, even if that fails."""
        try:
            now = self._site.archive.change(visitor, begun.id, id_, **fields)
        except StoreError as error:
            _log.warning("an answer was not saved: %s", error)
            extras = {**extras, "notice": str(HTML.notice(f"This answer was not saved: {error}."))}
            now = begun.changed(id_, **fields)
        turn = now.turn(id_) if now else None
        if now is None or turn is None:  # the undo has updated the page
            return Update(live=live(begun.id))
        shown = self.turns.transcript(now, id_, announced=turn_html.announcement(turn), **extras)
        return Update(transcript=shown, live=live(begun.id), sources=self.turns.sources(now, id_))


async def _until(stop: asyncio.Event, work: Any) -> Any:
    """Return the result of a coroutine; cancel it and return None when `stop` is set."""
    task, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        if task.cancel():
            await asyncio.wait({task})  # let it close its streams
    return None if task.cancelled() else task.result()


def suggest(
    assistant: Assistant,
    answer: Answer,
    filters: Filters = Filters(),  # noqa: B008 - frozen
) -> tuple[str, ...]:
    """Suggest up to three follow-up questions: about the answer's papers, and others on its theme.

    Each is tried without a model, and kept only if it finds evidence that the answer did not have.
    After a refusal the questions are about the nearest papers.
    """
    cited = [reference.paper.id for reference in answer.references]
    history: list[dict[str, object]] = [
        {"role": "user", "content": answer.question},
        {"role": "assistant", "content": answer.text, "references": cited},
    ]
    ids = cited if answer.status == "answered" else [near.id for near in answer.nearest]
    known, found = _spans(answer), list[str]()
    try:
        candidates = dict.fromkeys(_candidates(assistant, ids, is_filtered=filters != Filters()))
        for question in islice(candidates, 6):  # each takes some milliseconds
            reply = assistant.ask(question, history, filters, "extractive")
            new = _spans(reply) - known
            if new and not reply.notice:
                known |= new  # each must find passages of its own
                found.append(question)
            if len(found) == 3:
                break
    except Exception:  # noqa: BLE001 - suggestions are optional
        _log.exception("no follow-up questions")
    return tuple(found)


def _spans(answer: Answer) -> set[tuple[str, int, int]]:
    """Return the passages of an answer, each as (paper id, start, end) in the abstract."""
    return {(ref.paper.id, at.start, at.end) for ref in answer.references for at in ref.passages}


def _candidates(assistant: Assistant, ids: list[str], *, is_filtered: bool) -> Iterator[str]:
    """Yield questions: about a paper, its theme (without filters), then three papers."""
    papers = [assistant.paper(id_) for id_ in ids[:3]]
    # A title's first part is a name if it is one word. Skip long titles: they are bad names.
    heads = [(paper.head, paper.head or paper.display_title) for paper in papers]
    names = [
        head if head and " " not in head else f"“{title}”"
        for head, title in heads
        if len(title) <= 60
    ]
    yield from (_ASPECTS[0].format(name) for name in names[:1])
    if ids and not is_filtered and (groups := assistant.collection_map()):
        theme = next((point.cluster for point in groups.points if point.id == ids[0]), None)
        terms = next((each.terms for each in groups.clusters if each.number == theme), ())
        yield from (f"Which other papers are about {term}?" for term in terms[:1])
    yield from (aspect.format(name) for aspect in _ASPECTS for name in names)
