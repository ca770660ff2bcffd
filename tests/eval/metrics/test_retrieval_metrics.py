from collections.abc import Mapping
from math import log2

import ir_measures
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.metrics.retrieval import MEASURES, mean_metrics, query_metrics, ranked

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


def test_a_query_without_a_ranking_counts_as_nothing_found() -> None:
    run = {"second": {"c": 1.0}}
    assert query_metrics(RELEVANCE, run)["first"] == dict.fromkeys(MEASURES, 0.0)
    assert mean_metrics(query_metrics(RELEVANCE, run))["hit@1"] == 1 / 2


def test_nothing_asked_measures_nothing() -> None:
    assert mean_metrics(query_metrics({}, {})) == dict.fromkeys(MEASURES, 0.0)


def test_equal_scores_keep_the_order_the_reader_saw() -> None:
    run = {"q": ranked([("a", 0.5), ("b", 0.5), ("c", 0.5)])}
    assert query_metrics({"q": {"a": 1}}, run)["q"]["hit@1"] == 1


def test_a_paper_that_comes_again_keeps_its_first_place() -> None:
    assert list(ranked([("a", 2.0), ("b", 1.0), ("a", 0.5)])) == ["a", "b"]


papers = st.sampled_from("abcdefghijklmnop")
scores = st.floats(-5, 5)


@given(st.lists(st.tuples(papers, scores), max_size=16, unique_by=lambda hit: hit[0]))
def test_the_order_given_is_the_order_measured(hits: list[tuple[str, float]]) -> None:
    run = {"q": ranked(hits)}
    for rank, (paper, _) in enumerate(hits, start=1):
        found = query_metrics({"q": {paper: 1}}, run)["q"]["MRR"]
        assert found == pytest.approx(1 / rank)


def by_formula(relevance: Mapping[str, int], scores: Mapping[str, float]) -> dict[str, float]:
    """Every measure of one query from its definition: equal scores in falling order of id."""
    order = sorted(scores, key=lambda paper: (scores[paper], paper), reverse=True)
    gains = np.array([relevance.get(paper, 0) for paper in order], dtype=float)
    found = gains > 0
    relevant = sum(value > 0 for value in relevance.values())
    ranks = np.flatnonzero(found) + 1
    precisions = np.cumsum(found)[found] / ranks
    ideal = np.sort(np.array([*relevance.values()], dtype=float))[::-1][:10]
    dcg = (gains[:10] / np.log2(np.arange(2, 2 + len(gains[:10])))).sum()
    best = (ideal / np.log2(np.arange(2, 2 + len(ideal)))).sum()
    return {
        "nDCG@10": dcg / best if best else 0.0,
        "MRR": 1 / ranks[0] if found.any() else 0.0,
        "MAP": precisions.sum() / relevant if relevant else 0.0,
        **{f"R@{k}": found[:k].sum() / relevant if relevant else 0.0 for k in (5, 10, 100)},
        "hit@1": float(found[:1].any()),
    }


corpus = [f"p{number}" for number in range(130)]
judged = st.dictionaries(st.sampled_from(corpus), st.integers(0, 3), min_size=1, max_size=20)
# Few different scores, so that many are equal; as many papers as recall@100 can leave out.
scored = st.dictionaries(
    st.sampled_from(corpus), st.integers(-4, 4).map(lambda n: n / 4), max_size=130
)
queries = st.sampled_from(["q1", "q2", "q3", "q4"])


@given(st.dictionaries(queries, judged, min_size=1), st.dictionaries(queries, scored))
def test_every_measure_equals_its_formula_and_the_libraries(
    qrels: dict[str, dict[str, int]], run: dict[str, dict[str, float]]
) -> None:
    """Graded and irrelevant judgements, equal scores, queries without a run, runs without one."""
    ours = query_metrics(qrels, run)
    assert ours.keys() == qrels.keys()
    for query, relevance in qrels.items():
        assert ours[query] == pytest.approx(by_formula(relevance, run.get(query, {})), abs=1e-6)
    means = mean_metrics(query_metrics(qrels, run))
    theirs = ir_measures.calc_aggregate(list(MEASURES.values()), qrels, run)
    for name, measure in MEASURES.items():
        assert means[name] == pytest.approx(theirs[measure], abs=1e-6)
        mean = np.mean([by_formula(qrels[q], run.get(q, {}))[name] for q in qrels])
        assert means[name] == pytest.approx(mean, abs=1e-6)


def test_a_relevant_paper_below_rank_100_counts_for_map_and_not_for_recall() -> None:
    run = {"q": ranked((paper, 0.0) for paper in corpus)}
    values = query_metrics({"q": {corpus[0]: 1, corpus[119]: 2}}, run)["q"]
    assert values["R@100"] == 1 / 2
    assert values["MAP"] == pytest.approx((1 / 1 + 2 / 120) / 2)
