"""The Chat tab: its layout, and which handler runs on which event."""

import json
from typing import Any

import gradio as gr

from ui.web.chat import chat_settings
from ui.web.chat.chat_handlers import Handlers
from ui.web.chat.turn_html import EXPORTS, HTML, Update, live
from ui.web.corpus.start_page import StartPage
from ui.web.site import ANSWERING, FOLLOWING, LATEST, LIGHT, QUIET, Site, html, scripted


def build(site: Site, page: gr.Blocks) -> "Layout":
    """Lay out the tab inside the open `gr.Tab`, and connect its handlers."""
    handlers, parts = Handlers(site), Layout(site)
    answering = _wire_answers(handlers, parts)
    _wire_conversations(handlers, parts, answering)
    _wire_choices(handlers, parts)
    parts.examples.aqa_start(parts.start.show, None, parts.examples, **LIGHT)
    page.load(handlers.load, [parts.search], parts.outputs, **LIGHT)
    page.load(handlers.filters, None, list(parts.filters), **LIGHT)
    # Run in the browser, at once: later choices of the reader stay.
    values = "(kept) => [kept.mode, kept.strictness]"
    page.load(None, [parts.kept], parts.settings, js=values, **QUIET)
    return parts


class Layout:
    """The components of the tab, laid out inside the open `gr.Tab`.

    Other tabs use `asked`: a question set there is asked in the conversation that is shown;
    `filters`; and `examples`, the start page, which has the event `aqa_ask` for a theme.
    """

    def __init__(self, site: Site) -> None:
        self.site, self.start = site, StartPage(site)
        # The ids of the conversation shown and the answer followed; a question from another tab.
        self.conversation, self.asked, self.following = (
            gr.Textbox(elem_id=f"aqa-chat-{name}", visible="hidden", show_label=False, label=name)
            for name in ("conversation", "asked", "following")
        )
        # The settings hold no secrets: with a random one a restart would lose them.
        key = "abstractqa-chat-settings"
        self.kept = gr.BrowserState(dict(chat_settings.DEFAULTS), storage_key=key, secret=key)
        self.download = scripted("aqa-chat-download", html_template="")
        with gr.Sidebar(open=False, elem_id="aqa-chat-sidebar", width=290):
            self._lay_out_sidebar()
        with gr.Row(elem_id="aqa-chat-main"):
            with gr.Column(scale=3, min_width=320, elem_id="aqa-chat-column"):
                self._lay_out_column()
            with gr.Column(scale=2, min_width=320, elem_id="aqa-chat-side"):
                self.sources = scripted("aqa-chat-sources", html_template=str(HTML.sources_frame()))

    @property
    def corpus(self) -> list[Any]:
        """The components that depend on the index."""
        return [self.filters.digests, self.examples]

    def refresh(self) -> tuple[Any, ...]:
        """Return new values of `corpus`, for an index that has changed."""
        digests = chat_settings.digest_choices(self.site.assistant)
        return gr.Dropdown(choices=digests), self.start.html()

    @property
    def outputs(self) -> list[Any]:
        """The components that an `Update` has values of."""
        return [getattr(self, name) for name in Update._fields]

    def _lay_out_sidebar(self) -> None:
        html(HTML.sidebar_head())
        self.new = gr.Button("New chat", elem_id="aqa-chat-new", size="sm")
        self.search = gr.Textbox(
            elem_id="aqa-chat-search",
            label="Search conversations",
            show_label=False,
            container=False,
            placeholder="Search conversations",
            max_length=200,
            max_lines=1,
        )
        self.listing = scripted("aqa-chat-list", "aqa_open", "aqa_change", value="")

    def _lay_out_column(self) -> None:
        with gr.Column(elem_id="aqa-chat-scroll"):
            welcome = self.start.html()
            self.examples = scripted("aqa-chat-welcome", "aqa_start", "aqa_ask", value=welcome)
            self.transcript = scripted(
                "aqa-chat-transcript",
                *("aqa_answer", "aqa_change", "aqa_export", "aqa_open"),
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
            self.question = gr.Textbox(
                elem_id="aqa-question",
                label="Your question",
                show_label=False,
                container=False,
                placeholder="Ask the abstracts …",
                submit_btn="Ask",
                lines=1,
                max_lines=6,
            )
            self.stop = gr.Button("Stop", elem_id="aqa-chat-stop", size="sm")
        html(HTML.toolbar(EXPORTS, self.site.settings.share_links), elem_id="aqa-chat-tools")


def _wire_answers(handlers: Handlers, parts: Layout) -> list[Any]:
    """Connect all ways to ask a question; return the events that show an answer."""
    chosen = [parts.conversation, parts.search, *parts.filters, *parts.settings]
    # A question asked meanwhile waits on the server as it was asked: "always_last" would send what
    # is in the box, or was clicked, later on.
    waiting: dict[str, Any] = {"outputs": parts.outputs, "trigger_mode": "multiple", **ANSWERING}
    asking = parts.asked.change(handlers.ask, [parts.asked, *chosen], **waiting)
    # Clear it, so that the same question can come again.
    asking.then(lambda: "", None, parts.asked, **LIGHT)
    parts.stop.click(handlers.stop, [parts.conversation], None, **LIGHT)
    here = [parts.conversation, parts.search]
    return [
        asking,
        parts.question.submit(handlers.ask, [parts.question, *chosen], **waiting),
        parts.transcript.aqa_answer(handlers.ask_again, chosen, **waiting),
        parts.following.change(
            handlers.follow, [parts.following, *here], parts.outputs, **FOLLOWING
        ),
    ]


def _wire_conversations(handlers: Handlers, parts: Layout, answering: list[Any]) -> None:
    """Connect the actions on turns and conversations.

    Opening another conversation stops following the answer being written; the server goes on. A
    new chat starts in the browser, at once: what is typed or asked next stays.
    """
    here = [parts.conversation, parts.search]
    parts.listing.aqa_open(None, cancels=answering, **QUIET)
    for part in (parts.transcript, parts.listing):
        part.aqa_open(handlers.open, [parts.search], parts.outputs, **LIGHT)
        part.aqa_change(handlers.change, here, parts.outputs, **LIGHT)
    parts.transcript.aqa_export(handlers.export, [parts.conversation], parts.download, **LIGHT)
    # No server time (`at`): whatever the server draws later replaces it.
    turns = handlers.turns
    empty = json.dumps([turns.transcript(None) | {"at": None}, live(""), turns.sources(None)])
    parts.new.click(None, cancels=answering, **QUIET)
    shown = [parts.transcript, parts.live, parts.sources]
    emptied = [parts.question, parts.conversation, *shown]
    parts.new.click(None, None, emptied, js=f'() => ["", "", ...{empty}]', **QUIET).then(
        handlers.search, here, parts.listing, **LIGHT
    )
    parts.search.change(handlers.search, here, parts.listing, **LATEST)


def _wire_choices(handlers: Handlers, parts: Layout) -> None:
    """Show the filters as chips when they change, and store the settings in the browser."""
    filters, settings = list[Any](parts.filters), list[Any](parts.settings)
    keep = chat_settings.kept_settings
    gr.on([each.change for each in filters], handlers.chips, filters, parts.chips, **LATEST)
    gr.on([each.change for each in settings], keep, settings, parts.kept, **LATEST)
    parts.chips.aqa_unfilter(chat_settings.removed, filters, filters, **LIGHT)
