import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.metrics.selective import (
    Bin,
    Outcome,
    brier,
    calibration_error,
    reliability,
    risk_coverage,
)


def given_answer(confidence: float | None, right: bool) -> Outcome:
    return Outcome(confidence, refused=False, right=right)


REFUSED_RIGHTLY = Outcome(None, refused=True, right=True)
REFUSED_NEEDLESSLY = Outcome(0.9, refused=True, right=False)


def test_the_curve_by_hand() -> None:
    curve = risk_coverage(
        [
            REFUSED_RIGHTLY,
            given_answer(0.2, False),
            given_answer(0.9, True),
            REFUSED_NEEDLESSLY,
            given_answer(0.8, False),
            given_answer(0.7, True),
        ]
    )
    assert curve is not None
    risk = [0 / 1, 1 / 2, 1 / 3, 2 / 4, 3 / 5, 4 / 6]
    assert curve.coverage == pytest.approx([k / 6 for k in range(1, 7)])
    assert curve.risk == pytest.approx(risk)
    assert curve.aurc == pytest.approx(sum(risk) / 6)
    best = [0, 0, 1 / 3, 2 / 4, 3 / 5, 4 / 6]
    assert curve.excess == pytest.approx((sum(risk) - sum(best)) / 6)


def test_questions_of_equal_confidence_share_their_risk() -> None:
    curve = risk_coverage([given_answer(0.5, right) for right in (True, True, True, False)])
    assert curve is not None
    assert curve.risk == pytest.approx([1 / 4] * 4)


def test_an_answer_without_confidence_comes_after_those_with_and_before_refusals() -> None:
    curve = risk_coverage([REFUSED_RIGHTLY, given_answer(None, True), given_answer(0.0, False)])
    assert curve is not None
    assert curve.risk == pytest.approx([1, 1 / 2, 2 / 3])


def test_the_best_order_has_no_excess_and_nothing_asked_no_curve() -> None:
    curve = risk_coverage([given_answer(0.9, True), given_answer(0.1, False), REFUSED_RIGHTLY])
    assert curve is not None
    assert curve.excess == 0
    assert risk_coverage([]) is None


outcomes = st.lists(
    st.builds(
        Outcome,
        confidence=st.none() | st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.95, 1.0]),
        refused=st.booleans(),
        right=st.booleans(),
    ),
    min_size=1,
    max_size=15,
)


@given(outcomes, st.randoms(use_true_random=False))
def test_the_order_of_the_file_does_not_matter_and_the_end_is_the_share_without_a_right_answer(
    asked: list[Outcome], rng: random.Random
) -> None:
    curve = risk_coverage(asked)
    assert curve is not None
    wrong = sum(each.refused or not each.right for each in asked)
    assert curve.risk[-1] == pytest.approx(wrong / len(asked))
    assert 0 <= curve.excess <= curve.aurc <= 1
    rng.shuffle(asked)
    again = risk_coverage(asked)
    assert again is not None
    assert again.aurc == pytest.approx(curve.aurc)


def test_bins_calibration_error_and_brier_by_hand() -> None:
    asked = [
        given_answer(0.0, False),
        given_answer(0.1, False),
        given_answer(0.92, True),
        given_answer(1.0, True),
        given_answer(0.96, False),
        given_answer(None, True),
        REFUSED_RIGHTLY,
        REFUSED_NEEDLESSLY,
    ]
    low, high = reliability(asked)
    assert low == Bin(low=0, high=0.1, count=2, confidence=0.05, right=0)
    assert (high.low, high.high, high.count) == (0.9, 1, 3)
    assert (high.confidence, high.right) == pytest.approx((0.96, 2 / 3))
    ece = 2 / 5 * 0.05 + 3 / 5 * (0.96 - 2 / 3)
    assert calibration_error([low, high]) == pytest.approx(ece)
    squares = 0 + 0.1**2 + 0.08**2 + 0 + 0.96**2
    assert brier(asked) == pytest.approx(squares / 5)


@given(outcomes)
def test_every_answer_with_a_confidence_is_in_one_bin(asked: list[Outcome]) -> None:
    bins = reliability(asked)
    known = [o for o in asked if not o.refused and o.confidence is not None]
    assert sum(each.count for each in bins) == len(known)
    for each in bins:
        assert each.low <= each.confidence <= each.high + 1e-9


def test_refusals_alone_say_nothing_of_confidence() -> None:
    assert reliability([REFUSED_RIGHTLY]) == []
    assert calibration_error([]) is None
    assert brier([REFUSED_RIGHTLY]) is None
