"""Months, as the digests' dates and the questions about them name them."""

import calendar
import re

import pytest

from index.readers.values import MONTH_NAME, month_number

MONTH = re.compile(MONTH_NAME, re.IGNORECASE)


@pytest.mark.parametrize("number", range(1, 13))
def test_every_month_is_known_by_its_name_and_its_abbreviation(number: int) -> None:
    for name in (calendar.month_name[number], calendar.month_abbr[number]):
        for written in (name, name.lower(), name.upper()):
            match = MONTH.search(f"on {written} 14")
            assert match
            assert (match[0], month_number(match[0])) == (written, number)


def test_the_abbreviation_of_four_letters_and_its_stop_are_known() -> None:
    match = MONTH.search("Sept. 3")
    assert match
    assert (match[0], month_number(match[0])) == ("Sept", 9)


@pytest.mark.parametrize(
    "word",
    ["marketing", "novel", "decoder", "mayor", "sepsis", "octopus", "junction", "augment", "janus",
     "aprils", "dismay", "march1", "decem", "febr"],
)  # fmt: skip
def test_words_that_only_begin_like_a_month_are_none(word: str) -> None:
    assert not MONTH.search(f"the {word} 14")
