"""Denials and changed places: what contradicts what."""

import pytest

from rag.support.order import disagree
from rag.support.polarity import denied, denies, is_denied


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        ("The model does not improve accuracy.", "The model improves accuracy."),
        ("Agents fail to recover from errors.", "Agents recover from errors."),
        ("It works without labels.", "It works with labels."),
        ("It can't plan ahead.", "It can plan ahead."),
    ],
)
def test_a_sentence_denies_what_is_said_in_the_same_words(said: str, stored: str) -> None:
    assert denies(said, [stored])
    assert is_denied(stored, [said])
    assert not denies(stored, [said])
    assert not is_denied(said, [stored])


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        ("It does not require fine-tuning.", "It requires no fine-tuning."),
        ("It works without training.", "It is training-free."),
        ("It does not use labels.", "It works in the absence of labels."),
        ("Agents do not recover.", "Agents are unable to recover."),
        ("It is not only fast but small.", "It is fast and small."),
        ("Lack of data hurts the model.", "Data shortage hurts the model; data helps."),
    ],
)
def test_two_that_deny_the_same_or_nothing_do_not_contradict(said: str, stored: str) -> None:
    assert not denies(said, [stored])
    assert not is_denied(said, [stored])


def test_what_one_cited_sentence_denies_another_may_say() -> None:
    said = "It learns from labels."
    assert is_denied(said, ["It does not learn from labels."])
    assert not is_denied(said, ["Others do not learn from labels.", "It learns from labels here."])


def test_a_denial_reaches_no_further_than_its_clause() -> None:
    assert denied("It is not slow, but costly.") == [frozenset({"slow"})]


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        ("GPT-4 outperforms LLaMA-2 on MMLU.", "LLaMA-2 outperforms GPT-4 on MMLU."),
        ("MindSearch is better than Perplexity.", "Perplexity is better than MindSearch."),
        ("GPT-4 outperforms LLaMA-2.", "GPT-4 is outperformed by LLaMA-2."),
    ],
)
def test_names_that_changed_places_disagree(said: str, stored: str) -> None:
    assert disagree(said, [stored]) is not None


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        ("GPT-4 is outperformed by LLaMA-2.", "LLaMA-2 outperforms GPT-4."),
        ("GPT-4 outperforms LLaMA-2.", "GPT-4 outperforms LLaMA-2 and Qwen-2."),
        ("GPT-4 outperforms LLaMA-2.", "LLaMA-2 and GPT-4 are compared."),
    ],
)
def test_names_in_the_same_order_agree(said: str, stored: str) -> None:
    assert disagree(said, [stored]) is None
