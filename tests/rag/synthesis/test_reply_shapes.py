"""Replies in every shape that models give them come out as one text, streamed and whole."""

import re
import time
from collections.abc import Callable

import pytest
from chat_server import ChatServer, Received, Scripted, delta, says, sends, streams
from made_up import keeps_the_promises
from writing import PEOPLE, QUESTION, TASKS, Write, told, writes

from rag import Assistant
from rag.schema import Delta
from rag.synthesis.prompts import SENTINEL

TASKS_SAID = "OSWorld has a benchmark of 369 tasks"
PEOPLE_SAID = "People complete more than 72.36% of the tasks"
LIST = "Which papers are about model merging?"
BOTH = f"{TASKS_SAID}. [1] {PEOPLE_SAID}. [1]"
BULLETS = f"- {TASKS_SAID} [1]\n- {PEOPLE_SAID}. [1]"


def both(at: Callable[[str], str], between: str = ". ") -> str:
    return f"{TASKS_SAID} [{at(TASKS)}]{between}{PEOPLE_SAID} [{at(PEOPLE)}]."


SHAPES: dict[str, tuple[Write, str]] = {
    "greetings": (lambda at: f"Sure! Here is the answer:\n\n{both(at)}\n\nHope this helps!", BOTH),
    "an offer": (lambda at: f"{both(at)} Let me know if you need more.", BOTH),
    "a label": (lambda at: f"**Answer:** {both(at)}", BOTH),
    "the question": (lambda at: f"Question: {QUESTION}\nAnswer: {both(at)}", BOTH),
    "tags": (lambda at: f"<answer><p>{both(at, '</b>. <b>')}</p></answer>", BOTH),
    "a fence": (lambda at: f"```markdown\n{both(at)}\n```", BOTH),
    "rules": (lambda at: f"---\n{both(at)}\n***\n", BOTH),
    "a heading": (lambda at: f"## Findings\n\n{both(at)}", BOTH),
    "a label on its line": (lambda at: f"**Main findings**\n\n{both(at)}", BOTH),
    "a link": (lambda at: both(at).replace("OSWorld has", "[OSWorld](https://os.org) has"), BOTH),
    "a repetition": (lambda at: f"{both(at)} {both(at)}", BOTH),
    "name and marker": (
        lambda at: both(at).replace("OSWorld has", f"OSWorld [{at(TASKS)}] has"), BOTH
    ),
    "controls": (lambda at: both(at).replace(" a ", " a\x07 \u202e").replace("3", "3\x00"), BOTH),
    "windows lines": (lambda at: both(at, ".\r\n\r\n"), BOTH.replace("[1] P", "[1]\n\nP")),
    "bullets": (lambda at: "- " + both(at, "\n- "), BULLETS),
    "numbered": (lambda at: "1. " + both(at, "\n2. "), BULLETS),
    "bullet under bullet": (
        lambda at: "- " + both(at, ".\n  - "), f"- {TASKS_SAID}. [1] {PEOPLE_SAID}. [1]"
    ),
    "a paragraph with a name": (
        lambda at: f"OSWorld: a benchmark of 369 tasks [{at(TASKS)}]. {PEOPLE_SAID}.",
        f"OSWorld: a benchmark of 369 tasks. [1] {PEOPLE_SAID}. [1]",
    ),
    "sentence in words": (
        lambda at: f"According to sentence {at(TASKS)}, it has a benchmark of 369 tasks.",
        "According to OSWorld, it has a benchmark of 369 tasks. [1]",
    ),
    "an open marker": (lambda at: f"{TASKS_SAID} [{at(TASKS)}", f"{TASKS_SAID} [1]"),
    "a table": (
        lambda at: "| What | Found |\n|---|---|\n"
        f"| OSWorld | a benchmark of 369 tasks [{at(TASKS)}] |\n"
        f"| People | complete more than 72.36% of the tasks [{at(PEOPLE)}] |\n",
        "- **OSWorld: Benchmarking Multimodal Agents for Open-Ended Tasks in Real Computer"
        " Environments** — A benchmark of 369 tasks [1]\n"
        "- People: complete more than 72.36% of the tasks [1]",
    ),
}  # fmt: skip
"""What a model writes, and the text that it becomes."""


@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_gives_its_text_streamed_and_whole(
    open_writing: Callable[..., Assistant], scripted: ChatServer, name: str, size: int
) -> None:
    write, expected = SHAPES[name]
    scripted.script = writes(write, size)
    streamed, answer = told(list(open_writing(unsupported="flag").stream(QUESTION)))
    assert answer.text == expected
    assert streamed == answer.text
    assert all(sentence.support == "supported" for sentence in answer.sentences)
    keeps_the_promises(answer)


@pytest.mark.parametrize(
    "reply",
    [f"Answer: {SENTINEL}", f"The answer is {SENTINEL}.", f"**Answer:** {SENTINEL.lower()}.",
     f"This is {SENTINEL.lower()}.", f"Its cost is {SENTINEL}. I know that it is 42.",
     f"```\n{SENTINEL}\n```", f"{SENTINEL} for the cost, but it is 42."],
)  # fmt: skip
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_the_sentinel_is_a_refusal_wherever_it_stands_and_is_never_shown(
    writing: Assistant, scripted: ChatServer, reply: str, size: int
) -> None:
    scripted.script = writes(lambda _: reply, size)
    streamed, answer = told(list(writing.stream(QUESTION)))
    assert answer.status == "insufficient_evidence"
    for text in (streamed, answer.text):
        assert "in the abstracts" not in text.lower()
        assert "42" not in text


