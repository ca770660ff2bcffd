from itertools import product
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.statistics import (
    Interval,
    bootstrap_mean,
    bootstrap_ratio,
    breakdown,
    compare,
    holm,
    negative_flips,
    weakest_link,
)

values = st.lists(st.sampled_from([0.0, 0.1, 1 / 3, 0.5, 2 / 3, 1.0]), min_size=1, max_size=12)


def test_an_interval_is_about_as_wide_as_theory_says() -> None:
    normal = np.random.default_rng(1).normal(10, 2, size=400)
    found = bootstrap_mean(normal)
    assert found is not None
    half = 1.96 * normal.std(ddof=1) / 20
    assert found.mean == pytest.approx(normal.mean())
    assert found.low == pytest.approx(normal.mean() - half, abs=0.02)
    assert found.high == pytest.approx(normal.mean() + half, abs=0.02)


def test_an_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    draws = np.random.default_rng(2).random((200, 60)) < 0.9
    found = [bootstrap_mean(draw.astype(float), resamples=999) for draw in draws]
    held = sum(each is not None and each.low <= 0.9 <= each.high for each in found)
    assert 0.88 <= held / 200 <= 0.99


def test_a_lower_confidence_gives_a_narrower_interval() -> None:
    wide, narrow = (bootstrap_mean([0, 1] * 20, confidence=c) for c in (0.99, 0.5))
    assert wide is not None
    assert narrow is not None
    assert wide.low < narrow.low < 0.5 < narrow.high < wide.high


@pytest.mark.parametrize("equal", [[1.0] * 9, [0.1] * 7, [0.0], [1 / 3, 1 / 3]])
def test_equal_values_give_no_width_and_no_warning(equal: list[float]) -> None:
    found = bootstrap_mean(equal)
    assert found is not None
    assert found.low == found.high == found.mean == pytest.approx(equal[0])
    assert found.n == len(equal)


def test_what_was_not_measured_is_left_out() -> None:
    assert bootstrap_mean([]) is None
    assert bootstrap_mean([None, None]) is None
    assert bootstrap_mean([None, 1, None, 0]) == bootstrap_mean([1, 0])


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    sample = list(np.random.default_rng(3).random(50))
    assert bootstrap_mean(sample, seed=1) == bootstrap_mean(sample, seed=1)
    assert bootstrap_mean(sample, seed=1) != bootstrap_mean(sample, seed=2)


@settings(deadline=None, max_examples=40)
@given(values)
def test_an_interval_is_a_number_around_its_mean_within_the_values(sample: list[float]) -> None:
    found = bootstrap_mean(sample, resamples=200)
    assert found is not None
    assert min(sample) - 1e-9 <= found.low <= found.mean + 1e-9
    assert found.mean - 1e-9 <= found.high <= max(sample) + 1e-9


def test_a_pooled_share_weighs_questions_by_their_items() -> None:
    found = bootstrap_ratio([1, 3, 0, 2], [1, 10, 0, 4])
    assert found is not None
    assert found.mean == 6 / 15
    assert found.n == 3
    assert found.low < 6 / 15 < found.high
    assert bootstrap_ratio([0, 0], [0, 0]) is None
    assert bootstrap_ratio([2, 1], [4, 2]) == Interval(0.5, 0.5, 0.5, 2)


def test_a_comparison_pairs_by_question_and_names_who_won() -> None:
    before = {"a": 0.0, "b": 1.0, "c": 0.5, "d": None, "e": 1.0}
    after = {"c": 0.5, "a": 1.0, "b": 0.5, "d": 1.0, "f": 1.0}
    found = compare(before, after)
    assert found is not None
    assert (found.wins, found.losses, found.ties) == (("a",), ("b",), ("c",))
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


def test_p_of_many_questions_agrees_with_the_sign_test() -> None:
    before = {str(key): float(key >= 30) for key in range(60)}
    after = {
        key: 1.0 if int(key) < 22 else 0.0 if int(key) >= 52 else before[key] for key in before
    }
    exact = 2 * sum(comb(30, wins) for wins in range(22, 31)) / 2**30
    found = compare(before, after)
    assert found is not None
    assert (len(found.wins), len(found.losses)) == (22, 8)
    assert found.p == pytest.approx(exact, abs=0.006)
    assert compare(before, after) == found


def test_runs_that_are_the_same_do_not_differ() -> None:
    same = {"a": 0.5, "b": 1.0}
    found = compare(same, same)
    assert found is not None
    assert found.p == 1
    assert found.difference == Interval(0, 0, 0, 2)


def test_holm_by_hand() -> None:
    corrected = holm({"x": 0.03, "y": 0.01, "z": 0.04, "w": 0.9})
    assert list(corrected) == ["x", "y", "z", "w"]
    assert corrected == pytest.approx({"y": 0.04, "x": 0.09, "z": 0.09, "w": 0.9})
    assert holm({}) == {}
    assert holm({"one": 0.2, "other": 0.8}) == pytest.approx({"one": 0.4, "other": 0.8})


@given(st.dictionaries(st.text(), st.floats(0, 1)))
def test_correction_raises_p_keeps_its_order_and_stays_within_bonferroni(
    p_values: dict[str, float],
) -> None:
    corrected = holm(p_values)
    ranked = sorted(p_values, key=lambda name: p_values[name])
    assert [corrected[name] for name in ranked] == sorted(corrected.values())
    for name, p in p_values.items():
        assert p <= corrected[name] <= min(1, len(p_values) * p)


def test_flips_are_named_and_their_rates_make_up_the_change() -> None:
    before = {"a": True, "b": True, "c": False, "d": False, "only before": True}
    after = {"d": True, "c": False, "b": False, "a": True, "only after": False}
    flips = negative_flips(before, after)
    assert (flips.negative, flips.positive, flips.questions) == (("b",), ("d",), 4)
    assert flips.negative_rate == 1 / 4
    assert negative_flips({}, {}).negative_rate is None


def test_the_weakest_link_is_the_lowest_type_with_enough_questions() -> None:
    types = breakdown(
        {
            "list": [0.5, 0.5, None, 0.5],
            "fact": [1, 1, 1, 0],
            "compare": [0, 0],
            "why": [None],
        }
    )
    assert list(types) == ["list", "fact", "compare"]
    assert weakest_link(types) == ("list", Interval(0.5, 0.5, 0.5, 3))
    assert weakest_link(types, least=2) == ("compare", Interval(0, 0, 0, 2))
    assert weakest_link(types, least=5) is None
