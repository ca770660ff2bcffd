from collections.abc import Sequence

import pytest
from handmade import BOGS, FERNS, MOSS, REFUSAL, answer, ask, reference, score

from eval.figures import answer_summary, by_type, intervals, question_values, risk_by_coverage
from eval.runs import QuestionScore
from eval.scoring import AnswerScore
from eval.support import Supports
from rag.schema import Usage
from rag.support import Verdict

SMALL = reference(1, MOSS, "Mosses are small.")


class Quoted:
    """Supports what stands in one of the passages, as "Small" does."""

    name = "quoted"

    def check(self, sentence: str, cited: Sequence[str]) -> Verdict:
        words = sentence.rstrip(".").casefold()
        found = any(words in text.casefold() for text in cited)
        return Verdict("supported" if found else "unsupported", None)


QUOTED = Supports(Quoted())


def means(scores: Sequence[AnswerScore]) -> dict[str, object]:
    found = intervals([question_values(score, QUOTED) for score in scores])
    return {name: each["mean"] for name, each in found.items()}


@pytest.fixture
def scores() -> list[AnswerScore]:
    """Five questions: right, half right, refused for nothing, refused rightly, answered wrongly."""
    half = answer("Wet and many and varied [1] [2].", reference(1, BOGS, "Bogs are wet."),
                  reference(2, FERNS, "Ferns vary."))  # fmt: skip
    return [
        score(
            ask(MOSS, nuggets=[["small"]], quotes=[(MOSS, "small")]), answer("Small [1].", SMALL), 1
        ),
        score(ask(MOSS, BOGS, kind="list", nuggets=[["wet"], ["mosses"], ["seven"]]), half, 2),
        score(ask(FERNS, kind="followup", nuggets=[["vary"]]), REFUSAL, 3),
        score(ask(kind="off-topic"), REFUSAL, 4),
        score(ask(kind="near-miss"), answer("They are small [1].", SMALL), 5),
    ]


def test_the_figures_of_a_run_equal_the_hand_computed_ones(scores: list[AnswerScore]) -> None:
    found = means(scores)
    for name, value in {
        "right": 2 / 5,
        "nugget_recall": (1 + 1 / 3 + 0) / 3,
        "nugget_recall_sentences": (1 + 1 / 3 + 0) / 3,
        "citation_precision": (1 + 1 / 2) / 2,
        "citation_recall": (1 + 1 / 2 + 0) / 3,
        "evidence_recall": 1,
        "alce_recall": 1 / 3,
        "alce_precision": 1 / 3,
        "verbatim": 1,
        "refused": 2 / 5,
        "abstained_rightly": 3 / 5,
        "words": 3,
    }.items():
        assert found[name] == pytest.approx(value), name
    summary = answer_summary(scores, QUOTED)
    assert summary["micro"] == {
        "nugget_recall": 2 / 5,
        "citation_precision": 2 / 3,
        "citation_recall": 2 / 4,
        "verbatim": 1,
        "quotes_not_located": 0,
    }
    assert summary["alce_quoted"] == {"unreadable": 0}
    assert summary["abstention"] == {
        "precision": 1 / 2,
        "recall": 1 / 2,
        "f1": 1 / 2,
        "refused_unanswerable": 1,
        "unanswerable": 2,
        "refused_answerable": 1,
        "answerable": 3,
        "refused_answerable_share": 1 / 3,
    }
    assert summary["words"] == {"median": 3, "p90": pytest.approx(4.4 + 0.2)}
    assert summary["latency_ms"] == {"p50": 3, "p95": 4.8, "p99": 4.96}
    assert summary["tokens"] == {"read": 0, "written": 0, "usd": 0}
    # Three answers of one rank, one of them right, then two refusals.
    risk = [2 / 3, 2 / 3, 2 / 3, 3 / 4, 4 / 5]
    assert summary["selective"]["aurc"] == pytest.approx(sum(risk) / 5)
    assert summary["selective"]["with_confidence"] == 0
    assert summary["selective"]["ece"] is None


def test_each_type_has_its_own_figures_in_the_order_of_the_file() -> None:
    rows = [
        QuestionScore(id="a", type="list", values={"right": 1.0, "words": None}),
        QuestionScore(id="b", type="fact", values={"right": 0.0, "words": 9.0}),
        QuestionScore(id="c", type="list", values={"right": 0.5, "hit@1": 1.0}),
    ]
    assert list(by_type(rows).items()) == [
        ("list", {"questions": 2, "right": 0.75, "words": None, "hit@1": 1}),
        ("fact", {"questions": 1, "right": 0, "words": 9, "hit@1": None}),
    ]


def sure(confidence: float | None, right: bool) -> AnswerScore:
    given = answer("Small [1].", SMALL).model_copy(update={"confidence": confidence})
    return score(ask(MOSS if right else BOGS), given)


def test_risk_by_coverage_and_calibration_by_hand() -> None:
    asked = [
        score(ask(), REFUSAL),
        *(sure(0.2, False), sure(0.9, True), sure(0.8, False), sure(0.7, True)),
    ]
    assert risk_by_coverage(asked) == pytest.approx([0, 1 / 2, 1 / 3, 2 / 4, 3 / 5])
    found = answer_summary(asked, QUOTED)["selective"]
    assert found["aurc"] == pytest.approx((0 + 1 / 2 + 1 / 3 + 2 / 4 + 3 / 5) / 5)
    # One answer a bin: .2 wrong, .9 right, .8 wrong, .7 right.
    assert found["ece"] == pytest.approx((0.2 + 0.1 + 0.8 + 0.3) / 4)
    assert found["brier"] == pytest.approx((0.2**2 + 0.1**2 + 0.8**2 + 0.3**2) / 4)
    assert found["with_confidence"] == 4


def test_equal_confidences_share_their_risk_and_none_comes_before_refusals() -> None:
    same = [sure(0.5, right) for right in (True, True, True, False)]
    assert risk_by_coverage(same) == pytest.approx([1 / 4] * 4)
    mixed = [score(ask(), REFUSAL), sure(None, True), sure(0.0, False)]
    assert risk_by_coverage(mixed) == pytest.approx([1, 1 / 2, 2 / 3])


def test_money_is_unknown_as_soon_as_one_price_is() -> None:
    def used(read: int, written: int, usd: float | None) -> AnswerScore:
        usage = Usage(prompt_tokens=read, completion_tokens=written, cost_usd=usd)
        return score(ask(MOSS), answer("Small [1].", SMALL).model_copy(update={"usage": usage}))

    known = [used(10, 5, 0.25), used(0, 0, None), used(1, 1, 0.5)]
    tokens = answer_summary(known, QUOTED)["tokens"]
    assert tokens == {"read": 11, "written": 6, "usd": 0.75}
    assert answer_summary([*known, used(1, 0, None)], QUOTED)["tokens"]["usd"] is None
