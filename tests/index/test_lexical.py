"""Tokens that find names as people type them, BM25, and typing errors mended."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.lexical import LexicalIndex, fold, tokenize
from index.names import Names
from index.naming import mend
from index.papers import Paper


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("GPT-4", ["gpt4", "gpt"]), ("M³ViT", ["m3vit"]), ("OmniACT", ["omniact", "omni", "act"]),
     ("MiniWoB++", ["miniwob++"]), ("the merging of models", ["merg", "model"]), ("", []),
     ("which papers are there", [])],
)  # fmt: skip
def test_a_name_gives_tokens_for_the_whole_and_each_part(text: str, tokens: list[str]) -> None:
    assert set(tokens) <= set(tokenize(text))
    assert bool(tokens) == bool(tokenize(text))


@given(st.text(max_size=80))
def test_any_text_has_tokens_that_are_lower_case_and_no_stop_words(text: str) -> None:
    for token in tokenize(text):
        assert token == token.lower() != ""
    assert tokenize(text) == tokenize(fold(text))


TEXTS = [
    ("MechKPT: Bolts and Nuts", "Heuristic search orders the function of materials."),
    ("LLaVO: Pictures", "Language models with retrieval are evaluated on pictures."),
    ("KettleBench: Water", "An order, and quantization of functions, for retrieval."),
    ("Tokens", "A kettle is quantized, and we evaluate the retriever of the tokenization."),
]
SHELF = [Paper(id=title, title=title, abstract=abstract) for title, abstract in TEXTS]
LEXICAL, NAMES = LexicalIndex.build(SHELF), Names.build(SHELF)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("Hueristic search?", "Heuristic search?"),
     ("is it retreival-augmented?", "is it retrieval-augmented?"),
     ("what does qauntizaton cost?", "what does quantization cost?"),
     ("(langauge) models", "(language) models"),
     ("what is kettlebnch?", "what is KettleBench?"),
     ("what is KetleBench?", "what is KettleBench?")],
)  # fmt: skip
def test_a_typing_error_becomes_the_word_or_the_name_that_is_near(wrong: str, right: str) -> None:
    assert mend(wrong, LEXICAL, NAMES)[0] == right


@pytest.mark.parametrize(
    "text",
    ["which retrievals were quantizable or tokenizations",  # other forms of known words
     "older fractions of a virulent chore, summarised",  # "order", "function", "core" are near
     "LLaMO and LLaVA are not LLaVO",  # short names of other things
     "a well-meant by-product", "MechKPT2 or GPT-5", "is Moscovia a place?", "言語モデル とは",
     "modelos de lenguaje grandes", "welche Funktionen hat die Bibliothek"],
)  # fmt: skip
def test_good_words_names_of_other_things_other_languages_stay(text: str) -> None:
    assert mend(text, LEXICAL, NAMES) == (text, ())


@given(st.text(max_size=80))
def test_any_text_is_mended_to_a_text_with_each_new_word_in_it(text: str) -> None:
    new, mends = mend(text, LEXICAL, NAMES)
    assert (new == text) == (not mends)
    for old, right in mends:
        assert old in text
        assert right in new
