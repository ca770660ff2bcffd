"""The handlers of the tab: each finds out who asks, checks what came, and gives new values.

What the page sends can be anything, since its endpoints answer raw HTTP too. A conversation is
always looked up by its visitor and its id: a foreign or unknown one becomes a new one.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from itertools import count
from typing import Any

import gradio as gr
from starlette.concurrency import run_in_threadpool

from eval.datasets import Message
from eval.feedback import Feedback, append
from index.errors import AbstractQAError, InputError
from ui.archive import Conversation, Turn
from ui.export import export
from ui.web.chat import chat_settings
from ui.web.chat.answering import Asked, Responder, Restorable, Taken, history
from ui.web.chat.running_answers import Running
from ui.web.chat.source_cards import HTML
from ui.web.chat.turn_html import (
    SKIP,
    TurnHtml,
    Update,
    listing_html,
    problem_html,
    sources,
    transcript,
)
from ui.web.events import sent
from ui.web.site import Site
from ui.web.visitors import visitor

LONGEST_TITLE = 120
LONGEST_REASON = 500
NOT_HERE = "This conversation is not yours, or it was deleted: ask here to begin one."

Told = Mapping[str, Any]
"""What the browser sent with an event: `do` says what is to be done."""


class Handlers:
    """Handlers over one site."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._archive = site.archive
        self._turns = TurnHtml(site.assistant, may_share=site.settings.share_links)
        self._restorable = Restorable()
        self._running = Running()
        self._followings = count()
        self._responder = Responder(site, self._running, self._turns, self._restorable)

    async def ask(
        self, request: gr.Request, question: str, conversation: str, search: str, *chosen: Any
    ) -> AsyncGenerator[Update, None]:
        """Answer what is in the question box, or what another tab asks."""
        async for update in self._answer(
            visitor(request), lambda: _asked(question, conversation, chosen), search
        ):
            yield update

    async def ask_again(
        self, request: gr.Request, event: gr.EventData, conversation: str, search: str, *chosen: Any
    ) -> AsyncGenerator[Update, None]:
        """Answer a suggested question, an edited one, or one of a turn again."""
        told, who = sent(event), visitor(request)
        async for update in self._answer(
            who, lambda: self._again(who, told, conversation, chosen), search
        ):
            yield update

    def _again(self, who: str, told: Told, conversation: str, chosen: tuple[Any, ...]) -> Asked:
        asked = _asked(told.get("question"), conversation, chosen)
        if told.get("do") == "ask":
            return asked
        known = self._archive.read(who, asked.conversation)
        turn = known.turn(str(told.get("turn"))) if known else None
        if turn is None:
            raise InputError("this question is not there any more: load the page again")
        if told.get("do") == "without":
            left = chat_settings.without(
                turn.filters, str(told.get("kind")), str(told.get("value"))
            )
            return Asked(turn.question, asked.conversation, left, turn.mode, turn.options)
        # An edited question keeps the papers it was asked of; how it is answered is as chosen now.
        words = asked.question if told.get("do") == "edit" else turn.question
        return replace(asked, question=words, filters=turn.filters, instead_of=turn.id)

    async def _answer(
        self, who: str, read: Callable[[], Asked], search: str
    ) -> AsyncGenerator[Update, None]:
        """The updates of an answer, the list of conversations with the first."""

        def checked() -> Asked:
            asked = read()
            self._site.check_model(asked.options.model)
            return asked

        try:
            asked = await run_in_threadpool(checked)
            async with aclosing(self._responder.respond(who, asked)) as updates:
                async for update in updates:
                    if isinstance(update.conversation, str):
                        listing = await run_in_threadpool(
                            self._listing, who, update.conversation, search
                        )
                        yield update._replace(listing=listing)
                    else:
                        yield update
            yield Update()  # Gradio sends what came last once more, however late that is
        except AbstractQAError as error:  # or the conversation was deleted meanwhile
            gr.Warning(str(error))

    async def follow(
        self, following: str, conversation: str, search: str, request: gr.Request
    ) -> AsyncGenerator[Update, None]:
        """An answer that was being written when the page was loaded, as it goes on.

        And the one after it, if a question waits: the page that asked it may be gone.
        """
        who, here = visitor(request), str(conversation or "")
        run = self._running.run(who, here)
        if not following or not here:
            return
        if run is None or not run.turn:  # it is finished by now
            whole = await run_in_threadpool(self._open, who, here, search)
            yield whole._replace(following=SKIP)
        is_shown = True
        try:
            while run:
                async with aclosing(run.follow(is_shown=is_shown)) as updates:
                    async for update in updates:
                        yield update
                run, is_shown = run.next, False
            yield Update()
        except AbstractQAError as error:
            gr.Warning(str(error))

    async def stop(self, conversation: str, request: gr.Request) -> None:
        """Stop the answer that is being written."""
        self._running.stop(visitor(request), str(conversation or ""))

    async def change(
        self, conversation: str, search: str, event: gr.EventData, request: gr.Request
    ) -> Update:
        """Undo, restore, or a vote."""
        who, told, here = visitor(request), sent(event), str(conversation or "")
        run = self._running.run(who, here)
        if told.get("do") == "undo" and run and told.get("turn") == run.turn:
            await self._running.stopped(who, here)  # it would come back otherwise
        does: dict[object, Callable[[str, str, str, Told], Update]] = {
            "undo": self._undo,
            "restore": self._restore,
            "vote": self._vote,
            "share": self._share,
            "unshare": self._unshare,
        }
        do = told.get("do")
        if not isinstance(do, str) or do not in does:
            return Update()
        return await run_in_threadpool(does[do], who, here, search, told)

    def _undo(self, who: str, here: str, search: str, told: Told) -> Update:
        """Take the last turn back, which must be this one; its question returns to the box."""
        conversation = self._archive.read(who, here)
        last = conversation.turns[-1] if conversation and conversation.turns else None
        if last is None or last.id != told.get("turn"):
            # Asked or taken back in another window: shown as it is now.
            return self._open(who, here, search, told.get("writing"))
        self._archive.cut(who, here, last.id)
        self._restorable.keep(who, here, Taken((last,)))
        notice = str(HTML.notice("Undone.", "restore", "Restore"))
        return self._changed(who, here, search, notice=notice, refill=last.question)

    def _restore(self, who: str, here: str, search: str, _: Told) -> Update:
        """Bring back what was undone or replaced, once."""
        taken = self._restorable.take(who, here)
        conversation = self._archive.read(who, here)
        if not taken or not conversation:
            return self._changed(who, here, search)
        if taken.instead and conversation.turn(taken.instead):
            self._archive.cut(who, here, taken.instead)
        for turn in taken.turns:
            self._archive.put(who, here, turn)
        back = "" if taken.instead else taken.turns[-1].question
        return self._changed(who, here, search, announced="Restored.", withdraw=back)

    def _changed(self, who: str, here: str, search: str, **more: str) -> Update:
        """A conversation after a change, and the list."""
        whole = self._whole(self._archive.read(who, here), **more)
        return whole._replace(listing=self._listing(who, here, search))

    def _vote(self, who: str, here: str, _: str, told: Told) -> Update:
        """Keep what a reader thinks of an answer; the same thumb again takes it back."""
        conversation = self._archive.read(who, here)
        turn = conversation.turn(str(told.get("turn"))) if conversation else None
        vote, reason = told.get("vote"), told.get("reason")
        if not conversation or not turn or not turn.answer or vote not in ("up", "down"):
            return Update()
        why = " ".join(str(reason).split())[:LONGEST_REASON] if reason else None
        is_taken_back = turn.vote == vote and why is None
        now = {"vote": None if is_taken_back else vote, "vote_reason": why}
        voted = turn.model_copy(update=now)
        if not self._archive.update(who, here, voted):
            return Update()
        self._record(voted, conversation.turns[: conversation.turns.index(turn)])
        thanks = "Feedback taken back." if is_taken_back else "Thank you for the feedback."
        html = {turn.id: self._turns.turn(voted)}
        return Update(transcript=transcript(conversation, html, announced=thanks))

    def _share(self, who: str, here: str, _: str, told: Told) -> Update:
        """Make a link by which anyone may read one answer, or the conversation up to now."""
        conversation = self._archive.read(who, here)
        turn = conversation.turn(str(told.get("turn"))) if conversation else None
        last = conversation.turns[-1] if conversation and conversation.turns else None
        if conversation is None or last is None:
            return _noticed(conversation, "There is nothing to share yet: ask a question first.")
        if not self._site.settings.share_links:
            return _noticed(conversation, "Links are not allowed here: export a file.")
        secret = self._archive.share(who, here, (turn or last).id, is_alone=turn is not None)
        what = "this answer" if turn else "the conversation up to here"
        return Update(
            transcript=transcript(conversation, {}, notice=str(HTML.shared(what, secret)))
        )

    def _unshare(self, who: str, here: str, _: str, __: Told) -> Update:
        """Withdraw every link of the conversation and its answers."""
        conversation = self._archive.read(who, here)
        count = self._archive.unshare(who, here) if conversation else 0
        told = f"{count} link{'s' * (count != 1)} withdrawn." if count else "There was no link."
        return _noticed(conversation, told)

    def _record(self, turn: Turn, before: tuple[Turn, ...]) -> None:
        """Write the vote where evaluation cases come from; a later one takes its place there."""
        if turn.answer is None:
            return
        given = Feedback.on(
            turn.answer,
            turn.vote,
            turn.vote_reason,
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
        append(self._site.settings.data, given)

    def load(self, search: str, request: gr.Request) -> Update:
        """The page as it is opened: the conversation that its address names."""
        who, named = visitor(request), request.query_params.get("c", "")
        if named:
            return self._open(who, named, search)
        return Update(listing=self._listing(who, "", search))  # someone fast may have asked already

    def filters(self, request: gr.Request) -> tuple[Any, ...]:
        """The filters that the address names."""
        named = request.query_params
        known = {digest.key for digest in self._site.assistant.digests()}
        return (
            [key for key in named.getlist("digest") if key in known],
            *(named.get(name, "") for name in ("since", "until", "title")),
            "\n".join(named.getlist("papers")),
        )

    def open(self, search: str, event: gr.EventData, request: gr.Request) -> Update:
        """A conversation chosen from the list."""
        told = sent(event)
        return self._open(visitor(request), str(told.get("id")), search, told.get("writing"))

    def search(self, conversation: str, search: str, request: gr.Request) -> str:
        """The conversations that have the words looked for."""
        return self._listing(visitor(request), str(conversation or ""), search)

    async def arrange(
        self, conversation: str, search: str, event: gr.EventData, request: gr.Request
    ) -> Update:
        """Rename, delete or bring back a conversation of the list."""
        who, told, here = visitor(request), sent(event), str(conversation or "")
        if told.get("do") == "delete":
            await self._running.stopped(who, str(told.get("id")))  # and its text is kept
        return await run_in_threadpool(self._arranged, who, here, search, told)

    def _arranged(self, who: str, here: str, search: str, told: Told) -> Update:
        action, chosen = told.get("do"), str(told.get("id"))
        is_gone = False
        try:
            if action == "rename":
                title = " ".join(str(told.get("title") or "").split())[:LONGEST_TITLE]
                if title:
                    self._archive.rename(who, chosen, title)
            elif action == "delete":
                self._archive.delete(who, chosen)
                is_gone = chosen == here
            elif action == "undelete":
                self._archive.restore(who, chosen)
        except InputError:
            pass  # it is not there any more: the list that comes back shows it
        if is_gone:
            return self._open(who, "", search)
        return Update(listing=self._listing(who, here, search))

    def export(self, conversation: str, event: gr.EventData, request: gr.Request) -> dict[str, str]:
        """A file for the browser to keep, or why there is none."""
        told = sent(event)
        number = {"number": str(told.get("number"))}  # what is the same as before comes again too
        whole = self._archive.read(visitor(request), str(conversation or ""))
        if whole is None or not whole.turns:
            return {"problem": "There is nothing to export yet: ask a question first.", **number}
        turn = whole.turn(str(told.get("turn"))) if told.get("what") == "answer" else None
        try:
            file = export(turn or whole, str(told.get("format")))
        except InputError as error:
            return {"problem": str(error)[:1].upper() + str(error)[1:] + ".", **number}
        return {"name": file.name, "type": file.media_type, "text": file.text, **number}

    def chips(self, *chosen: Any) -> str:
        """The filters as they are chosen, on the question box; dates of no use are told."""
        try:
            return str(self._turns.chips(chat_settings.read_filters(*chosen), "unfilter"))
        except InputError as error:
            return str(problem_html(str(error)))

    async def model(self, stored: object) -> Any:
        """The models to choose from, and the one that the browser kept."""
        assistant = self._site.assistant
        has_model = assistant.chat_model is not None
        listed = await run_in_threadpool(assistant.chat_models) if has_model else []
        choices = chat_settings.model_choices(assistant.chat_model, listed)
        value = chat_settings.kept_model(stored, choices)
        return gr.Dropdown(choices=choices, value=value, visible=has_model)

    def _open(self, who: str, id_: str, search: str, here: object = "") -> Update:
        """A conversation; `here` is the turn that the page itself shows as it is written."""
        run, turn = None, ""
        while True:
            conversation = self._archive.read(who, id_) if id_ else None
            before = run, turn
            run = self._running.run(who, conversation.id) if conversation else None
            turn = run.turn if run else ""
            if (run, turn) == before:
                break  # nothing began or ended while it was read
        listing = self._listing(who, conversation.id if conversation else "", search)
        notice = "" if conversation or not id_ else str(HTML.notice(NOT_HERE))
        whole = self._whole(conversation, writing=turn, notice=notice)._replace(listing=listing)
        if run is None or not (turn or run.next):
            return whole._replace(following="")
        if turn and turn == here:
            return whole
        if turn:
            live = run.shown.live() if callable(run.shown.live) else run.shown.live
            whole = whole._replace(live=live)
        return whole._replace(following=f"{turn} {next(self._followings)}")

    def _whole(
        self, conversation: Conversation | None, *, writing: str = "", **more: str
    ) -> Update:
        """A conversation as the page shows it, with all its turns and cards.

        Args:
            conversation: None for a new one.
            writing: The id of its turn that is being written, which the page shows itself.
            more: What else `transcript` takes.
        """
        turns = conversation.turns if conversation else ()
        order = [turn.id for turn in turns]
        html = {turn.id: self._turns.turn(turn) for turn in turns if turn.id != writing}
        cards = {turn.id: self._turns.cards(turn) for turn in turns}
        return Update(
            conversation=conversation.id if conversation else "",
            transcript=transcript(conversation, html, without=writing, **more),
            live=SKIP if writing else "",
            sources=sources(order, cards, order[-1] if order else None),
        )

    def _listing(self, who: str, current: str, search: str) -> str:
        words = str(search or "")[:200]
        summaries = self._archive.list(who, words)
        return listing_html(summaries, current, words, self._archive.last_deleted(who))


def _noticed(conversation: Conversation | None, text: str) -> Update:
    """A line below the turns."""
    return Update(transcript=transcript(conversation, {}, notice=str(HTML.notice(text))))


def _asked(question: object, conversation: object, chosen: tuple[Any, ...]) -> Asked:
    """A question with what was chosen in the filters and the drawer.

    Raises:
        InputError: something chosen cannot be used.
    """
    limits = len(chat_settings.FilterFields._fields)
    filters = chat_settings.read_filters(*chosen[:limits])
    mode, options = chat_settings.read_settings(*chosen[limits:])
    return Asked(str(question or ""), str(conversation or ""), filters, mode, options)
