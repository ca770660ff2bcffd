"""What a question says of digests decides which papers may answer it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import keeps_the_promises, titles

from rag import Assistant, Filters
from rag.digests import Digest
from rag.scope import read_scope

MARCH, APRIL = date(2025, 3, 14), date(2025, 4, 22)
DIGESTS = (
    Digest("digest-2025-03-14.txt", MARCH, 26),
    Digest("digest-2025-04-22.txt", APRIL, 26),
)


def test_a_digest_named_in_a_question_becomes_a_filter(sample_assistant: Assistant) -> None:
    answer = sample_assistant.ask("What is in the Mar 14 digest about robots?")
    keeps_the_promises(answer)
    assert "On Bringing Robots Home" in titles(answer)
    for reference in answer.references:
        assert MARCH in {source.date for source in reference.paper.sources}
    april = sample_assistant.ask("What is in the Apr 22 digest about robots?")
    assert "RT-H: Action Hierarchies Using Language" in titles(april)
    assert "On Bringing Robots Home" not in titles(april)


@pytest.mark.parametrize(
    "question",
    [
        "Which papers in the April 22 digest are about continual learning?",
        "In the latest digest, is there anything on groceries?",
        "What does the 2025-04-22 digest say about compute governance?",
    ],
)
def test_papers_of_other_digests_stay_out(sample_assistant: Assistant, question: str) -> None:
    answer = sample_assistant.ask(question)
    keeps_the_promises(answer)
    for reference in answer.references:
        assert APRIL in {source.date for source in reference.paper.sources}
    near = {near.id for near in answer.nearest}
    assert near <= {paper.id for paper in sample_assistant.papers(Filters(digests=("Apr 22",)))}


def test_both_digests_and_a_subject_keep_the_papers_in_both(sample_assistant: Assistant) -> None:
    answer = sample_assistant.ask("Which papers in both digests are about model merging?")
    assert set(titles(answer)) >= {
        "AdaMerging: Adaptive Model Merging for Multi-Task Learning",
        "Model Breadcrumbs: Scaling Multi-Task Model Merging with Sparse Masks",
    }
    for reference in answer.references:
        assert {source.date for source in reference.paper.sources} == {MARCH, APRIL}


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("What is in the May 3 digest about agents?", "May 3"),
        ("How many papers are in the May 3 digest?", "May 3"),
        ("Which papers of the 2024-03-14 digest study robots?", "2024-03-14"),
    ],
)
def test_a_digest_that_is_not_there_is_refused_with_those_that_are(
    sample_assistant: Assistant, question: str, named: str
) -> None:
    answer = sample_assistant.ask(question)
    keeps_the_promises(answer)
    assert answer.status == "insufficient_evidence"
    assert answer.reason
    for part in (named, "Mar 14, 2025", "Apr 22, 2025"):
        assert part in answer.reason


def test_a_date_that_is_no_digest_stays_part_of_the_question() -> None:
    scope = read_scope("Was it released on May 3, 2024?", DIGESTS)
    assert scope.text == "Was it released on May 3, 2024?"
    assert scope.filters == Filters()
    assert scope.unknown is None


@pytest.mark.parametrize(
    ("question", "rest", "wanted"),
    [
        ("What was in the Mar 14 digest about kites?", "What was about kites?", ["2025-03-14"]),
        ("In the April 22 digest, who flies?", "Who flies?", ["2025-04-22"]),
        ("What is new in the latest digest?", "What is new?", ["2025-04-22"]),
        ("Who flies in both digests?", "Who flies?", ["2025-03-14", "2025-04-22"]),
        ("Who flies?", "Who flies?", []),
    ],
)
def test_what_a_question_says_of_digests_is_taken_out_of_it(
    question: str, rest: str, wanted: list[str]
) -> None:
    scope = read_scope(question, DIGESTS)
    assert scope.text == rest
    assert [key[:10] for key in scope.filters.digests] == wanted


@pytest.mark.parametrize(
    ("question", "wanted", "without"),
    [
        ("Who flies in the Apr 22 digest but not in the Mar 14 digest?", [APRIL], [MARCH]),
        ("Which papers are only in the Mar 14 digest?", [MARCH], [APRIL]),
        ("Who flies in the Mar 14 or the Apr 22 digest?", [MARCH, APRIL], []),
    ],
)
def test_a_question_may_leave_a_digest_out(
    question: str, wanted: list[date], without: list[date]
) -> None:
    scope = read_scope(question, DIGESTS)
    assert [key[:10] for key in scope.filters.digests] == [day.isoformat() for day in wanted]
    assert [key[:10] for key in scope.without] == [day.isoformat() for day in without]
    assert not scope.filters.every_digest


@given(st.text(max_size=60))
def test_any_question_has_a_scope_that_chooses_from_the_digests(text: str) -> None:
    scope = read_scope(f"digest {text} Mar 14 {text}", DIGESTS)
    keys = {digest.key for digest in DIGESTS}
    assert {*scope.filters.digests, *scope.without} <= keys
    assert "\x00" not in scope.text or "\x00" in text


@pytest.mark.parametrize(
    "question",
    [
        "Which novel issues does the digest raise?",
        "Which marketing issues are there?",
        "Which papers are in the digest and use a decoder 3 layers deep?",
        "Which papers on market 14 are there?",
    ],
)
def test_words_that_begin_like_a_month_are_no_dates(question: str) -> None:
    scope = read_scope(question, DIGESTS)
    assert scope.filters == Filters()
    assert scope.unknown is None
