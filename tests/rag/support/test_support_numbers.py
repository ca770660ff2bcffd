"""Numbers and names: what is the same however it is written, and what is not there."""

import pytest

from rag.support.numbers import missing_names, missing_numbers, names, quantities


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        ("a context of 32k tokens", "contexts of 32,000 tokens"),
        ("four datasets", "4 datasets"),
        ("twenty-one tasks", "21 tasks"),
        ("improves by 40 percent", "improves by 40%"),
        ("improves by 40 %", "a gain of 40\u2009%"),
        ("1.4x faster", "1.4× faster"),
        ("twice as fast", "2x as fast"),
        ("between 30% and 40%", "30-40%"),
        ("a gain of 3 percentage points", "a gain of 3%"),
        ("about 40% of the cases", "39.6% of the cases"),
        ("more than 300 pages", "312 pages"),
        ("solves 12% of them", "solves 12.24% of them"),
        ("1.5B parameters", "1,536 million parameters"),
        ("under 0.6% more", "less than 0.6%"),
        ("at most eight examples", "no more than 8 examples"),
        ("90 seconds", "1.5 minutes"),
        ("5 to 7 days", "5-7 days"),
        ("3 million dollars", "$3M"),
        ("gains 5 points", "gains 5 percentage points"),
        ("work of the 1990s", "work of 1990"),
        ("a gain compared to 40%", "it grows by 40%"),
        ("We test Llama 3 on tasks.", "Llama-3 is tested."),
    ],
)
def test_a_number_written_otherwise_is_there(said: str, stored: str) -> None:
    assert missing_numbers(said, ["58 more", stored]) == ()


@pytest.mark.parametrize(
    ("said", "stored", "missing"),
    [
        ("covers 40 tasks", "covers 40% of the tasks", ("40",)),
        ("is 40x faster", "is 40% faster", ("40x",)),
        ("a context of 32k tokens", "a context of 32 tokens", ("32k",)),
        ("five datasets", "four datasets", ("five",)),
        ("about 40% of the cases", "30% of the cases", ("40%",)),
        ("more than 300 pages", "290 pages", ("300",)),
        ("58 scenarios and 204 tasks", "58 scenarios", ("204",)),
        ("in 3 hours", "in 3 minutes", ("3 hours",)),
        ("5 MB of memory", "5 GB of memory", ("5 MB",)),
        ("for 3 million", "for $3 million", ("3 million",)),
        ("gains 5.0%", "gains 5.0 points", ("5.0%",)),
        ("by at least 40%", "by up to 40%", ("40%",)),
        ("less than 70% of the tasks", "more than 70% of the tasks", ("70%",)),
        ("cuts FLOPs to 88%", "cuts FLOPs by 88%", ("88%",)),
        ("13% of them", "12.24% of them", ("13%",)),
        ("solves 100% of them", "solves 99.6% of them", ("100%",)),
    ],
)
def test_another_number_or_unit_is_missing_as_the_sentence_writes_it(
    said: str, stored: str, missing: tuple[str, ...]
) -> None:
    assert missing_numbers(said, [stored]) == missing


@pytest.mark.parametrize(
    "text", ["GPT-4", "Qwen2.5", "o1 and F1", "the 3rd step", "NIH 3T3", "H2A/4", "the best one"]
)
def test_digits_of_names_and_ordinals_are_no_numbers(text: str) -> None:
    assert quantities(text) == []


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
