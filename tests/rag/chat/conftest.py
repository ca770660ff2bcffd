"""A chat model at the scripted server."""

import socket
from collections.abc import Callable, Iterator

import pytest
from chat_calls import KEY
from chat_server import ChatServer

from rag.chat import ChatModel
from rag.settings import Settings

Configured = Callable[..., Settings]


@pytest.fixture
def configured(chat_server: ChatServer) -> Configured:
    """Settings that point at the scripted server; what a test gives wins."""

    def settings(**more: object) -> Settings:
        given = {
            "openai_api_key": KEY,
            "openai_base_url": chat_server.base_url,
            "chat_model": "m",
            "chat_deadline_seconds": 20,
        }
        return Settings(**{**given, **more})  # type: ignore[arg-type]

    return settings


@pytest.fixture
def model(configured: Configured) -> Iterator[ChatModel]:
    with ChatModel.open(configured()) as opened:
        yield opened


@pytest.fixture
def hurried(configured: Configured) -> Iterator[ChatModel]:
    """A model whose replies may take half a second."""
    with ChatModel.open(configured(chat_deadline_seconds=0.5)) as opened:
        yield opened


@pytest.fixture
def absent(configured: Configured) -> Iterator[ChatModel]:
    """A model at an address where nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with ChatModel.open(configured(openai_base_url=address)) as opened:
        yield opened
