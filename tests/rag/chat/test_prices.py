"""What tokens cost."""

import re

import pytest

from index.errors import InputError
from rag.chat.prices import AS_OF, PRICES, Price, price_of
from rag.chat.reply import Spent


def test_a_price_is_that_of_a_million_tokens() -> None:
    assert Price(2, 10).of(Spent(500_000, 100_000)) == pytest.approx(2.0)
    assert Price(2, 10).of(Spent()) == 0


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("gpt-4o-mini", "gpt-4o-mini"),
        ("GPT-4o-mini", "gpt-4o-mini"),
        ("gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("gpt-4o-2024-05-13", "gpt-4o-2024-05-13"),
        ("gpt-4-0613", "gpt-4"),
        ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
        ("openai/gpt-5-mini", "gpt-5-mini"),
    ],
)
def test_a_snapshot_costs_what_its_model_does(name: str, known: str) -> None:
    assert price_of(name) == PRICES[known]


@pytest.mark.parametrize("name", ["qwen2.5-7b-instruct", "gpt-4o-audio-preview", "gpt-4.5", "m"])
def test_a_model_that_is_not_listed_has_no_price_even_if_its_name_begins_like_one(
    name: str,
) -> None:
    assert price_of(name) is None


def test_a_price_of_ones_own_goes_before() -> None:
    assert price_of("gpt-4o", "0.5 / 1") == Price(0.5, 1)
    assert price_of("qwen2.5", "0/0") == Price(0, 0)


@pytest.mark.parametrize("text", ["1", "1/2/3", "a/b", "-1/2", "nan/1", "1/inf", "$1/$2"])
def test_a_price_that_is_none_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(InputError, match="ABSTRACTQA_CHAT_PRICE") as error:
        price_of("gpt-4o", text)
    assert "\n" not in str(error.value)


def test_the_list_says_of_when_it_is() -> None:
    assert re.fullmatch(r"20\d\d-[01]\d", AS_OF)
    assert all(0 < price.prompt <= price.completion for price in PRICES.values())
