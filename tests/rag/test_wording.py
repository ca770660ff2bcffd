"""What a wording asks for: how it is put counts, not what it is about."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_pipeline import OF_KINDS

from index.embedding import SentenceEncoder
from rag.fitted import record
from rag.wording import ASKS, Kind, read_wording


@pytest.mark.parametrize(("kind", "question"), OF_KINDS.items())
def test_a_plain_wording_is_of_its_kind_by_far(
    encoder: SentenceEncoder, question: str, kind: Kind
) -> None:
    found = read_wording(question, encoder.encode_query(question), record())
    assert found.kind == kind
    assert found.kinds[kind] > 0.5


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=60))
def test_any_text_has_a_wording_in_probabilities(encoder: SentenceEncoder, text: str) -> None:
    found = read_wording(text, encoder.encode_query(text), record())
    assert found.asks.shape == (len(ASKS),)
    for shares in (found.kinds.values(), found.facts.values(), found.asks.tolist()):
        assert sum(shares) == pytest.approx(1, abs=1e-4)
    assert 0 <= found.leans <= 1
