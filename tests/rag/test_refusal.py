"""Where there is no answer the reason is true and says what to do; options bind."""

from collections.abc import Callable
from datetime import date

import pytest
from made_up import cited, keeps_the_promises, turns

from rag import Answer, Assistant, Filters, Options
from rag.refusal import is_english
from rag.schema import NO_ANSWER

STRICT, LENIENT = Options(strictness="strict"), Options(strictness="lenient")


def refused(assistant: Assistant, question: str, filters: Filters | None = None) -> Answer:
    answer = assistant.ask(question, filters=filters)
    keeps_the_promises(answer)
    assert answer.status == "insufficient_evidence", answer.text
    return answer


@pytest.mark.parametrize(
    ("question", "reason", "lacks"),
    [
        ("Who invented the Zorblax?", "No abstract mentions Zorblax.", "Zorblax"),
        ("Does HiveScan count mites by GPT-9?", "No abstract mentions GPT-9.", "GPT-9"),
        ("How does TIDY work?", "No abstract mentions TIDY. Did you mean TIDE?", "TIDY"),
        ("Who paints in Tine?", "No abstract mentions Tine.", "Tine"),
        ("Does HiveScan count mites by WaggleNet?",
         "The abstract of “HiveScan” does not mention WaggleNet.", "WaggleNet"),
        ("Who paid for CrackMap?", "The abstract of “CrackMap” does not state this.", None),
        ("How do I plough w/ a tractor, mate?",
         "No abstract has the word “tractor”.", None),
        ("Why do glaciers creak in winter?",
         "None of the abstracts states this; the nearest is that of “IceQuake”.", None),
    ],
)  # fmt: skip
def test_a_refusal_names_what_is_lacking(
    doubting: Assistant, question: str, reason: str, lacks: str | None
) -> None:
    found = refused(doubting, question)
    assert (found.reason, found.heading) == (reason, NO_ANSWER)
    assert lacks is None or found.lacks == lacks


@pytest.mark.parametrize(
    "question",
    [
        "Wie viele Milben findet das Verfahren auf den Fotos?",
        "蜜蜂的舞蹈有什么意义？",
        "HiveScan有多少张照片？",
    ],
)
def test_another_language_is_told_to_ask_in_english(doubting: Assistant, question: str) -> None:
    assert "in English" in (refused(doubting, question).reason or "")
    assert not is_english(question)
    for short in ("bees", "How do bees dance?", "why?", "?", "RLHF DPO PPO"):
        assert is_english(short)


@pytest.mark.parametrize("question", ["How many mites are there?", "Какие статьи о пчёлах?"])
@pytest.mark.parametrize(
    ("filters", "limits"),
    [
        (Filters(since=date(2031, 1, 2)), "dated from Jan 2, 2031"),
        (Filters(digests=("June 3",), title="zebra"),
         "from the digest of Jun 3, 2024; with “zebra” in its title"),
    ],
)  # fmt: skip
def test_filters_that_leave_nothing_are_named(
    library: Assistant, question: str, filters: Filters, limits: str
) -> None:
    answer = refused(library, question, filters)
    assert answer.reason == f"No abstract is left after the filters ({limits})."
    assert (answer.lacks, answer.nearest, answer.heading) == (None, (), "")


@pytest.mark.parametrize("question", ["What does [7] say?", "What is in source 7?"])
def test_a_source_that_no_answer_has_is_not_there(library: Assistant, question: str) -> None:
    first = library.ask("How many photographs was HiveScan trained on?")
    answer = library.ask(question, turns(first))
    assert answer.reason == "Earlier answers have no source 7."
    assert "Name two papers" in (refused(library, "Compare them").reason or "")
    refused(library, "What are the trends in football?")


def test_which_of_several_papers_is_meant_is_asked(library: Assistant, certain: Assistant) -> None:
    answer = refused(library, "How does TIDE work?")
    assert "“TIDE” is the name of several papers" in (answer.reason or "")
    lenient = [library.ask(text, options=LENIENT) for text in answer.suggestions]
    assert sorted(cited(each)[0] for each in lenient) == ["ferrytide", "icetide"]
    small = refused(library, "tell me about tide")
    assert len({*small.suggestions, "tell me about tide"}) == 3, "each names one of them"
    assert cited(certain.ask("How many floes does TIDE follow?")) == ["icetide"]
    assert cited(certain.ask("How many ferry routes did TIDE save fuel on?")) == ["ferrytide"]
    # Digests are compared by papers of theirs.
    answer = refused(library, "Compare the Jun 3 and the Jul 15 digest")
    assert "choose papers of the digests" in (answer.reason or "")
    assert len(answer.suggestions) == 3
    assert {library.ask(text).status for text in answer.suggestions} == {"answered"}


def test_a_lenient_answer_quotes_what_comes_nearest_and_says_so(doubting: Assistant) -> None:
    question = "How do tractors plough?"
    answer = doubting.ask(question, options=LENIENT)
    keeps_the_promises(answer)
    assert answer.references
    assert answer.confidence is None
    assert (answer.notice or "").startswith(refused(doubting, question).reason or "?")
    assert "may not answer the question" in (answer.notice or "")


@pytest.mark.parametrize(
    "question", ["Which papers are about honey bees?", "Compare HiveScan and CrackMap"]
)
@pytest.mark.parametrize("sources", [1, 2, 20])
def test_sources_bound_the_papers_cited(certain: Assistant, question: str, sources: int) -> None:
    whole = certain.ask(question)
    answer = certain.ask(question, options=Options(sources=sources))
    keeps_the_promises(answer)
    assert cited(answer) == cited(whole)[:sources]
    assert answer.confidence == pytest.approx(whole.confidence)
    count = len(whole.references)
    cut = f"Only {sources} of the {count} papers that fit"
    assert (answer.notice or "").startswith(cut) == (sources < count)


def test_strict_answers_are_likely(judging: Callable[..., Assistant], certain: Assistant) -> None:
    question = "How many mites does HiveScan find?"
    doubtful = judging(1.0, 0.6, 0.6)
    assert doubtful.ask(question).status == "answered"
    strict = doubtful.ask(question, options=STRICT)
    keeps_the_promises(strict)
    assert strict.status == "insufficient_evidence"
    assert "strict answer (36%)" in (strict.reason or "")
    assert certain.ask(question, options=STRICT).text == certain.ask(question).text


@pytest.mark.parametrize(
    ("question", "filters"),
    [
        ("Which papers are about bees?", Filters(title="zebra")),
        ("How many mites does HiveScan find?", Filters(title="CrackMap")),
        ("What was in the May 3 digest?", Filters()),
        ("What is TIDE?", Filters()),
    ],
)
def test_lenient_answers_are_filtered(doubting: Assistant, question: str, filters: Filters) -> None:
    answer = doubting.ask(question, filters=filters, options=LENIENT)
    keeps_the_promises(answer)
    assert answer.status == "insufficient_evidence"
