"""A chat model at the scripted server."""

from collections.abc import Callable, Iterator

import pytest
from chat_server import ChatServer

from rag.chat import ChatModel
from rag.settings import Settings


@pytest.fixture
def configured(chat_server: ChatServer) -> Callable[..., Settings]:
    """Settings that point at the scripted server; what a test gives wins."""

    def settings(**more: object) -> Settings:
        given = {
            "openai_api_key": "sk-very-secret-0123456789",
            "openai_base_url": chat_server.base_url,
            "chat_model": "m",
            "chat_deadline_seconds": 20,
        }
        return Settings(**{**given, **more})  # type: ignore[arg-type] # options by name

    return settings


@pytest.fixture
def model(configured: Callable[..., Settings]) -> Iterator[ChatModel]:
    with ChatModel.open(configured()) as opened:
        yield opened