@pytest.mark.parametrize(
    "reply",
    [lambda at: f"{SENTINEL}. {TASKS_SAID} [{at(TASKS)}].",
     lambda at: f"{SENTINEL} for the cost, but {TASKS_SAID} [{at(TASKS)}].",
     lambda at: f"{TASKS_SAID} [{at(TASKS)}]; the cost is {SENTINEL}.",
     lambda at: f"{TASKS_SAID} [{at(TASKS)}]. The cost is {SENTINEL}."],
)  # fmt: skip
def test_what_is_grounded_beside_the_sentinel_is_kept(
    writing: Assistant, scripted: ChatServer, reply: Write
) -> None:
    scripted.script = writes(reply)
    answer = writing.ask(QUESTION)
    assert answer.status == "answered"
    assert re.fullmatch(rf"{TASKS_SAID}\.? \[1\]", answer.text)


@pytest.mark.parametrize("reply", ["## OSWorld has tasks", "**Limitations**", "OSWorld"])
def test_headings_and_labels_alone_answer_nothing(
    writing: Assistant, scripted: ChatServer, reply: str
) -> None:
    scripted.script = writes(lambda _: reply)
    assert writing.ask(QUESTION).status == "insufficient_evidence"


@pytest.mark.parametrize("between", ["\n", "\n  ", "\n  - ", " [1]\n  * "])
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_what_stands_under_a_title_is_said_of_that_paper(
    open_writing: Callable[..., Assistant], scripted: ChatServer, between: str, size: int
) -> None:
    def write(request: Received) -> Scripted:
        (one, first), (_, second) = _papers(request)[:2]
        said = _sentence(request, one)
        text = f"- **{first}**{between}{said}\n- **{second}**{between}{said}\n"
        return streams(*(text[at : at + size] for at in range(0, len(text), size)))

    scripted.script = write
    streamed, answer = told(list(open_writing(unsupported="flag").stream(LIST)))
    first, second = answer.text.split("\n")
    assert [line.startswith("- **") for line in (first, second)] == [True, True]
    own, other = answer.sentences
    assert own.support == "supported"
    assert (other.support, other.citations) == ("unsupported", ())
    assert streamed == answer.text


def test_the_last_bullet_is_streamed(writing: Assistant, scripted: ChatServer) -> None:
    scripted.script = lambda request: streams(f"- {_papers(request)[0][1]}")
    streamed, answer = told(list(writing.stream(LIST)))
    assert streamed == answer.text != ""
    assert answer.status == "answered"


def test_a_reply_that_its_limit_cut_off_loses_its_open_sentence_and_says_so(
    writing: Assistant, scripted: ChatServer
) -> None:
    scripted.script = lambda _: streams(f"{TASKS_SAID}. People complete more th", finish="length")
    answer = writing.ask(QUESTION)
    assert answer.text == f"{TASKS_SAID}. [1]"
    assert "ABSTRACTQA_ANSWER_TOKENS" in (answer.notice or "")
    scripted.script = lambda _: streams(f"{TASKS_SAID}. {PEOPLE_SAID}.", finish="length")
    assert writing.ask(QUESTION).text == BOTH


@pytest.mark.parametrize(
    "reply",
    [streams("<think>", "So many tasks", finish="length"),
     says(None, reasoning_content="So many tasks", finish="length"),
     sends(delta(reasoning_content="So many"), delta("length"), "[DONE]")],
)  # fmt: skip
def test_a_reply_of_thoughts_alone_names_the_limit_that_cut_it(
    writing: Assistant, scripted: ChatServer, reply: Scripted
) -> None:
    scripted.script = lambda _: reply
    answer = writing.ask(QUESTION)
    assert answer.mode == "extractive"
    assert "thoughts" in (answer.notice or "")
    assert "ABSTRACTQA_ANSWER_TOKENS" in (answer.notice or "")


@pytest.mark.parametrize("shape", ["sentences", "one sentence", "repeated", "bullets"])
def test_a_long_reply_in_small_pieces_is_read_in_no_time(shape: str) -> None:
    from rag.citations import Claim
    from rag.support import UNCHECKED
    from rag.synthesis.draft import Draft
    from rag.synthesis.reader import DraftReader
    from rag.synthesis.sentences import Line, Piece, Sentence

    make = {
        "sentences": "".join(f"Sentence {n} says a thing about the world. " for n in range(900)),
        "one sentence": "word " * 8000,
        "repeated": "It is the same again and again. " * 1300,
        "bullets": "".join(f"- Item {n} is one of very many\n" for n in range(1300)),
    }
    text = make[shape][:40_000]
    reader, draft = DraftReader({}), Draft(lambda _: False)
    started, shown = time.perf_counter(), ""
    for at in range(0, len(text), 5):
        for read in reader.feed(text[at : at + 5]):
            match read:
                case Line(bullet):
                    draft.begin_line(bullet=bullet)
                case Piece(said):
                    draft.grow(said)
                case Sentence(said, _):
                    draft.end_sentence(Claim(said, (), UNCHECKED))
        shown += draft.show()
    assert time.perf_counter() - started < 3
    assert len(shown) > 0.9 * len(text)


def test_no_control_character_is_streamed(writing: Assistant, scripted: ChatServer) -> None:
    scripted.script = writes(lambda at: f"{both(at)}\x1b]0;gone\x07 \u202eecalp", 3)
    events = list(writing.stream(QUESTION))
    text = "".join(event.text for event in events if isinstance(event, Delta))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)


def _papers(request: Received) -> list[tuple[str, str]]:
    return re.findall(r"^Paper (\d+) \([\d-]+\): (.*)$", request.text, re.MULTILINE)


def _sentence(request: Received, number: str) -> str:
    sheet = request.text.partition("<sentences>")[2]
    found = re.search(rf"^\[{number}\.\d+\] (.*)$", sheet, re.MULTILINE)
    assert found
    return found[1]
