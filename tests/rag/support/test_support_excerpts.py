"""Words cut out of a text: when they still say what they said there."""

import pytest

from rag.support.excerpt import excerpt, is_fragment


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        ("OSWorld has 369 tasks.", "OSWorld has 369 tasks. It is not small."),
        ("it is fast and small", "It is open, and it is fast and small; it is not cheap."),
        ("outperforms two engines by 30%", "A tool, which outperforms two engines by 30\\%."),
    ],
)
def test_whole_sentences_and_clauses_are_whole(said: str, stored: str) -> None:
    assert excerpt(said, [stored]) == "whole"


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        ("MS MARCO is used.", "Neither Quora nor MS MARCO is used."),
        ("touches the data", "It never touches the data."),
        ("improves accuracy", "It fails to improve, and hardly improves accuracy."),
        ("the search still works", "So far the search still works poorly."),
        ("the agents plan", "In this case the agents plan very badly."),
    ],
)
def test_what_was_cut_from_its_denial_is_cut(said: str, stored: str) -> None:
    assert excerpt(said, [stored]) == "cut"


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        ("it gains 11", "It gains 11 % here."),
        ("agents plan ahead", "We ask whether agents plan ahead."),
        ("agents plan ahead", "It is unclear that agents plan ahead."),
        ("agents plan ahead", "Then agents plan ahead only if told."),
        ("agents plan", "Then agents plan ahead."),
    ],
)
def test_what_may_say_more_there_is_a_part(said: str, stored: str) -> None:
    assert excerpt(said, [stored]) == "part"


def test_one_place_that_says_it_is_enough() -> None:
    assert excerpt("agents plan", ["No agents plan.", "Agents plan."]) == "whole"
    assert excerpt("agents plan", ["No agents plan.", "Others swim."]) == "cut"
    assert excerpt("agents swim", ["Agents plan, they swim."]) is None
    assert excerpt("…", ["…"]) is None


@pytest.mark.parametrize("said", ["Works.", "GUI grounding", "", "42", "web search engines"[:10]])
def test_a_word_or_two_state_nothing(said: str) -> None:
    assert is_fragment(said)


@pytest.mark.parametrize(
    "said", ["LiNeS is fast.", "MindSearch uses Qwen2.5.", "CLR outperforms 13 baselines."]
)
def test_a_short_sentence_states_something(said: str) -> None:
    assert not is_fragment(said)


def test_a_title_above_a_sentence_is_no_part_of_it() -> None:
    sentence = "The model keeps its accuracy on all of the tasks."
    assert excerpt(sentence, [f"When Thinking Makes Humans Worse\n{sentence}"]) == "whole"
    assert excerpt("it keeps the rest", ["it keeps\nthe rest"]) == "whole"
