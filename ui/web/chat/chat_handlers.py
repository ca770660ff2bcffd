"""Handlers of the Chat tab: each identifies the visitor, checks its input, returns new values.

Input can be anything, since the page's endpoints also answer raw HTTP. A conversation is always
looked up by its visitor and its id: a foreign or unknown one becomes a new one.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, suppress
from itertools import count
from typing import Any, NamedTuple

import gradio as gr
from starlette.concurrency import run_in_threadpool

from eval.datasets import Message
from eval.feedback import FILE, Feedback, append
from index.errors import AbstractQAError, InputError
from ui.archive import LONGEST_NAME, Conversation, Turn, history
from ui.export import export
from ui.web.chat import chat_settings
from ui.web.chat.answering import Answering, Run
from ui.web.chat.turn_html import HTML, SKIP, Update, live, problem_html
from ui.web.markup import plural
from ui.web.site import Site, sent, told
from ui.web.visitors import visitor

NOT_HERE = "This conversation is not yours, or it was deleted: ask a question to start a new one."

Detail = Mapping[str, Any]
"""The data of a browser's event; `do` names the action."""


class Place(NamedTuple):
    """The visitor, the conversation that is shown, and the search in the list of conversations."""

    who: str
    here: str
    search: str

    @classmethod
    def of(cls, request: gr.Request, conversation: object = "", search: object = "") -> "Place":
        """Return the place that a request comes from."""
        return cls(visitor(request), str(conversation or ""), str(search or ""))


