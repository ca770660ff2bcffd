"""Tokens that find names as people type them, typing errors mended, and BM25."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.lexical import LexicalIndex, fold, tokenize
from index.papers import Paper

TEXTS = (
    "MindSearch gathers web pages. Quantitative results.",
    "M³ViT is a vision transformer with experts.",
    "Kites fly over the breadcrumb trail of GPT-4.",
)
PAPERS = [Paper(id=str(n), title=f"Paper {n}", abstract=text) for n, text in enumerate(TEXTS)]


@pytest.fixture(scope="module")
def lexical() -> LexicalIndex:
    return LexicalIndex.build(PAPERS)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("GPT-4", ["gpt4", "gpt"]), ("M³ViT", ["m3vit"]), ("OmniACT", ["omniact", "omni", "act"]),
     ("MiniWoB++", ["miniwob++"]), ("the merging of models", ["merg", "model"]), ("", []),
     ("which papers are there", [])],
)  # fmt: skip
def test_a_name_gives_a_token_for_the_whole_and_one_for_each_part(
    text: str, tokens: list[str]
) -> None:
    assert set(tokens) <= set(tokenize(text))
    assert bool(tokens) == bool(tokenize(text))


@given(st.text(max_size=80))
def test_any_text_has_tokens_that_are_lower_case_and_no_stop_words(text: str) -> None:
    for token in tokenize(text):
        assert token
        assert token == token.lower()
    assert tokenize(text) == tokenize(fold(text))


def test_scores_are_zero_where_no_token_is_shared_and_highest_for_the_rarest(
    lexical: LexicalIndex,
) -> None:
    scores = lexical.scores(tokenize("kites"))
    assert scores.argmax() == 2
    assert (scores > 0).sum() == 1
    assert not lexical.scores(["nothing"]).any()
    assert lexical.idf("nothing") > lexical.idf("kite") > 0
