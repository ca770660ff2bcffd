"""Assistants over papers about kites."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from chat_server import ChatServer
from made_up import shelf

from index.build import build_papers
from index.embedding import SentenceEncoder
from rag import Assistant
from rag.settings import Settings


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, encoder: SentenceEncoder) -> Path:
    store = tmp_path_factory.mktemp("kites") / "store"
    build_papers(shelf(Path(__file__).parent / "kites.txt"), store, encoder)
    return store


@pytest.fixture(scope="module")
def kites(store: Path, encoder: SentenceEncoder) -> Assistant:
    """One without a chat model."""
    return Assistant(store, encoder, Settings(store=store))


@pytest.fixture
def writing(store: Path, encoder: SentenceEncoder, chat_server: ChatServer) -> Iterator[Assistant]:
    """One that asks the scripted server."""
    settings = Settings(store=store, openai_base_url=chat_server.base_url, chat_model="m")
    assistant = Assistant(store, encoder, settings)
    yield assistant
    assistant.close()
