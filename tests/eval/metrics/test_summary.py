from collections.abc import Sequence

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
        "recall_lenient": pytest.approx((1 + 1 / 3 + 0) / 3),
        "recall_sentences": pytest.approx((1 + 1 / 3 + 0) / 3),
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
    # Of the three answers, each of one sentence, "Small" alone stands in what it cites.
    assert summary["alce_local"] == {
        "recall": 1 / 3,
        "precision": 1 / 3,
        "sentences": 3,
        "sentences_uncited": 0,
        "sentences_supported": 1,
        "citations": 4,
        "citations_precise": 1,
        "unreadable": 1,
    }
    assert summary["right"] == {"share": 2 / 5, "questions": 5}
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
    assert summary["latency_ms"] == {"p50": 3, "p95": 4.8, "p99": 4.96}
    assert summary["redundancy"] == {"mean": 0}
    assert summary["tokens"] == {"read": 0, "written": 0, "usd": 0}
    assert summary["false_premise"] == {"accepted_share": None, "questions": 0}
    assert summary["yes_no"] == {"right_share": None, "questions": 0}
    # Three answers of one rank, one of them right, then two refusals.
    risk = [2 / 3, 2 / 3, 2 / 3, 3 / 4, 4 / 5]
    assert summary["selective"]["aurc"] == pytest.approx(sum(risk) / 5)
    assert summary["selective"]["with_confidence"] == 0
    assert summary["selective"]["ece"] is None


def test_each_type_has_its_own_figures_in_the_order_of_the_file(scores: list[AnswerScore]) -> None:
    types = by_type(scores)
    assert list(types) == ["fact", "list", "followup", "off-topic", "near-miss"]
    assert types["list"] == {
        "questions": 1,
        "refused": 0,
        "right": 0,
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


class Everything:
    """Supports all it is asked about."""

    name = "everything"
    unreadable = 0

    def __call__(self, claim: str, premises: Sequence[str]) -> bool:
        return True


def test_the_checker_is_named_where_its_figures_stand(scores: list[AnswerScore]) -> None:
    summary = answer_summary(scores, Everything())
    assert "alce_local" not in summary
    assert summary["alce_everything"]["recall"] == 1
    assert summary["alce_everything"]["citations_precise"] == 4


def test_false_premises_and_yes_or_no_are_counted_where_they_are_asked() -> None:
    asked = ask(kind="false-premise", nuggets=[["small"]])
    scores = [
        score(asked, answer("Small [1].", SMALL)),
        score(asked, answer("Large [1].", SMALL)),
        score(asked, REFUSAL),
        score(ask(MOSS, answer="no"), answer("Yes [1].", SMALL)),
    ]
    summary = answer_summary(scores)
    assert summary["false_premise"] == {"accepted_share": 1 / 3, "questions": 3}
    assert summary["yes_no"] == {"right_share": 0, "questions": 1}
