from collections.abc import Sequence

import pytest

from eval.checkers import check_claims
from eval.datasets import Claim


class Says:
    """A checker that finds every claim supported that has "bog" in it."""

    name = "bog"

    def __call__(self, claim: str, premises: Sequence[str]) -> bool:
        return "bog" in claim


def claim(number: int, text: str, *, supported: bool) -> Claim:
    label = "supported" if supported else "not_supported"
    return Claim(id=str(number), claim=text, evidence="Bogs are wet.", label=label)


def test_a_checker_is_measured_on_labelled_claims() -> None:
    claims = [
        claim(1, "a bog", supported=True),
        claim(2, "a fern", supported=True),
        claim(3, "a bog", supported=False),
        claim(4, "a moss", supported=False),
        claim(5, "a fen", supported=False),
    ]
    found = check_claims(claims, Says())
    assert (found["name"], found["claims"], found["supported"]) == ("bog", 5, 2)
    assert found["accuracy"] == pytest.approx(3 / 5)
    assert (found["precision"], found["recall"]) == (1 / 2, 1 / 2)
    assert found["balanced_accuracy"] == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_the_products_own_checker_takes_only_what_stands_there_word_for_word() -> None:
    found = check_claims(
        [claim(1, "Bogs are wet.", supported=True), claim(2, "Bogs are dry.", supported=False)]
    )
    assert (found["name"], found["balanced_accuracy"]) == ("verbatim", 1.0)
