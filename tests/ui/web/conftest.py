"""The page over the real digests, started as a user starts it, with a scripted chat model."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from chat_server import ChatServer, running
from starting import started

if TYPE_CHECKING:
    from index.embedding import SentenceEncoder


@dataclass(frozen=True)
class Started:
    """A running page."""

    address: str
    store: Path
    data: Path
    model: ChatServer
    """Its chat model says what a test has scripted."""


@pytest.fixture(scope="session")
def digests_store(
    shared: Path, tmp_path_factory: pytest.TempPathFactory, encoder: "SentenceEncoder"
) -> Path:
    """A real index of the real digests; no test writes into it."""
    from index.build import build

    store = tmp_path_factory.mktemp("digests") / "store"
    build([shared / "digests"], store, encoder, year=2025)
    return store


@pytest.fixture(scope="session")
def real(digests_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """`abstractqa ui` over the real digests, in a process of its own."""
    data = tmp_path_factory.mktemp("real") / "data"
    with running() as model:
        model.models = ["scripted", "other"]
        settings = {"OPENAI_BASE_URL": model.base_url, "ABSTRACTQA_CHAT_MODEL": "scripted"}
        with started(digests_store, data, **settings) as address:
            yield Started(address, digests_store, data, model)
