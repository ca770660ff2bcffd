"""How a sentence is read: words, rarity, meanings, and what is remembered."""

import numpy as np
import pytest

from index.embedding import SentenceEncoder
from rag.support.direction import sides
from rag.support.reading import Reader, Reading


@pytest.fixture(scope="module")
def reader(encoder: SentenceEncoder) -> Reader:
    return Reader(encoder)


def test_the_sum_of_the_tokens_is_the_sentences_vector(
    reader: Reader, encoder: SentenceEncoder
) -> None:
    text = "MindSearch mimics human minds."
    total = reader.read(text).total
    assert total / np.linalg.norm(total) == pytest.approx(encoder.encode_query(text), abs=1e-5)


def test_function_words_weigh_nothing_and_rare_words_most(reader: Reader) -> None:
    reading = reader.read("The model of the hypothalamus is large.")
    weight = dict(zip(reading.words, reading.rarity, strict=True))
    assert weight["the"] == weight["of"] == 0
    assert 0 < weight["large"] < weight["hypothalamus"] == 1


def test_a_sentence_of_function_words_has_weights_too(reader: Reader) -> None:
    assert reader.read("It is so.").rarity.sum() > 0


def test_number_words_are_digits(reader: Reader) -> None:
    assert reader.read("four tasks").stems == reader.read("4 tasks").stems


def test_what_was_read_is_remembered(reader: Reader) -> None:
    assert reader.read("Cats sleep.") is reader.read("Cats sleep.")


@pytest.mark.parametrize(
    ("said", "stored", "contrary"),
    [
        ("The method increases accuracy.", "The method decreases accuracy.", "decreases"),
        ("The method improves the accuracy.", "The method reduces accuracy.", "reduces"),
        ("The method is faster.", "The method is slower.", "slower"),
        ("The method increases accuracy.", "The method increases accuracy at lower cost.", ""),
        ("The method improves throughput.", "The method reduces memory.", ""),
        ("The method makes inference faster.", "The method reduces inference latency.", ""),
    ],
)
def test_an_opposite_counts_where_it_is_said_of_the_same(
    reader: Reader, said: str, stored: str, contrary: str
) -> None:
    assert [each.contrary for each in sides(reader.read(said), [reader.read(stored)])] == [contrary]


def test_an_opposite_is_nearer_than_what_goes_the_same_way_elsewhere(reader: Reader) -> None:
    stored = reader.read("The method decreases accuracy, and costs are higher.")
    (found,) = sides(reader.read("The method increases accuracy."), [stored])
    assert found.opposite > found.same > 0
    assert sides(reader.read("The method has parts."), [stored]) == []


def test_the_parts_of_a_reading_belong_together(reader: Reader) -> None:
    reading: Reading = reader.read("GPT-4's 32k-token context, résumé.")
    n = len(reading.words)
    assert len(reading.stems) == n
    assert reading.rarity.shape == (n,)
    assert reading.meanings.shape == (n, 384)
    assert np.linalg.norm(reading.meanings, axis=1) == pytest.approx(np.ones(n), abs=1e-5)
