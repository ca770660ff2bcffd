import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.statistics import bootstrap_auroc

LABELLED = st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=2, max_size=20)


@given(LABELLED)
def test_it_is_how_often_a_positive_is_above_a_negative(labelled: list[tuple[int, bool]]) -> None:
    highs = [score for score, positive in labelled if positive]
    lows = [score for score, positive in labelled if not positive]
    found = bootstrap_auroc(
        [score for score, _ in labelled], [positive for _, positive in labelled], resamples=50
    )
    if not highs or not lows:
        assert found is None
        return
    pairs = [1.0 if high > low else 0.5 * (high == low) for high in highs for low in lows]
    assert found is not None
    assert found.mean == pytest.approx(np.mean(pairs))
    assert found.n == len(labelled)
    assert 0 <= found.low <= found.high <= 1


def test_a_perfect_order_has_an_interval_of_no_width_and_chance_one_around_a_half() -> None:
    perfect = bootstrap_auroc([0.9, 0.8, 0.2], [True, True, False])
    assert perfect is not None
    assert (perfect.mean, perfect.low, perfect.high) == (1, 1, 1)
    rng = np.random.default_rng(1)
    chance = bootstrap_auroc(list(rng.random(200)), list(rng.random(200) < 0.5))
    assert chance is not None
    assert chance.low < 0.5 < chance.high
    # The standard error of 100 against 100 is about .04 (Hanley & McNeil 1982).
    assert chance.high - chance.low == pytest.approx(4 * 0.041, abs=0.03)


def test_the_same_seed_gives_the_same_interval() -> None:
    scores, labels = [0.1, 0.4, 0.35, 0.8, 0.5], [False, False, True, True, False]
    assert bootstrap_auroc(scores, labels) == bootstrap_auroc(scores, labels)
    assert bootstrap_auroc(scores, labels) != bootstrap_auroc(scores, labels, confidence=0.5)
