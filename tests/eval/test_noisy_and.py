"""The fit of rows of which only whole bags are labelled."""

import numpy as np
import pytest
from scipy.special import expit

from eval.noisy_and import fit_noisy_and

BIAS, SHIFT, WEIGHTS = 0.5, 2.0, (3.0, -2.0)


def drawn(count: int, size: int, seed: int) -> tuple[list[np.ndarray], list[bool]]:
    """Bags whose rows are true as often as a known logistic function of them says."""
    draw = np.random.default_rng(seed)
    bags = [draw.normal(size=(size, 2)) for _ in range(count)]
    bias = BIAS + (SHIFT if size > 1 else 0)
    labels = [bool((draw.random(size) < expit(bias + bag @ WEIGHTS)).all()) for bag in bags]
    return bags, labels


def test_it_finds_what_made_the_bags_true() -> None:
    one, of_one = drawn(3000, 1, seed=1)
    many, of_many = drawn(3000, 3, seed=2)
    found = fit_noisy_and(one + many, of_one + of_many, penalty=1.0)
    assert (found.bias, found.shift) == pytest.approx((BIAS, SHIFT), abs=0.3)
    assert found.weights == pytest.approx(WEIGHTS, abs=0.3)


def test_a_column_that_never_changes_has_no_weight() -> None:
    bags, labels = drawn(500, 1, seed=3)
    bags = [np.column_stack([bag, np.ones(len(bag))]) for bag in bags]
    assert fit_noisy_and(bags, labels, penalty=1.0).weights[2] == pytest.approx(0, abs=1e-6)
