"""A real index of the bundled sample, built once for the tests of the ways in."""

from pathlib import Path

import pytest

from index import sample
from index.build import build
from index.embedding import SentenceEncoder
from rag import Assistant
from rag.settings import Settings


@pytest.fixture(scope="session")
def sample_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("sample") / "store"
    files = sorted(Path(sample.__file__).parent.glob("*.txt"))
    build(files, store, SentenceEncoder.open("all-MiniLM-L6-v2"))
    return store


@pytest.fixture(scope="session")
def sample_assistant(sample_store: Path) -> Assistant:
    return Assistant.open(store=sample_store, settings=Settings(store=sample_store))
