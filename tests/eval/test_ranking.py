from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.benchmarks import mean_metrics, query_metrics, ranked

RELEVANCE = {"first": {"a": 1, "b": 2, "z": 0}, "second": {"c": 1}}


def test_each_measure_equals_the_hand_computed_value() -> None:
    run = {
        "first": ranked([("x", 9.0), ("b", 8.0), ("z", 7.0), ("y", 6.0), ("w", 5.0), ("a", 4.0)]),
        "second": ranked([("c", 1.0)]),
    }
    first = query_metrics(RELEVANCE, run)["first"]
    dcg = 2 / log2(3) + 1 / log2(7)
    ideal = 2 / log2(2) + 1 / log2(3)
    assert first["nDCG@10"] == pytest.approx(dcg / ideal, abs=1e-9)
    assert first["MRR"] == 1 / 2
    assert first["MAP"] == pytest.approx((1 / 2 + 2 / 6) / 2)
    assert first["R@5"] == 1 / 2
    assert first["R@10"] == 1
    assert first["hit@1"] == 0
    means = mean_metrics(query_metrics(RELEVANCE, run))
    assert means["nDCG@10"] == pytest.approx((dcg / ideal + 1) / 2, abs=1e-9)
    assert means["MRR"] == 3 / 4
    assert means["hit@1"] == 1 / 2


def test_equal_scores_keep_the_order_the_reader_saw() -> None:
    run = {"q": ranked([("a", 0.5), ("b", 0.5), ("c", 0.5)])}
    assert query_metrics({"q": {"a": 1}}, run)["q"]["hit@1"] == 1


papers = st.sampled_from("abcdefghijklmnop")
scores = st.floats(-5, 5)


@given(st.lists(st.tuples(papers, scores), max_size=16, unique_by=lambda hit: hit[0]))
def test_the_order_given_is_the_order_measured(hits: list[tuple[str, float]]) -> None:
    run = {"q": ranked(hits)}
    for rank, (paper, _) in enumerate(hits, start=1):
        found = query_metrics({"q": {paper: 1}}, run)["q"]["MRR"]
        assert found == pytest.approx(1 / rank)
