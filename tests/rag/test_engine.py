"""The engine inside LlamaIndex: queries, sources, tools."""

import asyncio

import pytest
from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.response.schema import Response
from llama_index.core.tools import QueryEngineTool, RetrieverTool
from made_up import keeps_the_promises, without_times

from index.errors import InputError
from rag import Answer, Assistant

QUESTION = "How many tasks does OSWorld have?"


@pytest.fixture(scope="module")
def engine(sample_assistant: Assistant) -> BaseQueryEngine:
    return sample_assistant.as_query_engine()


def answer_of(response: object) -> Answer:
    assert isinstance(response, Response)
    assert response.metadata
    return Answer.model_validate(response.metadata["answer"], strict=False)


def test_a_response_has_the_text_the_cited_passages_and_the_whole_answer(
    engine: BaseQueryEngine, sample_assistant: Assistant
) -> None:
    response = engine.query(QUESTION)
    answer = answer_of(response)
    keeps_the_promises(answer)
    assert without_times(answer) == without_times(sample_assistant.ask(QUESTION))
    assert str(response) == answer.text
    (reference,) = answer.references
    assert [
        (node.node.metadata["paper"], node.node.metadata["start"], node.node.metadata["end"])
        for node in response.source_nodes
    ] == [(reference.paper.id, passage.start, passage.end) for passage in reference.passages]


def test_source_nodes_have_the_score_of_their_paper(
    engine: BaseQueryEngine, sample_assistant: Assistant
) -> None:
    nodes = engine.query(QUESTION).source_nodes
    best = sample_assistant.search(QUESTION, limit=1)[0].score
    assert [node.score for node in nodes] == [pytest.approx(best)] * len(nodes)


def test_a_refusal_has_no_sources(engine: BaseQueryEngine) -> None:
    response = engine.query("boiling point of mercury?")
    assert response.source_nodes == []
    assert answer_of(response).status == "insufficient_evidence"


def test_aquery_answers_as_query_does(engine: BaseQueryEngine) -> None:
    response = asyncio.run(engine.aquery(QUESTION))
    assert without_times(answer_of(response)) == without_times(answer_of(engine.query(QUESTION)))


def test_a_question_that_cannot_be_used_is_an_error_here_too(engine: BaseQueryEngine) -> None:
    with pytest.raises(InputError, match="empty"):
        engine.query("  ")


def test_the_engine_works_as_a_tool_of_an_agent(engine: BaseQueryEngine) -> None:
    tool = QueryEngineTool.from_defaults(
        engine, name="abstracts", description="Answers from paper abstracts."
    )
    output = tool.call(QUESTION)
    assert "369" in output.content
    assert not output.is_error
    assert answer_of(output.raw_output).status == "answered"


def test_the_retriever_works_as_a_tool_of_an_agent(sample_assistant: Assistant) -> None:
    tool = RetrieverTool.from_defaults(sample_assistant.as_retriever(limit=2), name="passages")
    output = tool.call(QUESTION)
    assert "369 tasks" in output.content
    assert len({node.node.metadata["paper"] for node in output.raw_output}) == 2
