from pathlib import Path

import pytest
from tiny_nli import tiny_nli

from eval.support import JudgeSupport, LocalSupport, NliSupport, Supports, VerbatimSupport
from index.embedding import SentenceEncoder
from rag.chat import ChatError, Message, ReplyError


def test_the_products_checker_wants_the_words_of_one_premise() -> None:
    support: Supports = VerbatimSupport()
    assert support.name == "verbatim"
    assert support("Bogs are wet", ["Ferns vary.", "All bogs are  wet in May."])
    assert not support("Bogs are dry", ["Bogs are wet."])
    assert not support("vary bogs", ["Ferns vary.", "Bogs are wet."])
    assert not support("Bogs are wet", [])


def test_every_sentence_of_a_claim_has_to_hold_for_the_local_checker(
    encoder: SentenceEncoder,
) -> None:
    support: Supports = LocalSupport(encoder)
    premises = ["All bogs are wet in May. Ferns vary."]
    assert support.name == "local"
    assert support("Bogs are wet in May. Ferns vary.", premises)
    assert not support("Bogs are wet in May. Cars can fly to Rome.", premises)
    assert support.unreadable == 0
    first, both = "Ferns vary.", "Ferns vary. Cars can fly to Rome."
    assert (support.score(both, premises) or 0) < (support.score(first, premises) or 0)


def test_a_cross_encoder_supports_what_it_says_is_entailed(tmp_path: Path) -> None:
    labels = ["contradiction", "entailment", "neutral"]
    support: Supports = NliSupport(str(tiny_nli(tmp_path / "tiny", labels, [0, 2, 0])))
    assert support.name == "nli tiny"
    assert support("bogs are wet", ["bogs are wet", "ferns vary"])
    assert support.score("bogs are wet", ["bogs are wet"]) == pytest.approx(0.787, abs=0.001)
    partly: Supports = NliSupport(str(tiny_nli(tmp_path / "partly", labels, [0, 2, 2.1])))
    assert not partly("bogs are wet", ["bogs are wet"])
    assert partly.unreadable == 0


def test_what_a_checker_says_is_computed_once(tmp_path: Path) -> None:
    folder = tiny_nli(tmp_path / "tiny", ["entailment", "neutral"], [1, 0])
    support = NliSupport(str(folder))
    assert support("bogs are wet", ["bogs are wet"])
    before = support.score("bogs are wet", ["bogs are wet"])
    support._checker = None  # type: ignore[assignment]
    assert support("bogs are wet", ["bogs are wet"])
    assert support.score("bogs are wet", ["bogs are wet"]) == before


@pytest.mark.parametrize(
    ("reply", "supported", "unreadable"),
    [
        ("1. yes\n2. yes\n3. no", True, 0),
        ("1. no\n2. yes\n3. no", False, 0),
        ("1. yes\n2. yes\n3. yes", False, 1),
        ("2. yes\n3. no", False, 1),
        ("", False, 1),
    ],
)
def test_a_judge_says_yes_by_number_and_nonsense_is_counted(
    reply: str, supported: bool, unreadable: int
) -> None:
    judge = JudgeSupport(lambda messages: reply, "some-model")
    assert judge("Bogs are wet.", ["Bogs are wet."]) is supported
    assert judge.unreadable == unreadable


def test_a_judge_sees_the_claim_and_every_premise_and_is_asked_once() -> None:
    asked: list[list[dict[str, str]]] = []

    def complete(messages: list[dict[str, str]]) -> str:
        asked.append(messages)
        return "1. yes\n2. yes\n3. no"

    judge: Supports = JudgeSupport(complete, "some-model")
    assert judge("Bogs {are} wet.", ["Bogs are wet.", "Ferns vary."])
    assert judge("Bogs {are} wet.", ["Bogs are wet.", "Ferns vary."])
    assert judge.name == "judge some-model"
    ((system, user),) = asked
    assert (system["role"], user["role"]) == ("system", "user")
    for text in ("Bogs {are} wet.", "Bogs are wet.", "Ferns vary."):
        assert text in user["content"]


def test_a_judge_that_gives_no_reply_is_counted_and_one_that_is_down_stops_the_measuring() -> None:
    def fail(error: ChatError) -> JudgeSupport:
        def complete(messages: list[Message]) -> str:
            raise error

        return JudgeSupport(complete, "some-model")

    silent = fail(ReplyError("it said nothing"))
    assert not silent("Bogs are wet.", ["Bogs are wet."])
    assert silent.unreadable == 1
    with pytest.raises(ChatError, match="it is down"):
        fail(ChatError("it is down"))("Bogs are wet.", ["Bogs are wet."])
