"""How sure an answer is: signs with names, probabilities in bounds, silence in a refusal."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from index.store import Index
from rag import Assistant, Options
from rag.confidence import SIGNS, chances, read_signs, topicality
from rag.query import Query
from rag.retrieval import rank
from rag.selection import from_paper
from rag.wording import Kind


@pytest.mark.parametrize(
    ("question", "lacking", "absent"),
    [
        ("How many mites does HiveScan find?", 0, 0),
        ("Does TIDE follow floes better than GPT-9?", 1, 1),
        ("Does HiveScan count mites by GPT-9?", 1, 1),
    ],
)
def test_the_signs_of_evidence_have_their_names_and_names_are_among_them(
    index: Index, understood: Callable[[str], Query], question: str, lacking: int, absent: int
) -> None:
    query = understood(question).as_kind(Kind.ANSWER)
    ranking = rank(index, query.probe)
    evidence = from_paper(index, query, ranking)
    signs = read_signs(index, query, ranking, evidence)
    assert signs.keys() == {*SIGNS}
    assert np.isfinite([*signs.values()]).all()
    assert signs["a paper is named"] == ("HiveScan" in question)
    assert (signs["names that it lacks"], signs["names that all lack"]) == (lacking, absent)
    found = chances(index, query, ranking, evidence)
    assert all(0 <= each <= 1 for each in (found.topic, found.paper, found.stating, found.answer))


@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=60))
def test_nearness_to_a_collection_is_of_its_nearest_sentences(cosines: list[float]) -> None:
    assume(np.std(cosines) > 0.01)
    best, nearest, highest = topicality(np.asarray(cosines, dtype=np.float32))
    assert best == pytest.approx(max(cosines))
    assert nearest <= highest + 1e-4
    assert np.isfinite([nearest, highest]).all()


def test_a_refusal_has_no_confidence_and_what_is_counted_is_certain(
    library: Assistant, doubting: Assistant
) -> None:
    assert doubting.ask("How many mites does HiveScan find?").confidence is None
    assert library.ask("What is in the May 3 digest about bees?").confidence is None
    assert library.ask("How many papers are in the June 3 digest?").confidence == 1


def test_a_fact_that_stands_there_is_surer_than_one_that_does_not(library: Assistant) -> None:
    lenient = Options(strictness="lenient")
    stated = library.ask("How many photographs was HiveScan trained on?", options=lenient)
    absent = library.ask("What does GPT-9 say about tractors?", options=lenient)
    assert stated.confidence is not None
    assert absent.confidence is None or absent.confidence < stated.confidence
