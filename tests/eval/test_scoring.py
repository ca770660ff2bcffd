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


def test_refusals_facts_and_counts_decide_too() -> None:
    assert score(ask(), REFUSAL).rightness == 1
    assert score(ask(), citing(MOSS)).rightness == 0
    assert score(ask(MOSS), REFUSAL).rightness == 0
    assert score(ask(MOSS, kind="digest"), answer("There are 3.")).rightness == 1
    assert score(ask(MOSS), answer("There are 3.")).rightness == 0
    assert score(ask(MOSS, nuggets=[["small"], ["wet"]]), citing(MOSS)).rightness == 1
    question = ask(MOSS, nuggets=[["dry"], ["wet"]])
    assert score(question, citing(MOSS, notice="Unsure.")).rightness == 0


def test_an_answer_begins_with_evidence_if_its_first_citation_lies_on_a_quote() -> None:
    quoted = ask(MOSS, quotes=[(MOSS, "We train Moss$^{2}$Net on 40 ferns.")])
    on = answer("Forty [1].", reference(1, MOSS, "on 40 ferns"))
    beside = answer("Small [1].", reference(1, MOSS, "Mosses are small."))
    elsewhere = answer("Wet [1].", reference(1, BOGS, "Bogs are wet."))
    found = [score(quoted, each).begins_with_evidence for each in (on, beside, elsewhere, REFUSAL)]
    assert found == [True, False, False, None]
    assert score(ask(MOSS), on).begins_with_evidence is None
