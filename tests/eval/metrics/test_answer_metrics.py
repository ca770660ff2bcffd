import pytest
from handmade import BOGS, FERNS, MOSS, REFUSAL, answer, ask, reference, score
from hypothesis import given
from hypothesis import strategies as st

from eval.metrics.answers import (
    first_word,
    nuggets_found,
    nuggets_partial,
    plain_text,
    redundancy,
    score_answer,
    word_count,
)
from eval.metrics.spans import quote_span
from index.papers import Paper
from rag.schema import Answer, Citation


def test_people_read_the_text_without_markers_bold_and_escapes() -> None:
    assert plain_text(r"**Moss!** net [1], a C\*-net [2][13].") == "Moss! net, a C*-net."


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


def test_the_titles_of_references_do_not_count_as_text() -> None:
    given = answer("They are wet [1].", reference(1, BOGS, "Bogs are wet."))
    assert score(ask(BOGS, nuggets=[["counting bogs"], ["wet"]]), given).nugget_recall == 1 / 2


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


def test_a_gold_title_in_other_latex_is_the_same_paper() -> None:
    same = ask(MOSS).model_copy(update={"papers": ("Moss^2Net: mosses that compute",)})
    given = answer("Small [1].", reference(1, MOSS, "Mosses are small."))
    assert score(same, given).citation_recall == 1


def test_what_there_is_nothing_of_is_not_measured() -> None:
    scored = score(ask(MOSS), REFUSAL)
    assert (scored.nugget_recall, scored.citation_precision, scored.evidence_recall) == (
        None,
        None,
        None,
    )
    assert scored.citation_recall == 0
    assert scored.refused


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


def test_a_span_that_only_touches_the_quote_does_not_overlap_it() -> None:
    given = answer("Small [1].", reference(1, MOSS, "Mosses are small."))
    assert score(ask(MOSS, quotes=[(MOSS, " We train")]), given).evidence_cited == (False,)


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


def test_a_verbatim_answer_has_no_errors_and_every_span_is_counted() -> None:
    scored = score(ask(MOSS), GOOD)
    assert (scored.spans, scored.span_errors, scored.marker_errors) == (2, (), ())


def test_a_passage_must_be_verbatim_in_the_indexed_paper_not_in_the_answer_alone() -> None:
    other = MOSS.model_copy(update={"abstract": "Some " + MOSS.abstract})
    (error,) = score_answer(ask(MOSS), GOOD, [other, BOGS], 1).span_errors
    assert error == "passage [0, 17) of [1] is not what the abstract says there"
    (error,) = score_answer(ask(MOSS), GOOD, [BOGS], 1).span_errors
    assert "not in the index" in error


def test_a_citation_shifted_by_one_is_an_error() -> None:
    (sentence,) = GOOD.sentences
    shifted = sentence.model_copy(update={"citations": (Citation(reference=1, start=1, end=18),)})
    given = GOOD.model_copy(update={"sentences": (shifted,)})
    assert score(ask(MOSS), given).span_errors == (
        "citation [1, 18) of [1] is in no passage of it",
    )


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


@pytest.mark.parametrize(
    ("cited", "gold", "right"),
    [
        ([MOSS], [MOSS], True),
        ([MOSS], [MOSS, BOGS], True),
        ([MOSS], [MOSS, BOGS, FERNS], False),
        ([MOSS, BOGS], [MOSS], True),
        ([BOGS, MOSS], [MOSS], False),
        ([MOSS, BOGS, FERNS], [MOSS], False),
        ([], [MOSS], False),
    ],
)
def test_the_right_papers_are_gold_first_and_at_least_half_of_each_side(
    cited: list[Paper], gold: list[Paper], right: bool
) -> None:
    given: Answer = answer(
        " ".join(f"x [{number}]" for number in range(1, len(cited) + 1)),
        *(reference(n, paper, paper.abstract) for n, paper in enumerate(cited, start=1)),
    )
    assert score(ask(*gold), given).right_papers is right


def test_length_is_in_words_without_markers_dashes_and_bullets() -> None:
    assert word_count("- **Moss Net** — off by 3.1 cm. [1] [2]\n- non-stop [3]") == 7
    assert score(ask(MOSS), GOOD).words == 1


def test_a_fact_is_stated_in_part_if_all_stems_of_one_wording_are_somewhere() -> None:
    text = "On bogs, **Moss** nets [1] were trained; 40 ferns [1]."
    nuggets = [
        ["40 ferns"],
        ["training a net"],
        ["trained on lakes", "nets of moss"],
        ["training on lakes"],
        ["of the"],
    ]
    assert nuggets_found(nuggets, text) == (True, False, False, False, False)
    assert nuggets_partial(nuggets, text) == (False, True, True, False, False)


