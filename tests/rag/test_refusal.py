"""Where there is no answer the reason is true, and says what a person can do."""

from datetime import date

import pytest
from made_up import cited, keeps_the_promises

from rag import Answer, Assistant, Filters, Options
from rag.refusal import is_english


def refused(assistant: Assistant, question: str, filters: Filters | None = None) -> Answer:
    answer = assistant.ask(question, filters=filters)
    keeps_the_promises(answer)
    assert answer.status == "insufficient_evidence", answer.text
    return answer


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("Who invented the Zorblax?", "No abstract mentions Zorblax."),
        ("How does GPT-9 count mites?", "No abstract mentions GPT-9."),
        ("Does HiveScan count mites by GPT-9?", "No abstract mentions GPT-9."),
        ("How does TIDY work?", "No abstract mentions TIDY. Did you mean TIDE?"),
        (
            "Does HiveScan count mites by WaggleNet?",
            "The abstract of “HiveScan” does not mention WaggleNet.",
        ),
        ("Who paid for CrackMap?", "The abstract of “CrackMap” does not state this."),
        ("How do tractors plough?", "No abstract has the words “tractors”, “plough”."),
    ],
)
def test_a_refusal_names_what_is_lacking(doubting: Assistant, question: str, reason: str) -> None:
    assert refused(doubting, question).reason == reason


def test_words_that_only_put_a_question_are_lacking_in_no_refusal(doubting: Assistant) -> None:
    reason = refused(doubting, "How do I plough w/ a really good tractor, mate?").reason or ""
    assert "“plough”, “tractor”" in reason
    assert not any(f"“{word}”" in reason for word in ("w", "really", "mate"))


def test_who_wrote_a_paper_is_told_by_its_record_and_not_refused(doubting: Assistant) -> None:
    answer = doubting.ask("Who wrote HiveScan?")
    keeps_the_promises(answer)
    assert "The index has no authors" in answer.text


@pytest.mark.parametrize(
    ("question", "lacks"),
    [
        ("Who invented the Zorblax?", "Zorblax"),
        ("Does HiveScan count mites by WaggleNet?", "WaggleNet"),
        ("Which papers are about the ploughing of glaciers?", "the ploughing of glaciers"),
        (
            "What is the boiling point of mercury on the moon?",
            "boiling point of mercury on the moon",
        ),
    ],
)
def test_a_refusal_says_what_abstracts_would_have_to_speak_of(
    doubting: Assistant, question: str, lacks: str
) -> None:
    assert refused(doubting, question).lacks == lacks


def test_a_question_whose_words_the_abstracts_have_is_told_the_nearest_paper(
    doubting: Assistant,
) -> None:
    reason = refused(doubting, "Why do glaciers creak in winter?").reason
    assert reason == "None of the abstracts states this; the nearest is that of “IceQuake”."


@pytest.mark.parametrize(
    "question",
    [
        "Wie viele Milben findet das Verfahren auf den Fotos?",
        "Combien de fissures le drone trouve-t-il sur les ponts ?",
        "¿Cuántas colmenas observaron los autores junto a las farolas?",
        "蜜蜂的舞蹈有什么意义？",
    ],
)
def test_another_language_is_told_that_quotes_need_english(
    doubting: Assistant, question: str
) -> None:
    assert "in English" in (refused(doubting, question).reason or "")
    assert not is_english(question)


@pytest.mark.parametrize(
    "question",
    ["bees", "How do bees dance?", "why?", "?", "RLHF DPO PPO", "How do AbcNet and XyzNet differ?"],
)
def test_what_may_be_english_is_not_told_so(question: str) -> None:
    assert is_english(question)


@pytest.mark.parametrize(
    ("filters", "limits"),
    [
        (Filters(title="zebra"), "with “zebra” in its title"),
        (Filters(since=date(2031, 1, 2)), "dated from Jan 2, 2031"),
        (
            Filters(digests=("June 3",), title="zebra"),
            "from the digest of Jun 3, 2024; with “zebra” in its title",
        ),
    ],
)
def test_filters_that_leave_nothing_are_named(
    library: Assistant, filters: Filters, limits: str
) -> None:
    for question in ("How many photographs was HiveScan trained on?", "Which papers are on bees?"):
        answer = refused(library, question, filters)
        assert answer.reason == f"No abstract is left after the filters ({limits})."
        assert (answer.lacks, answer.nearest) == (None, ())


def test_a_paper_that_the_filters_leave_out_is_named(library: Assistant) -> None:
    filters = Filters(title="CrackMap")
    assert refused(library, "How many mites does HiveScan find?", filters).reason == (
        "The paper that fits best, “HiveScan”, does not pass the filters"
        " (with “CrackMap” in its title)."
    )


@pytest.mark.parametrize("question", ["What does [7] say?", "What is in source 7?"])
def test_a_source_that_no_answer_has_is_not_there(library: Assistant, question: str) -> None:
    first = library.ask("How many photographs was HiveScan trained on?")
    history = [
        {"role": "user", "content": first.question},
        {"role": "assistant", "content": first.text, "references": cited(first)},
    ]
    answer = library.ask(question, history)
    assert answer.reason == "There is no source 7 in the answers before."


@pytest.mark.parametrize("question", ["What is TIDE?", "How does TIDE work?"])
def test_a_name_of_two_papers_is_asked_back_with_both_as_questions(
    library: Assistant, question: str
) -> None:
    answer = refused(library, question)
    assert "“TIDE” is the name of several papers" in (answer.reason or "")
    assert len(answer.suggestions) == 2
    asked = {cited(library.ask(text, options=Options(strictness="lenient")))[0]
             for text in answer.suggestions}  # fmt: skip
    assert asked == {"icetide", "ferrytide"}


def test_a_name_of_two_papers_is_clear_where_the_question_tells_which(certain: Assistant) -> None:
    assert cited(certain.ask("How many floes does TIDE follow?")) == ["icetide"]
    assert cited(certain.ask("How many ferry routes did TIDE save fuel on?")) == ["ferrytide"]


def test_a_comparison_of_nothing_is_asked_back(library: Assistant) -> None:
    assert "Name two papers" in (refused(library, "Compare them").reason or "")


def test_digests_that_are_to_be_compared_are_asked_for_by_their_papers(library: Assistant) -> None:
    answer = refused(library, "Compare the Jun 3 and the Jul 15 digest")
    assert "choose papers of the digests" in (answer.reason or "")
    assert len(answer.suggestions) == 3
    kinds = {library.ask(text).status for text in answer.suggestions}
    assert kinds == {"answered"}


def test_a_lenient_answer_quotes_what_comes_nearest_and_says_why_it_may_be_beside(
    doubting: Assistant,
) -> None:
    question = "How do tractors plough?"
    answer = doubting.ask(question, options=Options(strictness="lenient"))
    keeps_the_promises(answer)
    assert answer.references
    assert answer.confidence is None
    assert (answer.notice or "").startswith(refused(doubting, question).reason or "?")
    assert "beside the question" in (answer.notice or "")


@pytest.mark.parametrize(
    "question",
    ["What are the trends in football?", "Give me an overview of the research on quasars"],
)
def test_a_subject_that_no_abstract_has_is_not_the_whole_collection(
    library: Assistant, question: str
) -> None:
    assert library.ask(question).status == "insufficient_evidence"
