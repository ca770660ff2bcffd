from itertools import product

import numpy as np
import pytest

from eval.statistics import bootstrap_mean, compare, holm


def test_an_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    draws = np.random.default_rng(2).random((100, 60)) < 0.9
    found = [bootstrap_mean(draw.astype(float)) for draw in draws]
    held = sum(each is not None and each.low <= 0.9 <= each.high for each in found)
    assert 0.88 <= held / 100 <= 0.99


def test_p_is_the_share_of_all_ways_to_flip_signs_that_are_as_extreme() -> None:
    gains = [0.5, 0.25, -0.125, 1.0, 0.75, 0.0]
    names = "abcdef"
    found = compare(dict.fromkeys(names, 0.0), dict(zip(names, gains, strict=True)))
    flips = [np.dot(signs, gains) for signs in product([1, -1], repeat=len(gains))]
    as_extreme = sum(flip >= sum(gains) - 1e-12 for flip in flips)
    assert found is not None
    assert found.p == pytest.approx(2 * as_extreme / len(flips))
    corrected = holm({"x": 0.03, "y": 0.01, "z": 0.04, "w": 0.9})
    assert corrected == pytest.approx({"y": 0.04, "x": 0.09, "z": 0.09, "w": 0.9})
