from collections.abc import Sequence

import pytest
from handmade import BOGS, FERNS, MOSS, REFUSAL, answer, span

from eval.support import Supports, alce, judge_support
from rag.chat import ChatError, Complete, Message, ReplyError
from rag.citations import Block, Claim, compose
from rag.support import Verdict


class Table:
    """Supports exactly what it is told: which passages, by a word of theirs, support a claim."""

    name = "table"

    def __init__(self, **enough: set[frozenset[str]]) -> None:
        self.enough = enough

    def check(self, sentence: str, cited: Sequence[str]) -> Verdict:
        held = {word for word in ("small", "wet", "vary") for text in cited if word in text}
        enough = any(needed <= held for needed in self.enough.get(sentence, set()))
        return Verdict("supported" if enough else "unsupported", None)


SMALL = span(MOSS, "Mosses are small.")
WET = span(BOGS, "Bogs are wet.")
VARY = span(FERNS, "Ferns vary.")


def test_recall_and_precision_by_hand_through_every_branch() -> None:
    small, wet, vary = (frozenset({word}) for word in ("small", "wet", "vary"))
    table = Table(one={small}, spare={small}, both={small | wet}, either={wet, vary})
    claims = (
        Claim("one", (SMALL,)),  # supported: 1 of 1 precise
        Claim("none", ()),  # cites nothing
        Claim("wrong", (WET,)),  # not supported: 0 of 1
        Claim("spare", (SMALL, WET)),  # one alone supports, the other is spare: 1 of 2
        Claim("both", (SMALL, WET)),  # neither supports alone: 2 of 2
        Claim("either", (WET, VARY)),  # each supports alone: 2 of 2
    )
    made = compose([Block(claims)])
    given = answer("Counted.").model_copy(
        update={"sentences": made.sentences, "references": made.references}
    )
    assert alce(given, Supports(table)) == pytest.approx((4 / 6, 6 / 8))
    assert alce(answer("Sixty papers are in it."), Supports(table)) == (0, 0)
    assert alce(REFUSAL, Supports(table)) is None


@pytest.mark.parametrize(
    ("reply", "supported", "unreadable"),
    [
        ("1. yes\n2. yes\n3. no", True, 0),
        ("1. yes\n2. yes\n3. yes", False, 1),
        (ReplyError("it said nothing"), False, 1),
    ],
)
def test_a_judge_says_yes_by_number_nonsense_is_counted_and_one_that_is_down_is_an_error(
    reply: str | ChatError, supported: bool, unreadable: int
) -> None:
    judge = judge_support(replying(reply), "some-model")
    assert judge("Bogs are wet.", ["Bogs are wet."]) is supported
    assert judge.unreadable == unreadable
    with pytest.raises(ChatError, match="it is down"):
        judge_support(replying(ChatError("it is down")), "m")("Bogs are wet.", ["Bogs are wet."])


def replying(reply: str | ChatError) -> Complete:
    def complete(messages: list[Message]) -> str:
        if isinstance(reply, ChatError):
            raise reply
        return reply

    return complete
