"""How sure an answer is: signs with names, probabilities in bounds, silence in a refusal."""

from collections.abc import Callable

import numpy as np
import pytest

from index.store import Index
from rag import Assistant
from rag.confidence import SIGNS, chances, read_signs
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


def test_a_refusal_has_no_confidence_and_what_is_counted_is_certain(
    library: Assistant, doubting: Assistant
) -> None:
    assert doubting.ask("How many mites does HiveScan find?").confidence is None
    assert library.ask("What is in the May 3 digest about bees?").confidence is None
    assert library.ask("How many papers are in the June 3 digest?").confidence == 1
