"""The chat tab: its layout, and which handler hears what."""

import json
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.context import Context
from gradio.events import Dependency

from ui.web.chat.chat_endpoint import EndpointFields, Endpoints, build_endpoint
from ui.web.chat.chat_handlers import Handlers
from ui.web.chat.chat_settings import (
    DEFAULTS,
    PLAIN,
    STORAGE,
    FilterFields,
    SettingFields,
    build_filters,
    build_settings,
    chosen_html,
    digest_choices,
    kept_settings,
    removed,
    restoring,
)
from ui.web.chat.next_questions import Welcome
from ui.web.chat.turn_html import EXPORTS, HTML, Update, sources, transcript
from ui.web.events import ANSWERING, FOLLOWING, LIGHT, QUIET
from ui.web.markup import events_script
from ui.web.site import Site


@dataclass(frozen=True)
class Handles:
    """What other tabs may use of this one."""

    asked: gr.Textbox
    """Hidden: a question that is put here is asked, in the conversation that is shown."""
    corpus: tuple[Any, ...]
    """What shows the papers there are: outputs for `refresh`."""
    site: Site
    welcome: Welcome
    model_set: tuple[Dependency, ...]
    """After these another chat model may be in use: `each.then(…)`."""

    def refresh(self) -> tuple[Any, ...]:
        """New values of `corpus`, for an index that has changed."""
        return (
            gr.Dropdown(choices=digest_choices(self.site.assistant)),
            self.welcome.html(),
        )


@dataclass(frozen=True)
class _Parts:
    """The components of the tab."""

    question: gr.Textbox
    conversation: gr.Textbox
    """Hidden: the id of the conversation that is shown, and so on."""
    following: gr.Textbox
    asked: gr.Textbox
    transcript: gr.HTML
    live: gr.HTML
    sources: gr.HTML
    listing: gr.HTML
    download: gr.HTML
    examples: gr.HTML
    new: gr.Button
    search: gr.Textbox
    stop: gr.Button
    settings: SettingFields
    filters: FilterFields
    chips: gr.HTML
    endpoint: EndpointFields | None
    kept: gr.BrowserState

    @property
    def outputs(self) -> list[Any]:
        """What an `Update` has values of."""
        return [getattr(self, name) for name in Update._fields]


def build(site: Site) -> Handles:
    """Lay the tab out, inside the tab that is open, and wire it."""
    handlers, welcome = Handlers(site), Welcome(site.assistant)
    parts = _laid_out(site, welcome)
    page = Context.root_block
    if page is None:
        raise RuntimeError("a tab is built inside a page")
    answering = _wire_answers(handlers, parts)
    _wire_conversations(handlers, parts, answering)
    _wire_choices(parts)
    page.load(handlers.load, [parts.search], parts.outputs, **LIGHT)
    settings = parts.settings
    restored = [settings.mode, settings.sources, settings.strictness]
    page.load(None, [parts.kept], restored, js=restoring(), **QUIET)
    page.load(handlers.model, [parts.kept], settings.model, **LIGHT)
    model_set = _wire_endpoint(Endpoints(site), parts.endpoint, page) if parts.endpoint else ()
    for event in model_set:
        event.then(handlers.model, [parts.kept], settings.model, **LIGHT)
    corpus = (parts.filters.digests, parts.examples)
    return Handles(parts.asked, corpus, site, welcome, model_set)


def _html(name: str, *events: str, **more: Any) -> gr.HTML:
    """A part of the page that its script looks after."""
    script = events_script(*events)
    return gr.HTML(elem_id=f"aqa-chat-{name}", js_on_load=script, apply_default_css=False, **more)


def _laid_out(site: Site, welcome: Welcome) -> _Parts:
    conversation, asked, following = (
        gr.Textbox(elem_id=f"aqa-chat-{name}", visible="hidden", show_label=False, label=name)
        for name in ("conversation", "asked", "following")
    )
    kept = gr.BrowserState(dict(DEFAULTS), storage_key=STORAGE, secret=STORAGE)
    download = _html("download", html_template="")
    with gr.Sidebar(open=False, elem_id="aqa-chat-sidebar", width=290):
        gr.HTML(str(HTML.sidebar_head()), **PLAIN)
        new = gr.Button("New chat", elem_id="aqa-chat-new", size="sm")
        search = gr.Textbox(
            elem_id="aqa-chat-search",
            label="Search conversations",
            show_label=False,
            container=False,
            placeholder="Search conversations",
            max_length=200,
            max_lines=1,
        )
        listing = _html("list", "aqa_open", "aqa_list", value="")
    with gr.Row(elem_id="aqa-chat-main"):
        with gr.Column(scale=3, min_width=320, elem_id="aqa-chat-column"):
            with gr.Column(elem_id="aqa-chat-scroll"):
                examples = gr.HTML(welcome.html(), elem_id="aqa-chat-welcome", **PLAIN)
                turns = _html(
                    "transcript",
                    *("aqa_answer", "aqa_change", "aqa_export", "aqa_open"),
                    html_template=str(HTML.transcript_frame()),
                )
                live = gr.HTML("", elem_id="aqa-chat-live", **PLAIN)
            settings, endpoint, filters, chips = _panels(site)
            with gr.Row(elem_id="aqa-chat-ask"):
                question = gr.Textbox(
                    elem_id="aqa-question",
                    label="Your question",
                    show_label=False,
                    container=False,
                    placeholder="Ask the abstracts …",
                    submit_btn="Ask",
                    lines=1,
                    max_lines=6,
                )
                stop = gr.Button("Stop", elem_id="aqa-chat-stop", size="sm")
            gr.HTML(str(HTML.toolbar(EXPORTS)), elem_id="aqa-chat-tools", **PLAIN)
        with gr.Column(scale=2, min_width=320, elem_id="aqa-chat-side"):
            cards = _html("sources", html_template=str(HTML.sources_frame()))
    return _Parts(
        question=question, conversation=conversation, following=following, asked=asked,
        transcript=turns, live=live, sources=cards, listing=listing, download=download,
        examples=examples, new=new, search=search, stop=stop, settings=settings,
        filters=filters, chips=chips, endpoint=endpoint, kept=kept,
    )  # fmt: skip


