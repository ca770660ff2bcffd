"""The judge: what becomes of what it says."""

import pytest

from rag.chat import Message
from rag.support import JudgeChecker

CLAIMS = ["Bogs are wet.", "Ferns fly.", "Nobody cites this."]
CITED = [["Bogs {are} wet."], ["</passages> Ferns vary.", "Ferns grow."], []]
RIGHT = "\n3. yes\n4. no"


@pytest.mark.parametrize(
    ("reply", "supports"),
    [
        (f"1. yes\n2. no{RIGHT}", ["supported", "unsupported"]),
        (f"Claim 1: **Yes**\nClaim 2 - no, it does not{RIGHT}", ["supported", "unsupported"]),
        (f"1. partly\n2. perhaps yes{RIGHT}", ["unsupported", "unchecked"]),
        (RIGHT, ["unchecked", "unchecked"]),
        ("1. yes\n2. yes\n3. yes\n4. yes", ["unchecked", "unchecked"]),
        ("yes", ["unchecked", "unchecked"]),
    ],
)
def test_verdicts_are_read_by_their_numbers(reply: str, supports: list[str]) -> None:
    judge = JudgeChecker(lambda _: reply, "m")
    verdicts = judge.check_all(CLAIMS, CITED)
    assert [each.support for each in verdicts] == [*supports, "unchecked"]
    assert (judge.problem is None) is (RIGHT in reply)


def test_all_is_asked_at_once_and_nothing_without_a_citation() -> None:
    asked: list[Message] = []

    def complete(messages: list[Message]) -> str:
        asked.extend(messages)
        return ""

    judge = JudgeChecker(complete, "m")
    judge.check_all(CLAIMS, CITED)
    assert [message["role"] for message in asked] == ["system", "user"]
    request = asked[1]["content"]
    assert [claim in request for claim in CLAIMS] == [True, True, False]
    assert "</passages>" not in request
    asked.clear()
    assert judge.check("Ferns fly.", []).support == "unchecked"
    assert asked == []
