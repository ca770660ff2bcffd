"""Trying an endpoint before it is used: one small call, its models, the servers that run here."""

import socket
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from index.errors import AbstractQAError
from rag.chat.model import ChatModel
from rag.chat.reply import ChatError, Limits
from rag.settings import Settings

LOCAL_SERVERS = {"Ollama": 11434, "LM Studio": 1234, "llama.cpp": 8080, "vLLM": 8000}
"""Servers of chat models, and the ports that they listen on unless told otherwise."""


@dataclass(frozen=True)
class Tried:
    """What trying an endpoint came to."""

    works: bool
    told: str
    """One line, without the key."""
    models: tuple[str, ...] = ()
    """Those it lists, sorted."""
    model: str = ""
    """The one that was asked."""


@dataclass(frozen=True)
class LocalServer:
    """A server of chat models on this machine that has answered."""

    name: str
    address: str
    models: tuple[str, ...]


def try_endpoint(settings: Settings) -> Tried:
    """Ask the chat model that the settings name for one word.

    Without a name the endpoint is only asked for its models; if it has one alone, that is tried.

    Raises:
        InputError: the address or the key cannot be used.
    """
    with _opened(settings) as endpoint:
        models = tuple(endpoint.list_models(seconds=3))
        name = settings.chat_model or (models[0] if len(models) == 1 else None)
        if not name:
            why = "choose one of its models" if models else "no model is named, and it lists none"
            return Tried(False, f"{settings.openai_base_url}: {why}.", models)
        try:
            reply = endpoint.named(name).complete(
                [{"role": "user", "content": "Reply with one word: ready."}],
                max_tokens=500,  # thoughts come before the word
                limits=Limits(30),
            )
        except ChatError as error:
            return Tried(False, f"Does not work: {error}.", models, name)
    who = reply.model or name
    return Tried(True, f"Works: {who} answered in {reply.seconds:.1f} s.", models, name)


def _opened(settings: Settings) -> ChatModel:
    """The endpoint of the settings, with any name if they name no model."""
    return ChatModel.open(settings.model_copy(update={"chat_model": settings.chat_model or "any"}))


def local_servers(ports: Mapping[str, int] = LOCAL_SERVERS) -> list[LocalServer]:
    """The servers of chat models that answer on this machine, in the order of `ports`."""
    with ThreadPoolExecutor(len(ports)) as pool:
        found = pool.map(_local_server, ports.keys(), ports.values())
        return [server for server in found if server]


def _local_server(name: str, port: int) -> LocalServer | None:
    try:
        # The client takes most of a second to import: not where nothing listens.
        socket.create_connection(("127.0.0.1", port), timeout=0.3).close()
        address = f"http://127.0.0.1:{port}/v1"
        with _opened(Settings(openai_base_url=address, openai_api_key=None)) as endpoint:
            models = tuple(endpoint.list_models(seconds=3))
    except (OSError, AbstractQAError):
        return None
    return LocalServer(name, address, models) if models else None
