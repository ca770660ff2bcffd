"""The Chat tab: its handlers, its layout, and which handler runs on which event.

A handler identifies the visitor, checks its input and returns new values. Input can be anything,
since the page's endpoints also answer raw HTTP. A conversation is always looked up by its visitor
and its id: a foreign or unknown one becomes a new one.
"""

import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, suppress
from time import time
from typing import Any, NamedTuple

import gradio as gr
from starlette.concurrency import run_in_threadpool

from eval.feedback import FILE, Feedback, append
from index.errors import AbstractQAError, InputError
from ui.archive import LONGEST_NAME, Conversation, Turn, history
from ui.export import export
from ui.web.chat import chat_settings
from ui.web.chat.answering import MOST_FOLLOWED, Answering
from ui.web.chat.turn_html import EXPORTS, HTML, SKIP, Update, live
from ui.web.corpus.start_page import StartPage
from ui.web.markup import plural
from ui.web.site import ANSWERING, LATEST, LIGHT, QUIET, Site, box, html, scripted, sent, told
from ui.web.visitors import visitor

NOT_HERE = "This conversation is not yours, or it was deleted: ask a question to start a new one."

Detail = Mapping[str, Any]  # the data of a browser's event; `do` names the action


class Place(NamedTuple):
    """The visitor, and the conversation that is shown."""

    who: str
    here: str


def _place(request: gr.Request, conversation: object) -> Place:
    return Place(visitor(request), str(conversation or ""))


