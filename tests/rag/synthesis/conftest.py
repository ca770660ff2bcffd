"""Assistants over the bundled sample whose chat model is the scripted server."""

from collections.abc import Iterator
from pathlib import Path

import chat_server as server
import pytest
from chat_server import ChatServer
from writing import KEY, Opening, with_sentences

from index.embedding import SentenceEncoder
from rag import Assistant
from rag.confidence import Chances
from rag.pipeline import Recipe
from rag.settings import Settings


@pytest.fixture(scope="package")
def scripted() -> Iterator[ChatServer]:
    """One server for all tests here; each gives it the script it needs."""
    with server.running() as chat:
        yield chat


@pytest.fixture(scope="package")
def open_writing(
    sample_store: Path, encoder: SentenceEncoder, scripted: ChatServer
) -> Iterator[Opening]:
    """Open assistants with settings of one's own, where evidence is as likely as `chance`."""
    opened: list[Assistant] = []

    def open_(*, chance: float = 1.0, **settings: object) -> Assistant:
        judged = Chances(chance, chance, chance)
        recipe = Recipe(select=with_sentences, judge=lambda *_: judged)
        given = {
            "store": sample_store,
            "openai_api_key": KEY,
            "openai_base_url": scripted.base_url,
            "chat_model": "scripted",
            "chat_deadline_seconds": 20,
            "support_checker": "local",
            **settings,
        }
        chosen = Settings(**given)
        assistant = Assistant(given["store"], encoder, chosen, recipe)
        opened.append(assistant)
        return assistant

    yield open_
    for assistant in opened:
        assistant.close()


@pytest.fixture(scope="package")
def writing(open_writing: Opening) -> Assistant:
    """An assistant whose answers are written by the scripted model."""
    return open_writing()