def test_lenient_recall_gives_half_a_fact_for_a_part() -> None:
    given = answer("Small mosses train [1].", reference(1, MOSS, "Mosses are small."))
    scored = score(ask(MOSS, nuggets=[["small"], ["training mosses"], ["40 ferns"]]), given)
    assert scored.nugget_recall == pytest.approx(1 / 3)
    assert scored.nugget_recall_lenient == pytest.approx(1.5 / 3)
    assert score(ask(MOSS), given).nugget_recall_lenient is None


phrases = st.lists(st.sampled_from(["mosses", "are", "small", "GPT-4", "of"]), max_size=5)


@given(st.lists(phrases.map(" ".join).filter(bool), min_size=1), phrases.map(" ".join))
def test_no_fact_counts_both_outright_and_in_part(wordings: list[str], text: str) -> None:
    nuggets = [[wording] for wording in wordings]
    both = zip(nuggets_found(nuggets, text), nuggets_partial(nuggets, text), strict=True)
    assert not any(outright and partial for outright, partial in both)


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("a b c", None),
        ("a b c d", 0),
        ("a b c d [1] e f g", 0),
        ("a b c d — A **B** c d [2]", 1 / 5),
        ("a a a a a a", 2 / 3),
    ],
)
def test_redundancy_is_the_share_of_runs_of_four_words_that_came_before(
    text: str, share: float | None
) -> None:
    assert redundancy(text) == (share if share is None else pytest.approx(share))


@pytest.mark.parametrize(
    ("text", "word"),
    [("**Yes**, it is [1].", "yes"), ("NO!", "no"), ("It is.", "it"), ("[1]", None), ("", None)],
)
def test_the_first_word_is_the_one_people_read_first(text: str, word: str | None) -> None:
    assert first_word(text) == word


@pytest.mark.parametrize(
    ("text", "gold", "right"),
    [
        ("Yes, small [1].", "yes", True),
        ("Yes, small [1].", "no", False),
        ("No [1].", "no", True),
        ("Maybe [1].", "maybe", True),
        ("Small, yes [1].", "yes", False),
        ("Nobody knows [1].", "no", False),
        ("Yes [1].", None, None),
    ],
)
def test_yes_or_no_must_come_first(text: str, gold: str | None, right: bool | None) -> None:
    given = answer(text, reference(1, MOSS, "Mosses are small."))
    assert score(ask(MOSS, answer=gold), given).yes_no_right is right


def test_an_unanswerable_question_is_handled_right_by_refusing_and_an_answerable_one_never() -> (
    None
):
    assert score(ask(), REFUSAL).right
    assert not score(ask(), GOOD).right
    assert not score(ask(MOSS), REFUSAL).right
    assert not score(ask(answerable=True), REFUSAL).right


@pytest.mark.parametrize(
    ("papers", "nuggets", "right"),
    [
        ([MOSS], [], True),
        ([MOSS], [["small"]], True),
        ([MOSS], [["small"], ["wet"]], True),
        ([MOSS], [["small"], ["wet"], ["dry"]], False),
        ([BOGS], [["small"]], False),
        ([], [["small"]], True),
        ([], [["wet"]], False),
    ],
)
def test_an_answer_is_right_with_the_right_papers_and_half_of_the_facts(
    papers: list[Paper], nuggets: list[list[str]], right: bool
) -> None:
    assert score(ask(*papers, answerable=True, nuggets=nuggets), GOOD).right is right


def test_a_false_premise_is_accepted_by_answering_without_any_of_what_corrects_it() -> None:
    asked = ask(kind="false-premise", nuggets=[["not large"], ["small"]])
    large = answer("Large [1].", reference(1, MOSS, "Mosses are small."))
    assert score(asked, large).accepted_false_premise is True
    assert score(asked, GOOD).accepted_false_premise is False
    assert score(asked, REFUSAL).accepted_false_premise is False
    assert score(ask(kind="false-premise"), GOOD).accepted_false_premise is True
    assert score(ask(kind="near-miss"), GOOD).accepted_false_premise is None


def test_confidence_is_what_the_answer_says_of_itself() -> None:
    assert score(ask(MOSS), GOOD.model_copy(update={"confidence": 0.75})).confidence == 0.75
    assert score(ask(MOSS), GOOD).confidence is None
