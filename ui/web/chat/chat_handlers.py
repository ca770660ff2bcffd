"""The handlers of the tab: each finds out who asks, checks what came, and gives new values.

What the page sends can be anything, since its endpoints answer raw HTTP too. A conversation is
always looked up by its visitor and its id: a foreign or unknown one becomes a new one.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import replace
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
from ui.web.chat.answering import Answering, Asked
from ui.web.chat.running_answers import Run
from ui.web.chat.turn_html import HTML, SKIP, Update, problem_html
from ui.web.markup import plural
from ui.web.site import Site, sent, told
from ui.web.visitors import visitor

NOT_HERE = "This conversation is not yours, or it was deleted: ask here to begin one."

Detail = Mapping[str, Any]
"""What the browser sent with an event: `do` says what is to be done."""


class Place(NamedTuple):
    """Where somebody is: the conversation that is shown, and what is looked for in the list."""

    who: str
    here: str
    search: str

    @classmethod
    def of(cls, request: gr.Request, conversation: object = "", search: object = "") -> "Place":
        """The place that a page names."""
        return cls(visitor(request), str(conversation or ""), str(search or ""))


class Handlers:
    """Handlers over one site."""

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
        """Answer what is in the question box, or what another tab asks."""
        detail = {"do": "ask", "question": question}
        async for update in self._answer(Place.of(request, conversation, search), detail, chosen):
            yield update

    async def ask_again(
        self, request: gr.Request, event: gr.EventData, conversation: str, search: str, *chosen: Any
    ) -> AsyncGenerator[Update, None]:
        """Answer a suggested question, or one of a turn again."""
        at = Place.of(request, conversation, search)
        async for update in self._answer(at, sent(event), chosen):
            yield update

    async def _answer(
        self, at: Place, detail: Detail, chosen: tuple[Any, ...]
    ) -> AsyncGenerator[Update, None]:
        """The updates of an answer, the list of conversations with the first."""
        try:
            asked = await run_in_threadpool(self._asked, at, detail, chosen)
            self._undone.pop((at.who, at.here), None)  # not brought back behind a new turn
            async with aclosing(self._answering.respond(at.who, asked)) as updates:
                async for update in updates:
                    if isinstance(update.conversation, str):
                        now = at._replace(here=update.conversation)
                        listing = await run_in_threadpool(self._listing, now)
                        yield update._replace(listing=listing)
                    else:
                        yield update
            yield Update()  # Gradio sends what came last once more, however late that is
        except AbstractQAError as error:  # or the conversation was deleted meanwhile
            gr.Warning(str(error))

    def _asked(self, at: Place, detail: Detail, chosen: tuple[Any, ...]) -> Asked:
        """A question with what was chosen in the filters and the drawer."""
        limits = len(chat_settings.FilterFields._fields)
        filters = chat_settings.read_filters(*chosen[:limits])
        mode, options = chat_settings.read_settings(*chosen[limits:])
        asked = Asked(str(detail.get("question") or ""), at.here, filters, mode, options)
        if detail.get("do") == "ask":
            return asked
        turn = self._turn(at, detail)[1]
        if turn is None:
            raise InputError("this question is not there any more: load the page again")
        # It is asked of the same papers; how it is answered is as chosen now.
        return replace(asked, question=turn.question, filters=turn.filters)

    async def follow(
        self, following: str, conversation: str, search: str, request: gr.Request
    ) -> AsyncGenerator[Update, None]:
        """An answer that was being written when the page was loaded, as it goes on."""
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
        """Do something with a turn, or with a conversation of the list."""
        at, detail = Place.of(request, conversation, search), sent(event)
        does: dict[object, Callable[[Place, Detail], Update]] = {
            "undo": self._undo,
            "restore": self._restore,
            "vote": self._vote,
            "share": self._share,
            "unshare": self._unshare,
            "rename": self._arrange,
            "delete": self._arrange,
            "undelete": self._arrange,
        }
        do = detail.get("do")
        if not isinstance(do, str) or do not in does:
            return Update()
        # What is written would come back otherwise; of a conversation, its text is kept.
        run = self._running.run(at.who, at.here)
        if do == "undo" and run and detail.get("turn") == run.turn:
            await self._running.stopped(at.who, at.here)
        elif do == "delete":
            await self._running.stopped(at.who, str(detail.get("id")))
        return await run_in_threadpool(does[do], at, detail)

    def _turn(self, at: Place, detail: Detail) -> tuple[Conversation | None, Turn | None]:
        """The conversation that is shown, and the turn of it that the browser names."""
        conversation = self._archive.read(at.who, at.here)
        return conversation, conversation.turn(str(detail.get("turn"))) if conversation else None

    def _undo(self, at: Place, detail: Detail) -> Update:
        """Take the last turn back, which must be this one; its question returns to the box."""
        conversation, turn = self._turn(at, detail)
        if conversation is None or turn is None or turn != conversation.turns[-1]:
            # Asked or taken back in another window: shown as it is now.
            return self._open(at, at.here, detail.get("writing"))
        self._archive.cut(at.who, at.here, turn.id)
        self._undone.pop((at.who, at.here), None)
        self._undone[at.who, at.here] = turn
        for oldest in list(self._undone)[:-500]:
            self._undone.pop(oldest, None)
        notice = str(HTML.notice("Undone.", "restore", "Restore"))
        return self._changed(at, notice=notice, refill=turn.question)

    def _restore(self, at: Place, _: Detail) -> Update:
        """Bring back, once, what was undone last."""
        turn = self._undone.pop((at.who, at.here), None)
        with suppress(InputError):  # the conversation was deleted meanwhile
            if turn:
                self._archive.put(at.who, at.here, turn)
        return self._changed(at, announced="Restored.", withdraw=turn.question if turn else "")

    def _changed(self, at: Place, **said: str) -> Update:
        """A conversation after a change, and the list."""
        whole = self._whole(self._archive.read(at.who, at.here), **said)
        return whole._replace(listing=self._listing(at))

    def _vote(self, at: Place, detail: Detail) -> Update:
        """Keep what a reader thinks of an answer; the same thumb again takes it back."""
        _, turn = self._turn(at, detail)
        vote, reason = detail.get("vote"), detail.get("reason")
        if not turn or not turn.answer or vote not in ("up", "down"):
            return Update()
        why = " ".join(str(reason).split())[:500] if reason else None
        is_taken_back = turn.vote == vote and why is None
        now = {"vote": None if is_taken_back else vote, "vote_reason": why}
        after = self._archive.change(at.who, at.here, turn.id, **now)
        voted = after.turn(turn.id) if after else None
        if after is None or voted is None:
            return Update()
        self._record(voted, after.turns[: after.turns.index(voted)])
        thanks = "Feedback taken back." if is_taken_back else "Thank you for the feedback."
        return Update(transcript=self.turns.transcript(after, turn.id, announced=thanks))

    def _share(self, at: Place, detail: Detail) -> Update:
        """Make a link by which anyone may read one answer, or the conversation up to now."""
        conversation, turn = self._turn(at, detail)
        if conversation is None or not conversation.turns:
            return self._noticed(
                conversation, "There is nothing to share yet: ask a question first."
            )
        if not self._site.settings.share_links:
            return self._noticed(conversation, "Links are not allowed here: export a file.")
        last = (turn or conversation.turns[-1]).id
        secret = self._archive.share(at.who, at.here, last, is_alone=turn is not None)
        what = "this answer" if turn else "the conversation up to here"
        shown = self.turns.transcript(conversation, "", notice=str(HTML.shared(what, secret)))
        return Update(transcript=shown)

    def _unshare(self, at: Place, detail: Detail) -> Update:
        """Withdraw every link of the conversation and its answers."""
        conversation, _ = self._turn(at, detail)
        count = self._archive.unshare(at.who, at.here) if conversation else 0
        text = f"{plural(count, 'link')} withdrawn." if count else "There was no link."
        return self._noticed(conversation, text)

    def _noticed(self, conversation: Conversation | None, text: str) -> Update:
        """A line below the turns."""
        notice = str(HTML.notice(text))
        return Update(transcript=self.turns.transcript(conversation, "", notice=notice))

    def _record(self, turn: Turn, before: tuple[Turn, ...]) -> None:
        """Write the vote where evaluation cases come from; a later one takes its place there."""
        if turn.answer is None:
            return
        given = Feedback.on(
            turn.answer,
            vote=turn.vote,
            reason=turn.vote_reason,
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

    def _arrange(self, at: Place, detail: Detail) -> Update:
        """Rename, delete or bring back a conversation of the list."""
        do, chosen = detail["do"], str(detail.get("id"))
        with suppress(InputError):  # it is not there any more: the list that comes back shows it
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
        """A file for the browser to keep, or why there is none."""
        detail = sent(event)
        number = {"number": str(detail.get("number"))}  # what is the same as before comes again too
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
        """The page as it is opened: the conversation that its address names."""
        at, named = Place.of(request, "", search), request.query_params.get("c", "")
        if named:
            return self._open(at, named)
        return Update(listing=self._listing(at))  # someone fast may have asked already

    def open(self, search: str, event: gr.EventData, request: gr.Request) -> Update:
        """A conversation chosen from the list."""
        detail = sent(event)
        return self._open(
            Place.of(request, "", search), str(detail.get("id")), detail.get("writing")
        )

    def search(self, conversation: str, search: str, request: gr.Request) -> str:
        """The conversations that have the words looked for."""
        return self._listing(Place.of(request, conversation, search))

    def filters(self, request: gr.Request) -> tuple[Any, ...]:
        """The filters that the address names."""
        named = request.query_params
        known = {digest.key for digest in self._site.assistant.digests()}
        return (
            [key for key in named.getlist("digest") if key in known],
            *(named.get(name, "") for name in ("since", "until", "title")),
            "\n".join(named.getlist("papers")),
        )

    def chips(self, *chosen: Any) -> str:
        """The filters as they are chosen, on the question box; dates of no use are told."""
        try:
            return str(self.turns.chips(chat_settings.read_filters(*chosen), can_go=True))
        except InputError as error:
            return str(problem_html(str(error)))

    def _open(self, at: Place, id_: str, writing: object = "") -> Update:
        """A conversation; `writing` is the turn that the page itself shows as it is written."""
        seen: object = None
        conversation = None
        while seen != (now := self._under_way(at.who, id_)):  # it began or ended meanwhile
            seen, conversation = now, self._archive.read(at.who, id_)
        run, turn = now
        listing = self._listing(at._replace(here=conversation.id if conversation else ""))
        notice = "" if conversation or not id_ else str(HTML.notice(NOT_HERE))
        whole = self._whole(conversation, turn, notice=notice)._replace(listing=listing)
        if conversation is None or run is None or not turn:
            return whole._replace(following="")
        if turn == writing:
            return whole
        live = run.shown.live() if callable(run.shown.live) else run.shown.live
        return whole._replace(live=live, following=f"{turn} {next(self._followings)}")

    def _under_way(self, who: str, id_: str) -> tuple[Run | None, str]:
        """The answer being written in a conversation, and its turn."""
        run = self._running.run(who, id_)
        return run, run.turn if run else ""

    def _whole(self, conversation: Conversation | None, writing: str = "", **said: str) -> Update:
        """A conversation as the page shows it, but for the turn that is being written."""
        return Update(
            conversation=conversation.id if conversation else "",
            transcript=self.turns.transcript(conversation, writing=writing, **said),
            live=SKIP if writing else "",
            sources=self.turns.sources(conversation),
        )

    def _listing(self, at: Place) -> str:
        summaries = self._archive.list(at.who, at.search)
        deleted = self._archive.last_deleted(at.who)
        return str(HTML.conversations(summaries, at.here, at.search.strip(), deleted))
