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
        "audio papers?",
        "recommendation papers of the spring",
        "agents for smartphones: which papers",
        "is there any work on kites?",
        "What did the digest have on kites?",
        "which works do something with kites?",
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
        "what is the diffrence between IBCL and CLR",
        "In what do IBCL and CLR treat tasks differently?",
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
        "How many papers were reviewed in the survey?",
        "Out of the 293 papers on code, how many share theirs?",
        "how many methods were compared and on how many datasets?",
        "what different attention heads do",
    ],
)
def test_other_questions_want_a_fact(text: str) -> None:
    assert analyse(text).kind is Kind.FACT


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("How many tasks does OSWorld have?", "tasks"),
        ("How many are there?", None),
        ("How many of those come with subtasks?", None),
        ("How many of Cybench's tasks are hard?", "tasks"),
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


@pytest.mark.parametrize(
    ("text", "subjects"),
    [
        ("Which papers are about chemistry or molecules?",
         ("chemistry or molecules", "chemistry", "molecules")),
        ("any papers on sound, speech or audio? list pls",
         ("sound, speech or audio", "sound", "speech", "audio")),
        ("List all papers on web agents", ("web agents",)),
        ("which papers on kites are there?", ("kites",)),
        ("papers", ("papers",)),
        ("any paper on kites?", ("kites",)),
        ("Which kite papers turned up?", ("kite",)),
    ],
)  # fmt: skip
def test_a_list_is_about_its_subject_and_each_alternative(
    text: str, subjects: tuple[str, ...]
) -> None:
    assert analyse(text).subjects == subjects


@pytest.mark.parametrize(
    ("text", "noun"),
    [
        ("Which learning rate does AdaMerging use?", "learning rate"),
        ("how much GPU memory does it need", "GPU memory"),
        ("What problem does LiNeS solve?", None),
        ("What does LiNeS solve?", None),
    ],
)
def test_what_is_asked_for_is_the_noun_after_which(text: str, noun: str | None) -> None:
    assert analyse(text).asked_for == noun


def test_what_papers_have_to_mention_is_read() -> None:
    assert analyse("Which papers mention Minecraft?").mentioned == "Minecraft"
    assert analyse("Which papers are about Minecraft?").mentioned is None


@pytest.mark.parametrize("text", ["What is OSWorld?", "what do people mean by kites", "define x"])
def test_a_meaning_is_asked_for_by_what_is(text: str) -> None:
    assert analyse(text).wants_meaning


def test_reasons_are_asked_for_by_why() -> None:
    assert analyse("Why do experts collapse?").wants_reason
    assert analyse("what makes this so hard for agents").wants_reason
    assert not analyse("How many experts are there?").wants_reason


@given(st.text(max_size=60))
def test_any_text_has_at_least_one_part(text: str) -> None:
    question = analyse(text)
    assert question.parts
    assert analyse(text) == question


def test_words_that_only_say_which_paper_are_not_what_is_asked() -> None:
    asked = analyse("What baseline do they propose in the paper on sequential inference?").asked
    assert asked == "What baseline do they propose ?"
    assert analyse("in the paper on kites").asked == "in the paper on kites"
