"""What the tests of answering share."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from index.build import build_papers
from index.embedding import SentenceEncoder
from index.papers import Paper
from rag.assistant import Assistant


@pytest.fixture
def open_papers(
    tmp_path_factory: pytest.TempPathFactory, encoder: SentenceEncoder
) -> Callable[[Sequence[Paper]], Assistant]:
    """Index made-up papers for real, and open an assistant over them."""

    def open_(papers: Sequence[Paper]) -> Assistant:
        store: Path = tmp_path_factory.mktemp("made-up") / "store"
        build_papers(papers, store, encoder)
        return Assistant(store, encoder)

    return open_
