"""What the tests of answering share: a library of made-up papers, indexed for real."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from made_up import LIBRARY, Open

from index.build import build_papers
from index.embedding import SentenceEncoder
from index.papers import Paper
from index.store import Index
from rag.assistant import Assistant
from rag.confidence import Chances
from rag.pipeline import Recipe


@pytest.fixture(scope="session")
def open_papers(tmp_path_factory: pytest.TempPathFactory, encoder: SentenceEncoder) -> Open:
    """Index made-up papers, and open an assistant over them."""

    def open_(papers: Sequence[Paper]) -> Assistant:
        store: Path = tmp_path_factory.mktemp("made-up") / "store"
        build_papers(papers, store, encoder)
        return Assistant(store, encoder)

    return open_


@pytest.fixture(scope="session")
def library_store(once: Callable[..., Path], encoder: SentenceEncoder) -> Path:
    """The library's index."""
    return once("library", lambda store: build_papers(LIBRARY, store, encoder))


@pytest.fixture(scope="session")
def index(library_store: Path) -> Index:
    """The library's index itself."""
    return Index.open(library_store)


@pytest.fixture(scope="session")
def library(library_store: Path, encoder: SentenceEncoder) -> Assistant:
    """An assistant over the library."""
    return Assistant(library_store, encoder)


@pytest.fixture(scope="session")
def judging(library_store: Path, encoder: SentenceEncoder) -> Callable[..., Assistant]:
    """Open the library with a judge that gives every answer the same chances.

    What follows from a probability is then tested whatever the fitted models say.
    """

    def open_(topic: float, paper: float, stating: float) -> Assistant:
        recipe = Recipe(judge=lambda *_: Chances(topic, paper, stating))
        return Assistant(library_store, encoder, recipe=recipe)

    return open_


@pytest.fixture(scope="session")
def doubting(judging: Callable[..., Assistant]) -> Assistant:
    """The library, where no evidence is likely enough: each question is told why."""
    return judging(0.0, 0.0, 0.0)


@pytest.fixture(scope="session")
def certain(judging: Callable[..., Assistant]) -> Assistant:
    """The library, where whatever is found is likely enough."""
    return judging(1.0, 1.0, 1.0)
