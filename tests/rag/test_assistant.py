"""The Python query API: what it refuses, how it streams, and that it follows the index."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from made_up import BOATS, KITES, keeps_the_promises, paper, titles, without_times

from index.build import build_papers
from index.embedding import SentenceEncoder
from index.errors import EncoderError, InputError, StoreError
from index.papers import Paper
from rag import Assistant, Filters
from rag.schema import Delta, Finished, Mode, Progress, Retrieved
from rag.settings import Settings

QUESTIONS = (
    "How many tasks does OSWorld have?",
    "Which papers are about model merging?",
    "Compare OSWorld and AndroidWorld",
    "how many pages does mindserch collect?",
    "boiling point of mercury?",
    "How many papers are in the Mar 14 digest?",
)
LONG = "agent " * 20_000


def one_line(error: pytest.ExceptionInfo[Exception]) -> str:
    message = str(error.value)
    assert "\n" not in message
    assert len(message) < 300
    return message


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("", "empty"),
        (" \t\r\n ", "empty"),
        ("\x00\x01\x1b", "empty"),
        ("\u200b\u202e\ufeff", "empty"),
        ("x" * 100_000, "100,000"),
        (LONG, "characters"),
    ],
)
def test_a_question_that_is_none_is_one_clear_line(
    sample_assistant: Assistant, question: str, said: str
) -> None:
    for call in (sample_assistant.ask, sample_assistant.stream, sample_assistant.search):
        with pytest.raises(InputError) as error:
            call(question)
        assert said in one_line(error)


def test_the_longest_question_is_answered(sample_assistant: Assistant) -> None:
    keeps_the_promises(sample_assistant.ask(("agent " * 700)[:4000]))


def test_control_characters_in_a_question_do_not_matter(sample_assistant: Assistant) -> None:
    plain = sample_assistant.ask("How many tasks does OSWorld have?")
    odd = sample_assistant.ask(" How many\x00 tasks\n does\tOSWorld have?\u202e ")
    assert odd.text == plain.text
    assert odd.standalone_question == "How many tasks does OSWorld have?"


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_refused(sample_assistant: Assistant, limit: int) -> None:
    with pytest.raises(InputError) as error:
        sample_assistant.search("agents", limit=limit)
    assert f"at least 1, not {limit}" in one_line(error)


@pytest.mark.parametrize(
    ("mode", "said"),
    [("generative", "needs a chat model"), ("creative", "'creative'"), ("", "unknown mode")],
)
def test_a_mode_that_is_not_there_is_refused(
    sample_assistant: Assistant, mode: Mode, said: str
) -> None:
    for call in (sample_assistant.ask, sample_assistant.stream):
        with pytest.raises(InputError) as error:
            call("What is OSWorld?", mode=mode)
        assert said in one_line(error)
        assert "'extractive'" in str(error.value)


def test_auto_is_extractive_without_a_chat_model(sample_assistant: Assistant) -> None:
    auto = sample_assistant.ask(QUESTIONS[0], mode="auto")
    assert auto.mode == "extractive"
    assert without_times(auto) == without_times(
        sample_assistant.ask(QUESTIONS[0], mode="extractive")
    )


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_same_question_twice_gets_the_same_answer(
    sample_assistant: Assistant, sample_store: Path, encoder: SentenceEncoder, question: str
) -> None:
    first = without_times(sample_assistant.ask(question))
    assert without_times(sample_assistant.ask(question)) == first
    assert without_times(Assistant(sample_store, encoder).ask(question)) == first


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_stream_tells_what_was_found_then_the_text_then_the_answer(
    sample_assistant: Assistant, question: str
) -> None:
    searching, first, *middle, last = sample_assistant.stream(question)
    assert isinstance(searching, Progress)
    assert searching.stage == "search"
    assert isinstance(first, Retrieved)
    assert isinstance(last, Finished)
    assert middle
    deltas = [event.text for event in middle if isinstance(event, Delta)]
    assert len(deltas) == len(middle)
    assert all(deltas)
    assert "".join(deltas) == last.answer.text
    assert without_times(last.answer) == without_times(sample_assistant.ask(question))
    found = {hit.paper.id for hit in first.hits}
    assert found
    if len(last.answer.references) == 1:
        assert last.answer.references[0].paper.id in found


def test_a_stream_that_is_left_early_does_no_harm(sample_assistant: Assistant) -> None:
    events = sample_assistant.stream(QUESTIONS[0])
    assert isinstance(next(events), Progress)
    assert isinstance(next(events), Retrieved)
    events.close()  # type: ignore[attr-defined]
    assert sample_assistant.ask(QUESTIONS[0]).status == "answered"


def test_aask_answers_as_ask_does(sample_assistant: Assistant) -> None:
    async def all_at_once() -> list[str]:
        answers = await asyncio.gather(*(sample_assistant.aask(q) for q in QUESTIONS))
        return [answer.text for answer in answers]

    assert asyncio.run(all_at_once()) == [sample_assistant.ask(q).text for q in QUESTIONS]


def test_aask_takes_history_filters_and_mode(sample_assistant: Assistant) -> None:
    history = [
        {"role": "user", "content": "What is OSWorld?"},
        {"role": "assistant", "content": "**OSWorld** is a benchmark. [1]"},
    ]
    filters = Filters(digests=("Apr 22",))
    answer = asyncio.run(sample_assistant.aask("why do models fail on it?", history, filters))
    assert [title.split(":")[0] for title in titles(answer)] == ["OSWorld"]
    with pytest.raises(InputError):
        asyncio.run(sample_assistant.aask("What is OSWorld?", mode="generative"))


def test_two_threads_at_once_get_the_answers_of_one(sample_assistant: Assistant) -> None:
    expected = [without_times(sample_assistant.ask(question)) for question in QUESTIONS]
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(sample_assistant.ask, QUESTIONS * 3))
    assert [without_times(answer) for answer in answers] == expected * 3


Open = Callable[[Sequence[Paper]], Assistant]


@pytest.fixture
def kites(tmp_path: Path, encoder: SentenceEncoder) -> Path:
    build_papers([KITES], tmp_path / "store", encoder)
    return tmp_path / "store"


def test_an_index_published_by_another_build_is_served_at_once(
    kites: Path, encoder: SentenceEncoder
) -> None:
    assistant = Assistant(kites, encoder)
    engine = assistant.as_query_engine()
    before = assistant.ask("How many boats does BoatNet keep?")
    stream = assistant.stream("What is KiteNet?")
    assert before.status == "insufficient_evidence"

    report = build_papers([BOATS], kites, encoder)

    after = assistant.ask("How many boats does BoatNet keep?")
    assert titles(after) == [BOATS.title]
    assert (after.index.id, after.index.papers) == (report.generation, 2)
    assert after.index.id != before.index.id
    assert [p.id for p in assistant.papers()] == ["boats", "kites"]
    assert assistant.search("boats", limit=1)[0].paper == BOATS
    # What was begun on the old generation ends on it.
    *_, last = stream
    assert isinstance(last, Finished)
    assert last.answer.index.id == before.index.id
    assert "12 kites" in str(engine.query("How many kites does KiteNet keep?"))


def test_questions_during_a_build_are_answered(kites: Path, encoder: SentenceEncoder) -> None:
    assistant = Assistant(kites, encoder)
    more = [paper(f"p{n}", f"On the kite of number {n}", f"Kite {n} is red.") for n in range(3)]
    with ThreadPoolExecutor(2) as threads:
        build = threads.submit(lambda: [build_papers([p], kites, encoder) for p in more])
        asked = threads.submit(lambda: [assistant.ask("What is KiteNet?") for _ in range(20)])
        build.result()
        assert all("12 kites" in answer.text for answer in asked.result())
    assert assistant.ask("What is KiteNet?").index.papers == 4


def test_an_assistant_opens_the_store_of_the_settings(kites: Path) -> None:
    assistant = Assistant.open(settings=Settings(store=kites))
    assert [p.title for p in assistant.papers()] == [KITES.title]
    assert Assistant.open(kites).papers() == assistant.papers()
    assert Assistant.open(str(kites)).papers() == assistant.papers()


def test_an_assistant_opens_the_store_of_the_environment(
    kites: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ABSTRACTQA_STORE", str(kites))
    assert [p.title for p in Assistant.open().papers()] == [KITES.title]


def test_without_an_index_the_error_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as error:
        Assistant.open(tmp_path / "nowhere")
    assert "abstractqa index" in one_line(error)


def test_an_encoder_that_is_not_there_is_a_clear_error(kites: Path) -> None:
    with pytest.raises(EncoderError) as error:
        Assistant.open(settings=Settings(store=kites, encoder="no-such-encoder"))
    assert "no-such-encoder" in one_line(error)


def test_the_index_going_bad_under_an_assistant_is_a_clear_error(
    kites: Path, encoder: SentenceEncoder
) -> None:
    assistant = Assistant(kites, encoder)
    (kites / "CURRENT").write_text("nonsense", encoding="utf-8")
    with pytest.raises(StoreError) as error:
        assistant.ask("What is KiteNet?")
    one_line(error)
