"""A refusal says what would have to be indexed, unless more abstracts would change nothing."""

import pytest

from rag import Assistant, Filters
from rag.missing import wanted


@pytest.mark.parametrize(
    ("question", "lacks"),
    [
        ("What is the boiling point of mercury?", "boiling point of mercury"),
        ("can you give me a good biryani recipe for six people", "biryani recipe"),
        ("Who won the football World Cup in 2022?", "football World Cup"),
        ("Which papers are about quantum gravity?", "quantum gravity"),
        ("What does Voyager do in Minecraft?", "Voyager"),
        ("Which papers mention GPT-9?", "GPT-9"),
        ("How many layers does LoRAMoE have?", "the number of layers of LoRAMoE"),
        ("Which optimizer does LoRAMoE use?", "optimizer"),
    ],
)
def test_what_is_lacking_is_named_in_the_words_of_the_question(
    sample_assistant: Assistant, question: str, lacks: str
) -> None:
    answer = sample_assistant.ask(question)
    assert answer.status == "insufficient_evidence"
    assert answer.lacks == lacks
    assert wanted(answer) == f"Abstracts that speak of “{lacks}” would have to be indexed."


@pytest.mark.parametrize(
    ("question", "filters"),
    [
        ("How many tasks does OSWorld have?", Filters()),
        ("How many tasks does OSWorld have?", Filters(title="zebra")),
        ("What is WebArena?", Filters(title="OSWorld")),
        ("What was in the Mar 3 digest?", Filters()),
        ("thanks", Filters()),
    ],
)
def test_nothing_is_wanted_for_an_answer_or_where_more_abstracts_would_not_help(
    sample_assistant: Assistant, question: str, filters: Filters
) -> None:
    assert wanted(sample_assistant.ask(question, filters=filters)) is None
