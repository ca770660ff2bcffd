"""Tables over papers about kites."""

import pytest
from chat_server import ChatServer
from tabling import PAPERS, MakeTable, completing, indexed, made_of

from index.embedding import SentenceEncoder
from index.store import Index
from rag.chat import Complete


@pytest.fixture(scope="module")
def kites(tmp_path_factory: pytest.TempPathFactory, encoder: SentenceEncoder) -> Index:
    return indexed(PAPERS, tmp_path_factory.mktemp("kites") / "store", encoder)


@pytest.fixture
def table(kites: Index, encoder: SentenceEncoder) -> MakeTable:
    return lambda question="paper kites", columns=None, **options: made_of(
        kites, encoder, question, columns, **options
    )


@pytest.fixture
def complete(chat_server: ChatServer) -> Complete:
    return completing(chat_server)
