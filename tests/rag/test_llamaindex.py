"""The product inside LlamaIndex: queries, sources, tools."""

import pytest
from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.response.schema import Response
from llama_index.core.tools import QueryEngineTool, RetrieverTool
from made_up import keeps_the_promises, without_times

from index.embedding import SentenceEncoder
from index.errors import InputError
from index.store import Index
from rag import Answer, Assistant
from rag.llamaindex import HybridRetriever

QUESTION = "How many photographs was HiveScan trained on?"


@pytest.fixture(scope="module")
def engine(library: Assistant) -> BaseQueryEngine:
    return library.as_query_engine()


def answer_of(response: object) -> Answer:
    assert isinstance(response, Response)
    assert response.metadata
    return Answer.model_validate(response.metadata["answer"], strict=False)


def test_a_response_has_the_text_the_cited_passages_and_the_whole_answer(
    engine: BaseQueryEngine, library: Assistant
) -> None:
    response = engine.query(QUESTION)
    answer = answer_of(response)
    keeps_the_promises(answer)
    assert without_times(answer) == without_times(library.ask(QUESTION))
    assert str(response) == answer.text
    (reference,) = answer.references
    assert [
        (node.node.metadata["paper"], node.node.metadata["start"], node.node.metadata["end"])
        for node in response.source_nodes
    ] == [(reference.paper.id, passage.start, passage.end) for passage in reference.passages]
    best = library.search(QUESTION, limit=1)[0].score
    scores = [node.score for node in response.source_nodes]
    assert scores == [pytest.approx(best)] * len(reference.passages)


def test_a_refusal_has_no_sources_and_an_empty_question_is_an_error(
    engine: BaseQueryEngine,
) -> None:
    response = engine.query("Who invented the Zorblax?")
    assert response.source_nodes == []
    assert answer_of(response).status == "insufficient_evidence"
    with pytest.raises(InputError, match="empty"):
        engine.query("  ")


def test_engine_and_retriever_work_as_tools_of_an_agent(
    engine: BaseQueryEngine, library: Assistant
) -> None:
    tool = QueryEngineTool.from_defaults(engine, name="abstracts", description="Answers.")
    output = tool.call(QUESTION)
    assert "8,200" in output.content
    assert answer_of(output.raw_output).status == "answered"
    found = RetrieverTool.from_defaults(library.as_retriever(limit=2), name="p").call(QUESTION)
    assert "8,200 photographs" in found.content
    assert len({node.node.metadata["paper"] for node in found.raw_output}) == 2


def test_the_retriever_gives_the_nearest_passages_of_the_best_papers(
    index: Index, encoder: SentenceEncoder, library: Assistant
) -> None:
    query = "drones that look for cracks"
    nodes = HybridRetriever(index, encoder, limit=3).retrieve(query)
    expected = [(hit, at) for hit in library.search(query, limit=3) for at in hit.passages]
    assert [
        (node.node.metadata["paper"], node.node.metadata["start"], node.node.metadata["end"])
        for node in nodes
    ] == [(hit.paper.id, at.start, at.end) for hit, at in expected]
    assert [node.score for node in nodes] == pytest.approx([hit.score for hit, _ in expected])
