"""How sure an answer is: in bounds, surer with better signs, and silent where it refuses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.assistant import Assistant
from rag.confidence import Signs, confidence, read_signs
from rag.retrieval import Ranking

LEADS = st.floats(-1, 1)
SHARES = st.floats(0, 1)


@given(LEADS, SHARES)
def test_a_confidence_is_a_probability(lead: float, coverage: float) -> None:
    assert 0 < confidence(Signs(lead, coverage)) < 1


@given(LEADS, LEADS, SHARES, SHARES)
def test_better_signs_make_surer(a: float, b: float, c: float, d: float) -> None:
    worse, better = Signs(min(a, b), min(c, d)), Signs(max(a, b), max(c, d))
    assert confidence(worse) <= confidence(better)
    assert confidence(Signs(0.1, 0.5)) < confidence(Signs(0.2, 0.5))
    assert confidence(Signs(0.1, 0.5)) < confidence(Signs(0.1, 0.6))


def ranking(*scores: float) -> Ranking:
    """Papers with these scores; the question has no words."""
    values = np.array(scores, dtype=np.float32)
    return Ranking(
        "", np.argsort(-values, kind="stable"), values, np.zeros(0, np.float32), (), values, values
    )


@pytest.mark.parametrize(
    ("scores", "cited", "lead"),
    [
        ((8.0, 4.0, 2.0), [0], 0.5),
        ((8.0, 4.0, 2.0), [0, 1], 0.75),  # what is cited beside it is no rival
        ((8.0, 4.0, 2.0), [1], -0.5),  # passed over a better one
        ((8.0, 4.0), [0, 1], 1.0),  # no rival at all
        ((1.0, -9.0), [0], 1.0),
        ((1.0, -9.0), [1], -1.0),
        ((-1.0, -2.0), [0], 0.0),  # nothing fits: a share of less than nothing says nothing
    ],
)
def test_the_lead_is_over_the_best_paper_not_cited(
    sample_assistant: Assistant, scores: tuple[float, ...], cited: list[int], lead: float
) -> None:
    index, _ = sample_assistant._live()
    assert read_signs(index, ranking(*scores), cited).lead == pytest.approx(lead)


def test_a_refusal_has_no_confidence(sample_assistant: Assistant) -> None:
    refused = sample_assistant.ask("boiling point of mercury?")
    assert refused.status == "insufficient_evidence"
    assert refused.confidence is None
    assert sample_assistant.ask("What is in the May 3 digest about agents?").confidence is None


def test_what_is_counted_is_certain(sample_assistant: Assistant) -> None:
    assert sample_assistant.ask("How many papers are in the Mar 14 digest?").confidence == 1
    assert sample_assistant.ask("Was WebArena in both digests?").confidence == 1


def test_a_question_with_the_words_of_one_paper_is_surer_than_one_that_fits_many(
    sample_assistant: Assistant,
) -> None:
    clear = sample_assistant.ask("How many tasks does OSWorld have?").confidence
    vague = sample_assistant.ask("what benchmark has tasks on real websites").confidence
    assert clear is not None
    assert vague is not None
    assert clear > 0.9 > vague
