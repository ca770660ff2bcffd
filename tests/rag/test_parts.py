"""Each part can be switched off, and makes a difference while it is on."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from made_up import keeps_the_promises

from index.embedding import SentenceEncoder
from index.store import Index
from rag.assistant import Assistant
from rag.engine import AbstractQueryEngine
from rag.parts import Parts
from rag.retrieval import rank
from rag.schema import Answer, Filters

HISTORY = [
    {"role": "user", "content": "What is OSWorld?"},
    {"role": "assistant", "content": "OSWorld is a benchmark."},
]
# Part → a question of the sample, and what only the answer with the part, and without it, says.
CASES = {
    "whole_abstracts": ("how do agents use a browser", "**WebArena**", "**MMInA**"),
    "sentences": ("what limits compute", "**Computing Power", "**On the Limitations"),
    "lexical": ("How well do agents do on real computers?", "**OSWorld**", "**WebArena**"),
    "mending": ("wepsite tasks by agents writen by humans", "**MMInA**", "**The MineRL"),
    "names_first": (
        "What happens to world knowledge in OSWorld?",
        "**OSWorld**",
        "“LoRAMoE” does not mention OSWorld",
    ),
    "better_sentence": (
        "how good are agents at web tasks written by humans",
        "1,050 tasks written by humans",
        "10.59%",
    ),
    "question_parts": (
        "Why do experts collapse, and how many tasks are there?",
        "multi-task prediction for short videos",
        "three anomalies were observed",
    ),
    "overlap": (
        "How many tasks does OSWorld have?",
        "has its own initial state",
        "OSWorld",
    ),
    "cues": ("how many experts", "**HoME**\n\nThe usual", "**HoME**\n\nIn expert degradation"),
    "form": ("What are the two difficulties of planning in Minecraft?", "nearly doubles", "poses"),
    "neighbours": (
        "how good are agents at web tasks written by humans",
        "MMInA is a benchmark",
        "1,050 tasks written by humans",
    ),
    "follow_ups": ("and AndroidWorld?", "30.6% of the tasks", "AndroidWorld"),
    "digest_scopes": ("What is in the Apr 22 digest about robots?", "- **RT-H", "do not say"),
    "lists": ("Which papers are about model merging?", "- **Twin-Merging", "**Resolving"),
    "comparisons": ("Compare compute thresholds and negative flips", "**MUSCLE**", "thresholds"),
    "abstention": ("boiling point of mercury?", "do not say", "[1]"),
}
PARTS = [field.name for field in fields(Parts)]


@pytest.fixture(scope="module")
def index(sample_store: Path) -> Index:
    return Index.open(sample_store)


def ask(index: Index, encoder: SentenceEncoder, question: str, parts: Parts) -> Answer:
    history = HISTORY if question.startswith("and ") else None
    engine = AbstractQueryEngine(index, encoder, parts)
    return engine.answer(engine.request(question, history, Filters()))


@pytest.mark.parametrize("part", PARTS)
def test_every_part_is_read_and_makes_a_difference(
    index: Index, encoder: SentenceEncoder, part: str
) -> None:
    question, only_with, without = CASES[part]
    on = ask(index, encoder, question, Parts())
    off = ask(index, encoder, question, Parts(**{part: False}))
    keeps_the_promises(off)
    assert only_with in on.text
    assert only_with not in off.text
    assert without in off.text


def test_with_every_part_off_it_still_answers(index: Index, encoder: SentenceEncoder) -> None:
    nothing = Parts(**dict.fromkeys(PARTS, False))
    answer = ask(index, encoder, "How many tasks does OSWorld have?", nothing)
    keeps_the_promises(answer)
    assert answer.status == "answered"


def test_a_score_is_the_sum_of_its_three_parts(index: Index, encoder: SentenceEncoder) -> None:
    def scores(*on: str) -> np.ndarray:
        retrieval = ("whole_abstracts", "sentences", "lexical")
        parts = Parts(**{part: part in on for part in retrieval})
        return rank(index, encoder, "agents on the web", parts=parts).scores

    apart = scores("whole_abstracts") + scores("sentences") + scores("lexical")
    together = rank(index, encoder, "agents on the web").scores
    assert np.allclose(apart, together, atol=1e-5)
    assert not scores().any()


def test_with_abstention_off_it_still_refuses_where_there_is_nothing_to_quote(
    index: Index, encoder: SentenceEncoder
) -> None:
    answer = ask(index, encoder, "Which papers mention penguins?", Parts(abstention=False))
    keeps_the_promises(answer)
    assert answer.status == "insufficient_evidence"


def test_an_assistant_is_opened_with_parts(sample_store: Path) -> None:
    question, _, without = CASES["lexical"]
    assistant = Assistant.open(sample_store, parts=Parts(lexical=False))
    assert without in assistant.ask(question).text
    first = assistant.as_retriever(limit=1).retrieve(question)[0]
    assert first.node.metadata["paper"] == assistant.search(question, limit=1)[0].paper.id
    assert first.node.metadata["paper"] != Assistant.open(sample_store).search(question)[0].paper.id