class Handlers:
    """The handlers of one site."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._archive = site.archive
        self._answering = Answering(site)
        self.turns = self._answering.turns
        self._undone: dict[Place, Turn] = {}

    async def ask(
        self,
        request: gr.Request,
        event: gr.EventData,
        question: str,
        conversation: str,
        *chosen: Any,
    ) -> AsyncGenerator[Update, None]:
        """Answer a question of a box, a suggested one, or that of a turn again."""
        at = _place(request, conversation)
        detail = {"do": "ask", "question": question, **sent(event)}
        try:
            asked = await run_in_threadpool(self._asked, at, detail, chosen)
            self._undone.pop(at, None)  # no restoring after a new turn
            async with aclosing(self._answering.respond(at.who, asked, at.here)) as updates:
                async for update in updates:
                    yield update
            yield Update()  # Gradio repeats the last update, however late
        except AbstractQAError as error:  # also if the conversation was deleted
            gr.Warning(str(error))

    def _asked(self, at: Place, detail: Detail, chosen: tuple[Any, ...]) -> Turn:
        limits = len(chat_settings.FilterFields._fields)
        filters = chat_settings.read_filters(*chosen[:limits])
        mode, options = chat_settings.read_settings(*chosen[limits:])
        question = str(detail.get("question") or "")
        if detail["do"] != "ask":
            turn = self._turn(at, detail)[1]
            if turn is None:
                raise InputError("this question no longer exists: reload the page")
            # The mode and the options are those chosen now.
            question, filters = turn.question, turn.filters
        return Turn(question=question, filters=filters, mode=mode, options=options)

    async def follow(
        self, following: str, conversation: str, request: gr.Request
    ) -> AsyncGenerator[Update, None]:
        """Follow an answer that was already being written when the page was loaded."""
        at = _place(request, conversation)
        run = self._answering.run(*at)
        if not following or not at.here:
            return
        if run is None or run.is_finished:
            whole = await run_in_threadpool(self._open, *at)
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
        if run := self._answering.run(visitor(request), str(conversation or "")):
            run.stop.set()

    async def change(self, conversation: str, event: gr.EventData, request: gr.Request) -> Update:
        """Change a turn, or a conversation of the list, by the action `do`."""
        at, detail = _place(request, conversation), sent(event)
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
        run = self._answering.run(at.who, str(detail.get("id")) if do == "delete" else at.here)
        is_undone = run and do == "undo" and detail.get("turn") == run.writing
        if run and run.writing and (do == "delete" or is_undone):
            await self._answering.drop(run)  # what is restored has its text so far
        return await run_in_threadpool(does[do], at, detail)

    def _turn(self, at: Place, detail: Detail) -> tuple[Conversation | None, Turn | None]:
        """Return the conversation that is shown, and its turn that the browser names."""
        conversation = self._archive.read(*at)
        return conversation, conversation.turn(str(detail.get("turn"))) if conversation else None

    def _undo(self, at: Place, detail: Detail) -> Update:
        """Undo the last turn, which must be the named one; put its question back into the box."""
        conversation, turn = self._turn(at, detail)
        if conversation is None or turn is None or turn != conversation.turns[-1]:
            # Changed in another window: show the current state.
            return self._open(*at, detail.get("writing"))
        self._archive.cut(*at, turn.id)
        self._undone.pop(at, None)
        self._undone[at] = turn
        for oldest in list(self._undone)[:-500]:
            self._undone.pop(oldest, None)
        notice = str(HTML.notice("Undone.", "restore", "Restore"))
        return self._whole(self._archive.read(*at), notice=notice, refill=turn.question)

    def _restore(self, at: Place, _: Detail) -> Update:
        """Restore, once, the turn that was undone last."""
        turn = self._undone.pop(at, None)
        with suppress(InputError):  # the conversation was deleted meanwhile
            if turn:
                self._archive.put(*at, turn)
        extras = {"announced": "Restored.", "withdraw": turn.question if turn else ""}
        return self._whole(self._archive.read(*at), **extras)

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
        given = {"vote": fields["vote"], "reason": why, "history": history(before)}
        given |= turn.model_dump(include={"id", "asked", "filters", "mode", "options"})
        append(self._site.settings.data / FILE, Feedback.on(turn.answer, **given))
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
            secret = self._archive.share(*at, last, is_alone=turn is not None)
            notice = HTML.shared("this answer" if turn else "the conversation up to here", secret)
        return Update(transcript=self.turns.transcript(conversation, "", notice=str(notice)))

    def _unshare(self, at: Place, _: Detail) -> Update:
        count = self._archive.unshare(*at)
        text = f"{plural(count, 'link')} withdrawn." if count else "There were no links."
        notice = str(HTML.notice(text))
        return Update(transcript=self.turns.transcript(self._archive.read(*at), "", notice=notice))

    def _arrange(self, at: Place, detail: Detail) -> Update:
        do, chosen = detail["do"], str(detail.get("id"))
        with suppress(InputError):  # it is gone: the list shows that
            if do == "delete":
                self._archive.delete(at.who, chosen)
                if chosen == at.here:
                    return self._open(at.who, "")
            elif do == "undelete":
                self._archive.restore(at.who)
            else:
                self._archive.rename(at.who, chosen, str(detail.get("title") or "")[:LONGEST_NAME])
        return Update()

    def export(self, conversation: str, event: gr.EventData, request: gr.Request) -> dict[str, str]:
        """Return a file for the browser to save, or the problem."""
        detail = sent(event)
        again = {"at": str(time())}  # an equal file is sent again
        whole, turn = self._turn(_place(request, conversation), detail)
        if whole is None or not whole.turns:
            return {"problem": "There is nothing to export yet: ask a question first.", **again}
        try:
            file = export(turn or whole, str(detail.get("format")))
        except InputError as error:
            return {"problem": f"{told(error)}.", **again}
        return {"name": file.name, "type": file.media_type, "text": file.text, **again}

    def load(self, request: gr.Request) -> Update:
        """Return the first update of a page: the conversation that its address names."""
        named = request.query_params.get("c", "")
        # Without one keep a question that was asked already.
        return self._open(visitor(request), named) if named else Update()

    def open(self, event: gr.EventData, request: gr.Request) -> Update:
        """Open a conversation chosen from the list."""
        detail = sent(event)
        return self._open(visitor(request), str(detail.get("id")), detail.get("writing"))

    def list(self, conversation: str, search: str, request: gr.Request) -> str:
        """Return the list of the conversations that contain the words of the search."""
        who, words = visitor(request), str(search or "")
        found, deleted = self._archive.list(who, words), self._archive.last_deleted(who)
        return str(HTML.conversations(found, str(conversation or ""), words.strip(), deleted))

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
            return str(HTML.problem(str(error)))

    def _open(self, who: str, id_: str, writing: object = "") -> Update:
        """Open a conversation; `writing` is the turn that the page already shows being written."""
        run = self._answering.run(who, id_)
        turn = run.writing if run else ""
        conversation = self._archive.read(who, id_)
        if self._answering.run(who, id_) is not run or (run and run.writing != turn):
            return self._open(who, id_, writing)  # an answer began or ended meanwhile
        notice = "" if conversation or not id_ else str(HTML.notice(NOT_HERE))
        whole = self._whole(conversation, turn, notice=notice)
        if conversation is None or run is None or not turn:
            return whole._replace(following="")
        if turn == writing:
            return whole
        shown = run.shown.live() if callable(run.shown.live) else run.shown.live
        return whole._replace(live=shown, following=f"{turn} {time()}")

    def _whole(self, conversation: Conversation | None, writing: str = "", **extras: str) -> Update:
        """Return the update of a whole conversation, without the turn being written."""
        id_ = conversation.id if conversation else ""
        return Update(
            conversation=id_,
            transcript=self.turns.transcript(conversation, writing=writing, **extras),
            live=SKIP if writing else live(id_),
            sources=self.turns.sources(conversation),
        )


def build(site: Site, page: gr.Blocks) -> "Layout":
    """Lay out the tab inside the open `gr.Tab`, and connect its handlers."""
    handlers, parts = Handlers(site), Layout(site)
    answering = _wire_answers(handlers, parts)
    _wire_conversations(handlers, parts, answering)
    parts.examples.aqa_start(parts.start.show, None, parts.examples, **LIGHT)
    page.load(handlers.load, None, parts.outputs, **LIGHT)
    page.load(handlers.list, [parts.conversation, parts.search], parts.listing, **LIGHT)
    page.load(handlers.filters, None, list[Any](parts.filters), **LIGHT)
    filters, settings = list[Any](parts.filters), list[Any](parts.settings)
    gr.on([each.change for each in filters], handlers.chips, filters, parts.chips, **LATEST)
    parts.chips.aqa_unfilter(chat_settings.removed, filters, filters, **LIGHT)
    keep = "(mode, strictness) => ({ mode, strictness })"
    gr.on([each.change for each in settings], None, settings, parts.kept, js=keep, **LATEST)
    # Run in the browser, at once: later choices of the reader stay.
    values = "(kept) => [kept.mode, kept.strictness]"
    page.load(None, [parts.kept], settings, js=values, **QUIET)
    return parts


class Layout:
    """The components of the tab; a question that another tab puts into `asked` is asked here."""

    def __init__(self, site: Site) -> None:
        self.site, self.start = site, StartPage(site)
        # The ids of the conversation shown and the answer followed; a question from another tab.
        self.conversation, self.asked, self.following = (
            gr.Textbox(elem_id=f"aqa-chat-{name}", visible="hidden", show_label=False, label=name)
            for name in ("conversation", "asked", "following")
        )
        # The settings hold no secrets: with a random one a restart would lose them.
        key = "abstractqa-chat-settings"
        self.kept = gr.BrowserState(chat_settings.DEFAULTS, storage_key=key, secret=key)
        self.download = scripted("aqa-chat-download", html_template="")
        with gr.Sidebar(open=False, elem_id="aqa-chat-sidebar", width=290):
            html(HTML.sidebar_head())
            self.new = gr.Button("New chat", elem_id="aqa-chat-new", size="sm")
            name = "Search conversations"
            self.search = box("aqa-chat-search", name, name, max_length=200, max_lines=1)
            self.listing = scripted("aqa-chat-list", "aqa_open", "aqa_change", value="")
        with gr.Row(elem_id="aqa-chat-main"):
            with gr.Column(scale=3, min_width=320, elem_id="aqa-chat-column"):
                self._lay_out_column()
            with gr.Column(scale=2, min_width=320, elem_id="aqa-chat-side"):
                self.sources = scripted("aqa-chat-sources", html_template=str(HTML.sources_frame()))

        self.corpus: list[Any] = [self.filters.digests, self.examples]  # they depend on the index
        self.outputs = [getattr(self, name) for name in Update._fields]

    def refresh(self) -> tuple[Any, ...]:
        """Return new values of `corpus`, for an index that has changed."""
        digests = chat_settings.digest_choices(self.site.assistant)
        return gr.Dropdown(choices=digests), self.start.html()

    def _lay_out_column(self) -> None:
        with gr.Column(elem_id="aqa-chat-scroll"):
            welcome = self.start.html()
            self.examples = scripted("aqa-chat-welcome", "aqa_start", "aqa_ask", value=welcome)
            self.transcript = scripted(
                "aqa-chat-transcript",
                *("aqa_answer", "aqa_change", "aqa_export", "aqa_list", "aqa_open"),
                html_template=str(HTML.transcript_frame()),
            )
            self.live = scripted("aqa-chat-live", html_template='<div class="aqa-chat-now"></div>')
        # The buttons below the question open the settings and the filters.
        with gr.Column(elem_id="aqa-chat-drawer", elem_classes="aqa-chat-popup"):
            html("<h2>Settings</h2>")
            self.settings = chat_settings.build_settings(self.site)
            if self.site.may_set_model:
                chat_settings.build_endpoint(self.site)
        with gr.Column(elem_id="aqa-chat-filters", elem_classes="aqa-chat-popup"):
            html("<h2>Only some papers</h2>")
            self.filters = chat_settings.build_filters(self.site.assistant)
        self.chips = scripted("aqa-chat-chosen", "aqa_unfilter", value="")
        with gr.Row(elem_id="aqa-chat-ask"):
            words = ("Your question", "Ask the abstracts …")
            self.question = box("aqa-question", *words, submit_btn="Ask", max_lines=6)
            self.stop = gr.Button("Stop", elem_id="aqa-chat-stop", size="sm")
        html(HTML.toolbar(EXPORTS, self.site.settings.share_links), elem_id="aqa-chat-tools")


def _wire_answers(handlers: Handlers, parts: Layout) -> list[Any]:
    """Connect all ways to ask a question; return the events that show an answer."""
    chosen = [parts.conversation, *parts.filters, *parts.settings]
    # A question asked meanwhile waits on the server as it was asked: "always_last" would send what
    # is in the box, or was clicked, later on.
    many: dict[str, Any] = {"concurrency_id": "following", "concurrency_limit": MOST_FOLLOWED}
    waiting: dict[str, Any] = {"outputs": parts.outputs, "trigger_mode": "multiple", **ANSWERING}
    boxed = [parts.question, *chosen]
    asking = parts.asked.change(handlers.ask, [parts.asked, *chosen], **waiting)
    # Clear it, so that the same question can come again.
    asking.then(lambda: "", None, parts.asked, **LIGHT)
    parts.stop.click(handlers.stop, [parts.conversation], None, **LIGHT)
    return [
        asking,
        parts.question.submit(handlers.ask, boxed, **waiting),
        parts.transcript.aqa_answer(handlers.ask, boxed, **waiting),
        parts.following.change(
            handlers.follow, [parts.following, parts.conversation], **{**waiting, **QUIET, **many}
        ),
    ]


def _wire_conversations(handlers: Handlers, parts: Layout, answering: list[Any]) -> None:
    """Connect the actions on turns and conversations."""
    # Opening another conversation stops following the answer being written; the server goes on. A
    # new chat starts in the browser, at once: what is typed or asked next stays.
    here = [parts.conversation, parts.search]
    parts.listing.aqa_open(None, cancels=answering, **QUIET)
    for part in (parts.transcript, parts.listing):
        part.aqa_open(handlers.open, None, parts.outputs, **LIGHT)
        changed = part.aqa_change(handlers.change, parts.conversation, parts.outputs, **LIGHT)
    # `changed` is of the list; the script tells when the turns have changed.
    changed.then(handlers.list, here, parts.listing, **LIGHT)
    parts.transcript.aqa_list(handlers.list, here, parts.listing, **LATEST)
    parts.transcript.aqa_export(handlers.export, [parts.conversation], parts.download, **LIGHT)
    # No server time (`at`): whatever the server draws later replaces it.
    turns = handlers.turns
    empty = json.dumps([turns.transcript(None) | {"at": None}, live(""), turns.sources(None)])
    parts.new.click(None, cancels=answering, **QUIET)
    shown = [parts.transcript, parts.live, parts.sources]
    emptied = [parts.question, parts.conversation, *shown]
    parts.new.click(None, None, emptied, js=f'() => ["", "", ...{empty}]', **QUIET).then(
        handlers.list, here, parts.listing, **LIGHT
    )
    parts.search.change(handlers.list, here, parts.listing, **LATEST)