class Handlers:
    """The handlers of one site."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._archive = site.archive
        self._answering = Answering(site)
        self._running = self._answering.running
        self.turns = self._answering.turns
        self._followings = count()
        self._undone: dict[tuple[str, str], Turn] = {}

    # Answers

    async def ask(
        self, request: gr.Request, question: str, conversation: str, search: str, *chosen: Any
    ) -> AsyncGenerator[Update, None]:
        """Answer the question of the question box, or of another tab."""
        detail = {"do": "ask", "question": question}
        async for update in self._answer(Place.of(request, conversation, search), detail, chosen):
            yield update

    async def ask_again(
        self, request: gr.Request, event: gr.EventData, conversation: str, search: str, *chosen: Any
    ) -> AsyncGenerator[Update, None]:
        """Answer a suggested question, or repeat the question of a turn."""
        at = Place.of(request, conversation, search)
        async for update in self._answer(at, sent(event), chosen):
            yield update

    async def _answer(
        self, at: Place, detail: Detail, chosen: tuple[Any, ...]
    ) -> AsyncGenerator[Update, None]:
        """Yield the updates of an answer; the first also has the list of conversations."""
        try:
            asked = await run_in_threadpool(self._asked, at, detail, chosen)
            self._undone.pop((at.who, at.here), None)  # no restoring after a new turn
            async with aclosing(self._answering.respond(at.who, asked, at.here)) as updates:
                async for update in updates:
                    if isinstance(update.conversation, str):
                        now = at._replace(here=update.conversation)
                        listing = await run_in_threadpool(self._listing, now)
                        update = update._replace(listing=listing)  # noqa: PLW2901
                    yield update
            yield Update()  # Gradio repeats the last update, however late
        except AbstractQAError as error:  # also if the conversation was deleted
            gr.Warning(str(error))

    def _asked(self, at: Place, detail: Detail, chosen: tuple[Any, ...]) -> Turn:
        """Return a new turn with the question, and the chosen filters and settings."""
        limits = len(chat_settings.FilterFields._fields)
        filters = chat_settings.read_filters(*chosen[:limits])
        mode, options = chat_settings.read_settings(*chosen[limits:])
        question = str(detail.get("question") or "")
        if detail.get("do") != "ask":
            turn = self._turn(at, detail)[1]
            if turn is None:
                raise InputError("this question no longer exists: reload the page")
            # The mode and the options are those chosen now.
            question, filters = turn.question, turn.filters
        return Turn(question=question, filters=filters, mode=mode, options=options)

    async def follow(
        self, following: str, conversation: str, search: str, request: gr.Request
    ) -> AsyncGenerator[Update, None]:
        """Follow an answer that was already being written when the page was loaded."""
        at = Place.of(request, conversation, search)
        run = self._running.run(at.who, at.here)
        if not following or not at.here:
            return
        if run is None or run.is_finished:
            whole = await run_in_threadpool(self._open, at, at.here)
            yield whole._replace(following=SKIP)
        try:
            if run:
                async with aclosing(run.follow(is_shown=True)) as updates:
                    async for update in updates:
                        yield update
            yield Update()
        except AbstractQAError as error:
            gr.Warning(str(error))

    async def stop(self, conversation: str, request: gr.Request) -> None:
        """Stop the answer that is being written."""
        self._running.stop(visitor(request), str(conversation or ""))

    # Turns and conversations

    async def change(
        self, conversation: str, search: str, event: gr.EventData, request: gr.Request
    ) -> Update:
        """Change a turn, or a conversation of the list, by the action `do`."""
        at, detail = Place.of(request, conversation, search), sent(event)
        does: dict[object, Callable[[Place, Detail], Update]] = {
            "undo": self._undo,
            "restore": self._restore,
            "vote": self._vote,
            "share": self._share,
            "unshare": self._unshare,
            **dict.fromkeys(("rename", "delete", "undelete"), self._arrange),
        }
        do = detail.get("do")
        if not isinstance(do, str) or do not in does:
            return Update()
        # Else the answer would be stored again. A deleted conversation keeps its text so far.
        run = self._running.run(at.who, at.here)
        if do == "undo" and run and detail.get("turn") == run.turn:
            await self._running.stopped(at.who, at.here)
        elif do == "delete":
            await self._running.stopped(at.who, str(detail.get("id")))
        return await run_in_threadpool(does[do], at, detail)

    def _turn(self, at: Place, detail: Detail) -> tuple[Conversation | None, Turn | None]:
        """Return the conversation that is shown, and its turn that the browser names."""
        conversation = self._archive.read(at.who, at.here)
        return conversation, conversation.turn(str(detail.get("turn"))) if conversation else None

    def _undo(self, at: Place, detail: Detail) -> Update:
        """Undo the last turn, which must be the named one; put its question back into the box."""
        conversation, turn = self._turn(at, detail)
        if conversation is None or turn is None or turn != conversation.turns[-1]:
            # Changed in another window: show the current state.
            return self._open(at, at.here, detail.get("writing"))
        self._archive.cut(at.who, at.here, turn.id)
        self._undone.pop((at.who, at.here), None)
        self._undone[at.who, at.here] = turn
        for oldest in list(self._undone)[:-500]:
            self._undone.pop(oldest, None)
        notice = str(HTML.notice("Undone.", "restore", "Restore"))
        return self._changed(at, notice=notice, refill=turn.question)

    def _restore(self, at: Place, _: Detail) -> Update:
        """Restore, once, the turn that was undone last."""
        turn = self._undone.pop((at.who, at.here), None)
        with suppress(InputError):  # the conversation was deleted meanwhile
            if turn:
                self._archive.put(at.who, at.here, turn)
        return self._changed(at, announced="Restored.", withdraw=turn.question if turn else "")

    def _changed(self, at: Place, **extras: str) -> Update:
        """Return the update of the conversation and the list after a change."""
        whole = self._whole(self._archive.read(at.who, at.here), **extras)
        return whole._replace(listing=self._listing(at))

    def _vote(self, at: Place, detail: Detail) -> Update:
        """Store a reader's vote on an answer, for evaluation, too; the same again withdraws it."""
        _, turn = self._turn(at, detail)
        vote, reason = detail.get("vote"), detail.get("reason")
        if not turn or not turn.answer or vote not in ("up", "down"):
            return Update()
        why = " ".join(str(reason).split())[:500] if reason else None
        is_taken_back = turn.vote == vote and why is None
        fields = {"vote": None if is_taken_back else vote, "vote_reason": why}
        after = self._archive.change(at.who, at.here, turn.id, **fields)
        if after is None:
            return Update()
        before = after.turns[: [each.id for each in after.turns].index(turn.id)]
        given = Feedback.on(
            turn.answer,
            vote=fields["vote"],
            reason=why,
            id=turn.id,
            asked=turn.asked,
            history=[
                Message(role=str(message["role"]), content=str(message["content"]))
                for message in history(before)
            ],
            filters=turn.filters,
            mode=turn.mode,
            options=turn.options,
        )
        append(self._site.settings.data / FILE, given)
        thanks = "Feedback withdrawn." if is_taken_back else "Thank you for the feedback."
        return Update(transcript=self.turns.transcript(after, turn.id, announced=thanks))

    def _share(self, at: Place, detail: Detail) -> Update:
        """Make a link by which anyone can read one answer, or the conversation up to now."""
        conversation, turn = self._turn(at, detail)
        if conversation is None or not conversation.turns:
            notice = HTML.notice("There is nothing to share yet: ask a question first.")
        elif not self._site.settings.share_links:
            notice = HTML.notice("Links are turned off here: export a file instead.")
        else:
            last = (turn or conversation.turns[-1]).id
            secret = self._archive.share(at.who, at.here, last, is_alone=turn is not None)
            notice = HTML.shared("this answer" if turn else "the conversation up to here", secret)
        return Update(transcript=self.turns.transcript(conversation, "", notice=str(notice)))

    def _unshare(self, at: Place, detail: Detail) -> Update:
        """Withdraw all links to the conversation and its answers."""
        conversation, _ = self._turn(at, detail)
        count = self._archive.unshare(at.who, at.here) if conversation else 0
        text = f"{plural(count, 'link')} withdrawn." if count else "There were no links."
        notice = str(HTML.notice(text))
        return Update(transcript=self.turns.transcript(conversation, "", notice=notice))

    def _arrange(self, at: Place, detail: Detail) -> Update:
        """Rename, delete or restore a conversation of the list."""
        do, chosen = detail["do"], str(detail.get("id"))
        with suppress(InputError):  # it is gone: the new list shows that
            if do == "delete":
                self._archive.delete(at.who, chosen)
                if chosen == at.here:
                    return self._open(at, "")
            elif do == "undelete":
                self._archive.restore(at.who)
            else:
                self._archive.rename(at.who, chosen, str(detail.get("title") or "")[:LONGEST_NAME])
        return Update(listing=self._listing(at))

    def export(self, conversation: str, event: gr.EventData, request: gr.Request) -> dict[str, str]:
        """Return a file for the browser to save, or the problem."""
        detail = sent(event)
        number = {"number": str(detail.get("number"))}  # new each time: an equal file is sent again
        whole, turn = self._turn(Place.of(request, conversation), detail)
        if whole is None or not whole.turns:
            return {"problem": "There is nothing to export yet: ask a question first.", **number}
        try:
            file = export(turn or whole, str(detail.get("format")))
        except InputError as error:
            return {"problem": f"{told(error)}.", **number}
        return {"name": file.name, "type": file.media_type, "text": file.text, **number}

    # What is shown

    def load(self, search: str, request: gr.Request) -> Update:
        """Return the first update of a page: the conversation that its address names."""
        at, named = Place.of(request, "", search), request.query_params.get("c", "")
        if named:
            return self._open(at, named)
        return Update(listing=self._listing(at))  # keep a question that was asked already

    def open(self, search: str, event: gr.EventData, request: gr.Request) -> Update:
        """Open a conversation chosen from the list."""
        at, detail = Place.of(request, "", search), sent(event)
        return self._open(at, str(detail.get("id")), detail.get("writing"))

    def search(self, conversation: str, search: str, request: gr.Request) -> str:
        """Return the list of the conversations that contain the words of the search."""
        return self._listing(Place.of(request, conversation, search))

    def filters(self, request: gr.Request) -> tuple[Any, ...]:
        """Return the filters in the page's address."""
        named = request.query_params
        known = {digest.key for digest in self._site.assistant.digests()}
        return (
            [key for key in named.getlist("digest") if key in known],
            *(named.get(name, "") for name in ("since", "until", "title")),
            "\n".join(named.getlist("papers")),
        )

    def chips(self, *chosen: Any) -> str:
        """Return the chosen filters as chips for the question box, or the error in a date."""
        try:
            return str(self.turns.chips(chat_settings.read_filters(*chosen), can_go=True))
        except InputError as error:
            return str(problem_html(str(error)))

    def _open(self, at: Place, id_: str, writing: object = "") -> Update:
        """Open a conversation; `writing` is the turn that the page already shows being written."""
        seen: object = None
        conversation = None
        while seen != (now := self._under_way(at.who, id_)):  # an answer began or ended meanwhile
            seen, conversation = now, self._archive.read(at.who, id_)
        run, turn = now
        listing = self._listing(at._replace(here=conversation.id if conversation else ""))
        notice = "" if conversation or not id_ else str(HTML.notice(NOT_HERE))
        whole = self._whole(conversation, turn, notice=notice)._replace(listing=listing)
        if conversation is None or run is None or not turn:
            return whole._replace(following="")
        if turn == writing:
            return whole
        shown = run.shown.live() if callable(run.shown.live) else run.shown.live
        return whole._replace(live=shown, following=f"{turn} {next(self._followings)}")

    def _under_way(self, who: str, id_: str) -> tuple[Run | None, str]:
        run = self._running.run(who, id_)
        return run, run.turn if run else ""

    def _whole(self, conversation: Conversation | None, writing: str = "", **extras: str) -> Update:
        """Return the update of a whole conversation, without the turn being written."""
        id_ = conversation.id if conversation else ""
        return Update(
            conversation=id_,
            transcript=self.turns.transcript(conversation, writing=writing, **extras),
            live=SKIP if writing else live(id_),
            sources=self.turns.sources(conversation),
        )

    def _listing(self, at: Place) -> str:
        summaries = self._archive.list(at.who, at.search)
        deleted = self._archive.last_deleted(at.who)
        return str(HTML.conversations(summaries, at.here, at.search.strip(), deleted))
