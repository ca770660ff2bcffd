"""Questions to an index whose papers are not encoded yet."""

from pathlib import Path

import pytest
from made_up import keeps_the_promises

from index.build import build_papers, resume
from index.embedding import SentenceEncoder
from index.store import Index
from rag.assistant import Assistant
from ui.web.corpus.start_page import heading


class _Stopped:
    """An encoder for questions alone, as a run that is stopped at once leaves an index."""

    def __init__(self, encoder: SentenceEncoder) -> None:
        self.name, self.weights_hash = encoder.name, encoder.weights_hash
        self.dimension = encoder.dimension
        self.together = encoder.together

    def encode(self, *_: object, **__: object) -> None:
        raise KeyboardInterrupt


@pytest.fixture(scope="module")
def unencoded(
    sample_store: Path, encoder: SentenceEncoder, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    store = tmp_path_factory.mktemp("unencoded") / "store"
    with pytest.raises(KeyboardInterrupt):
        build_papers(Index.open(sample_store).papers, store, _Stopped(encoder))
    assert Index.open(store).coverage == 0
    return store


def test_a_question_is_answered_or_refused_before_anything_is_encoded(
    unencoded: Path, sample_store: Path, encoder: SentenceEncoder
) -> None:
    assistant = Assistant(unencoded, encoder)
    named = [paper.head for paper in Index.open(sample_store).papers if paper.head]
    for name in named[:3]:
        early = assistant.ask(f"What is {name}?")
        keeps_the_promises(early)
        assert early.status == "answered"
        assert early.references[0].paper.head == name
    refused = assistant.ask("How do I bake sourdough bread at home?")
    assert refused.status == "insufficient_evidence"


def test_an_open_assistant_follows_what_is_encoded_meanwhile(
    unencoded: Path, sample_store: Path, encoder: SentenceEncoder
) -> None:
    assistant = Assistant(unencoded, encoder)
    assert "0 % encoded" in heading(assistant)
    assistant.search("agents that use a computer")
    resume(unencoded, encoder)
    full = Assistant(sample_store, encoder)
    query = "agents that use a computer"
    assert [hit.paper.id for hit in assistant.search(query)] == [
        hit.paper.id for hit in full.search(query)
    ]
    assert Index.open(unencoded).is_covered
    assert "encoded" not in heading(assistant)
