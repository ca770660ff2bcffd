"""One judgement an answer: right, wrong, or half right."""

import pytest
from handmade import BOGS, FERNS, MOSS, REFUSAL, answer, ask, reference, score

from index.papers import Paper
from rag.schema import Answer

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
    assert scored.right is (right == 1)


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
