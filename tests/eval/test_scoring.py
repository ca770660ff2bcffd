import pytest
from handmade import BOGS, FERNS, MOSS, REFUSAL, answer, ask, reference, score
from hypothesis import given
from hypothesis import strategies as st

from eval.scoring import nuggets_found, quote_span, score_answer
from index.papers import Paper
from rag.schema import Answer


@pytest.mark.parametrize(
    ("nugget", "found"),
    [
        (["moss!  NET"], True),
        (["m2net"], True),
        (["forty", "40 ferns"], True),
        (["41 ferns", "bog"], False),
        (["1"], False),
    ],
)
def test_a_fact_counts_if_any_of_its_wordings_is_in_the_text(
    nugget: list[str], found: bool
) -> None:
    text = "**Moss!** net [1] (M²Net) saw\n40 [1] ferns [1]."
    assert nuggets_found([nugget], text) == (found,)


def test_paper_precision_and_recall_against_the_gold_titles() -> None:
    given = answer(
        "Small [1], wet [2].",
        reference(1, MOSS, "Mosses are small."),
        reference(2, BOGS, "Bogs are wet."),
    )
    scored = score(ask(MOSS, FERNS), given)
    assert scored.references_gold == (True, False)
    assert scored.papers_cited == (True, False)
    assert (scored.citation_precision, scored.citation_recall) == (1 / 2, 1 / 2)


def test_evidence_is_found_if_a_cited_span_overlaps_the_quote() -> None:
    given = answer("It scores [1].", reference(1, MOSS, "It scores 91\\% on bogs."))
    quotes = [
        (MOSS, "scores 91\\% on"),
        (MOSS, "scores 91% on bogs"),
        (MOSS, "Mosses are small"),
        (BOGS, "wet"),
        (BOGS, "nobody wrote this"),
        (Paper(id="x", title="Not indexed", abstract=""), "anything"),
    ]
    scored = score(ask(MOSS, BOGS, quotes=quotes), given)
    assert scored.evidence_cited == (True, True, False, False, None, None)
    assert scored.evidence_recall == 2 / 4


abstracts = st.text("ab \\%{}$^2.", min_size=1, max_size=40)


@given(abstracts, st.data())
def test_a_quote_from_the_stored_abstract_is_found_as_it_stands(
    abstract: str, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(abstract) - 1))
    end = data.draw(st.integers(start + 1, len(abstract)))
    span = quote_span(abstract[start:end], abstract)
    assert span is not None
    assert abstract[slice(*span)] == abstract[start:end]


GOOD = answer("Small [1].", reference(1, MOSS, "Mosses are small."))


def test_a_passage_must_be_verbatim_in_the_indexed_paper_not_in_the_answer_alone() -> None:
    other = MOSS.model_copy(update={"abstract": "Some " + MOSS.abstract})
    (error,) = score_answer(ask(MOSS), GOOD, [other, BOGS], 1).span_errors
    assert error == "passage [0, 17) of [1] is not what the abstract says there"
    (error,) = score_answer(ask(MOSS), GOOD, [BOGS], 1).span_errors
    assert "not in the index" in error


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ("Small [1]. Wet [2], small [1].", ()),
        ("Small [1].", ("reference [2] has no marker",)),
        ("Small [1], wet [2], high [3].", ("marker [3] has no reference",)),
        ("Wet [2], small [1].", ("markers are not numbered by first use: [2, 1]",)),
    ],
)
def test_markers_and_references_must_pair_in_the_order_of_use(
    text: str, errors: tuple[str, ...]
) -> None:
    good = answer(
        "Small [1], wet [2].",
        reference(1, MOSS, "Mosses are small."),
        reference(2, BOGS, "Bogs are wet."),
    )
    given = good.model_copy(update={"text": text})
    assert score(ask(MOSS), given).marker_errors == errors


