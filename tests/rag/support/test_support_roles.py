"""What a number is said of, and texts that say it of something else."""

import pytest

from rag.support.roles import counted, exchanged, uncounted

OSWORLD = "People finish more than 72.36% of the tasks, while the best model succeeds on 12.24%."
ALIGN = "AlignBot reaches a success rate of 86.8%, against 21.6% for the vanilla GPT-4o baseline."


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        ("It has 442 tasks written by 204 authors.", "It has 204 tasks, by 442 authors."),
        ("It beats 53 baselines on 13 datasets.", "It beats 13 good baselines on 53 datasets."),
        ("Models succeed on 72.36% of the tasks.", OSWORLD),
        ("The best model finishes 72.36% of the tasks, while people succeed on 12.24%.", OSWORLD),
        ("GPT-4o reaches a success rate of 86.8%, against 21.6% for AlignBot.", ALIGN),
        ("The vanilla GPT-4o baseline reaches a success rate of 86.8%.", ALIGN),
        ("It needs 9.2x less memory and 2.4x less energy.", "2.4x less memory, 9.2x less energy."),
    ],
)
def test_a_number_said_of_something_else_is_exchanged(said: str, stored: str) -> None:
    assert exchanged(said, [stored]) is not None
    assert exchanged(stored, [stored]) is None


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        ("442 authors wrote its 204 tasks.", "It has 204 tasks, by 442 authors."),
        ("Humans solve over 72% of the tasks, and models about 12%.", OSWORLD),
        ("AlignBot has an 86.8% success rate versus 21.6% for vanilla GPT-4o.", ALIGN),
        ("There are 20 applications.", "There are 20 real apps and 116 tasks."),
        ("12 tasks are hard.", "It has 40 tasks; of these tasks 12 are hard."),
    ],
)
def test_the_same_number_of_the_same_is_not(said: str, stored: str) -> None:
    assert exchanged(said, [stored]) is None


def test_a_count_of_what_is_not_counted_there_is_noticed() -> None:
    stored = "It has 369 tasks that need web and desktop applications."
    assert uncounted("It has 369 web and desktop applications.", [stored]) == (
        "what it cites does not say 369 of them"
    )
    assert uncounted("It has 369 tasks.", [stored]) is None
    assert uncounted("It has 369 problems.", [stored]) is None


def test_the_noun_of_a_number_is_the_plural_after_it() -> None:
    found = counted("40 hard Capture the Flag tasks from 4 competitions")
    assert [each.noun for each in found] == ["task", "competit"]
    assert [each.noun for each in counted("Of 40, 17 are split into subtasks.")] == ["", ""]
