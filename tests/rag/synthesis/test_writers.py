"""What is opened with a chat model, when, and what happens once it is closed."""

import threading
from collections.abc import Callable

import pytest
from chat_server import ChatServer, Received, Scripted, fails, says
from writing import PEOPLE, QUESTION, TASKS, writes

from index.errors import InputError
from rag import Assistant

writes_two = writes(
    lambda at: (
        f"On top of OSWorld stands a benchmark of 369 tasks [{at(TASKS)}]."
        f" People complete more than 72.36% of the tasks [{at(PEOPLE)}]."
    )
)


def test_a_checker_that_cannot_be_used_is_told_before_the_model_is_asked_or_its_thread_begins(
    open_writing: Callable[..., Assistant], scripted: ChatServer
) -> None:
    scripted.script = writes_two
    assistant = open_writing(support_checker="/no/such/model")
    before, threads = len(scripted.received), threading.active_count()
    with pytest.raises(InputError, match="ABSTRACTQA_SUPPORT_CHECKER"):
        assistant.ask(QUESTION)
    assert len(scripted.received) == before
    assert threading.active_count() <= threads


def test_after_it_is_closed_no_new_model_is_opened(
    open_writing: Callable[..., Assistant], scripted: ChatServer
) -> None:
    scripted.script = writes_two
    assistant = open_writing()
    assert assistant.ask(QUESTION).mode == "generative"
    assistant.close()
    with pytest.raises(InputError, match="was closed"):
        assistant.ask(QUESTION)
    assert assistant.ask(QUESTION, mode="extractive").status == "answered"


def judged(verdict: Scripted) -> Callable[[Received], Scripted]:
    return lambda request: verdict if "Claim 1:" in request.text else writes_two(request)


@pytest.mark.parametrize(
    ("verdict", "supports", "notice"),
    [
        (fails(401), ["supported"] * 2, "refuses the key"),
        (says("1. yes\n2. no\n3. yes\n4. no"), ["supported", "unsupported"], None),
        (says("Claim 1: yes\nClaim 2: yes\nClaim 3: yes\nClaim 4: no"), ["supported"] * 2, None),
        (says("1. no\n2. no\n3. yes\n4. yes"), ["supported"] * 2, "control questions wrong"),
        (says("All fine."), ["supported"] * 2, "control questions wrong"),
    ],
)
def test_the_judge_has_the_last_word_if_it_gets_its_control_questions_right(
    open_writing: Callable[..., Assistant],
    scripted: ChatServer,
    verdict: Scripted,
    supports: list[str],
    notice: str | None,
) -> None:
    assistant = open_writing(support_checker="judge", unsupported="flag", planning=False)
    before = len(scripted.received)
    scripted.script = judged(verdict)
    answer = assistant.ask(QUESTION)
    assert [sentence.support for sentence in answer.sentences] == supports
    assert (notice or "") in (answer.notice or "")
    by_local_alone = "Citations were checked by the local check alone"
    assert (answer.notice or "").startswith(by_local_alone if notice else "")
    assert answer.checked_by == ("local" if notice else "judge scripted")
    assert len(scripted.received) == before + 2, "one request for all sentences"


def test_a_judge_that_is_wrong_twice_is_not_asked_again(
    open_writing: Callable[..., Assistant], scripted: ChatServer
) -> None:
    assistant = open_writing(support_checker="judge", planning=False)
    scripted.script = judged(says("1. yes\n2. yes\n3. yes\n4. yes"))
    before = len(scripted.received)
    for _ in range(3):
        assert "control questions wrong" in (assistant.ask(QUESTION).notice or "")
    assert len(scripted.received) == before + 2 + 2 + 1


def test_a_cheaper_model_may_judge(
    open_writing: Callable[..., Assistant], scripted: ChatServer
) -> None:
    assistant = open_writing(support_checker="judge", judge_model="cheap", planning=False)
    scripted.script = judged(says("1. yes\n2. yes\n3. yes\n4. no"))
    assert assistant.ask(QUESTION).checked_by == "judge cheap"
    assert [r.body["model"] for r in scripted.received[-2:]] == ["scripted", "cheap"]
