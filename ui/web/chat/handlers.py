"""The handlers of the tab: each finds out who asks, checks what came, and gives new values.

What the page sends can be anything, since its endpoints answer raw HTTP too. A conversation is
always looked up by its visitor and its id: a foreign or unknown one becomes a new one.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace
from itertools import count
from typing import Any

import gradio as gr
from starlette.concurrency import run_in_threadpool

from index.errors import AbstractQAError, InputError
from ui.export import export
from ui.web.chat import drawer, filters, view
from ui.web.chat.changes import Changes
from ui.web.chat.chips import without
from ui.web.chat.conversations import listing_html
from ui.web.chat.panel import Panel
from ui.web.chat.refusal import Refusals
from ui.web.chat.respond import Asked, Responder
from ui.web.chat.restoring import Restorable
from ui.web.chat.running import Running
from ui.web.chat.transcript import Transcript
from ui.web.chat.view import Update
from ui.web.events import sent
from ui.web.site import Site
from ui.web.visitors import visitor

LONGEST_TITLE = 120


class Handlers:
    """Handlers over one site."""

    def __init__(self, site: Site) -> None:
        refusals = Refusals(site.assistant)
        transcript, panel = Transcript(refusals), Panel(refusals)
        restorable = Restorable()
        self._site = site
        self._running = Running()
        self._followings = count()
        self._changes = Changes(site, transcript, panel, restorable)
        self._responder = Responder(site, self._running, transcript, panel, restorable)

    async def ask(
        self, request: gr.Request, question: str, conversation: str, search: str, *chosen: Any
    ) -> AsyncGenerator[Update, None]:
        """Answer what is in the question box."""
        async for update in self._ask(request, question, conversation, search, chosen, True):
            yield update

    async def ask_from_outside(
        self, request: gr.Request, question: str, conversation: str, search: str, *chosen: Any
    ) -> AsyncGenerator[Update, None]:
        """Answer what another tab asks."""
        async for update in self._ask(request, question, conversation, search, chosen, False):
            yield update

    async def _ask(
        self,
        request: gr.Request,
        question: str,
        conversation: str,
        search: str,
        chosen: tuple[Any, ...],
        from_box: bool,
    ) -> AsyncGenerator[Update, None]:
        try:
            asked = _asked(str(question or ""), str(conversation or ""), chosen)
            asked = replace(asked, from_box=from_box)
            await run_in_threadpool(self._site.check_model, asked.options.model)
        except InputError as error:
            gr.Warning(str(error))
            return
        async for update in self._answer(visitor(request), asked, search):
            yield update

    async def ask_again(
        self,
        request: gr.Request,
        event: gr.EventData,
        conversation: str,
        search: str,
        *chosen: Any,
    ) -> AsyncGenerator[Update, None]:
        """Answer a suggested question, an edited one, or one of a turn again."""
        told, who = sent(event), visitor(request)
        try:
            asked = self._again(who, told, str(conversation or ""), chosen)
            await run_in_threadpool(self._site.check_model, asked.options.model)
        except InputError as error:
            gr.Warning(str(error))
            return
        async for update in self._answer(who, asked, search):
            yield update

    def _again(
        self, who: str, told: Mapping[str, Any], conversation: str, chosen: tuple[Any, ...]
    ) -> Asked:
        action, question = told.get("do"), str(told.get("question") or "")
        asked = _asked(question, conversation, chosen)
        if action == "ask":
            return asked
        known = self._site.archive.read(who, conversation)
        turn = known.turn(str(told.get("turn"))) if known else None
        if turn is None:
            raise InputError("this question is not there any more: load the page again")
        if action == "without":
            left = without(turn.filters, str(told.get("kind")), str(told.get("value")))
            return Asked(turn.question, conversation, left, turn.mode, turn.options)
        # An edited question keeps the papers it was asked of; how it is answered is as chosen now.
        words = question if action == "edit" else turn.question
        return Asked(
            words, conversation, turn.filters, asked.mode, asked.options, instead_of=turn.id
        )

    async def _answer(self, who: str, asked: Asked, search: str) -> AsyncGenerator[Update, None]:
        """The updates of an answer, the list of conversations with the first."""
        shown = False
        try:
            async with aclosing(self._responder.respond(who, asked)) as updates:
                async for update in updates:
                    if isinstance(update.conversation, str) and not shown:
                        shown = True
                        listing = await run_in_threadpool(
                            self._listing, who, update.conversation, search
                        )
                        yield update._replace(listing=listing)
                    else:
                        yield update
        except AbstractQAError as error:  # the conversation was deleted meanwhile
            gr.Warning(str(error))

    async def follow(
        self, following: str, conversation: str, search: str, request: gr.Request
    ) -> AsyncGenerator[Update, None]:
        """An answer that was being written when the page was loaded, as it goes on."""
        who, here = visitor(request), str(conversation or "")
        run = self._running.run(who, here)
        if not following or not here:
            return
        if run is None or not run.turn:  # it is finished by now
            whole = await run_in_threadpool(self._open, who, here, search)
            yield whole._replace(following=view.SKIP)
        if run is None:
            return
        try:
            async with aclosing(run.follow()) as updates:
                async for update in updates:
                    yield update
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
        action, turn = told.get("do"), str(told.get("turn"))
        if action == "undo" and turn == self._running.turn(who, here):
            await self._running.stopped(who, here)  # it would come back otherwise
        return await run_in_threadpool(self._changed, who, here, search, action, turn, told)

    def _changed(
        self,
        who: str,
        here: str,
        search: str,
        action: object,
        turn: str,
        told: Mapping[str, Any],
    ) -> Update:
        if action == "undo":
            undone = self._changes.undo(who, here, turn)
            if undone is None:  # asked or taken back in another window: shown as it is now
                return self._open(who, here, search, told.get("writing"))
            update = undone
        elif action == "restore":
            update = self._changes.restore(who, here)
        elif action == "vote":
            return self._changes.vote(who, here, turn, told.get("vote"), told.get("reason"))
        else:
            return Update()
        return update._replace(listing=self._listing(who, here, search))

    def load(self, search: str, request: gr.Request) -> Update:
        """The page as it is opened: the conversation that its address names."""
        who = visitor(request)
        conversation = self._site.archive.read(who, request.query_params.get("c", ""))
        if conversation is None:  # someone fast may have asked already: that stays
            return Update(listing=self._listing(who, "", search))
        return self._open(who, conversation.id, search)

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

    def _arranged(self, who: str, here: str, search: str, told: Mapping[str, Any]) -> Update:
        action, chosen = told.get("do"), str(told.get("id"))
        deleted = None
        try:
            if action == "rename":
                title = " ".join(str(told.get("title") or "").split())[:LONGEST_TITLE]
                if title:
                    self._site.archive.rename(who, chosen, title)
            elif action == "delete":
                self._site.archive.delete(who, chosen)
                deleted = chosen
            elif action == "undelete":
                self._site.archive.restore(who, chosen)
        except InputError:  # it is not there any more: the list that comes back shows it
            deleted = None
        update = self._open(who, "", search) if deleted == here else Update()
        now_here = "" if deleted == here else here
        return update._replace(listing=self._listing(who, now_here, search))

    def export(self, conversation: str, event: gr.EventData, request: gr.Request) -> dict[str, str]:
        """A file for the browser to keep, or why there is none."""
        told = sent(event)
        number = {"number": str(told.get("number"))}  # what is the same as before comes again too
        whole = self._site.archive.read(visitor(request), str(conversation or ""))
        if whole is None or not whole.turns:
            return {"problem": "There is nothing to export yet: ask a question first.", **number}
        turn = whole.turn(str(told.get("turn"))) if told.get("what") == "answer" else None
        try:
            file = export(turn or whole, str(told.get("format")))
        except InputError as error:
            return {"problem": str(error)[:1].upper() + str(error)[1:] + ".", **number}
        return {"name": file.name, "type": file.media_type, "text": file.text, **number}

    async def model(self, stored: object) -> Any:
        """The models to choose from, and the one that the browser kept."""
        assistant = self._site.assistant
        listed: list[str] = []
        if assistant.chat_model is not None:
            listed = await run_in_threadpool(assistant.chat_models)
        choices = drawer.model_choices(assistant.chat_model, listed)
        return gr.Dropdown(
            choices=choices,
            value=drawer.kept_model(stored, choices),
            visible=assistant.chat_model is not None,
        )

    def _open(self, who: str, id_: str, search: str, here: object = "") -> Update:
        """A conversation; `here` is the turn that the page itself shows as it is written."""
        run, turn = None, ""
        while True:
            conversation = self._site.archive.read(who, id_) if id_ else None
            before, known = run, turn
            run = self._running.run(who, conversation.id) if conversation else None
            turn = run.turn if run else ""
            if (run, turn) == (before, known):
                break  # nothing began or ended while it was read
        listing = self._listing(who, conversation.id if conversation else "", search)
        if run is None or not run.turn:
            return self._changes.whole(conversation)._replace(listing=listing, following="")
        if run.turn == here:
            whole = self._changes.whole(conversation, writing=run.turn, live=view.SKIP)
            return whole._replace(listing=listing)
        whole = self._changes.whole(conversation, writing=run.turn, live=run.shown.live)
        following = f"{run.turn} {next(self._followings)}"
        return whole._replace(listing=listing, following=following)

    def _listing(self, who: str, current: str, search: str) -> str:
        words, archive = str(search or "")[:200], self._site.archive
        return listing_html(archive.list(who, words), current, words, archive.last_deleted(who))


def _asked(question: str, conversation: str, chosen: tuple[Any, ...]) -> Asked:
    """A question with what was chosen in the filters and the drawer.

    Raises:
        InputError: something chosen cannot be used.
    """
    digests, since, until, title, *settings = chosen
    mode, options = drawer.read(*settings)
    return Asked(question, conversation, filters.read(digests, since, until, title), mode, options)
