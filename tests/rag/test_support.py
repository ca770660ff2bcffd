"""A sentence is supported when it stands in what it cites."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.support import check

CITED = r"Ragnar\"ok cuts the cost of inference by 37.8\%, from 1.5 to 0.9 dollars~(US)."


@pytest.mark.parametrize(
    "sentence",
    [
        CITED,
        "Ragnarök cuts the cost of inference by 37.8%, from 1.5 to 0.9 dollars (US).",
        "ragnarok cuts the cost of inference by 37.8 %, from 1.5 to 0.9 dollars (US)",
        "cuts the cost of inference by 37.8%",
    ],
)
def test_words_that_stand_in_the_cited_text_are_supported(sentence: str) -> None:
    assert check(sentence, [CITED]) == ("supported", 1.0)
    assert check(sentence, ["Something else.", CITED]) == ("supported", 1.0)


@pytest.mark.parametrize(
    "sentence",
    [
        "Ragnarök raises the cost of inference by 37.8%.",
        "Ragnarök cuts the cost of inference by 38.8%, from 1.5 to 0.9 dollars (US).",
        "Ragnarök cuts the cost of inference by 378%, from 15 to 0.9 dollars (US).",
        "5 to 0.9 dollars",
        "nference by 37.8%",
        "…",
    ],
)
def test_words_that_do_not_stand_there_are_unsupported(sentence: str) -> None:
    assert check(sentence, [CITED]) == ("unsupported", 0.0)


def test_a_sentence_that_cites_nothing_is_unchecked() -> None:
    assert check("26 papers are in the digest.", []) == ("unchecked", None)


@given(st.lists(st.sampled_from("kites fly 12 high in wind".split()), min_size=1, max_size=8))
def test_a_text_supports_itself(words: list[str]) -> None:
    text = " ".join(words)
    assert check(text, [text]) == ("supported", 1.0)
