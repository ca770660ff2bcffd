"""Fitting the confidence: it finds what made the answers right, and says how well."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from eval.calibrate import Judged, auroc, calibrate, judge_answers, judge_benchmark
from eval.datasets import Question
from eval.datasets.beir import Beir
from index.embedding import SentenceEncoder
from index.papers import Paper
from index.store import Index
from rag.confidence import Signs
from rag.names import title_name

BIAS, LEAD, COVERAGE = -1.5, 4.0, 2.0


def drawn(count: int, seed: int, *, hardest: float = 1.0) -> list[Judged]:
    """Answers that are right as often as a known logistic function of their signs says."""
    random = np.random.default_rng(seed)
    lead, coverage = random.uniform(0, hardest, count), random.uniform(0, 1, count)
    right = random.random(count) < expit(BIAS + LEAD * lead + COVERAGE * coverage)
    return [
        Judged(Signs(float(a), float(b)), bool(c))
        for a, b, c in zip(lead, coverage, right, strict=True)
    ]


@pytest.fixture(scope="module")
def papers(sample_store: Path) -> dict[str, Paper]:
    """The papers of the sample by the name their title begins with."""
    found = ((title_name(paper), paper) for paper in Index.open(sample_store).papers)
    return {name: paper for name, paper in found if name}


def test_it_finds_the_coefficients_that_made_the_answers_right() -> None:
    report = calibrate({"many": drawn(6000, 1), "fewer": drawn(2000, 2)})
    found = report["coefficients"]
    assert found == pytest.approx({"bias": BIAS, "lead": LEAD, "coverage": COVERAGE}, abs=0.35)


def test_each_set_has_the_same_weight_whatever_its_size() -> None:
    small, large = drawn(300, 1), drawn(300, 2, hardest=0.5)
    once = calibrate({"small": small, "large": large})["coefficients"]
    tenfold = calibrate({"small": small, "large": large * 10})["coefficients"]
    # Only the penalty, which counts answers, weighs less.
    assert tenfold == pytest.approx(once, rel=0.02)


def test_it_says_how_well_each_set_is_told_apart_and_repeats_itself() -> None:
    sets = {"a": drawn(1000, 1), "b": drawn(1000, 2)}
    report = calibrate(sets)
    assert report == calibrate(sets)
    measured = json.loads(json.dumps(report))["sets"]
    assert set(measured) == {"a", "b"}
    for figures in measured.values():
        assert figures["answers"] == 1000
        for how in ("now", "folds", "unseen"):
            assert 0.7 < figures[how]["auroc"] < 1
            assert 0 < figures[how]["brier"] < 0.25
        assert figures["folds"]["ece"] < 0.08
        assert figures["unseen"]["ece"] < 0.08


def test_auroc_is_the_share_of_pairs_in_the_right_order() -> None:
    right = np.array([1.0, 1.0, 0.0, 0.0])
    assert auroc(np.array([0.9, 0.8, 0.2, 0.1]), right) == 1
    assert auroc(np.array([0.1, 0.2, 0.8, 0.9]), right) == 0
    assert auroc(np.array([0.9, 0.3, 0.5, 0.1]), right) == 0.75


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=2, max_size=20))
def test_auroc_counts_pairs_and_ties_by_half(items: list[tuple[int, bool]]) -> None:
    yes = [score for score, right in items if right]
    no = [score for score, right in items if not right]
    if not yes or not no:
        return
    pairs = [1.0 if a > b else 0.5 if a == b else 0.0 for a in yes for b in no]
    scores, right = (np.array(each, np.float64) for each in zip(*items, strict=True))
    assert auroc(scores, right) == pytest.approx(np.mean(pairs))


def test_the_signs_of_answers_given_are_recorded_and_refusals_are_not(
    sample_store: Path, encoder: SentenceEncoder, papers: dict[str, Paper]
) -> None:
    questions = [
        Question(
            id=text, type="fact", question=text, answerable=True, papers=(papers["OSWorld"].title,)
        )
        for text in ("How many tasks does OSWorld have?", "boiling point of mercury?")
    ]
    judged = judge_answers(questions, sample_store, encoder)
    assert [each.right for each in judged] == [True]
    assert judged[0].signs.lead > 0.5
    assert 0 < judged[0].signs.coverage <= 1


def test_a_benchmarks_answer_is_right_if_the_first_paper_cited_is_relevant(
    sample_store: Path, encoder: SentenceEncoder, papers: dict[str, Paper]
) -> None:
    right, wrong = papers["OSWorld"].id, papers["MMInA"].id
    question = "How many tasks does OSWorld have?"
    beir = Beir([], {"1": question, "2": question}, {"1": {right: 1}, "2": {wrong: 1, right: 0}})
    judged = judge_benchmark(beir, sample_store, encoder)
    assert [each.right for each in judged] == [True, False]
