"""Cloze questions: what is left out, what is left, and how it is asked."""

import re

import pytest

from eval.synthesis.clauses import BLANK, Gap, Kind, ask
from eval.synthesis.cloze import cloze_drafts
from index.papers import letters
from index.store import Index
from index.text import clean_text


def gap(sentence: str, answer: str, kind: Kind = Kind.NUMBER) -> Gap:
    start = sentence.index(answer)
    return Gap(kind, start, start + len(answer), (answer,), 1.0)


def test_every_draft_of_the_sample_quotes_its_abstract_and_keeps_its_answer_to_itself(
    sample_index: Index,
) -> None:
    drafts = [draft for row in range(len(sample_index.papers)) for draft in cloze_drafts(
        sample_index, row
    )]  # fmt: skip
    assert len(drafts) > len(sample_index.papers) / 2
    for draft in drafts:
        abstract = sample_index.papers[draft.paper].abstract
        assert draft.quote in abstract
        assert draft.nugget[0].casefold() in clean_text(draft.quote).casefold()
        assert draft.nugget[0].casefold() not in draft.question.casefold()
        words = draft.question.replace(BLANK, draft.nugget[0])
        assert letters(draft.quote) not in letters(words), "the whole sentence is a copy"


def test_one_sentence_gives_one_question(sample_index: Index) -> None:
    for row in range(len(sample_index.papers)):
        quotes = [draft.quote for draft in cloze_drafts(sample_index, row)]
        assert len(quotes) == len(set(quotes))


def test_numbers_and_names_come_before_terms(sample_index: Index) -> None:
    for row in range(len(sample_index.papers)):
        kinds = ["the term:" in draft.question for draft in cloze_drafts(sample_index, row)]
        assert kinds == sorted(kinds)


def test_a_name_that_opens_the_title_is_left_out_of_questions_for_something_else(
    sample_index: Index,
) -> None:
    row = next(r for r, p in enumerate(sample_index.papers) if p.head == "OSWorld")
    drafts = cloze_drafts(sample_index, row)
    assert drafts
    assert all("OSWorld" not in draft.question for draft in drafts)


def test_only_the_clause_around_the_gap_is_asked_for() -> None:
    sentence = (
        "However, people finish 72.4% of the many tasks of the new benchmark without help, while"
        " the strongest of the models that we tried on them finishes just 12.2%."
    )
    assert ask(sentence, gap(sentence, "12.2"), ()) == (
        f"Fill in the number: “… the strongest of the models that we tried on them finishes just"
        f" {BLANK}%”"
    )
    assert ask(sentence, gap(sentence, "72.4"), ()) == (
        f"Fill in the number: “people finish {BLANK}% of the many tasks of the new benchmark"
        " without help …”"
    )


def test_a_long_clause_is_cut_around_the_gap() -> None:
    sentence = " ".join([*(f"before{n}" for n in range(30)), "4711", *["after"] * 30]) + "."
    asked = ask(sentence, gap(sentence, "4711"), ())
    assert asked
    assert "before29 ____ after" in asked
    assert len(asked.split()) < 25


@pytest.mark.parametrize(
    ("sentence", "asked"),
    [
        (
            "We introduce PeatNet, a network that reads water tables from photographs of moss.",
            "What is the name of a network that reads water tables from photographs of moss?",
        ),
        (
            "We train a small network called PeatNet that reads water tables from moss.",
            "What is the name of a small network that reads water tables from moss?",
        ),
        (
            "Moreover, PeatNet reduces the error on bogs that it has never seen by half.",
            "What reduces the error on bogs that it has never seen by half?",
        ),
    ],
)
def test_a_clause_that_says_what_a_name_is_becomes_a_question(sentence: str, asked: str) -> None:
    assert ask(sentence, gap(sentence, "PeatNet", Kind.NAME), ("PeatNet",)) == asked


def test_the_papers_own_name_becomes_it() -> None:
    sentence = "On all the bogs that were set aside, PeatNet's error is 3.1 cm, and PeatNet wins."
    asked = ask(sentence, gap(sentence, "3.1"), ("PeatNet",))
    assert asked
    assert "its error is ____ cm" in asked
    assert not re.search("PeatNet", asked)


def test_a_sentence_too_short_to_leave_anything_out_is_not_asked_for() -> None:
    sentence = "We count 4711 bogs."
    assert ask(sentence, gap(sentence, "4711"), ()) is None
