import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.lexical import LexicalIndex
from index.names import Names
from index.naming import mend
from index.papers import Paper

SHELF = [
    Paper(id=f"{row}", title=title, abstract=abstract)
    for row, (title, abstract) in enumerate(
        [
            ("MechKPT: Bolts and Nuts", "Heuristic search orders the function of materials."),
            ("LLaVO: Pictures", "Language models with retrieval are evaluated on pictures."),
            ("KettleBench: Water", "An order, and quantization of functions, for retrieval."),
            ("Tokens", "A kettle is quantized, and we evaluate the retriever of the tokenization."),
        ]
    )
]
LEXICAL, NAMES = LexicalIndex.build(SHELF), Names.build(SHELF)


def mended(text: str) -> str:
    return mend(text, LEXICAL, NAMES)[0]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("how does heuristc search work?", "how does heuristic search work?"),
     ("Hueristic search?", "Heuristic search?"),
     ("what is retreival good for?", "what is retrieval good for?"),
     ("is it retreival-augmented?", "is it retrieval-augmented?"),
     ("what does qauntizaton cost?", "what does quantization cost?"),
     ("(langauge) models", "(language) models"),
     ("what does MechKTP do?", "what does MechKPT do?"),
     ("what is kettlebnch?", "what is KettleBench?"),
     ("what is KetleBench?", "what is KettleBench?")],
)  # fmt: skip
def test_a_typing_error_becomes_the_word_or_the_name_that_is_near(wrong: str, right: str) -> None:
    assert mended(wrong) == right


@pytest.mark.parametrize(
    "text",
    [
        "the older fraction of the planner",  # English, and one or two letters from the index
        "which retrievals were quantizable or tokenizations",  # other forms of known words
        "a well-meant by-product",
        "LLaMO and LLaVA are not LLaVO",  # short names of other things
        "KettleBind is not near enough",
        "MechKPT2 or GPT-5",
        "is Moscovia a place?",
        "modelos de lenguaje grandes",
        "welche Funktionen hat die Bibliothek",
        "quels matériaux pour la langage",
        "言語モデル とは",
        "what does retreival() return?",
        "set self.retreival or retreival_size",
        "see docs/retreival and @retreival",
        "run `retreival` with --langauge",
        "\\langauge in {heuristc}",
    ],
)
def test_good_words_names_of_other_things_other_languages_and_code_stay(text: str) -> None:
    assert mend(text, LEXICAL, NAMES) == (text, ())


@given(st.text(max_size=80))
def test_any_text_is_mended_to_a_text_with_each_new_word_in_it(text: str) -> None:
    new, mends = mend(text, LEXICAL, NAMES)
    assert (new == text) == (not mends)
    for old, right in mends:
        assert old in text
        assert right in new