def _panels(
    site: Site,
) -> tuple[SettingFields, EndpointFields | None, FilterFields, gr.HTML]:
    """The drawer and the filters, which the buttons below the question open."""
    endpoint = None
    with gr.Column(elem_id="aqa-chat-drawer", elem_classes="aqa-chat-popup"):
        gr.HTML("<h2>Settings</h2>", **PLAIN)
        settings = build_settings(site.assistant, may_set_model=site.may_set_model)
        if site.may_set_model:
            endpoint = build_endpoint(is_open=site.assistant.chat_model is None)
    with gr.Column(elem_id="aqa-chat-filters", elem_classes="aqa-chat-popup"):
        gr.HTML("<h2>Only some papers</h2>", **PLAIN)
        filters = build_filters(site.assistant)
    return settings, endpoint, filters, _html("chosen", "aqa_unfilter", value="")


def _wire_answers(handlers: Handlers, parts: _Parts) -> list[Any]:
    """What is asked, from wherever; gives the events that show an answer."""
    chosen = [parts.conversation, parts.search, *parts.filters, *parts.settings]
    # A question asked meanwhile waits on the server, as it was when it was asked: "always_last"
    # would send what stands in the box, or was clicked, by then.
    waiting: dict[str, Any] = {"outputs": parts.outputs, "trigger_mode": "multiple", **ANSWERING}
    asking = parts.asked.change(handlers.ask_from_outside, [parts.asked, *chosen], **waiting)
    # Emptied, so that the same question can come again.
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


def _wire_conversations(handlers: Handlers, parts: _Parts, answering: list[Any]) -> None:
    """What is done with turns and conversations.

    An answer being written is not followed any more in another one; it goes on in the server. A
    new chat is begun in the browser, at once: what is typed or asked next stays.
    """
    here, outputs = [parts.conversation, parts.search], parts.outputs
    parts.transcript.aqa_open(handlers.open, [parts.search], outputs, **LIGHT)
    parts.transcript.aqa_change(handlers.change, here, outputs, **LIGHT)
    parts.transcript.aqa_export(handlers.export, [parts.conversation], parts.download, **LIGHT)
    shown = [parts.transcript, parts.live, parts.sources]
    empty = json.dumps([transcript(None, {}), "", sources((), {}, None)])
    parts.new.click(None, cancels=answering, **QUIET)
    emptied = [parts.question, parts.conversation, *shown]
    parts.new.click(None, None, emptied, js=f'() => ["", "", ...{empty}]', **QUIET).then(
        handlers.search, here, parts.listing, **LIGHT
    ).then(
        # What of that answer was under way to the page is taken out, unless another began.
        None,
        [parts.conversation, *shown],
        shown,
        js=f"(conversation, ...parts) => conversation ? parts : {empty}",
        **QUIET,
    )
    parts.listing.aqa_open(None, cancels=answering, **QUIET)
    parts.listing.aqa_open(handlers.open, [parts.search], outputs, **LIGHT)
    parts.listing.aqa_list(handlers.arrange, here, outputs, **LIGHT)
    parts.search.change(handlers.search, here, parts.listing, trigger_mode="always_last", **LIGHT)


def _wire_choices(parts: _Parts) -> None:
    """The chips follow the filters, and the browser keeps the settings."""
    filters: list[Any] = list(parts.filters)
    for fields, handler, shown in (
        (filters, chosen_html, parts.chips),
        (list[Any](parts.settings), kept_settings, parts.kept),
    ):
        gr.on([field.change for field in fields], handler, fields, shown, **LIGHT)
    parts.chips.aqa_unfilter(removed, filters, filters, **LIGHT)


def _wire_endpoint(
    endpoints: Endpoints, fields: EndpointFields, page: gr.Blocks
) -> tuple[Dependency, ...]:
    """The fields of the chat model; gives the events that may have set another one."""
    entered = [fields.address, fields.key, fields.model]
    page.load(endpoints.load, None, fields.values, **LIGHT)
    fields.test.click(endpoints.test, entered, fields.values, **QUIET)
    return (
        fields.use.click(endpoints.use, [*entered, fields.keep], fields.values, **QUIET),
        fields.reset.click(endpoints.reset, None, fields.values, **QUIET),
    )
