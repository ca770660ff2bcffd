import pytest
from handmade import BOGS, FERNS, MOSS, REFUSAL, Table, answer, ask, reference, score
from hypothesis import given
from hypothesis import strategies as st

from eval.datasets import Question
from eval.figures import answer_summary, intervals, question_values, risk_by_coverage
from eval.scoring import AnswerScore, Supports, nuggets_found, quote_span, score_answer
from index.papers import Paper
from rag.schema import Answer, Usage


def test_a_fact_counts_if_any_of_its_wordings_is_in_the_text() -> None:
    nuggets = [["moss!  NET"], ["m2net"], ["forty", "40 ferns"], ["41 ferns", "bog"], ["1"]]
    text = "**Moss!** net [1] (M²Net) saw\n40 [1] ferns [1]."
    assert nuggets_found(nuggets, text) == (True, True, True, False, False)


def test_papers_and_evidence_are_found_by_title_and_by_overlap() -> None:
    given = answer(
        "It scores [1], wet [2].",
        reference(1, MOSS, "It scores 91\\% on bogs."),
        reference(2, BOGS, "Bogs are wet."),
    )
    quotes = [
        (MOSS, "scores 91\\% on"),
        (MOSS, "scores 91% on bogs"),
        (MOSS, "Mosses are small"),
        (BOGS, "nobody wrote this"),
        (Paper(id="x", title="Not indexed", abstract=""), "anything"),
    ]
    scored = score(ask(MOSS, FERNS, quotes=quotes), given)
    assert scored.references_gold == (True, False)
    assert scored.papers_cited == (True, False)
    assert scored.evidence_cited == (True, True, False, None, None)


@given(st.text("ab \\%{}$^2.", min_size=1, max_size=40), st.data())
def test_a_quote_of_an_abstract_is_found_as_it_stands(abstract: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(abstract) - 1))
    end = data.draw(st.integers(start + 1, len(abstract)))
    span = quote_span(abstract[start:end], abstract)
    assert span is not None
    assert abstract[slice(*span)] == abstract[start:end]


def test_a_passage_must_be_verbatim_in_the_indexed_paper_not_in_the_answer_alone() -> None:
    good = answer("Small [1].", reference(1, MOSS, "Mosses are small."))
    other = MOSS.model_copy(update={"abstract": "Some " + MOSS.abstract})
    for indexed, found in (((MOSS,), True), ((other, BOGS), False), ((BOGS,), False)):
        assert score_answer(ask(MOSS), good, indexed, 1).verbatim == (found,)


LICHENS = Paper(id="lichens", title="Lichens", abstract="Lichens grow.")
GORSE = Paper(id="gorse", title="Gorse", abstract="Gorse burns.")


def citing(*papers: Paper, notice: str | None = None) -> Answer:
    """An answer that cites the papers, in this order."""
    references = [reference(n, paper, paper.abstract) for n, paper in enumerate(papers, start=1)]
    markers = " ".join(f"small [{each.number}]" for each in references)
    return answer(markers, *references).model_copy(update={"notice": notice})


@pytest.mark.parametrize(
    ("question", "given", "right"),
    [
        (ask(MOSS, BOGS), citing(MOSS, BOGS), 1),
        (ask(MOSS, BOGS), citing(MOSS, FERNS), 1),  # half of the gold papers, half of the cited
        (ask(MOSS, BOGS), citing(MOSS, FERNS, LICHENS), 0),
        (ask(MOSS, BOGS, also=[FERNS.title]), citing(MOSS, FERNS, LICHENS), 1),
        (ask(MOSS, BOGS, least=2), citing(MOSS), 0),
        (ask(MOSS, BOGS, also=[FERNS.title], least=2), citing(MOSS, FERNS), 1),
        # A caution before few papers with the right one is half right.
        (ask(MOSS), citing(BOGS, FERNS, MOSS, notice="Unsure."), 0.5),
        (ask(MOSS), citing(BOGS, FERNS, MOSS), 0),
        (ask(MOSS, kind="list"), citing(BOGS, FERNS, MOSS, notice="Unsure."), 0),
        (ask(MOSS), citing(BOGS, FERNS, LICHENS, GORSE, MOSS, notice="Unsure."), 0),
        (ask(MOSS), citing(MOSS, notice="Unsure."), 1),
        (ask(), REFUSAL, 1),
        (ask(), citing(MOSS), 0),
        (ask(MOSS), REFUSAL, 0),
        (ask(MOSS, kind="digest"), answer("There are 3."), 1),
        (ask(MOSS), answer("There are 3."), 0),
        (ask(MOSS, nuggets=[["small"], ["wet"]]), citing(MOSS), 1),
        (ask(MOSS, nuggets=[["dry"], ["wet"]]), citing(MOSS, notice="Unsure."), 0),
    ],
)
def test_what_is_right(question: Question, given: Answer, right: float) -> None:
    scored = score(question, given)
    assert scored.rightness == right
    assert scored.is_right is (right == 1)


