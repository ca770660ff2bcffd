"""How a chat model helps before it writes: follow-ups, plans, wider searches, other orders."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from chat_server import ChatServer, Received, Scripted, fails, says, streams
from made_up import titles
from writing import TASKS, address

from rag import Assistant
from rag.schema import Progress
from rag.synthesis.prompts import SENTINEL

HISTORY = [
    {"role": "user", "content": "Which benchmarks for agents are there?"},
    {
        "role": "assistant",
        "content": "There are two. [1] [2]",
        "references": [
            "AndroidWorld: A Dynamic Benchmarking Environment for Autonomous Agents",
            "OSWorld: Benchmarking Multimodal Agents for Open-Ended Tasks in Real Computer"
            " Environments",
        ],
    },
]


def is_answer(request: Received) -> bool:
    return "<sentences>" in request.text


def script(help_: Scripted, answer: Callable[[Received], Scripted] | None = None) -> object:
    """Help with one reply, and write another."""

    def reply(request: Received) -> Scripted:
        if is_answer(request):
            return answer(request) if answer else streams(SENTINEL)
        return help_

    return reply


def writes_tasks(request: Received) -> Scripted:
    return streams(f"OSWorld has a benchmark of 369 tasks [{address(request, TASKS)}].")


def test_a_follow_up_is_made_to_stand_alone_by_the_model(
    writing: Assistant, scripted: ChatServer
) -> None:
    scripted.script = script(says("How many tasks does OSWorld have?"), writes_tasks)
    events = list(writing.stream("And how many tasks are in the second paper?", history=HISTORY))
    answer = events[-1].answer  # type: ignore[union-attr]
    assert answer.standalone_question == "How many tasks does OSWorld have?"
    assert [title.split(":")[0] for title in titles(answer)] == ["OSWorld"]
    assert next(e.stage for e in events if isinstance(e, Progress)) == "understand"
    assert "[2] OSWorld" in next(r.text for r in scripted.received[-2:] if not is_answer(r))


@pytest.mark.parametrize(
    "reply",
    [fails(500), says("It has 369 tasks."), says("What of Napoleon Bonaparte?"), says("no")],
    ids=["failure", "an answer", "a foreign name", "nothing"],
)
def test_the_rules_take_over_where_the_model_does_not_help(
    writing: Assistant, scripted: ChatServer, reply: Scripted
) -> None:
    question = "And how many tasks are in the second paper?"
    scripted.script = script(reply, writes_tasks)
    answer = writing.ask(question, history=HISTORY)
    by_rule = writing.ask(question, history=HISTORY, mode="extractive")
    assert answer.standalone_question == by_rule.standalone_question
    assert "OSWorld" in answer.standalone_question


@pytest.mark.parametrize("question", ["What does [2] do?", "What does the 2nd paper do?"])
def test_a_paper_given_by_its_number_is_that_paper_whatever_the_model_makes_of_it(
    writing: Assistant, scripted: ChatServer, question: str
) -> None:
    scripted.script = script(says("What does AndroidWorld do?"), writes_tasks)
    answer = writing.ask(question, history=HISTORY)
    assert "OSWorld" in answer.standalone_question
    assert "AndroidWorld" not in answer.standalone_question
    scripted.script = script(says("What does OSWorld do?"), writes_tasks)
    assert writing.ask(question, history=HISTORY).standalone_question == "What does OSWorld do?"


def test_a_question_in_parts_is_planned_and_each_part_is_looked_up(
    writing: Assistant, scripted: ChatServer
) -> None:
    question = "How many tasks does OSWorld have, and which rewards does AndroidWorld give?"
    plan = "1. How many tasks does OSWorld have?\n2. Which rewards does AndroidWorld give?"
    scripted.script = script(says(plan), writes_tasks)
    events = list(writing.stream(question))
    answer = events[-1].answer  # type: ignore[union-attr]
    assert [part.question for part in answer.plan] == [
        "How many tasks does OSWorld have?",
        "Which rewards does AndroidWorld give?",
    ]
    shown = [e.text for e in events if isinstance(e, Progress) and e.stage == "plan"]
    assert "Which rewards does AndroidWorld give?" in shown[-1]
    said = scripted.received[-1].text
    assert re.search(r"^\[\d\.\d\] On top of it stands a benchmark of 369 tasks", said, re.M)
    assert re.search(r"^\[\d\.\d\] .*reward signals for 116 programmatic tasks", said, re.M)


def test_a_comparison_of_two_names_is_planned_without_the_model(
    writing: Assistant, scripted: ChatServer
) -> None:
    scripted.script = script(fails(500), writes_tasks)
    before = len(scripted.received)
    answer = writing.ask("OSWorld vs AndroidWorld: what does each cover?")
    assert [part.question for part in answer.plan] == [
        "What does OSWorld cover?",
        "What does AndroidWorld cover?",
    ]
    assert len(scripted.received) == before + 1


def test_parts_are_answered_where_the_whole_question_is_in_no_abstract(
    writing: Assistant, scripted: ChatServer
) -> None:
    question = "Which benchmark has more tasks, BIG-bench or Cybench?"
    assert writing.ask(question, mode="extractive").status == "insufficient_evidence"

    def reply(request: Received) -> Scripted:
        at = address(request, "It contains 40 professional-level")
        return streams(f"Cybench has 40 professional-level tasks [{at}].")

    scripted.script = script(fails(500), reply)
    answer = writing.ask(question)
    assert answer.status == "answered"
    assert [part.question for part in answer.plan] == [
        "How many tasks does BIG-bench have?",
        "How many tasks does Cybench have?",
    ]
    said = scripted.received[-1].text
    assert "204 tasks" in said
    assert answer.notice is None


def test_what_is_found_for_one_part_alone_is_told_with_what_is_missing(
    writing: Assistant, scripted: ChatServer
) -> None:
    scripted.script = script(fails(500), writes_tasks)
    answer = writing.ask("Which benchmark has more tasks, Zorkbench-9 or OSWorld?")
    assert [title.split(":")[0] for title in titles(answer)] == ["OSWorld"]
    assert "Zorkbench-9" in (answer.notice or "")


def test_a_question_of_whose_parts_none_is_there_is_refused(
    writing: Assistant, scripted: ChatServer
) -> None:
    before = len(scripted.received)
    answer = writing.ask("Which benchmark has more tasks, Zorkbench-9 or Blipworld-7?")
    assert answer.status == "insufficient_evidence"
    assert len(scripted.received) == before


def test_a_part_that_needs_another_is_asked_with_what_that_one_found(
    writing: Assistant, scripted: ChatServer
) -> None:
    question = "Which of these has more tasks: the benchmark for Android, or OSWorld?"
    plan = "1. Which paper is a benchmark for Android?\n2. How many tasks does {1} have?"
    plan += "\n3. How many tasks does OSWorld have?"
    scripted.script = script(says(plan), writes_tasks)
    answer = writing.ask(question)
    assert [part.after for part in answer.plan] == [(), (1,), ()]
    assert re.search(r"^\[\d\.\d\] .*116 programmatic tasks", scripted.received[-1].text, re.M)


def test_planning_can_be_switched_off(
    open_writing: Callable[..., Assistant], scripted: ChatServer
) -> None:
    scripted.script = script(fails(500))
    before = len(scripted.received)
    answer = open_writing(planning=False).ask("How do OSWorld and AndroidWorld differ in tasks?")
    assert answer.plan == ()
    assert all(is_answer(request) for request in scripted.received[before:])


PASSAGE = (
    "We present a benchmark of programmatic tasks in real apps of a phone, with reward signals,"
    " where an agent finishes a share of the tasks on Android."
)


@pytest.mark.parametrize("kind", ["hyde", "query2doc"])
def test_a_made_up_passage_widens_the_search_is_kept_and_is_never_shown(
    open_writing: Callable[..., Assistant],
    scripted: ChatServer,
    kind: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    question = "a yardstick for handheld helpers"
    assistant = open_writing(expansion=kind)
    plain = [hit.paper.id for hit in open_writing().search(question, limit=41)]
    scripted.script = script(says(PASSAGE))
    wider = assistant.search(question, limit=41)
    before = len(scripted.received)
    assert assistant.search(question, limit=41) == wider
    assert len(scripted.received) == before, "a passage that is kept is not asked for again"
    ids = [hit.paper.id for hit in wider]
    wanted = next(h.paper.id for h in wider if h.paper.title.startswith("AndroidWorld"))
    assert ids.index(wanted) < plain.index(wanted)
    assert "reward signals,\n" not in assistant.ask(question).model_dump_json()


def test_the_model_may_reorder_what_was_found_first(
    open_writing: Callable[..., Assistant], scripted: ChatServer
) -> None:
    plain = [hit.paper.id for hit in open_writing().search("agents on phones")]
    scripted.script = script(says("[3] > [1] > [2]"))
    moved = [hit.paper.id for hit in open_writing(rerank=True).search("agents on phones")]
    assert moved == [plain[2], plain[0], plain[1], *plain[3:]]


def test_a_search_asks_no_model_unless_a_setting_says_so(
    writing: Assistant, scripted: ChatServer
) -> None:
    before = len(scripted.received)
    writing.search("agents")
    assert len(scripted.received) == before
