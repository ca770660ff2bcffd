import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.datasets import Beir, Question, fixed_subset, sample_by_type
from index.errors import InputError
from index.papers import Paper


def benchmark(papers: int) -> Beir:
    """Papers p0, p1, …; two are relevant, one is judged not to be, and one is absent."""
    grades = {"p1": 1, "p3": 2, "p4": 0, "absent": 1}
    return Beir(
        [Paper(id=f"p{number}", title="t", abstract="a") for number in range(papers)],
        {"q": "what"},
        {"q": grades},
    )


def ids(beir: Beir) -> list[str]:
    return [paper.id for paper in beir.papers]


@given(st.integers(2, 40), st.integers(2, 40), st.randoms(use_true_random=False))
def test_a_smaller_subset_lies_within_a_larger_one_whatever_the_order_of_the_corpus(
    small: int, large: int, order: random.Random
) -> None:
    small, large = sorted((small, large))
    whole = benchmark(30)
    shuffled = Beir(order.sample(whole.papers, 30), whole.queries, whole.qrels)
    subset = fixed_subset(shuffled, small)
    assert len(subset.papers) == min(small, 30)
    assert {"p1", "p3"} <= set(ids(subset)) <= set(ids(fixed_subset(whole, large)))
    assert set(ids(subset)) == set(ids(fixed_subset(whole, small)))
    assert ids(subset) == [paper for paper in ids(shuffled) if paper in ids(subset)]


def test_the_others_are_those_with_the_lowest_hash_of_their_id() -> None:
    # printf p0 | sha256sum, and so on: of p0 … p9 without the relevant ones, p7 has the lowest.
    assert ids(fixed_subset(benchmark(10), 3)) == ["p1", "p3", "p7"]


def test_queries_judgements_and_what_is_absent_stay() -> None:
    whole = benchmark(30)
    subset = fixed_subset(whole, 2)
    assert (subset.queries, subset.qrels, subset.absent) == (whole.queries, whole.qrels, 1)


def test_a_subset_too_small_for_the_relevant_papers_is_refused() -> None:
    with pytest.raises(InputError, match=r"2 papers are relevant"):
        fixed_subset(benchmark(30), 1)


def test_a_sample_has_every_type_by_its_share_and_is_the_same_for_everyone() -> None:
    kinds = ["fact"] * 60 + ["list"] * 30 + ["why"] * 9 + ["odd"]
    questions = [
        Question(id=f"q{n}", type=kind, question="?", answerable=True)
        for n, kind in enumerate(kinds)
    ]
    drawn = sample_by_type(questions, 20)
    assert Counter(question.type for question in drawn) == {
        "fact": 12, "list": 6, "why": 1, "odd": 1,
    }  # fmt: skip
    assert drawn == sample_by_type(questions, 20)
    backwards = sample_by_type(questions[::-1], 20)
    assert {question.id for question in backwards} == {question.id for question in drawn}
    assert [question.id for question in drawn] == sorted(
        (question.id for question in drawn), key=lambda id_: int(id_[1:])
    )


@pytest.mark.parametrize("size", [3, 101])
def test_a_sample_of_fewer_than_the_types_or_more_than_all_is_refused(size: int) -> None:
    questions = [
        Question(id=f"q{n}", type=f"t{n % 4}", question="?", answerable=True) for n in range(100)
    ]
    with pytest.raises(InputError, match="a number from 4 to 100"):
        sample_by_type(questions, size)
