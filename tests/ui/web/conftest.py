"""The page as a user starts it, with a scripted chat model."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from chat_server import ChatServer, running
from running import started


@dataclass(frozen=True)
class Started:
    address: str
    store: Path
    data: Path
    model: ChatServer
    """Its chat model says what a test has scripted."""


@contextmanager
def page_over(store: Path, data: Path) -> Iterator[Started]:
    """`abstractqa ui` over a store, in a process of its own."""
    with running() as model:
        model.models = ["scripted", "other"]
        settings = {"OPENAI_BASE_URL": model.base_url, "ABSTRACTQA_CHAT_MODEL": "scripted"}
        with started(store, data, **settings) as address:
            yield Started(address, store, data, model)


@pytest.fixture(scope="session")
def real(digests_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """A page over the real digests, for what depends on their words."""
    with page_over(digests_store, tmp_path_factory.mktemp("real") / "data") as page:
        yield page


@pytest.fixture(scope="session")
def sampled(sample_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """A page over the bundled sample, whose index is built in seconds."""
    with page_over(sample_store, tmp_path_factory.mktemp("sampled") / "data") as page:
        yield page
