"""What a question asks for, read off its words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.question import Kind, analyse


@pytest.mark.parametrize(
    "text",
    [
        "Which papers are about model merging?",
        "what recent merging methods need no training?",
        "List all papers on web agents",
        "show me some benchmarks for agents",
        "are there other papers on robots?",
        "papers about governance",
        "who else studies Minecraft?",
        "How many papers are about recommendation?",
    ],
)
def test_questions_for_several_papers_want_a_list(text: str) -> None:
    assert analyse(text).kind is Kind.LIST


@pytest.mark.parametrize(
    "text",
    [
        "Compare OSWorld and AndroidWorld",
        "TIES-Merging vs PCB-Merging",
        "What is the difference between OSWorld and WebArena?",
        "how do IBCL and CLR differ?",
    ],
)
def test_questions_about_two_sides_want_a_comparison(text: str) -> None:
    assert analyse(text).kind is Kind.COMPARE


@pytest.mark.parametrize(
    "text",
    [
        "How many tasks does OSWorld have?",
        "Which paper is about cooking?",
        "What does the model do when tasks conflict?",
        "How do people and the best model compare on OSWorld?",
        "why do experts collapse?",
        "m3vit",
    ],
)
def test_other_questions_want_a_fact(text: str) -> None:
    assert analyse(text).kind is Kind.FACT


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("How many tasks does OSWorld have?", "tasks"),
        ("How many are there?", None),
        ("What does it cost in dollars?", "dollars"),
        ("What is OSWorld?", None),
    ],
)
def test_what_is_counted_is_the_noun_after_how_many(text: str, counted: str | None) -> None:
    question = analyse(text)
    assert question.counted == counted
    assert question.wants_number or counted is None


def test_a_question_of_two_parts_is_cut_into_them() -> None:
    parts = analyse("How many tasks are in OSWorld, and why do models fail?").parts
    assert parts == ("How many tasks are in OSWorld", "why do models fail")


def test_reasons_are_asked_for_by_why() -> None:
    assert analyse("Why do experts collapse?").wants_reason
    assert not analyse("How many experts are there?").wants_reason


@given(st.text(max_size=60))
def test_any_text_has_at_least_one_part(text: str) -> None:
    question = analyse(text)
    assert question.parts
    assert analyse(text) == question
