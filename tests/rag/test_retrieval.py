"""Which papers are found, in which order, and as LlamaIndex nodes."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from made_up import BOATS, EMPTY, KITES

from index.embedding import SentenceEncoder
from index.papers import Paper
from index.store import Index
from rag import Assistant, Filters
from rag.retrieval import HybridRetriever, hits, rank

Open = Callable[[Sequence[Paper]], Assistant]


@pytest.fixture(scope="module")
def index(sample_store: Path) -> Index:
    return Index.open(sample_store)


def test_hits_are_one_a_paper_best_first_with_verbatim_passages(
    sample_assistant: Assistant,
) -> None:
    found = sample_assistant.search("agents that use a web browser", limit=10)
    assert len(found) == len({hit.paper.id for hit in found}) == 10
    scores = [hit.score for hit in found]
    assert scores == sorted(scores, reverse=True)
    for hit in found:
        assert 1 <= len(hit.passages) <= 3
        for passage in hit.passages:
            assert hit.paper.abstract[passage.start : passage.end] == passage.text


def test_a_limit_larger_than_the_index_gives_every_paper(sample_assistant: Assistant) -> None:
    assert len(sample_assistant.search("agents", limit=10_000)) == 41
    assert len(sample_assistant.search("agents", limit=1)) == 1


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("robot learns household chores from iphone demonstrations", "On Bringing Robots Home"),
        ("merging coefficients learned by entropy minimization", "AdaMerging"),
        ("recomend grocries in bulk", "An Algorithm for Recommending Groceries"),
        ("how chips could be used to regulate AI", "Computing Power and the Governance"),
        ("many workers share one attention cache", "Hogwild! Inference"),
    ],
)
def test_a_description_finds_its_paper_first(
    sample_assistant: Assistant, query: str, title: str
) -> None:
    assert sample_assistant.search(query, limit=1)[0].paper.title.startswith(title)


def test_a_filter_leaves_scores_and_order_as_they_are(sample_assistant: Assistant) -> None:
    filters = Filters(digests=("Mar 14",))
    kept = {paper.id for paper in sample_assistant.papers(filters)}
    everything = sample_assistant.search("agents", limit=41)
    assert sample_assistant.search("agents", limit=41, filters=filters) == [
        hit for hit in everything if hit.paper.id in kept
    ]


def test_a_ranking_has_a_row_for_each_allowed_paper(index: Index, encoder: SentenceEncoder) -> None:
    allowed = np.zeros(len(index.papers), dtype=np.bool_)
    allowed[[3, 5, 8]] = True
    ranking = rank(index, encoder, "agents", allowed)
    assert sorted(ranking.rows.tolist()) == [3, 5, 8]
    assert np.isfinite(ranking.scores).all()
    assert ranking.scores.shape == (len(index.papers),)
    assert ranking.passages.shape == (len(index.passages),)
    assert 0 <= ranking.lead <= 1
    assert hits(index, rank(index, encoder, "agents", allowed & False), 10) == ()


def test_typing_errors_are_mended_to_words_of_the_index(
    index: Index, encoder: SentenceEncoder
) -> None:
    assert rank(index, encoder, "mindserch").tokens == rank(index, encoder, "mindsearch").tokens


def test_scores_are_numbers_in_the_smallest_indexes(open_papers: Open) -> None:
    for papers in ([KITES], [EMPTY], [KITES, EMPTY], [KITES, BOATS, EMPTY]):
        found = open_papers(papers).search("kites in the air")
        assert len(found) == len(papers)
        assert np.isfinite([hit.score for hit in found]).all()
        assert all((hit.passages == ()) == (hit.paper.id == EMPTY.id) for hit in found)


def test_the_retriever_gives_llama_index_nodes_of_the_best_papers(
    index: Index, encoder: SentenceEncoder, sample_assistant: Assistant
) -> None:
    query = "agents that use a web browser"
    nodes = HybridRetriever(index, encoder, limit=3).retrieve(query)
    expected = sample_assistant.search(query, limit=3)
    assert [node.node.metadata["paper"] for node in nodes] == [
        hit.paper.id for hit in expected for _ in hit.passages
    ]
    assert [(node.node.metadata["start"], node.node.metadata["end"]) for node in nodes] == [
        (passage.start, passage.end) for hit in expected for passage in hit.passages
    ]
    assert [node.score for node in nodes] == pytest.approx(
        [hit.score for hit in expected for _ in hit.passages]
    )
