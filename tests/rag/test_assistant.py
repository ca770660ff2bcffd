"""The Python query API: what it refuses, how it streams, that it follows the index, LlamaIndex."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from llama_index.core.base.response.schema import Response
from llama_index.core.schema import NodeWithScore
from made_up import BOATS, KITES, cited, keeps_the_promises, titles, without_times

from index.build import build_papers, resume
from index.embedding import SentenceEncoder
from index.errors import EncoderError, InputError
from index.store import Index
from rag import Answer, Assistant, Filters, Options
from rag.llamaindex import HybridRetriever
from rag.schema import Delta, Finished, Retrieved
from rag.settings import Settings
from ui.web.corpus.start_page import heading

QUESTIONS = (
    "How many photographs was HiveScan trained on?",
    "Which papers are about honey bees?",
    "Compare HiveScan and CrackMap",
    "how many cracks does crakmap find?",
    "Who invented the Zorblax?",
    "How many papers are in the June 3 digest?",
)


@pytest.mark.parametrize(
    ("question", "asked", "said"),
    [
        (" \t\r\n ", {}, "empty"),
        ("\x00\x01\x1b\u200b\u202e\ufeff", {}, "empty"),
        ("x" * 100_000, {}, "100,000 characters"),
        ("bees?", {"mode": "generative"}, "needs a chat model.*'extractive'"),
        ("bees?", {"mode": "creative"}, "'creative'.*'extractive'"),
        ("bees?", {"options": Options(model="other")}, "'other' cannot be used"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_clear_line(
    library: Assistant, question: str, asked: dict[str, Any], said: str
) -> None:
    for call in (library.ask, library.stream, *([] if asked else [library.search])):
        with pytest.raises(InputError, match=said) as error:
            call(question, **asked)
        assert "\n" not in str(error.value)
        assert len(str(error.value)) < 400
    assert library.chat_models() == []


def test_the_longest_question_and_control_characters_are_read(certain: Assistant) -> None:
    keeps_the_promises(certain.ask(("bees " * 800)[:4000]))
    keeps_the_promises(certain.ask("How many mites does HiveScan\udcff find?"))
    odd = certain.ask(" How many\x00 photographs\n was\tHiveScan trained on?\u202e ")
    assert odd.text == certain.ask(QUESTIONS[0]).text
    assert odd.standalone_question == QUESTIONS[0]


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_same_question_gets_the_same_answer_by_every_way_of_asking(
    library: Assistant, library_store: Path, encoder: SentenceEncoder, question: str
) -> None:
    answer = without_times(library.ask(question))
    assert without_times(library.ask(question, mode="extractive")) == answer
    assert without_times(Assistant(library_store, encoder).ask(question)) == answer
    assert without_times(asyncio.run(library.aask(question))) == answer
    with ThreadPoolExecutor(2) as threads:
        at_once = threads.map(library.ask, [question] * 4)
        assert all(without_times(each) == answer for each in at_once)
    searching, first, *middle, last = library.stream(question)
    assert (searching.stage, type(first), type(last)) == ("search", Retrieved, Finished)
    assert {type(event) for event in middle} == {Delta}
    assert all(event.text for event in middle)
    assert "".join(event.text for event in middle) == last.answer.text
    assert without_times(last.answer) == answer


def test_history_filters_mode_and_options_reach_every_way_of_asking(certain: Assistant) -> None:
    history = [
        {"role": "user", "content": "What is HiveScan?"},
        {"role": "assistant", "content": "**HiveScan** is a detector. [1]"},
    ]
    question = "Which papers are similar to it?"
    asked: dict[str, Any] = {
        "filters": Filters(digests=("July 15",)),
        "options": Options(sources=1),
    }
    *_, last = certain.stream(question, history, **asked)
    for answer in (last.answer, asyncio.run(certain.aask(question, history, **asked))):
        assert cited(answer) == ["smoke"]
    with pytest.raises(InputError):
        asyncio.run(certain.aask("What is HiveScan?", mode="generative"))


@pytest.fixture
def kites(tmp_path: Path, encoder: SentenceEncoder) -> Path:
    build_papers([KITES], tmp_path / "store", encoder)
    return tmp_path / "store"


def test_a_published_index_is_served_at_once(kites: Path, encoder: SentenceEncoder) -> None:
    assistant = Assistant(kites, encoder)
    engine = assistant.as_query_engine()
    before = assistant.ask("What is BoatNet?")
    stream = assistant.stream("What is KiteNet?")
    assert before.reason == "No abstract mentions BoatNet."

    with ThreadPoolExecutor(2) as threads:
        build = threads.submit(build_papers, [BOATS], kites, encoder)
        asked = threads.submit(lambda: [assistant.search("KiteNet", limit=1) for _ in range(20)])
        report = build.result()
        assert all(hits[0].paper == KITES for hits in asked.result()), "and during the build"

    after = assistant.ask("Which papers are about boats?")
    assert BOATS.title in titles(after)
    assert (after.index.id, after.index.papers) == (report.generation, 2)
    assert [p.id for p in assistant.papers()] == ["boats", "kites"]
    assert assistant.search("boats", limit=1)[0].paper == BOATS
    # What was begun on the old generation ends on it.
    *_, last = stream
    assert last.answer.index.id == before.index.id != after.index.id
    assert engine.query("What is KiteNet?").metadata["answer"]["index"]["id"] == before.index.id


def test_an_assistant_opens_the_store_given(kites: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = [Assistant.open(settings=Settings(store=kites)), Assistant.open(kites)]
    opened.append(Assistant.open(str(kites)))
    monkeypatch.setenv("ABSTRACTQA_STORE", str(kites))
    opened.append(Assistant.open())
    assert all(assistant.papers() == [KITES] for assistant in opened)
    with pytest.raises(EncoderError, match="no-such-encoder"):
        Assistant.open(settings=Settings(store=kites, encoder="no-such-encoder"))


def test_a_notebook_shows_an_answer_with_the_sentences_that_it_cites(library: Assistant) -> None:
    from markdown_it import MarkdownIt

    answer = library.ask("What is HiveScan?")
    shown = MarkdownIt("commonmark").render(answer._repr_markdown_())
    assert "<blockquote>" in shown
    assert answer.references[0].paper.display_title in shown
    refused = library.ask("What is Zorblaxnet?")
    assert refused.reason in refused._repr_markdown_().replace("\\", "")


def test_llamaindex_gets_the_answer_with_its_passages_or_the_nearest_of_the_best_papers(
    index: Index, encoder: SentenceEncoder, library: Assistant
) -> None:
    def answer_of(response: Response) -> Answer:
        return Answer.model_validate(response.metadata["answer"], strict=False)

    engine = library.as_query_engine()
    response = engine.query(QUESTIONS[0])
    answer = answer_of(response)
    keeps_the_promises(answer)
    assert without_times(answer) == without_times(library.ask(QUESTIONS[0]))
    assert str(response) == answer.text
    (reference,) = answer.references
    assert places(response.source_nodes) == [
        (reference.paper.id, passage.start, passage.end) for passage in reference.passages
    ]
    best = library.search(QUESTIONS[0], limit=1)[0].score
    scores = [node.score for node in response.source_nodes]
    assert scores == [pytest.approx(best)] * len(reference.passages)
    refused = engine.query("Who invented the Zorblax?")
    assert refused.source_nodes == []
    assert answer_of(refused).status == "insufficient_evidence"
    with pytest.raises(InputError, match="empty"):
        engine.query("  ")
    query = "drones that look for cracks"
    nodes = HybridRetriever(index, encoder, limit=3).retrieve(query)
    expected = [(hit, at) for hit in library.search(query, limit=3) for at in hit.passages]
    assert places(nodes) == [(hit.paper.id, at.start, at.end) for hit, at in expected]
    assert [node.score for node in nodes] == pytest.approx([hit.score for hit, _ in expected])


def places(nodes: list[NodeWithScore]) -> list[tuple[str, int, int]]:
    found = [node.node.metadata for node in nodes]
    return [(each["paper"], each["start"], each["end"]) for each in found]


def test_questions_are_answered_before_anything_is_encoded_and_what_is_encoded_is_followed(
    sample_store: Path, encoder: SentenceEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full, store = Assistant(sample_store, encoder), tmp_path / "store"
    with monkeypatch.context() as patch:
        patch.setattr(SentenceEncoder, "encode", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            build_papers(full.papers(), store, encoder)
    assistant = Assistant(store, encoder)
    assert "0 % encoded" in heading(assistant)
    for name in [paper.head for paper in full.papers() if paper.head][:3]:
        early = assistant.ask(f"What is {name}?")
        keeps_the_promises(early)
        assert early.status == "answered"
        assert early.references[0].paper.head == name
    refused = assistant.ask("How do I bake sourdough bread at home?")
    assert refused.status == "insufficient_evidence"
    resume(store, encoder)
    found, expected = (each.search("agents that use a computer") for each in (assistant, full))
    assert [hit.paper.id for hit in found] == [hit.paper.id for hit in expected]
    assert "encoded" not in heading(assistant)
