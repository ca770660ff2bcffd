"""How a chat model helps before it writes: follow-ups and plans."""

import re
from collections.abc import Callable

import pytest
from chat_server import ChatServer, Received, Scripted, fails, says
from made_up import titles
from writing import TASKS, writes

from rag import Assistant
from rag.schema import Progress

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
    return "<abstracts>" in request.text


def script(help_: Scripted) -> Callable[[Received], Scripted]:
    """Help with this reply, and write another."""
    answer = writes(lambda at: f"On top of OSWorld stands a benchmark of 369 tasks [{at(TASKS)}].")
    return lambda request: answer(request) if is_answer(request) else help_


def test_a_follow_up_is_made_to_stand_alone_by_the_model(
    writing: Assistant, scripted: ChatServer
) -> None:
    scripted.script = script(says("How many tasks does OSWorld have?"))
    events = list(writing.stream("And how many tasks are in the other one?", history=HISTORY))
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
    scripted.script = script(reply)
    answer = writing.ask(question, history=HISTORY)
    by_rule = writing.ask(question, history=HISTORY, mode="extractive")
    assert answer.standalone_question == by_rule.standalone_question
    assert "OSWorld" in answer.standalone_question


def test_a_paper_given_by_its_number_is_that_paper_whatever_the_model_makes_of_it(
    writing: Assistant, scripted: ChatServer
) -> None:
    scripted.script = script(says("What does AndroidWorld do?"))
    for question in ("What does [2] do?", "What does the 2nd paper do?"):
        answer = writing.ask(question, history=HISTORY)
        assert "OSWorld" in answer.standalone_question
        assert "AndroidWorld" not in answer.standalone_question


def test_a_question_in_parts_is_planned_and_each_part_is_looked_up(
    writing: Assistant, scripted: ChatServer
) -> None:
    question = "Compare OSWorld and AndroidWorld: how many tasks, and which rewards?"
    plan = "1. How many tasks does OSWorld have?\n2. Which rewards does AndroidWorld give?"
    scripted.script = script(says(plan))
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


def test_a_part_that_needs_another_is_asked_with_what_that_one_found(
    writing: Assistant, scripted: ChatServer
) -> None:
    question = "Which of these has more tasks: the benchmark for Android, or OSWorld?"
    plan = "1. Which paper is a benchmark for Android?\n2. How many tasks does {1} have?"
    plan += "\n3. How many tasks does OSWorld have?"
    scripted.script = script(says(plan))
    answer = writing.ask(question)
    assert [part.after for part in answer.plan] == [(), (1,), ()]
    assert re.search(r"^\[\d\.\d\] .*116 programmatic tasks", scripted.received[-1].text, re.M)


def test_planning_can_be_switched_off(
    open_writing: Callable[..., Assistant], scripted: ChatServer
) -> None:
    scripted.script = script(fails(500))
    before = len(scripted.received)
    assistant = open_writing(planning=False)
    assert assistant.ask("How do OSWorld and AndroidWorld differ in tasks?").plan == ()
    assistant.search("agents")
    assert all(is_answer(request) for request in scripted.received[before:])
