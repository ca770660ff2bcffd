"""A number that a question takes for granted and no abstract has is contradicted first."""

import pytest
from made_up import BOATS, KITES, paper

from rag import Assistant
from rag.premise import correction

FAST = paper("fast", "FastNet: Speed", "FastNet is 3x faster and 40\\% smaller on the 420 tasks.")


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("Why did FastNet lose 55 % of its size?", "55 %"),
        ("Why is FastNet 10x faster?", "10x"),
        ("How were the 512 tasks chosen?", "512"),
        ("Why does FastNet, with 512 tasks, lose 55% of its size?", "512 and 55%"),
        ("Is FastNet fast, and why did it lose 55% of its size?", "55%"),
        ("Does it work? How were the 512 tasks chosen?", "512"),
    ],
)
def test_a_number_that_no_abstract_has_is_said_to_be_absent(question: str, said: str) -> None:
    claim = correction(question, [FAST])
    assert claim is not None
    assert claim.text == f"The abstracts found do not speak of {said}."
    assert claim.spans == ()


@pytest.mark.parametrize(
    "question",
    [
        "Why is FastNet 3 times faster?",
        "How is it 40 percent smaller?",
        "How were the 420 tasks chosen?",
        "What are 2 ways to be fast?",
        "What came in 2024, and the 2025 ones?",
        "Is GPT-4 or Llama 3 faster?",
        "How many tasks are there?",
        "Which 12 papers are about boats?",
        "Does FastNet lose 55% of its size?",
        "Is it true that FastNet has over 500 tasks?",
        "So, are the 512 tasks hard?",
        "How large is FastNet, and does it reach 55%?",
        "In tests of speed, do people reach 55%?",
        "Which networks lose any of their size, 55% of it?",
        "Which networks become more than 55% smaller?",
        "What lets it become at least 10x faster?",
        "What gets it above 55%?",
        "How close does it come to 10x?",
        "What happens if 55% of it is removed?",
    ],
)
def test_what_is_there_or_is_asked_for_is_not_contradicted(question: str) -> None:
    assert correction(question, [KITES, BOATS, FAST]) is None


def test_an_answer_begins_with_what_is_wrong_about_its_question(
    sample_assistant: Assistant,
) -> None:
    answer = sample_assistant.ask("How were the 512 tasks of OSWorld made?")
    assert answer.sentences[0].text == "The abstracts found do not speak of 512."
    assert answer.sentences[0].support == "unchecked"
    assert answer.status == "answered"
