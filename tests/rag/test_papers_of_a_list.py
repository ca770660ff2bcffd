"""Which papers a list holds, and where it is cut."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.store import Index
from rag.listing import (
    best_cut,
    likely,
    listed,
)
from rag.query import Query
from rag.retrieval import rank

SHARES = st.lists(st.floats(0.01, 1), min_size=1, max_size=8)


def expected_f(shares: Sequence[float], count: int) -> float:
    """Over every outcome: its probability × the F-measure of listing the first `count`."""
    total = 0.0
    for outcome in range(2 ** len(shares)):
        right = [bool(outcome >> at & 1) for at in range(len(shares))]
        chances = [s if r else 1 - s for s, r in zip(shares, right, strict=True)]
        found = 2 * sum(right[:count])
        total += float(np.prod(chances)) * found / (count + sum(right))
    return total


@settings(max_examples=50, deadline=None)
@given(SHARES)
def test_a_list_is_cut_where_its_expected_f_measure_is_highest(unordered: list[float]) -> None:
    shares = sorted(unordered, reverse=True)
    found = best_cut(np.asarray(shares, dtype=np.float32))
    cuts = range(1, len(shares) + 1)
    approximate = [2 * sum(shares[:count]) / (count + sum(shares)) for count in cuts]
    assert approximate[found - 1] == pytest.approx(max(approximate), abs=1e-5)
    exact = [expected_f(shares, count) for count in cuts]
    assert exact[found - 1] > max(exact) - 0.15


def test_what_is_listed_comes_by_its_probability_and_keeps_to_what_is_allowed(
    index: Index, understood: Callable[[str], Query]
) -> None:
    query = understood("Which papers are about honey bees?")
    allowed = np.array([paper.id != "smoke" for paper in index.papers])
    found = listed(index, query, rank(index, query.probe, allowed))
    shares = [share for _, share in found]
    assert shares == sorted(shares, reverse=True)
    assert all(0 < share < 1 for share in shares)
    assert {index.papers[row].id for row, _ in found} == {"hivescan", "wagglenet", "lamps"}


def test_the_papers_that_may_answer_share_one_probability_and_a_named_one_leads(
    index: Index, understood: Callable[[str], Query]
) -> None:
    query = understood("How many photographs was HiveScan trained on?")
    found = likely(index, query, rank(index, query.probe))
    assert sum(share for _, share in found) == pytest.approx(1, abs=1e-5)
    assert index.papers[found[0][0]].id == "hivescan"
    assert [share for _, share in found] == sorted((s for _, s in found), reverse=True)
