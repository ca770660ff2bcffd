import pytest
from handmade import BOGS, FERNS, MOSS, REFUSAL, answer, ask, reference, score

from eval.metrics.answers import AnswerScore
from eval.metrics.summary import answer_summary, by_type

SMALL = reference(1, MOSS, "Mosses are small.")


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
    summary = answer_summary(scores)
    assert summary["nuggets"] == {
        "recall": pytest.approx((1 + 1 / 3 + 0) / 3),
        "recall_micro": 2 / 5,
    }
    assert summary["citations"] == {
        "precision_micro": 2 / 3,
        "precision_macro": (1 + 1 / 2) / 2,
        "recall_micro": 2 / 4,
        "recall_macro": (1 + 1 / 2 + 0) / 3,
        "evidence_recall": 1,
        "quotes_not_located": 0,
    }
    assert summary["verbatim"] == {"spans": 8, "share": 1, "marker_errors": 0}
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
    assert summary["conversation_and_digest"] == {"right_papers": 0, "questions": 1}
    assert summary["words"] == {"median": 3, "p90": pytest.approx(4.4 + 0.2)}
    assert summary["latency_ms"] == {"p50": 3, "p95": 4.8}


def test_each_type_has_its_own_figures_in_the_order_of_the_file(scores: list[AnswerScore]) -> None:
    types = by_type(scores)
    assert list(types) == ["fact", "list", "followup", "off-topic", "near-miss"]
    assert types["list"] == {
        "questions": 1,
        "refused": 0,
        "nugget_recall": 1 / 3,
        "citation_precision": 1 / 2,
        "citation_recall": 1 / 2,
        "evidence_recall": None,
        "right_papers": 1,
        "words_median": 5,
    }
    assert types["off-topic"]["refused"] == 1
    assert types["off-topic"]["nugget_recall"] is None
    assert types["off-topic"]["right_papers"] is None
    assert types["near-miss"]["citation_precision"] is None


def test_what_was_never_asked_has_no_figure(scores: list[AnswerScore]) -> None:
    summary = answer_summary(scores[:1])
    assert summary["abstention"]["recall"] is None
    assert summary["abstention"]["precision"] is None
    assert summary["conversation_and_digest"] == {"right_papers": 0, "questions": 0}
    assert answer_summary(scores[3:4])["nuggets"]["recall"] is None
    assert answer_summary(scores[3:4])["words"]["median"] is None
