"""Which chat model the page asks: its address, key and name, entered, tried and used on the page.

The key goes from the browser to the server and never back. Without one the key in use is taken, but
only for the address it was given for.
"""

import time
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import gradio as gr

from index.errors import AbstractQAError, InputError
from rag.chat import LocalServer, is_address, local_servers, try_endpoint
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
from ui.web.chat.source_cards import HTML
from ui.web.site import Site

LONGEST = 1_000
"""Characters of a key, an address, a model's name."""
_LOOKED_SECONDS = 5.0
"""What runs on this machine is known for so long."""
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


class Endpoints:
    """The handlers over one site. Each gives new values of (address, key, model, keep, told)."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._looking = Lock()
        self._looked = -_LOOKED_SECONDS
        self._servers: list[LocalServer] = []

    def load(self) -> tuple[Any, ...]:
        """What is in use, and what runs on this machine."""
        self._check()
        with self._looking:  # for all who load the page at once
            if time.monotonic() - self._looked > _LOOKED_SECONDS:
                self._servers, self._looked = local_servers(), time.monotonic()
            servers = self._servers
        there = "; ".join(f"{server.name} at {server.address}" for server in servers)
        choices = list(dict.fromkeys([OPENAI, *(server.address for server in servers)]))
        about = f"{_ABOUT} On this machine: {there}." if there else _ABOUT
        return self._in_use(choices=choices, info=about)

    def test(self, address: object, key: object, model: object) -> tuple[Any, ...]:
        """Ask it for one word."""
        try:
            wanted = self._wanted(address, key, model)
            tried = try_endpoint(wanted)
        except AbstractQAError as error:
            return _refused(error)
        named = gr.Dropdown(
            choices=list(tried.models),
            value=tried.model or wanted.chat_model or "",
            allow_custom_value=True,
        )
        return wanted.openai_base_url, gr.skip(), named, gr.skip(), _told(tried.told)

    def use(self, address: object, key: object, model: object, keep: object) -> tuple[Any, ...]:
        """Ask it from the next question on."""
        try:
            wanted = self._wanted(address, key, model)
            if not wanted.chat_model:
                raise InputError("choose a model: Test lists those of the endpoint")
            self._site.assistant.use_chat_model(wanted)
        except AbstractQAError as error:
            return _refused(error)
        more = ""
        try:
            if keep:
                more = f" Kept in {keep_endpoint(self._site.settings.data, _endpoint(wanted))}."
                if wins := endpoint_in_environment():
                    more += f" But at the next start {wins} of the environment wins."
            else:
                forget_endpoint(self._site.settings.data)
        except AbstractQAError as error:
            more = f" It is not kept: {error}."
        return self._in_use(more)

    def reset(self) -> tuple[Any, ...]:
        """Forget what was entered here; ask what the environment and `.env` name.

        If those cannot be used, nothing is forgotten.
        """
        data = self._site.settings.data
        try:
            self._check()
            kept = _kept(data)
            forget_endpoint(data)
            try:
                self._site.assistant.use_chat_model(load_settings())
            except AbstractQAError:
                if kept:
                    keep_endpoint(data, kept)
                raise
        except AbstractQAError as error:
            return _refused(error)
        return self._in_use()

    def _in_use(self, more: str = "", **address: Any) -> tuple[Any, ...]:
        """The fields as they are in use."""
        settings, name = self._settings(), self._site.assistant.chat_model
        shown = settings.openai_base_url if is_address(settings.openai_base_url) else ""
        has_key = ", with a key" if settings.openai_api_key else ""
        told = (
            f"In use: {name} at {urlsplit(shown).netloc}{has_key}."
            if name
            else "No chat model is in use: answers are quotes."
        )
        kept = is_kept(self._site.settings.data)
        where = gr.Dropdown(value=shown, allow_custom_value=True, **address)
        return where, "", name or "", kept, _told(told + more)

    def _wanted(self, address: object, key: object, model: object) -> Settings:
        """The settings with what was entered.

        Raises:
            InputError: it cannot be used, or may not be set.
        """
        self._check()
        given = [str(each or "").strip() for each in (address, key, model)]
        if any(len(each) > LONGEST or not each.isprintable() for each in given):
            raise InputError("this is no address, key or model's name: enter it again")
        used = self._settings()
        where = given[0] if given[0] == used.openai_base_url else _whole(given[0])
        secret, name = given[1], given[2]
        if not is_address(where):
            raise InputError("the address must be like http://127.0.0.1:11434/v1, with no key")
        if not secret and where == used.openai_base_url and used.openai_api_key:
            secret = used.openai_api_key.get_secret_value()
        if where == OPENAI and not secret:
            raise InputError("OpenAI needs a key")
        if not secret.isascii() or " " in secret:
            raise InputError("the key has characters that no key has: copy it again")
        return used.at(ChatEndpoint(where, secret, name))

    def _settings(self) -> Settings:
        return self._site.assistant.settings or self._site.settings

    def _check(self) -> None:
        if not self._site.may_set_model:
            raise InputError("the chat model cannot be set on this page")


def _refused(error: AbstractQAError) -> tuple[Any, ...]:
    return (*(gr.skip(),) * 4, _told(f"{error}."))


def _kept(data: Path) -> ChatEndpoint | None:
    """What is kept; None also for a file that cannot be read, which is of no use."""
    try:
        return read_endpoint(data)
    except InputError:
        return None


def _endpoint(settings: Settings) -> ChatEndpoint:
    key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else ""
    return ChatEndpoint(settings.openai_base_url, key, settings.chat_model or "")


def _whole(address: str) -> str:
    """An address with what people leave out: the scheme, and the path that nearly all have."""
    address = address.rstrip("/")
    if address and "://" not in address:
        host = address.partition("/")[0].partition(":")[0]
        address = f"{'http' if host in ('localhost', '127.0.0.1') else 'https'}://{address}"
    return address if address.count("/") > 2 or not address else f"{address}/v1"
