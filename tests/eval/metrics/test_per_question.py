from dataclasses import dataclass

import pytest
from handmade import BOGS, MOSS, REFUSAL, answer, ask, reference, score

from eval.metrics.answers import AnswerScore
from eval.metrics.intervals import intervals, pooled_intervals
from eval.metrics.per_question import question_values
from eval.metrics.summary import answer_summary
from eval.support import VerbatimSupport

SMALL = reference(1, MOSS, "Mosses are small.")
WET = reference(2, BOGS, "Bogs are wet.")


def values_of(scored: AnswerScore) -> dict[str, float | None]:
    return question_values(scored, VerbatimSupport())


def test_an_answer_has_a_value_for_all_it_can_be_measured_by() -> None:
    asked = ask(MOSS, nuggets=[["small"], ["are mosses"]], quotes=[(MOSS, "small")], answer="yes")
    assert values_of(score(asked, answer("Mosses are small [1].", SMALL), 12)) == {
        "right": 1,
        "nugget_recall": 1 / 2,
        "nugget_recall_lenient": 3 / 4,
        "citation_precision": 1,
        "citation_recall": 1,
        "alce_precision": 1,
        "alce_recall": 1,
        "evidence_recall": 1,
        "nugget_recall_sentences": 0.5,
        "verbatim": 1,
        "refused": 0,
        "abstained_rightly": 1,
        "words": 3,
        "redundancy": None,
        "confidence": None,
        "latency_ms": 12,
        "yes_no": 0,
        "accepted_false_premise": None,
    }


def test_a_refusal_has_no_words_and_no_citations_to_measure() -> None:
    values = values_of(score(ask(MOSS, nuggets=[["small"]]), REFUSAL))
    assert (values["refused"], values["abstained_rightly"], values["right"]) == (1, 0, 0)
    assert (values["nugget_recall"], values["citation_recall"]) == (0, 0)
    for name in ("words", "redundancy", "alce_recall", "alce_precision", "verbatim"):
        assert values[name] is None


def test_an_unanswerable_question_has_no_facts_or_papers_to_find() -> None:
    asked = ask(kind="false-premise", nuggets=[["small"]])
    values = values_of(score(asked, answer("Small [1].", SMALL)))
    assert (values["abstained_rightly"], values["right"]) == (0, 0)
    assert values["accepted_false_premise"] == 0
    for name in ("nugget_recall", "nugget_recall_lenient", "citation_precision", "citation_recall"):
        assert values[name] is None


@dataclass(frozen=True)
class Line:
    values: dict[str, float | None]


def test_means_and_pooled_figures_with_intervals_are_the_figures_of_the_run() -> None:
    scores = [
        score(ask(MOSS, nuggets=[["small"], ["wet"]]), answer("Mosses are small [1].", SMALL)),
        score(ask(MOSS, nuggets=[["wet"]]), answer("Mosses, bogs, wet [1] [2].", SMALL, WET)),
        score(ask(BOGS, nuggets=[["wet"]]), REFUSAL),
        score(ask(kind="near-miss"), answer("Small [1].", SMALL)),
        score(ask(kind="off-topic"), REFUSAL),
    ]
    summary = answer_summary(scores, VerbatimSupport())
    found = intervals([Line(values_of(each)) for each in scores])
    for name, section, figure in [
        ("right", "right", "share"),
        ("nugget_recall", "nuggets", "recall"),
        ("nugget_recall_lenient", "nuggets", "recall_lenient"),
        ("nugget_recall_sentences", "nuggets", "recall_sentences"),
        ("citation_precision", "citations", "precision_macro"),
        ("citation_recall", "citations", "recall_macro"),
        ("alce_precision", "alce_verbatim", "precision"),
        ("alce_recall", "alce_verbatim", "recall"),
    ]:
        assert found[name]["mean"] == pytest.approx(summary[section][figure]), name
    assert (found["nugget_recall"]["n"], found["alce_recall"]["n"], found["right"]["n"]) == (
        3,
        3,
        5,
    )
    assert "yes_no" not in found
    assert "confidence" not in found
    pooled = pooled_intervals(scores)
    for name, section, figure in [
        ("nugget_recall_micro", "nuggets", "recall_micro"),
        ("citation_precision_micro", "citations", "precision_micro"),
        ("citation_recall_micro", "citations", "recall_micro"),
    ]:
        assert pooled[name]["mean"] == pytest.approx(summary[section][figure]), name
        low, mean, high = (pooled[name][key] for key in ("low", "mean", "high"))
        assert low is not None
        assert mean is not None
        assert high is not None
        assert low <= mean <= high
    assert intervals([]) == {}
    assert pooled_intervals([]) == {}