def test_an_answer_begins_with_evidence_if_its_first_citation_lies_on_a_quote() -> None:
    quoted = ask(MOSS, quotes=[(MOSS, "We train Moss$^{2}$Net on 40 ferns.")])
    on = answer("Forty [1].", reference(1, MOSS, "on 40 ferns"))
    beside = answer("Small [1].", reference(1, MOSS, "Mosses are small."))
    elsewhere = answer("Wet [1].", reference(1, BOGS, "Bogs are wet."))
    found = [score(quoted, each).begins_with_evidence for each in (on, beside, elsewhere, REFUSAL)]
    assert found == [True, False, False, None]
    assert score(ask(MOSS), on).begins_with_evidence is None


SMALL = reference(1, MOSS, "Mosses are small.")
TABLE = Supports(Table(**{"Small.": {frozenset({"small"})}}))


def test_the_figures_of_a_run_equal_the_hand_computed_ones() -> None:
    small = answer("Small [1].", SMALL)
    half = answer("Wet and many and varied [1] [2].", reference(1, BOGS, "Bogs are wet."),
                  reference(2, FERNS, "Ferns vary."))  # fmt: skip
    scores = [
        score(ask(MOSS, nuggets=[["small"]], quotes=[(MOSS, "small")]), small, 1),
        score(ask(MOSS, BOGS, kind="list", nuggets=[["wet"], ["mosses"], ["seven"]]), half, 2),
        score(ask(FERNS, kind="followup", nuggets=[["vary"]]), REFUSAL, 3),
        score(ask(kind="off-topic"), REFUSAL, 4),
        score(ask(kind="near-miss"), answer("They are small [1].", SMALL), 5),
    ]
    found = intervals([question_values(each, TABLE) for each in scores])
    for name, value in {
        "right": 2 / 5,
        "nugget_recall": (1 + 1 / 3 + 0) / 3,
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
        assert found[name]["mean"] == pytest.approx(value), name
    summary = answer_summary(scores, TABLE)
    assert summary["evidence"] == {"quotes_not_located": 0}
    assert summary["alce_table"] == {"unreadable": 0}
    assert summary["abstention"] == {
        "precision": 1 / 2,
        "recall": 1 / 2,
        "f1": 1 / 2,
        "unanswerable": 2,
        "refused_answerable_share": 1 / 3,
    }
    assert summary["words"] == {"median": 3, "p90": pytest.approx(4.4 + 0.2)}
    assert summary["latency_ms"] == {"p50": 3, "p95": 4.8, "p99": 4.96}
    assert summary["tokens"] == {"read": 0, "written": 0, "usd": 0}
    assert summary["selective"]["with_confidence"] == 0
    assert summary["selective"]["ece"] is None


def sure(confidence: float | None, right: bool) -> AnswerScore:
    given = answer("Small [1].", SMALL).model_copy(update={"confidence": confidence})
    return score(ask(MOSS if right else BOGS), given)


def used(read: int, usd: float | None) -> AnswerScore:
    usage = Usage(prompt_tokens=read, completion_tokens=0, cost_usd=usd)
    return score(ask(MOSS), answer("Small [1].", SMALL).model_copy(update={"usage": usage}))


def test_risk_by_coverage_calibration_and_costs_by_hand() -> None:
    asked = [
        score(ask(), REFUSAL),
        *(sure(0.2, False), sure(0.9, True), sure(0.8, False), sure(0.7, True)),
    ]
    assert risk_by_coverage(asked) == pytest.approx([0, 1 / 2, 1 / 3, 2 / 4, 3 / 5])
    same = [sure(0.5, right) for right in (True, True, True, False)]
    assert risk_by_coverage(same) == pytest.approx([1 / 4] * 4), "they share their risk"
    mixed = [score(ask(), REFUSAL), sure(None, True), sure(0.0, False)]
    assert risk_by_coverage(mixed) == pytest.approx([1, 1 / 2, 2 / 3])
    found = answer_summary(asked, TABLE)["selective"]
    assert found["aurc"] == pytest.approx((0 + 1 / 2 + 1 / 3 + 2 / 4 + 3 / 5) / 5)
    # One answer a bin: .2 wrong, .9 right, .8 wrong, .7 right.
    assert found["ece"] == pytest.approx((0.2 + 0.1 + 0.8 + 0.3) / 4)
    assert found["brier"] == pytest.approx((0.2**2 + 0.1**2 + 0.8**2 + 0.3**2) / 4)
    assert found["with_confidence"] == 4
    assert answer_summary([used(1, 0.25), used(0, None)], TABLE)["tokens"]["usd"] == 0.25
    assert answer_summary([used(1, 0.25), used(1, None)], TABLE)["tokens"]["usd"] is None
