"""Names: what is one, and when a text has it."""

import pytest

from rag.support.named import missing_names, names


def test_names_are_words_in_their_shape_and_capitals_inside_a_sentence() -> None:
    text = "Agents like MindSearch, Voyager and Llama 3 beat GPT-4o by 32k tokens on LLM tasks."
    assert names(text) == ("MindSearch", "Voyager", "Llama 3", "GPT-4o")


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        ("MindSearch searches.", "We present Mind-Search."),
        ("It uses Llama 3 for it.", "It uses Llama-3."),
        ("It uses CNNs for it.", "It uses convolutional neural networks."),
        ("It is a Vision Transformer with heads.", "It is a ViT; the VT has heads."),
        ("It extends Minecraft's worlds.", "It extends worlds of minecraft."),
        ("It is RAG-based and good.", "It builds on RAG."),
    ],
)
def test_a_name_spelt_otherwise_is_there(said: str, stored: str) -> None:
    assert missing_names(said, [stored]) == ()


@pytest.mark.parametrize(
    ("said", "stored", "missing"),
    [
        ("It uses GPT-4 for it.", "It uses GPT-4o for it.", ("GPT-4",)),
        ("It beats MindSearch.", "It beats WebPlanner.", ("MindSearch",)),
        ("It plays in Voyager too.", "It plays in Minecraft too.", ("Voyager",)),
        ("It uses Llama 3 for it.", "It uses Llama 2 for it.", ("Llama 3",)),
    ],
)
def test_another_name_is_missing(said: str, stored: str, missing: tuple[str, ...]) -> None:
    assert missing_names(said, [stored]) == missing
