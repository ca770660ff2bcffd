"""Verdicts are read in the forms that models write them in, and never guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.judge.replies import read_choice, read_rating


@pytest.mark.parametrize(
    ("reply", "rating"),
    [
        ("It is fine.\nRating: [[7]]", 7),
        ("rating: [[ 7.5 ]]", 7.5),
        ("Rating: [[7/10]]", 7),
        ("**Rating:** 7", 7),
        ("Rating: **7**/10", 7),
        ("Overall rating: [7]", 7),
        ("The overall rating is 10.", 10),
        ("Rating (1-10): 4", 4),
        ("Rating: 7 out of 10", 7),
        ("I give it 7/10.", 7),
        ("Its final score: 3", 3),
        ("It is thin.\n\n**Overall Rating:**\n3", 3),
        ("### Rating\n\n7", 7),
        ("Accuracy: [[9]]\nClarity: [[8]]\nRating: [[5]]", 5),
        ("Clarity 9/10, focus 8/10.\nRating: 5", 5),
        ("It says 91% on 40 ferns. Rating: 6", 6),
        ("Rating: [[6]]\n\nI hope that helps in 1 of 2 ways.", 6),
    ],
)
def test_a_rating_is_read_in_many_forms(reply: str, rating: float) -> None:
    assert read_rating(reply) == rating


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "It is good.",
        "Rating: [[N]]",
        "Rating: [[0]]",
        "Rating: [[11]]",
        "Rating: 85/100",
        "Rating: 4/5",
        "Rating: [[7]] or [[8]]",
        "Rating: 7-8",
        "Rating: 7 to 8",
        "Accuracy 9/10, clarity 5/10.",
        "It scores 8.4 on bogs, a score of 7.",
        "Rating: high",
    ],
)
def test_a_rating_that_is_none_is_not_guessed(reply: str) -> None:
    assert read_rating(reply) is None


@pytest.mark.parametrize(
    ("reply", "choice"),
    [
        ("The second is longer.\nFinal decision: [[1]]", "1"),
        ("Final decision: [[Tie]]", "tie"),
        ("[[Response 2]]", "2"),
        ("Final decision: 2", "2"),
        ("**Final decision:** Response 1", "1"),
        ("My verdict is response 2.", "2"),
        ("The final decision is a tie.", "tie"),
        ("**Final decision:**\n\nResponse 2", "2"),
        ("Final decision: [[1]]\nNo, on second thoughts:\nFinal decision: [[2]]", "2"),
    ],
)
def test_a_decision_is_read_in_many_forms(reply: str, choice: str) -> None:
    assert read_choice(reply) == choice


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "Response 1 is good and response 2 is good.",
        "Final decision: [[3]]",
        "Final decision: [[1]], [[2]] or [[tie]]",
        "Final decision: response 1 or 2",
        "Final decision: 1.5",
        "Final decision: [[12]]",
    ],
)
def test_a_decision_that_is_none_is_not_guessed(reply: str) -> None:
    assert read_choice(reply) is None


@given(st.text())
def test_any_reply_gives_a_rating_in_range_or_none(reply: str) -> None:
    rating = read_rating(reply)
    assert rating is None or 1 <= rating <= 10
    assert read_choice(reply) in (None, "1", "2", "tie")


@given(st.text(alphabet=st.characters(exclude_characters="[]")), st.integers(1, 10))
def test_a_rating_in_brackets_at_the_end_counts_whatever_stands_before(
    critique: str, rating: int
) -> None:
    assert read_rating(f"{critique}\nRating: [[{rating}]]") == rating
