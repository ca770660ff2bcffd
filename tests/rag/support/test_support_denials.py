"""Denials and changed places: what contradicts what."""

import pytest

from rag.support.order import agree, disagree
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
        ("ZetaNet is slower than BetaNet.", "BetaNet is slower than ZetaNet."),
        ("BetaNet is faster than ZetaNet.", "BetaNet is slower than ZetaNet."),
        ("CLR is outperformed by 13 leading baselines.", "It outperforms 13 leading baselines."),
        ("Previous methods outperform TAME.", "TAME outperforms previous task-agnostic methods."),
        ("Users prefer tea to coffee.", "Users prefer coffee to tea."),
        ("ColBERT surpasses TAME by over 1.2.", "Its encoders surpass models such as ColBERT."),
        ("Tuned models exceed what TAME reaches.", "It exceeds the bound set by tuned models."),
        (
            "People prefer the answers of Perplexity.ai to those of MindSearch.",
            "People prefer its answers, written by Qwen2.5, to those of Perplexity.ai.",
        ),
        (
            "Perplexity.ai's answers are preferred over those of MindSearch.",
            "People prefer its answers to those of Perplexity.ai.",
        ),
    ],
)
def test_sides_that_changed_places_disagree(said: str, stored: str) -> None:
    assert disagree(said, [stored]) is not None


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        ("GPT-4 is outperformed by LLaMA-2.", "LLaMA-2 outperforms GPT-4."),
        ("GPT-4 outperforms LLaMA-2.", "GPT-4 outperforms LLaMA-2 and Qwen-2."),
        ("GPT-4 outperforms LLaMA-2.", "LLaMA-2 and GPT-4 are compared."),
        ("ZetaNet is faster than BetaNet.", "BetaNet is slower than ZetaNet."),
        ("GPT-4 outperforms LLaMA-2.", "LLaMA-2 is worse than GPT-4."),
        ("CLR outperforms 13 leading baselines.", "It outperforms 13 leading baselines."),
        ("Humans favor MindSearch's answers over Bing.", "People prefer its answers to Bing."),
        ("The model outperforms baselines.", "TAME outperforms the previous model."),
    ],
)
def test_sides_in_the_same_order_do_not_disagree(said: str, stored: str) -> None:
    assert disagree(said, [stored]) is None


def test_opposites_with_changed_sides_say_the_same() -> None:
    assert agree("ZetaNet is faster than BetaNet.", ["BetaNet is slower than ZetaNet."])
    assert not agree("ZetaNet is slower than BetaNet.", ["BetaNet is slower than ZetaNet."])
    assert not agree("ZetaNet is new.", ["BetaNet is slower than ZetaNet."])
