"""Which sentences are not in English."""

import pytest

from index.embedding import SentenceEncoder
from rag.support.language import is_foreign
from rag.support.reading import Reader


@pytest.fixture(scope="module")
def reader(encoder: SentenceEncoder) -> Reader:
    return Reader(encoder)


@pytest.mark.parametrize(
    "said",
    [
        "Le modèle améliore la précision.",
        "El modelo mejora la precisión.",
        "Das Modell verbessert die Genauigkeit in allen Aufgaben.",
        "Il modello supera i motori.",
        "MindSearch nutzt InternLM2.5.",
        "模型提高了准确性。",
        "Модель MindSearch улучшает точность.",
    ],
)
def test_other_languages_and_scripts_are_foreign(reader: Reader, said: str) -> None:
    assert is_foreign(reader.read(said), frozenset())


@pytest.mark.parametrize(
    "said",
    [
        "MindSearch mimics human minds.",
        "Agents plan ahead.",
        "The naïve résumé improves.",
        "OSWorld, AndroidWorld, WebArena",
        "42",
    ],
)
def test_english_is_not_and_names_and_numbers_are_no_language(reader: Reader, said: str) -> None:
    assert not is_foreign(reader.read(said), frozenset())


def test_words_of_the_cited_text_are_known(reader: Reader) -> None:
    said = reader.read("MindSearch outperforms hyperparameterless baselines.")
    assert not is_foreign(said, frozenset(said.stems))
