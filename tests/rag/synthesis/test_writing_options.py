"""The options of one question where a model writes, and what is opened with that model."""

import asyncio
from collections.abc import Iterator
from threading import Barrier
from threading import Event as Flag

import pytest
from chat_server import EVENTS, ChatServer, Received, Scripted, fails, says, streams
from made_up import keeps_the_promises
from writing import FALSE, GOOD, PEOPLE, QUESTION, TASKS, Opening, Reply, address, told, writes

from index.errors import InputError
from rag import Assistant, Options
from rag.schema import Delta

HALF = "The benchmark has tasks in open domains, which takes much work to build"


def test_strict_leaves_out_what_lenient_marks(writing: Assistant, scripted: ChatServer) -> None:
    before = len(scripted.received)
    scripted.script = writes(
        lambda at: f"{GOOD} [{at(TASKS)}]. {HALF} [{at(TASKS)}]. {FALSE} [{at(PEOPLE)}]."
    )
    lenient = writing.ask(QUESTION, options=Options(strictness="lenient"))
    assert [s.text for s in lenient.sentences] == [f"{GOOD}.", f"{HALF}.", f"{FALSE}."]
    assert [s.support for s in lenient.sentences] == ["supported", "unsupported", "unsupported"]
    assert len(lenient.doubts) == 2
    assert len(scripted.received) == before + 1, "nothing is asked for again"
    text, strict = told(list(writing.stream(QUESTION, options=Options(strictness="strict"))))
    assert text == strict.text == f"{GOOD}. [1]"
    keeps_the_promises(strict)


def test_the_model_is_not_asked_in_vain(open_writing: Opening, scripted: ChatServer) -> None:
    before = len(scripted.received)
    strict, lenient = Options(strictness="strict"), Options(strictness="lenient")
    refused = open_writing(chance=0.6).ask("Which benchmark is hard for agents?", options=strict)
    assert refused.text.startswith("The papers found are too unlikely"), "without a heading"
    quoted = open_writing(chance=0.0).ask("boiling point of mercury?", options=lenient)
    assert (quoted.status, quoted.mode) == ("answered", "extractive")
    assert len(scripted.received) == before


def test_another_of_the_models_is_asked(open_writing: Opening, scripted: ChatServer) -> None:
    assistant = open_writing(chat_price="1/1")
    scripted.script = writes(lambda at: f"{GOOD} [{at(TASKS)}].")
    other = assistant.ask(QUESTION, options=Options(model="other"))
    assert scripted.received[-1].body["model"] == "other"
    assert (other.model, other.usage.cost_usd) == ("other", None), "the price is of the configured"
    configured = assistant.ask(QUESTION)
    assert scripted.received[-1].body["model"] == "scripted"
    assert configured.model == "scripted"
    assert configured.usage.cost_usd
    assistant.ask(QUESTION, options=Options(model="other"))
    ports = {r.port for r in scripted.received[-3:] if r.body["model"] == "other"}
    assert len(ports) == 1, "it was opened once"
    assistant.close()
    with pytest.raises(InputError, match="closed"):
        assistant.ask(QUESTION, options=Options(model="other"))


@pytest.mark.parametrize(
    ("form", "rest"),
    [
        ("{said} [{at}].", ""),
        ("{said} [{at}].", " People do."),
        ("{said} [{at}].\n", ""),
        ('{{"sentences": [{{"text": "{said}.", "cites": ["{at}"]}}', "]}"),
    ],
)
def test_a_sentence_is_told_once_it_is_whole_before_the_model_sends_more(
    writing: Assistant, scripted: ChatServer, form: str, rest: str
) -> None:
    told_first, waited = Flag(), []

    def reply(request: Received) -> Scripted:
        said = form.format(said=GOOD, at=address(request, TASKS))
        *chunks, last = streams(said[:20], said[20:], rest).chunks

        def pieces() -> Iterator[bytes]:
            yield from chunks[:2]
            waited.append(told_first.wait(10))
            yield from (*chunks[2:], last)

        return Scripted(pieces(), content_type=EVENTS)

    scripted.script = reply
    events = writing.stream(QUESTION)
    first = next(event for event in events if isinstance(event, Delta))
    told_first.set()
    assert first.text == f"{GOOD}. [1]"
    list(events)
    assert waited == [True]


@pytest.mark.anyio
async def test_many_slow_answers_stream_at_once(writing: Assistant, scripted: ChatServer) -> None:
    count = 40
    together = Barrier(count, timeout=120)

    def pieces() -> Iterator[bytes]:
        first, *rest = streams(
            "On top of OSWorld ", "stands a benchmark of 369 tasks [1.1]."
        ).chunks
        yield first
        together.wait()  # goes on only once every other answer has begun
        yield from rest

    scripted.script = lambda _: Scripted(pieces(), content_type=EVENTS)

    async def ask(number: int) -> str:
        question = f"{QUESTION} ({number})"
        answer = await writing.aask(question)
        return answer.mode if answer.question == question else "another's answer"

    answered = await asyncio.gather(*(ask(number) for number in range(count)))
    assert answered == ["generative"] * count


def judged(verdict: Scripted) -> Reply:
    """Writes two sentences, and judges them so."""
    two = writes(lambda at: f"{GOOD} [{at(TASKS)}]. {PEOPLE} [{at(PEOPLE)}].")
    return lambda request: verdict if "Claim 1:" in request.text else two(request)


RIGHT = "\n3. yes\n4. no\n5. no\n6. yes"
"""The right verdicts on the control claims."""
ALL = says("\n".join(f"{number}. yes" for number in range(1, 7)))


@pytest.mark.parametrize(
    ("verdict", "supports", "notice"),
    [
        (fails(401), ["supported"] * 2, "refuses the key"),
        (says(f"1. yes\n2. no{RIGHT}"), ["supported", "unsupported"], ""),
        (
            says("1. no\n2. no\n3. yes\n4. yes\n5. yes\n6. yes"),
            ["supported"] * 4,
            "control",
        ),
    ],
)
def test_the_judge_has_the_last_word_if_it_gets_its_control_questions_right(
    open_writing: Opening, scripted: ChatServer, verdict: Scripted, supports: list[str], notice: str
) -> None:
    assistant = open_writing(support_checker="judge")
    before = len(scripted.received)
    scripted.script = judged(verdict)
    answer = assistant.ask(QUESTION, options=Options(strictness="lenient"))
    assert [sentence.support for sentence in answer.sentences] == supports
    assert notice in (answer.notice or "")
    by_local_alone = "Citations were checked only by the local check"
    assert (answer.notice or "").startswith(by_local_alone if notice else "")
    assert answer.checked_by == ("local" if notice else "judge scripted")
    assert len(scripted.received) == before + 2, "one request for all sentences"
    assert ("left out are added." in (answer.notice or "")) == ("control" in notice)
    keeps_the_promises(answer)


def test_a_wrong_judge_is_not_asked_for_long(open_writing: Opening, scripted: ChatServer) -> None:
    assistant = open_writing(support_checker="judge", judge_model="cheap")
    scripted.script = judged(ALL)
    before = len(scripted.received)
    for _ in range(3):
        assert "control questions wrong" in (assistant.ask(QUESTION).notice or "")
    assert len(scripted.received) == before + 2 + 2 + 1
    asked = [request.body["model"] for request in scripted.received[before:]]
    assert asked == ["scripted", "cheap"] * 2 + ["scripted"]
