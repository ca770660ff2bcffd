"""Tables over papers about kites."""

from collections.abc import Iterator

import pytest
from chat_server import ChatServer
from tabling import PAPERS, MakeTable, indexed, made_of

from index.embedding import SentenceEncoder
from index.store import Index
from rag.settings import Settings
from rag.synthesis.writer import Writer, Writers


@pytest.fixture(scope="module")
def kites(tmp_path_factory: pytest.TempPathFactory, encoder: SentenceEncoder) -> Index:
    return indexed(PAPERS, tmp_path_factory.mktemp("kites") / "store", encoder)


@pytest.fixture
def table(kites: Index, encoder: SentenceEncoder) -> MakeTable:
    return lambda question="paper kites", columns=None, **options: made_of(
        kites, encoder, question, columns, **options
    )


@pytest.fixture
def writer(chat_server: ChatServer, encoder: SentenceEncoder) -> Iterator[Writer]:
    """One that asks the scripted server."""
    writers = Writers(Settings(openai_base_url=chat_server.base_url, chat_model="m"), encoder)
    opened = writers.writer("generative")
    assert opened
    yield opened
    writers.close()
