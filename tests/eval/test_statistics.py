from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.statistics import (
    auroc,
    bootstrap_mean,
    compare,
    holm,
)


def test_an_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    draws = np.random.default_rng(2).random((100, 60)) < 0.9
    found = [bootstrap_mean(draw.astype(float)) for draw in draws]
    held = sum(each is not None and each.low <= 0.9 <= each.high for each in found)
    assert 0.88 <= held / 100 <= 0.99


def test_a_comparison_pairs_by_question_and_names_who_won() -> None:
    before = {"a": 0.0, "b": 1.0, "c": 0.5, "d": None, "e": 1.0}
    after = {"c": 0.5, "a": 1.0, "b": 0.5, "d": 1.0, "f": 1.0}
    found = compare(before, after)
    assert found is not None
    assert (found.higher, found.lower) == (("a",), ("b",))
    assert found.difference.mean == pytest.approx((1 - 0.5 + 0) / 3)
    assert compare({"a": 1.0}, {"b": 1.0}) is None


def test_p_is_the_share_of_all_ways_to_flip_signs_that_are_as_extreme() -> None:
    gains = [0.5, 0.25, -0.125, 1.0, 0.75, 0.0]
    names = "abcdef"
    found = compare(dict.fromkeys(names, 0.0), dict(zip(names, gains, strict=True)))
    flips = [np.dot(signs, gains) for signs in product([1, -1], repeat=len(gains))]
    as_extreme = sum(flip >= sum(gains) - 1e-12 for flip in flips)
    assert found is not None
    assert found.p == pytest.approx(2 * as_extreme / len(flips))


def test_holm_by_hand() -> None:
    corrected = holm({"x": 0.03, "y": 0.01, "z": 0.04, "w": 0.9})
    assert list(corrected) == ["x", "y", "z", "w"]
    assert corrected == pytest.approx({"y": 0.04, "x": 0.09, "z": 0.09, "w": 0.9})
    assert holm({}) == {}
    assert holm({"one": 0.2, "other": 0.8}) == pytest.approx({"one": 0.4, "other": 0.8})


LABELLED = st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=2, max_size=20)


@given(LABELLED)
def test_auroc_is_how_often_a_positive_is_above_a_negative(
    labelled: list[tuple[int, bool]],
) -> None:
    highs = [score for score, positive in labelled if positive]
    lows = [score for score, positive in labelled if not positive]
    found = auroc([score for score, _ in labelled], [positive for _, positive in labelled])
    if not highs or not lows:
        assert found is None
        return
    pairs = [1.0 if high > low else 0.5 * (high == low) for high in highs for low in lows]
    assert found == pytest.approx(np.mean(pairs))
