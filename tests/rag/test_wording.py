"""What a wording asks for: how it is put counts, not what it is about."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_pipeline import OF_KINDS

from index.embedding import SentenceEncoder
from rag.fitted import record
from rag.wording import ASKS, Kind, grams, read_wording


def test_names_and_quoted_titles_are_masked_in_the_words_of_a_question() -> None:
    assert grams("What is KiteNet?") == grams("what is BOAT-7?") == grams("what is LlaMA-3 ?")
    assert grams('Who wrote "On Kites"?') == grams("who wrote “A Study of 12 Boats”?")
    assert grams("what is kite") == ["what", "is", "kite", "what is", "is kite"]
    assert grams("") == []


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


def test_what_is_asked_for_tells_numbers_from_reasons(encoder: SentenceEncoder) -> None:
    def asks(text: str) -> str:
        return ASKS[int(read_wording(text, encoder.encode_query(text), record()).asks.argmax())]

    assert asks("How many hives were watched?") == "number"
    assert asks("Why do bees forage less near lamps?") == "reason"
