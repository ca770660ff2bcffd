"""Questions about the digests themselves are answered from the index, not guessed."""

from collections.abc import Callable, Sequence
from datetime import date

import pytest
from made_up import BOATS, KITES, keeps_the_promises, markers

from index.papers import Paper
from rag import Assistant, Filters

Open = Callable[[Sequence[Paper]], Assistant]
MARCH, APRIL = date(2025, 3, 14), date(2025, 4, 22)


@pytest.mark.parametrize(
    ("question", "count"),
    [
        ("How many papers are in the Mar 14 digest?", "26"),
        ("how many papers are in the latest digest?", "26"),
        ("How many papers are in both digests?", "11"),
        ("how many papers are there?", "41"),
        ("how many papers are in the index?", "41"),
    ],
)
def test_how_many_papers_is_counted_from_the_index(
    sample_assistant: Assistant, question: str, count: str
) -> None:
    answer = sample_assistant.ask(question)
    keeps_the_promises(answer)
    assert count in answer.text.split()
    assert answer.references == ()
    assert [sentence.support for sentence in answer.sentences] == ["unchecked"]


def test_which_papers_are_in_both_digests_lists_each_of_them(sample_assistant: Assistant) -> None:
    answer = sample_assistant.ask("Which papers are in both digests?")
    keeps_the_promises(answer)
    assert answer.text.startswith("11 papers")
    assert {reference.paper.id for reference in answer.references} == {
        paper.id
        for paper in sample_assistant.papers()
        if {source.date for source in paper.sources} == {MARCH, APRIL}
    }
    assert markers(answer.text) == list(range(1, 12))


def test_a_whole_digest_is_listed_and_what_is_left_out_is_said(sample_assistant: Assistant) -> None:
    answer = sample_assistant.ask("What's in the Mar 14 digest?")
    keeps_the_promises(answer)
    assert answer.text.startswith("26 papers")
    left_out = 26 - len(answer.references)
    assert f"{left_out} more" in answer.text


def test_papers_of_one_digest_but_not_of_another_are_counted_apart(
    sample_assistant: Assistant,
) -> None:
    answer = sample_assistant.ask(
        "How many papers are in the Apr 22 digest but not in the Mar 14 digest?"
    )
    assert "15" in answer.text.split()
    listed = sample_assistant.ask("Which papers are only in the Apr 22 digest?")
    keeps_the_promises(listed)
    assert len(listed.references) == 15
    for reference in listed.references:
        assert {source.date for source in reference.paper.sources} == {APRIL}


def test_counts_keep_to_the_filters_and_do_not_pass_them_off_as_the_whole(
    sample_assistant: Assistant,
) -> None:
    march = sample_assistant.ask("How many papers are there?", filters=Filters(digests=("Mar 14",)))
    assert "26" in march.text.split()
    assert "The index holds 26 papers" not in march.text
    apart = sample_assistant.ask(
        "How many papers are in the Mar 14 digest?", filters=Filters(digests=("Apr 22",))
    )
    assert "11 papers are in the digest of Mar 14, 2025." not in apart.text


@pytest.mark.parametrize(
    ("question", "title", "places"),
    [
        ("Which digest has MindSearch?", "MindSearch", ["Apr 22, 2025"]),
        ("Was WebArena in both digests?", "WebArena", ["Mar 14, 2025", "Apr 22, 2025"]),
    ],
)
def test_where_a_paper_is_listed_is_told_from_the_index(
    sample_assistant: Assistant, question: str, title: str, places: list[str]
) -> None:
    answer = sample_assistant.ask(question)
    keeps_the_promises(answer)
    assert title in answer.text
    assert [day for day in ("Mar 14, 2025", "Apr 22, 2025") if day in answer.text] == places
    assert answer.references == ()


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Was MindSearch in the Mar 14 digest?", "No: it is in the digest of Apr 22, 2025"),
        ("Do both digests mention WebArena?", "Yes: it is in the digest of Mar 14, 2025"),
        ("Is MindSearch in both digests?", "No: it is in the digest of Apr 22, 2025"),
        ("How many digests are there?", "The index holds 2 digests"),
        ("what digests do you have?", "The index holds 2 digests"),
        (
            "Is the Mar 14 digest larger than the Apr 22 digest?",
            "The digest of Mar 14, 2025 has 26 papers; the digest of Apr 22, 2025 has 26 papers.",
        ),
        ("What is the second paper in the Mar 14 digest?", "MineRL BASALT"),
        ("What is the last paper in the Apr 22 digest?", "LiNeS"),
        ("What is the 90th paper of the Apr 22 digest?", "no such paper"),
        ("list all papers", "21 more are not shown"),
    ],
)
def test_the_digests_are_described_from_the_index(
    sample_assistant: Assistant, question: str, answer: str
) -> None:
    found = sample_assistant.ask(question)
    keeps_the_promises(found)
    assert answer in found.text


@pytest.mark.parametrize(
    "question",
    ["Does MindSearch use both GPT-4o and InternLM?", "Is WebArena both realistic and open?"],
)
def test_both_without_a_digest_is_about_the_paper(
    sample_assistant: Assistant, question: str
) -> None:
    assert "In the digest" not in sample_assistant.ask(question).text


def test_where_a_paper_is_keeps_to_the_filters(sample_assistant: Assistant) -> None:
    march = Filters(digests=("Mar 14",))
    answer = sample_assistant.ask("In which digest is MindSearch?", filters=march)
    assert answer.status == "insufficient_evidence"


def test_authors_and_venue_are_told_if_the_index_has_them(open_papers: Open) -> None:
    known = KITES.model_copy(
        update={"authors": ("Ada Lovelace", "Mary Shelley"), "venue": "KiteConf", "year": 2024}
    )
    assistant = open_papers([known, BOATS])
    assert "By Ada Lovelace and Mary Shelley." in assistant.ask("Who wrote KiteNet?").text
    assert "In KiteConf, 2024." in assistant.ask("Which conference was KiteNet at?").text
    assert assistant.ask("Who wrote BoatNet?").status == "insufficient_evidence"
