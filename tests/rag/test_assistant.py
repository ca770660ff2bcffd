"""The Python query API: what it refuses, how it streams, and that it follows the index."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from made_up import BOATS, KITES, cited, keeps_the_promises, paper, titles, without_times

from index.build import build_papers
from index.embedding import SentenceEncoder
from index.errors import EncoderError, InputError, StoreError
from rag import Assistant, Filters
from rag.schema import Delta, Finished, Mode, Progress, Retrieved
from rag.settings import Settings

QUESTIONS = (
    "How many photographs was HiveScan trained on?",
    "Which papers are about honey bees?",
    "Compare HiveScan and CrackMap",
    "how many cracks does crakmap find?",
    "Who invented the Zorblax?",
    "How many papers are in the June 3 digest?",
)


def one_line(error: pytest.ExceptionInfo[Exception]) -> str:
    message = str(error.value)
    assert "\n" not in message
    assert len(message) < 300
    return message


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (" \t\r\n ", "empty"),
        ("\x00\x01\x1b\u200b\u202e\ufeff", "empty"),
        ("x" * 100_000, "100,000 characters"),
    ],
)
def test_a_question_that_is_none_is_one_clear_line(
    library: Assistant, question: str, said: str
) -> None:
    for call in (library.ask, library.stream, library.search):
        with pytest.raises(InputError, match=said) as error:
            call(question)
        one_line(error)


def test_the_longest_question_and_control_characters_are_read(certain: Assistant) -> None:
    keeps_the_promises(certain.ask(("bees " * 800)[:4000]))
    odd = certain.ask(" How many\x00 photographs\n was\tHiveScan trained on?\u202e ")
    assert odd.text == certain.ask(QUESTIONS[0]).text
    assert odd.standalone_question == QUESTIONS[0]


@pytest.mark.parametrize(
    ("mode", "said"),
    [("generative", "needs a chat model"), ("creative", "'creative'"), ("", "unknown mode")],
)
def test_a_mode_that_is_not_there_is_refused(library: Assistant, mode: Mode, said: str) -> None:
    for call in (library.ask, library.stream):
        with pytest.raises(InputError, match="'extractive'") as error:
            call("What is HiveScan?", mode=mode)
        assert said in one_line(error)
    with pytest.raises(InputError, match="at least 1, not 0"):
        library.search("bees", limit=0)


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_same_question_gets_the_same_answer_by_every_way_of_asking(
    library: Assistant, library_store: Path, encoder: SentenceEncoder, question: str
) -> None:
    answer = without_times(library.ask(question))
    assert without_times(library.ask(question, mode="extractive")) == answer
    assert without_times(Assistant(library_store, encoder).ask(question)) == answer
    assert without_times(asyncio.run(library.aask(question))) == answer
    searching, first, *middle, last = library.stream(question)
    assert isinstance(searching, Progress)
    assert searching.stage == "search"
    assert isinstance(first, Retrieved)
    assert isinstance(last, Finished)
    deltas = [event.text for event in middle if isinstance(event, Delta)]
    assert len(deltas) == len(middle)
    assert all(deltas)
    assert "".join(deltas) == last.answer.text
    assert without_times(last.answer) == answer


def test_aask_takes_history_filters_and_mode(certain: Assistant) -> None:
    history = [
        {"role": "user", "content": "What is HiveScan?"},
        {"role": "assistant", "content": "**HiveScan** is a detector. [1]"},
    ]
    filters = Filters(digests=("July 15",))
    answer = asyncio.run(certain.aask("How many mites does it find?", history, filters))
    assert cited(answer) == ["hivescan"]
    with pytest.raises(InputError):
        asyncio.run(certain.aask("What is HiveScan?", mode="generative"))


def test_two_threads_at_once_get_the_answers_of_one(library: Assistant) -> None:
    expected = [without_times(library.ask(question)) for question in QUESTIONS]
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(library.ask, QUESTIONS * 3))
    assert [without_times(answer) for answer in answers] == expected * 3


@pytest.fixture
def kites(tmp_path: Path, encoder: SentenceEncoder) -> Path:
    build_papers([KITES], tmp_path / "store", encoder)
    return tmp_path / "store"


def test_an_index_published_by_another_build_is_served_at_once(
    kites: Path, encoder: SentenceEncoder
) -> None:
    assistant = Assistant(kites, encoder)
    engine = assistant.as_query_engine()
    before = assistant.ask("What is BoatNet?")
    stream = assistant.stream("What is KiteNet?")
    assert before.reason == "No abstract mentions BoatNet."

    report = build_papers([BOATS], kites, encoder)

    after = assistant.ask("Which papers are about boats?")
    assert BOATS.title in titles(after)
    assert (after.index.id, after.index.papers) == (report.generation, 2)
    assert [p.id for p in assistant.papers()] == ["boats", "kites"]
    assert assistant.search("boats", limit=1)[0].paper == BOATS
    # What was begun on the old generation ends on it.
    *_, last = stream
    assert isinstance(last, Finished)
    assert last.answer.index.id == before.index.id != after.index.id
    assert engine.query("What is KiteNet?").metadata["answer"]["index"]["id"] == before.index.id


def test_questions_during_a_build_are_answered(kites: Path, encoder: SentenceEncoder) -> None:
    assistant = Assistant(kites, encoder)
    more = [paper(f"p{n}", f"On the kite of number {n}", f"Kite {n} is red.") for n in range(3)]
    with ThreadPoolExecutor(2) as threads:
        build = threads.submit(lambda: [build_papers([p], kites, encoder) for p in more])
        asked = threads.submit(lambda: [assistant.search("KiteNet", limit=1) for _ in range(20)])
        build.result()
        assert all(hits[0].paper == KITES for hits in asked.result())
    assert assistant.ask("What is KiteNet?").index.papers == 4


def test_an_assistant_opens_the_store_it_is_given_or_that_of_the_settings(
    kites: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = [Assistant.open(settings=Settings(store=kites)), Assistant.open(kites)]
    opened.append(Assistant.open(str(kites)))
    monkeypatch.setenv("ABSTRACTQA_STORE", str(kites))
    opened.append(Assistant.open())
    assert all(assistant.papers() == [KITES] for assistant in opened)


def test_what_is_missing_or_damaged_is_a_clear_error(
    tmp_path: Path, kites: Path, encoder: SentenceEncoder
) -> None:
    with pytest.raises(StoreError) as error:
        Assistant.open(tmp_path / "nowhere")
    assert "abstractqa index" in one_line(error)
    with pytest.raises(EncoderError) as wrong:
        Assistant.open(settings=Settings(store=kites, encoder="no-such-encoder"))
    assert "no-such-encoder" in one_line(wrong)
    assistant = Assistant(kites, encoder)
    (kites / "CURRENT").write_text("nonsense", encoding="utf-8")
    with pytest.raises(StoreError) as error:
        assistant.ask("What is KiteNet?")
    one_line(error)


def test_a_notebook_shows_an_answer_with_the_sentences_that_it_cites(library: Assistant) -> None:
    from markdown_it import MarkdownIt

    answer = library.ask("What is HiveScan?")
    shown = MarkdownIt("commonmark").render(answer._repr_markdown_())
    assert "<blockquote>" in shown
    assert answer.references[0].paper.display_title in shown
    refused = library.ask("What is Zorblaxnet?")
    assert refused.reason
    assert refused.reason in refused._repr_markdown_().replace("\\", "")