LICHENS = Paper(id="lichens", title="Lichens", abstract="Lichens grow.")
GORSE = Paper(id="gorse", title="Gorse", abstract="Gorse burns.")


def citing(*papers: Paper, notice: str | None = None) -> Answer:
    """An answer that cites the papers, in this order."""
    references = [reference(n, paper, paper.abstract) for n, paper in enumerate(papers, start=1)]
    markers = " ".join(f"small [{each.number}]" for each in references)
    return answer(markers, *references).model_copy(update={"notice": notice})


@pytest.mark.parametrize(
    ("cited", "also", "least", "right"),
    [
        ([MOSS, BOGS], [], None, 1),
        ([MOSS, FERNS], [], None, 1),  # half of the gold papers, half of the cited ones
        ([FERNS, LICHENS], [], None, 0),
        ([MOSS, FERNS, LICHENS], [], None, 0),
        ([MOSS, FERNS, LICHENS], [FERNS], None, 1),
        ([FERNS], [FERNS], None, 1),
        ([MOSS], [], 2, 0),
        ([MOSS, FERNS], [FERNS], 2, 1),
    ],
)
def test_enough_of_the_acceptable_papers_are_cited_and_few_others(
    cited: list[Paper], also: list[Paper], least: int | None, right: float
) -> None:
    question = ask(MOSS, BOGS, also=[paper.title for paper in also], least=least)
    assert score(question, citing(*cited)).rightness == right


def test_an_answer_without_half_of_the_facts_is_wrong_whatever_it_cites() -> None:
    assert score(ask(MOSS, nuggets=[["small"], ["wet"]]), citing(MOSS)).rightness == 1
    question = ask(MOSS, nuggets=[["dry"], ["wet"]])
    assert score(question, citing(MOSS, notice="Unsure.")).rightness == 0


@pytest.mark.parametrize(
    ("cited", "kind", "notice", "right"),
    [
        ([BOGS, FERNS, MOSS], "fact", "Unsure.", 0.5),
        ([BOGS, FERNS, MOSS], "fact", None, 0),
        ([BOGS, FERNS, MOSS], "list", "Unsure.", 0),
        ([BOGS, FERNS], "fact", "Unsure.", 0),
        ([BOGS, FERNS, LICHENS, GORSE, MOSS], "fact", "Unsure.", 0),
        ([MOSS], "fact", "Unsure.", 1),
    ],
)
def test_a_caution_before_few_papers_with_the_right_one_is_half_right(
    cited: list[Paper], kind: str, notice: str | None, right: float
) -> None:
    scored = score(ask(MOSS, kind=kind), citing(*cited, notice=notice))
    assert scored.rightness == right
    assert scored.is_right is (right == 1)


def test_refusing_is_right_where_nothing_answers_and_wrong_elsewhere() -> None:
    assert score(ask(), REFUSAL).rightness == 1
    assert score(ask(), citing(MOSS)).rightness == 0
    assert score(ask(MOSS), REFUSAL).rightness == 0


def test_only_what_is_counted_from_the_index_may_cite_nothing() -> None:
    assert score(ask(MOSS, kind="digest"), answer("There are 3.")).rightness == 1
    assert score(ask(MOSS), answer("There are 3.")).rightness == 0


def test_an_answer_begins_with_evidence_if_its_first_citation_lies_on_a_quote() -> None:
    quoted = ask(MOSS, quotes=[(MOSS, "We train Moss$^{2}$Net on 40 ferns.")])
    on = answer("Forty [1].", reference(1, MOSS, "on 40 ferns"))
    beside = answer("Small [1].", reference(1, MOSS, "Mosses are small."))
    elsewhere = answer("Wet [1].", reference(1, BOGS, "Bogs are wet."))
    found = [score(quoted, each).begins_with_evidence for each in (on, beside, elsewhere, REFUSAL)]
    assert found == [True, False, False, None]
    assert score(ask(MOSS), on).begins_with_evidence is None
