"""The chat tab: its layout, and which handler hears what."""

import json
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.context import Context
from gradio.events import Dependency

from ui.web.chat import view
from ui.web.chat.drawer import DEFAULTS, STORAGE, SettingFields, build_drawer, restoring
from ui.web.chat.endpoint import EndpointFields, Endpoints, build_endpoint
from ui.web.chat.filters import FilterFields, build_filters, chosen_html, digest_choices, removed
from ui.web.chat.handlers import Handlers
from ui.web.chat.icons import icon
from ui.web.chat.tools import menu_html
from ui.web.chat.view import Update
from ui.web.chat.welcome import Welcome
from ui.web.events import ANSWERING, FOLLOWING, LIGHT, QUIET
from ui.web.site import Site

PLAIN: dict[str, Any] = {"js_on_load": None, "apply_default_css": False}

_TRANSCRIPT = (
    '<div class="aqa-chat-turns"></div><div class="aqa-chat-notice" role="status"></div>'
    '<p class="aqa-chat-announce" role="status"></p>'
)
_SOURCES = (
    '<div class="aqa-chat-panel-head"><h2>Sources</h2>'
    '<button type="button" class="aqa-chat-tool aqa-chat-back">Back to the answer</button></div>'
    '<p class="aqa-chat-none">Each sentence of an answer links to the paper it comes from. The '
    "papers appear here, with the sentences marked.</p>"
    '<div class="aqa-chat-sections"></div>'
)


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


def _html(name: str, script: str, template: str | None = None, value: Any = "") -> gr.HTML:
    """A part of the page that the script of the page looks after."""
    more: dict[str, Any] = {} if template is None else {"html_template": template}
    return gr.HTML(
        value,
        elem_id=f"aqa-chat-{name}",
        js_on_load=f"aqaChat.{script}(element, props, trigger, watch);",
        apply_default_css=False,
        **more,
    )


def build(site: Site) -> Handles:
    """Lay the tab out, inside the tab that is open, and wire it."""
    handlers = Handlers(site)
    conversation, asked, following = (
        gr.Textbox(elem_id=f"aqa-chat-{name}", visible="hidden", show_label=False, label=name)
        for name in ("conversation", "asked", "following")
    )
    kept = gr.BrowserState(dict(DEFAULTS), storage_key=STORAGE, secret=STORAGE)
    download = _html("download", "download", template="", value=None)
    with gr.Sidebar(open=False, elem_id="aqa-chat-sidebar", width=290):
        gr.HTML(_SIDEBAR_HEAD, **PLAIN)
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
        listing = _html("list", 'list/* "aqa_open" "aqa_list" */')
    with gr.Row(elem_id="aqa-chat-main"):
        with gr.Column(scale=3, min_width=320, elem_id="aqa-chat-column"):
            with gr.Column(elem_id="aqa-chat-scroll"):
                welcome = Welcome(site.assistant)
                examples = gr.HTML(welcome.html(), elem_id="aqa-chat-welcome", **PLAIN)
                transcript = _html(
                    "transcript",
                    'transcript/* "aqa_answer" "aqa_change" "aqa_export" "aqa_open" */',
                    template=_TRANSCRIPT,
                    value=None,
                )
                live = gr.HTML("", elem_id="aqa-chat-live", **PLAIN)
            settings, filters, endpoint = _panels(site)
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
            gr.HTML(_TOOLS, elem_id="aqa-chat-tools", **PLAIN)
        with gr.Column(scale=2, min_width=320, elem_id="aqa-chat-side"):
            sources = _html("sources", "sources", template=_SOURCES, value=None)

    outputs = [question, conversation, transcript, live, sources, listing, following]
    assert len(outputs) == len(Update._fields)  # noqa: S101 - a slip here would show as chaos
    chosen = [conversation, search, *filters.inputs, *settings.inputs]

    # A question asked meanwhile waits on the server, as it was when it was asked: "always_last"
    # would send what stands in the box, or was clicked, by then.
    waiting: dict[str, Any] = {"trigger_mode": "multiple", **ANSWERING}
    answering = [
        question.submit(handlers.ask, [question, *chosen], outputs, **waiting),
        asked.change(handlers.ask_from_outside, [asked, *chosen], outputs, **waiting),
        transcript.aqa_answer(handlers.ask_again, chosen, outputs, **waiting),
        following.change(handlers.follow, [following, conversation, search], outputs, **FOLLOWING),
    ]
    # Emptied, so that the same question can come again.
    answering[1].then(lambda: "", None, asked, **LIGHT)
    stop.click(handlers.stop, [conversation], None, **LIGHT)
    _wire_conversations(handlers, answering, outputs, new, search, listing, conversation)
    transcript.aqa_open(handlers.open, [search], outputs, **LIGHT)
    transcript.aqa_change(handlers.change, [conversation, search], outputs, **LIGHT)
    transcript.aqa_export(handlers.export, [conversation], download, **LIGHT)
    _wire_choices(filters, settings, kept)
    page = Context.root_block
    assert page is not None  # noqa: S101 - a tab is built inside a page
    page.load(handlers.load, [search], outputs, **LIGHT)
    restored = [settings.mode, settings.sources, settings.strictness]
    page.load(None, [kept], restored, js=restoring(), **QUIET)
    page.load(handlers.model, [kept], settings.model, **LIGHT)
    model_set = _wire_endpoint(Endpoints(site), endpoint, page) if endpoint else ()
    for event in model_set:
        event.then(handlers.model, [kept], settings.model, **LIGHT)
    return Handles(asked, (filters.digests, examples), site, welcome, model_set)


