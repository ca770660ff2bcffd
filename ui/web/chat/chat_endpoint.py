"""Which chat model the page asks: its address, key and name, entered, tried and used on the page.

The key goes from the browser to the server and never back. Without one the key in use is taken, but
only for the address it was given for.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import gradio as gr

from index.errors import AbstractQAError, InputError
from rag.chat import is_address, local_servers, try_endpoint
from rag.settings import (
    OPENAI,
    ChatEndpoint,
    Settings,
    endpoint_in_environment,
    forget_endpoint,
    is_kept,
    keep_endpoint,
    load_settings,
    read_endpoint,
)
from ui.web.chat.chat_settings import PLAIN
from ui.web.chat.chat_template import HTML
from ui.web.site import Site

LONGEST = 1_000
"""Characters of a key, an address, a model's name."""
_ABOUT = "OpenAI, or any endpoint of its protocol."


class EndpointFields(NamedTuple):
    """The components, in the drawer."""

    address: gr.Dropdown
    key: gr.Textbox
    model: gr.Dropdown
    keep: gr.Checkbox
    told: gr.HTML
    test: gr.Button
    use: gr.Button
    reset: gr.Button

    @property
    def values(self) -> list[Any]:
        """What the handlers show."""
        return list(self[:5])


def build_endpoint(*, is_open: bool) -> EndpointFields:
    """The fields, inside the drawer that is open."""
    with gr.Accordion("Chat model", open=is_open, elem_id="aqa-chat-endpoint"):
        address = gr.Dropdown(
            [OPENAI],
            value="",
            label="Address",
            info=_ABOUT,
            allow_custom_value=True,
            elem_id="aqa-chat-endpoint-address",
        )
        key = gr.Textbox(
            label="Key",
            info="A local server needs none. Empty: the key in use, if the address stays.",
            type="password",
            max_length=LONGEST,
            elem_id="aqa-chat-endpoint-key",
        )
        model = gr.Dropdown(
            [],
            value="",
            label="Name of the model",
            info="Test with no name lists those of the endpoint.",
            allow_custom_value=True,
            elem_id="aqa-chat-endpoint-model",
        )
        keep = gr.Checkbox(
            value=False,
            label="Keep it, with its key, in a file that only you can read",
            elem_id="aqa-chat-endpoint-keep",
        )
        with gr.Row():
            test, use, reset = (
                gr.Button(name, size="sm", scale=0, min_width=90)
                for name in ("Test", "Use", "Reset")
            )
        told = gr.HTML(_told(""), elem_id="aqa-chat-endpoint-told", **PLAIN)
    return EndpointFields(address, key, model, keep, told, test, use, reset)


def _told(text: str) -> str:
    """A line that is read out."""
    return str(HTML.told(text[:1].upper() + text[1:]))


Values = tuple[Any, ...]
"""New values of (address, key, model, keep, told)."""


def _telling(handler: Callable[..., Values]) -> Callable[..., Values]:
    """A handler whose mistakes are told in their place, and change nothing else."""

    @wraps(handler)
    def told(*given: Any) -> Values:
        try:
            return handler(*given)
        except AbstractQAError as error:
            return (*(gr.skip(),) * 4, _told(f"{error}."))

    return told


class Endpoints:
    """The handlers over one site."""

    def __init__(self, site: Site) -> None:
        self._assistant = site.assistant
        self._site = site

    def load(self) -> Values:
        """What is in use, and what runs on this machine."""
        self._check()
        servers = local_servers()
        there = "; ".join(f"{server.name} at {server.address}" for server in servers)
        choices = list(dict.fromkeys([OPENAI, *(server.address for server in servers)]))
        about = f"{_ABOUT} On this machine: {there}." if there else _ABOUT
        return self._in_use(choices=choices, info=about)

    @_telling
    def test(self, address: object, key: object, model: object) -> Values:
        """Ask it for one word."""
        wanted = self._wanted(address, key, model)
        tried = try_endpoint(self._settings.at(wanted))
        name = tried.model or wanted.model
        named = gr.Dropdown(choices=list(tried.models), value=name, allow_custom_value=True)
        return wanted.address, gr.skip(), named, gr.skip(), _told(tried.told)

    @_telling
    def use(self, address: object, key: object, model: object, keep: object) -> Values:
        """Ask it from the next question on."""
        wanted, data = self._wanted(address, key, model), self._site.settings.data
        if not wanted.model:
            raise InputError("choose a model: Test lists those of the endpoint")
        self._assistant.use_chat_model(self._settings.at(wanted))
        more = ""
        try:
            if keep:
                more = f" Kept in {keep_endpoint(data, wanted)}."
                if wins := endpoint_in_environment():
                    more += f" But at the next start {wins} of the environment wins."
            else:
                forget_endpoint(data)
        except AbstractQAError as error:
            more = f" It is not kept: {error}."
        return self._in_use(more)

    @_telling
    def reset(self) -> Values:
        """Forget what was entered here; ask what the environment and `.env` name.

        If those cannot be used, nothing is forgotten.
        """
        self._check()
        data, kept = self._site.settings.data, None
        with suppress(InputError):  # what cannot be read is of no use
            kept = read_endpoint(data)
        forget_endpoint(data)
        try:
            self._assistant.use_chat_model(load_settings())
        except AbstractQAError:
            if kept:
                keep_endpoint(data, kept)
            raise
        return self._in_use()

    def _in_use(self, more: str = "", **address: Any) -> Values:
        """The fields as they are in use."""
        settings, name = self._settings, self._assistant.chat_model
        shown = settings.openai_base_url if is_address(settings.openai_base_url) else ""
        has_key = ", with a key" if settings.openai_api_key else ""
        told = (
            f"In use: {name} at {urlsplit(shown).netloc}{has_key}."
            if name
            else "No chat model is in use: answers are quotes."
        )
        where = gr.Dropdown(value=shown, allow_custom_value=True, **address)
        return where, "", name or "", is_kept(self._site.settings.data), _told(told + more)

    def _wanted(self, *entered: object) -> ChatEndpoint:
        """The address, key and model that were entered.

        Raises:
            InputError: they cannot be used, or may not be set.
        """
        self._check()
        address, key, model = (str(each or "").strip() for each in entered)
        if any(len(each) > LONGEST or not each.isprintable() for each in (address, key, model)):
            raise InputError("this is no address, key or model's name: enter it again")
        used = self._settings
        if address != used.openai_base_url:
            address = _whole(address)
        if not is_address(address):
            raise InputError("the address must be like http://127.0.0.1:11434/v1, with no key")
        if not key and address == used.openai_base_url and used.openai_api_key:
            key = used.openai_api_key.get_secret_value()
        if address == OPENAI and not key:
            raise InputError("OpenAI needs a key")
        if not key.isascii() or " " in key:
            raise InputError("the key has characters that no key has: copy it again")
        return ChatEndpoint(address, key, model)

    @property
    def _settings(self) -> Settings:
        return self._assistant.settings or self._site.settings

    def _check(self) -> None:
        if not self._site.may_set_model:
            raise InputError("the chat model cannot be set on this page")


def _whole(address: str) -> str:
    """An address with what people leave out: the scheme, and the path that nearly all have."""
    address = address.rstrip("/")
    if address and "://" not in address:
        host = address.partition("/")[0].partition(":")[0]
        address = f"{'http' if host in ('localhost', '127.0.0.1') else 'https'}://{address}"
    return address if address.count("/") > 2 or not address else f"{address}/v1"
