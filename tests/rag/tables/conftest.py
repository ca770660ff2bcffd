"""Tables over papers about kites."""

import pytest
from chat_server import ChatServer
from tabling import PAPERS, MakeTable, completing, indexed

from index.embedding import SentenceEncoder
from index.store import Index
from rag.chat import Complete
from rag.tables.compare import make_table


@pytest.fixture(scope="module")
def kites(tmp_path_factory: pytest.TempPathFactory, encoder: SentenceEncoder) -> Index:
    return indexed(PAPERS, tmp_path_factory.mktemp("kites") / "store", encoder)


@pytest.fixture
def table(kites: Index, encoder: SentenceEncoder) -> MakeTable:
    return lambda question="paper kites", columns=None, **options: make_table(
        kites, encoder, question, columns, **options
    )


@pytest.fixture
def complete(chat_server: ChatServer) -> Complete:
    return completing(chat_server)
