from collections.abc import Sequence

import pytest

from eval.checkers import check_claims
from eval.datasets import Claim
from eval.support import VerbatimSupport


class Says:
    """A checker that finds every claim supported that has "bog" in it."""

    name = "bog"
    unreadable = 0

    def __init__(self, scores: Sequence[float | None] = ()) -> None:
        self._scores = iter(scores)

    def score(self, claim: str, premises: Sequence[str]) -> float | None:
        return next(self._scores, None)

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


def test_the_products_own_checker_measures_unless_another_is_given() -> None:
    claims = [claim(1, "Bogs are wet.", supported=True), claim(2, "Cars fly.", supported=False)]
    found = check_claims(claims)
    assert (found["name"], found["balanced_accuracy"], found["auroc"]) == ("local", 1.0, 1.0)
    assert check_claims(claims, VerbatimSupport())["name"] == "verbatim"


def test_the_scores_of_a_checker_are_measured_over_the_claims_that_have_one() -> None:
    claims = [
        claim(1, "a bog", supported=True),
        claim(2, "a fern", supported=True),
        claim(3, "a bog", supported=False),
        claim(4, "a moss", supported=False),
        claim(5, "a fen", supported=False),
    ]
    found = check_claims(claims, Says([0.9, 0.4, 0.4, 0.1, None]))
    assert found["auroc"] == pytest.approx((2 + 1.5) / 4)
    assert found["auroc_low"] <= found["auroc"] <= found["auroc_high"]
    assert check_claims(claims, Says())["auroc"] is None
