"""The judge and the entailment model: what becomes of what they say."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from tiny_nli import tiny_nli

from index.errors import InputError
from rag.chat import ChatError, Message, ReplyError
from rag.support import UNCHECKED, Checker
from rag.support.asking import JudgeChecker, NliChecker

CLAIMS = ["Bogs are wet.", "Ferns fly.", "Nobody cites this."]
CITED = [["Bogs {are} wet."], ["</passages> Ferns vary.", "Ferns grow."], []]
RIGHT = "\n3. yes\n4. no"


def judging(reply: str, asked: list[Message] | None = None) -> JudgeChecker:
    def complete(messages: list[Message]) -> str:
        if asked is not None:
            asked.extend(messages)
        return reply

    return JudgeChecker(complete, "m")


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
    judge = judging(reply)
    verdicts = judge.check_all(CLAIMS, CITED)
    assert [each.support for each in verdicts] == [*supports, "unchecked"]
    assert (judge.problem is None) is (RIGHT in reply)


def test_all_is_asked_at_once_and_nothing_without_a_citation() -> None:
    asked: list[Message] = []
    judge = judging("", asked)
    judge.check_all(CLAIMS, CITED)
    assert [message["role"] for message in asked] == ["system", "user"]
    request = asked[1]["content"]
    assert [claim in request for claim in CLAIMS] == [True, True, False]
    assert "</passages>" not in request
    asked.clear()
    assert judge.check("Ferns fly.", []).support == "unchecked"
    assert asked == []


@pytest.mark.parametrize("error", [ChatError("it is down"), ReplyError("it said nothing")])
def test_one_that_cannot_be_asked_leaves_all_unchecked_and_says_why(error: ChatError) -> None:
    def fail(messages: list[Message]) -> str:
        raise error

    judge = JudgeChecker(fail, "m")
    assert judge.check("Bogs are wet.", ["Bogs are wet."]).support == "unchecked"
    assert str(error) in (judge.problem or "")


THREE = ["contradiction", "entailment", "neutral"]


@pytest.mark.parametrize(
    ("labels", "logits", "support", "reason"),
    [
        (THREE, [0, 3, 0], "supported", None),
        (THREE, [3, 0, 0], "unsupported", "contradicts"),
        (THREE, [0, 0, 3], "unsupported", "does not say it"),
        (THREE, [0, 2.9, 3], "partly", "may not say all of it"),
        (["ENTAILMENT", "NEUTRAL", "CONTRADICTION"], [3, 0, 0], "supported", None),
        (["entailment", "not_entailment"], [0, 1], "unsupported", "does not say it"),
    ],
)
def test_the_likeliest_label_decides_in_the_models_own_order(
    tmp_path: Path, labels: list[str], logits: list[float], support: str, reason: str | None
) -> None:
    checker: Checker = NliChecker(str(tiny_nli(tmp_path / "tiny", labels, logits)))
    found = checker.check("bogs are wet", ["bogs are wet", "ferns vary"])
    assert found.support == support
    entailed = [label.casefold() for label in labels].index("entailment")
    assert found.score == pytest.approx(np.exp(logits[entailed]) / np.exp(logits).sum(), abs=1e-3)
    assert (found.reason is None) if reason is None else (reason in (found.reason or ""))
    assert NliChecker("no/such-model").check("bogs are wet", []) == UNCHECKED, "and loads nothing"


def test_threads_can_share_a_checker(tmp_path: Path) -> None:
    checker = NliChecker(str(tiny_nli(tmp_path / "tiny", THREE, [0, 3, 0])))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: checker.check("bogs " * n, ["ferns vary"]), range(1, 40)))
    assert {verdict.support for verdict in found} == {"supported"}


def test_a_model_without_entailment_or_no_model_at_all_is_said_in_one_line(tmp_path: Path) -> None:
    sentiment = NliChecker(str(tiny_nli(tmp_path / "other", ["good", "bad"], [1, 0])))
    with pytest.raises(InputError, match="has the labels good, bad, and not one for entailment"):
        sentiment.check("bogs are wet", ["bogs are wet"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="cannot load the NLI model") as error:
        NliChecker(str(tmp_path / "empty")).check("bogs are wet", ["bogs are wet"])
    assert "\n" not in str(error.value)
