from collections.abc import Sequence
from pathlib import Path

import pytest
from handmade import BOGS, FERNS, MOSS, REFUSAL, answer, reference
from tiny_nli import tiny_nli

from eval.support import Supports, alce, judge_support, nli_support
from rag.chat import ChatError, Message, ReplyError
from rag.schema import Answer, AnswerSentence, Citation, Reference
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


SMALL = reference(1, MOSS, "Mosses are small.")
WET = reference(2, BOGS, "Bogs are wet.")
VARY = reference(3, FERNS, "Ferns vary.")


def cite(*references: Reference) -> tuple[Citation, ...]:
    return tuple(
        Citation(reference=r.number, start=r.passages[0].start, end=r.passages[0].end)
        for r in references
    )


def said(*sentences: tuple[str, tuple[Citation, ...]]) -> Answer:
    """An answer of these sentences, which together must cite all three passages."""
    given = answer("x [1] y [2] z [3]", SMALL, WET, VARY).model_copy(
        update={
            "sentences": tuple(
                AnswerSentence(text=text, citations=citations, support="unchecked")
                for text, citations in sentences
            )
        }
    )
    return Answer.model_validate(given.model_dump())


def test_recall_and_precision_by_hand_through_every_branch() -> None:
    """Six sentences: one citation that supports, one that does not, and so on.

    one: cites [1], supported                            → recall 1, precise 1 of 1
    none: cites nothing                                  → recall 0, no citation
    wrong: cites [2], not supported                      → recall 0, precise 0 of 1
    spare: cites [1][2], [1] alone supports, [2] is spare → recall 1, precise 1 of 2
    both: cites [1][2], neither supports alone           → recall 1, precise 2 of 2
    either: cites [2][3], each supports alone            → recall 1, precise 2 of 2
    """
    small, wet, vary = (frozenset({word}) for word in ("small", "wet", "vary"))
    table = Table(one={small}, spare={small}, both={small | wet}, either={wet, vary})
    given = said(
        ("one", cite(SMALL)),
        ("none", ()),
        ("wrong", cite(WET)),
        ("spare", cite(SMALL, WET)),
        ("both", cite(SMALL, WET)),
        ("either", cite(WET, VARY)),
    )
    assert alce(given, Supports(table)) == pytest.approx((4 / 6, 6 / 8))


def test_nothing_cited_supports_nothing_and_a_refusal_is_not_measured() -> None:
    counted = answer("Sixty papers are in it.").model_copy(update={"status": "answered"})
    assert alce(counted, Supports(Table())) == (0, 0)
    assert alce(REFUSAL, Supports(Table())) is None


def test_a_cross_encoder_supports_what_it_says_is_entailed(tmp_path: Path) -> None:
    labels = ["contradiction", "entailment", "neutral"]
    support = nli_support(str(tiny_nli(tmp_path / "tiny", labels, [0, 2, 0])))
    assert support.name == "nli tiny"
    assert support("bogs are wet", ["bogs are wet", "ferns vary"])
    partly = nli_support(str(tiny_nli(tmp_path / "partly", labels, [0, 2, 2.1])))
    assert not partly("bogs are wet", ["bogs are wet"])
    assert partly.unreadable == 0


@pytest.mark.parametrize(
    ("reply", "supported", "unreadable"),
    [
        ("1. yes\n2. yes\n3. no", True, 0),
        ("1. no\n2. yes\n3. no", False, 0),
        ("1. yes\n2. yes\n3. yes", False, 1),
        ("", False, 1),
    ],
)
def test_a_judge_says_yes_by_number_and_nonsense_is_counted(
    reply: str, supported: bool, unreadable: int
) -> None:
    judge = judge_support(lambda messages: reply, "some-model")
    assert judge("Bogs are wet.", ["Bogs are wet."]) is supported
    assert judge.unreadable == unreadable


def test_a_judge_that_gives_no_reply_is_counted_and_one_that_is_down_stops_the_measuring() -> None:
    def fail(error: ChatError) -> Supports:
        def complete(messages: list[Message]) -> str:
            raise error

        return judge_support(complete, "some-model")

    silent = fail(ReplyError("it said nothing"))
    assert not silent("Bogs are wet.", ["Bogs are wet."])
    assert silent.unreadable == 1
    with pytest.raises(ChatError, match="it is down"):
        fail(ChatError("it is down"))("Bogs are wet.", ["Bogs are wet."])
