"""Settings of the chat: the filters, the mode and strictness, and the chat model's endpoint.

The browser keeps the mode and strictness. The key of a chat model goes from there to the server and
never back; an empty key means the one in use, but only for the address that it was entered for.
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, get_args
from urllib.parse import urlsplit

import gradio as gr
from pydantic import ValidationError

from index.errors import AbstractQAError, InputError
from rag import Assistant
from rag import settings as stored
from rag.chat import is_address, try_endpoint
from rag.schema import Filters, Mode, Options
from rag.settings import OPENAI, ChatEndpoint, Settings, load_settings
from ui.terminal import parse_filters
from ui.web.chat.turn_html import HTML
from ui.web.corpus.paper_catalogue import counts
from ui.web.markup import plural
from ui.web.site import LIGHT, QUIET, Site, html, sent

DEFAULTS: dict[str, Any] = {"mode": "auto", "strictness": "normal"}


def build_settings(site: Site) -> list[gr.Radio]:
    """Build the fields of `DEFAULTS`, in this order; if no model can be set here, explain how."""
    mode = gr.Radio(
        [("Automatic", "auto"), ("Quotes", "extractive"), ("Written", "generative")],
        value="auto",
        label="Answers",
        info="Quotes are sentences from the abstracts. Written answers come from a chat model, and"
        " each sentence is checked. Automatic writes if there is a model.",
        elem_id="aqa-chat-mode",
    )
    strictness = gr.Radio(
        [("Strict", "strict"), ("Normal", "normal"), ("Lenient", "lenient")],
        value="normal",
        label="Strictness",
        info="Strict leaves out what is not fully supported, and answers only from papers that fit"
        " well. Lenient shows more, and marks what is doubtful.",
        elem_id="aqa-chat-strictness",
    )
    if site.assistant.chat_model is None and not site.may_set_model:
        html(HTML.no_model(), elem_id="aqa-chat-no-model")
    return [mode, strictness]


def read_settings(mode: str, strictness: str) -> tuple[Mode, Options]:
    """Validate the chosen mode and strictness; raise `InputError` if they are unknown."""
    if mode not in get_args(Mode):
        raise InputError(f"unknown mode {mode!r}: choose one of {', '.join(get_args(Mode))}")
    try:
        return mode, Options.model_validate({"strictness": strictness})  # type: ignore[return-value]  # checked
    except ValidationError as error:
        raise InputError("the chat settings are not valid: choose them again") from error


class FilterFields(NamedTuple):
    """The components of the filters; `read_filters` takes their values in this order."""

    digests: gr.Dropdown
    since: gr.Textbox
    until: gr.Textbox
    title: gr.Textbox
    papers: gr.Textbox  # hidden: the ids of the only papers that may answer, one per line


def build_filters(assistant: Assistant) -> FilterFields:
    """Build the filter fields inside the open panel."""
    digests = gr.Dropdown(
        digest_choices(assistant),
        elem_id="aqa-chat-digests",
        label="Digests",
        info="Only papers from these; none chosen means all.",
        multiselect=True,
        value=[],
    )
    day: dict[str, Any] = {"placeholder": "2025-03-14", "max_length": 10, "min_width": 120}
    with gr.Row(elem_id="aqa-chat-dates"):
        since = gr.Textbox(elem_id="aqa-chat-from", label="From", max_lines=1, **day)
        until = gr.Textbox(elem_id="aqa-chat-until", label="Until", max_lines=1, **day)
    word: dict[str, Any] = {"placeholder": "benchmark", "max_length": 200}
    title = gr.Textbox(elem_id="aqa-chat-title", label="Text in the title", max_lines=1, **word)
    papers = gr.Textbox(elem_id="aqa-chat-papers", visible="hidden", label="papers")
    return FilterFields(digests, since, until, title, papers)


def digest_choices(assistant: Assistant) -> list[tuple[str, str]]:
    """Return the digests as choices of a dropdown: (label, key), oldest first."""
    found = counts(assistant.digests())
    return [(f"{each.label} · {plural(each.papers, 'paper')}", each.key) for each in found]


def read_filters(digests: Sequence[str] | None, *texts: str | None) -> Filters:
    """Parse the chosen filters; raise `InputError` for an invalid date or an empty range."""
    stripped = (str(text or "").strip() or None for text in texts)
    given: dict[str, Any] = dict(zip(FilterFields._fields, (digests, *stripped), strict=True))
    given["papers"] = dict.fromkeys((given["papers"] or "").splitlines())
    return parse_filters(given, "“From”", "“Until”")


def removed(event: gr.EventData, *chosen: Any) -> tuple[Any, ...]:
    """Return the filter fields without the chip whose button was pressed."""
    chip = sent(event)
    fields = FilterFields(*chosen)._asdict()
    kind, value = str(chip.get("kind")), chip.get("value")
    if kind == "digest":
        fields["digests"] = [digest for digest in fields["digests"] or () if digest != value]
    elif kind in fields:
        fields[kind] = ""
    return tuple(fields.values())


def build_endpoint(site: Site) -> None:
    """Build the fields of the chat model inside the open drawer, and connect their buttons."""
    is_open = site.assistant.chat_model is None
    with gr.Accordion("Chat model", open=is_open, elem_id="aqa-chat-endpoint"):
        open_list: dict[str, Any] = {"value": "", "allow_custom_value": True}
        ports = (11434, 1234, 8080, 8000)
        address = gr.Dropdown(
            [OPENAI, *(f"http://127.0.0.1:{port}/v1" for port in ports)],
            label="Address",
            info="OpenAI, or any compatible endpoint: Ollama uses port 11434, LM Studio 1234,"
            " llama.cpp 8080, vLLM 8000. Empty: as the server is configured.",
            elem_id="aqa-chat-endpoint-address",
            **open_list,
        )
        key = gr.Textbox(
            label="Key",
            info="A local server needs none. Empty: the key in use, unless the address changes.",
            type="password",
            elem_id="aqa-chat-endpoint-key",
        )
        model = gr.Dropdown(
            [],
            label="Model name",
            info="Leave it empty and press Test to list the endpoint's models.",
            elem_id="aqa-chat-endpoint-model",
            **open_list,
        )
        keep = gr.Checkbox(
            label="Save it, with its key, in a file that only you can read",
            elem_id="aqa-chat-endpoint-keep",
        )
        with gr.Row():
            test, use = (gr.Button(name, size="sm", min_width=90) for name in ("Test", "Use"))
        status = html(_status_html(""), elem_id="aqa-chat-endpoint-told")
    endpoints, fields = Endpoints(site), [address, key, model, keep, status]
    gr.on(None, endpoints.load, None, fields, **LIGHT)  # when the page is opened
    test.click(endpoints.test, fields[:3], fields, **QUIET)
    use.click(endpoints.use, fields[:4], fields, **QUIET)


def _status_html(text: str) -> str:
    return str(HTML.told(text[:1].upper() + text[1:]))


class Endpoints:
    """Handlers of the chat model, which return values of (address, key, model, keep, status)."""

    def __init__(self, site: Site) -> None:
        self._assistant = site.assistant
        self._site = site

    def load(self) -> tuple[Any, ...]:
        """Show the endpoint in use."""
        self._check()
        return self._in_use()

    def test(self, *entered: object) -> tuple[Any, ...]:
        """Ask the endpoint for one word, and for its models; show an error in the status."""
        try:
            wanted = self._wanted(*entered)
            tried = try_endpoint(self._settings.at(wanted))
        except AbstractQAError as error:
            return (*(gr.skip(),) * 4, _status_html(f"{error}."))
        name = tried.model or wanted.model
        named = gr.Dropdown(choices=list(tried.models), value=name, allow_custom_value=True)
        return wanted.address, gr.skip(), named, gr.skip(), _status_html(tried.told)

    def use(self, address: object, key: object, model: object, keep: object) -> tuple[Any, ...]:
        """Use the endpoint from the next question on.

        Without an address and a model, forget the stored endpoint and use the one of the
        environment and `.env`. An error is shown in the status, and changes nothing.
        """
        data = self._site.settings.data
        try:
            self._check()
            if address in ("", None) and model in ("", None):
                self._reset(data)
                return self._in_use()
            wanted = self._wanted(address, key, model)
            if not wanted.model:
                raise InputError("choose a model: Test lists the endpoint's models")
            self._assistant.use_chat_model(self._settings.at(wanted))
        except AbstractQAError as error:
            return (*(gr.skip(),) * 4, _status_html(f"{error}."))
        more = ""
        try:
            if keep:
                more = f" Saved in {stored.keep_endpoint(data, wanted)}."
                if wins := stored.endpoint_in_environment():
                    more += f" At the next start, {wins} in the environment overrides it."
            else:
                stored.forget_endpoint(data)
        except AbstractQAError as error:
            more = f" It could not be saved: {error}."
        return self._in_use(more)

    def _reset(self, data: Path) -> None:
        """Forget the endpoint entered here; keep it if the configured one cannot be used."""
        kept = None
        with suppress(InputError):  # an unreadable one is not worth restoring
            kept = stored.read_endpoint(data)
        stored.forget_endpoint(data)
        try:
            self._assistant.use_chat_model(load_settings())
        except AbstractQAError:
            if kept:
                stored.keep_endpoint(data, kept)
            raise

    def _in_use(self, more: str = "") -> tuple[Any, ...]:
        settings, name = self._settings, self._assistant.chat_model
        shown = settings.openai_base_url if is_address(settings.openai_base_url) else ""
        has_key = ", with a key" if settings.openai_api_key else ""
        status = "No chat model is in use: answers are quotes."
        if name:
            status = f"In use: {name} at {urlsplit(shown).netloc}{has_key}."
        where = gr.Dropdown(value=shown if name else "", allow_custom_value=True)
        is_kept = stored.is_kept(self._site.settings.data)
        return where, "", name or "", is_kept, _status_html(status + more)

    def _wanted(self, *entered: object) -> ChatEndpoint:
        """Validate the entered address, key and model; raise `InputError` if one cannot be used."""
        self._check()
        address, key, model = (str(each or "").strip() for each in entered)
        if any(len(each) > 1_000 or not each.isprintable() for each in (address, key, model)):
            raise InputError("address, key or model name too long or malformed: enter it again")
        used = self._settings
        if address != used.openai_base_url:
            address = _complete(address)
        if not is_address(address):
            raise InputError("the address must be like http://127.0.0.1:11434/v1, with no key")
        if not key and address == used.openai_base_url and used.openai_api_key:
            key = used.openai_api_key.get_secret_value()
        if address == OPENAI and not key:
            raise InputError("OpenAI needs a key: enter it")
        if not key.isascii() or " " in key:
            raise InputError("the key contains characters that a key cannot have: copy it again")
        return ChatEndpoint(address, key, model)

    @property
    def _settings(self) -> Settings:
        return self._assistant.settings or self._site.settings

    def _check(self) -> None:
        if not self._site.may_set_model:
            raise InputError("the chat model cannot be set on this page")


def _complete(address: str) -> str:
    """Complete an address with what people leave out: the scheme, and the usual path `/v1`."""
    address = address.rstrip("/")
    if address and "://" not in address:
        host = address.partition("/")[0].partition(":")[0]
        address = f"{'http' if host in ('localhost', '127.0.0.1') else 'https'}://{address}"
    return address if address.count("/") > 2 or not address else f"{address}/v1"