_TOOLS = (
    '<div class="aqa-chat-tools">'
    '<button type="button" class="aqa-chat-tool" data-sidebar aria-expanded="false" '
    'aria-controls="aqa-chat-sidebar">Chats</button>'
    '<button type="button" class="aqa-chat-tool aqa-chat-wide-only" data-new>New chat</button>'
    '<button type="button" class="aqa-chat-tool" data-panel="aqa-chat-filters" '
    'aria-expanded="false" aria-controls="aqa-chat-filters">Filters</button>'
    '<button type="button" class="aqa-chat-tool" data-panel="aqa-chat-drawer" '
    'aria-expanded="false" aria-controls="aqa-chat-drawer">Settings</button>'
    f"{menu_html('Export', 'conversation')}"
    '<button type="button" class="aqa-chat-tool aqa-chat-show-sources">Sources</button></div>'
)


_SIDEBAR_HEAD = (
    '<div class="aqa-chat-panel-head"><h2>Chats</h2>'
    '<button type="button" class="aqa-chat-tool" data-sidebar '
    'aria-label="Close the list of chats">'
    f"{icon('cross')}</button></div>"
)


def _panels(site: Site) -> tuple[SettingFields, FilterFields, EndpointFields | None]:
    """The drawer and the filters, which the buttons below the question open."""
    endpoint = None
    with gr.Column(elem_id="aqa-chat-drawer", elem_classes="aqa-chat-popup"):
        gr.HTML("<h2>Settings</h2>", **PLAIN)
        settings = build_drawer(site.assistant, may_set_model=site.may_set_model)
        if site.may_set_model:
            endpoint = build_endpoint(is_open=site.assistant.chat_model is None)
    with gr.Column(elem_id="aqa-chat-filters", elem_classes="aqa-chat-popup"):
        gr.HTML("<h2>Only some papers</h2>", **PLAIN)
        fields = build_filters(site.assistant)
    chips = _html("chosen", 'chosen/* "aqa_unfilter" */')
    return settings, FilterFields(*fields, chips), endpoint


def _wire_conversations(
    handlers: Handlers,
    answering: list[Any],
    outputs: list[Any],
    new: gr.Button,
    search: gr.Textbox,
    listing: gr.HTML,
    conversation: gr.Textbox,
) -> None:
    """The sidebar. An answer being written is not followed any more; it goes on in the server.

    A new chat is begun in the browser, at once: what is typed or asked next stays.
    """
    new.click(None, cancels=answering, **QUIET)
    shown = Update(*outputs)
    parts = [shown.transcript, shown.live, shown.sources]
    new.click(None, None, [shown.question, conversation, *parts], js=_emptying(), **QUIET).then(
        handlers.search, [conversation, search], listing, **LIGHT
    ).then(
        # What of that answer was under way to the page is taken out, unless another began.
        None,
        [conversation, *parts],
        parts,
        js=_emptying_again(),
        **QUIET,
    )
    listing.aqa_open(None, cancels=answering, **QUIET)
    listing.aqa_open(handlers.open, [search], outputs, **LIGHT)
    listing.aqa_list(handlers.arrange, [conversation, search], outputs, **LIGHT)
    search.change(
        handlers.search, [conversation, search], listing, trigger_mode="always_last", **LIGHT
    )


_NEW_PARTS = json.dumps([view.transcript(None, {}), "", view.sources((), {}, None)])


def _emptying() -> str:
    """The script that gives question, conversation and all parts as a new chat has them."""
    return f'() => ["", "", ...{_NEW_PARTS}]'


def _emptying_again() -> str:
    """The script that empties the parts where there still is no conversation."""
    return f"(conversation, ...parts) => conversation ? parts : {_NEW_PARTS}"


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


def _wire_choices(filters: FilterFields, settings: SettingFields, kept: gr.BrowserState) -> None:
    """The chips follow the filters, and the browser keeps the settings."""
    gr.on(
        [field.change for field in filters.inputs],
        chosen_html,
        filters.inputs,
        filters.chips,
        **LIGHT,
    )
    filters.chips.aqa_unfilter(removed, filters.inputs, filters.inputs, **LIGHT)
    gr.on(
        [field.change for field in settings.inputs],
        lambda mode, model, sources, strictness: {
            "mode": mode,
            "model": model,
            "sources": sources,
            "strictness": strictness,
        },
        settings.inputs,
        kept,
        **LIGHT,
    )
