"""Follow-ups become questions that stand alone; other questions stay as they are."""

import pytest
from llama_index.core.llms import ChatMessage, MessageRole
from made_up import first_sentence, keeps_the_promises, titles

from index.errors import InputError
from rag import Assistant

MIND_SEARCH = "MindSearch: Mimicking Human Minds Elicits Deep AI Searcher"
Turns = list[dict[str, str]]


def said(*texts: str) -> Turns:
    """A conversation: the user's words and the assistant's in turn."""
    roles = ("user", "assistant")
    return [{"role": roles[i % 2], "content": text} for i, text in enumerate(texts)]


@pytest.fixture(scope="module")
def about_mind_search(sample_assistant: Assistant) -> Turns:
    question = "What is MindSearch?"
    return said(question, sample_assistant.ask(question).text)


@pytest.fixture(scope="module")
def about_merging(sample_assistant: Assistant) -> tuple[Turns, list[str]]:
    question = "Which papers are about model merging?"
    answer = sample_assistant.ask(question)
    return said(question, answer.text), titles(answer)


@pytest.mark.parametrize(
    "question",
    [
        "how well does it do?",
        "How many pages does it read?",
        "what are its limits?",
        "Why?",
        "and the authors?",
        "what does this paper propose?",
    ],
)
def test_a_question_that_refers_back_is_about_the_paper_spoken_of(
    sample_assistant: Assistant, about_mind_search: Turns, question: str
) -> None:
    answer = sample_assistant.ask(question, history=about_mind_search)
    assert answer.question == question
    assert question in answer.standalone_question
    assert "MindSearch" in answer.standalone_question
    if answer.status == "answered":
        assert titles(answer) == [MIND_SEARCH]


def test_a_follow_up_gets_the_sentence_of_its_fact_first(
    sample_assistant: Assistant, about_mind_search: Turns
) -> None:
    answer = sample_assistant.ask("How many pages does it read?", history=about_mind_search)
    assert "300 web pages" in first_sentence(answer)


@pytest.mark.parametrize(
    ("before", "question", "alone", "title"),
    [
        (
            "How well do agents do on the web?",
            "and on Android phones?",
            "How well do agents do on Android phones?",
            "AndroidWorld",
        ),
        (
            "How well do agents do on WebArena?",
            "and on AndroidWorld?",
            "How well do agents do on AndroidWorld?",
            "AndroidWorld",
        ),
        (
            "How many tasks does OSWorld have?",
            "and AndroidWorld?",
            "How many tasks does AndroidWorld have?",
            "AndroidWorld",
        ),
        (
            "How many papers are in the Mar 14 digest?",
            "And in the Apr 22 digest?",
            "How many papers are in the Apr 22 digest?",
            None,
        ),
    ],
)
def test_a_part_that_is_swapped_makes_the_question_before_anew(
    sample_assistant: Assistant, before: str, question: str, alone: str, title: str | None
) -> None:
    history = said(before, sample_assistant.ask(before).text)
    answer = sample_assistant.ask(question, history=history)
    keeps_the_promises(answer)
    assert answer.standalone_question == alone
    assert [t.split(":")[0] for t in titles(answer)] == ([title] if title else [])


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("and about recommendation?", ("recommendation", "Mar 14")),
        ("and in the Apr 22 digest?", ("robots", "Apr 22")),
    ],
)
def test_what_is_not_swapped_stays_part_of_the_question(
    sample_assistant: Assistant, question: str, words: tuple[str, ...]
) -> None:
    before = "What is in the Mar 14 digest about robots?"
    history = said(before, sample_assistant.ask(before).text)
    answer = sample_assistant.ask(question, history=history)
    assert all(word in answer.standalone_question for word in words)
    assert "On Bringing Robots Home" not in titles(answer)
    assert len(answer.references) < 6


@pytest.mark.parametrize(
    ("question", "place"),
    [
        ("What does the second paper propose?", 1),
        ("the first one?", 0),
        ("tell me more about the third paper", 2),
        ("tell me more about the last one", -1),
        ("What does the 2nd paper propose?", 1),
        ("What does paper 2 propose?", 1),
        ("What does [3] do?", 2),
        ("Tell me more about reference 2", 1),
        ("and number 3?", 2),
        ("Source 1?", 0),
    ],
)
def test_the_second_paper_is_the_second_of_the_list_before(
    sample_assistant: Assistant, about_merging: tuple[Turns, list[str]], question: str, place: int
) -> None:
    history, listed = about_merging
    answer = sample_assistant.ask(question, history=history)
    assert titles(answer) == [listed[place]]


def test_several_papers_may_be_given_by_their_numbers(
    sample_assistant: Assistant, about_merging: tuple[Turns, list[str]]
) -> None:
    history, listed = about_merging
    answer = sample_assistant.ask("What do papers 1 and 3 propose?", history=history)
    asked = answer.standalone_question
    assert [title in asked for title in listed[:3]] == [True, False, True]


def test_a_number_that_no_cited_paper_has_is_none_of_them(
    sample_assistant: Assistant, about_mind_search: Turns
) -> None:
    answer = sample_assistant.ask("What does paper 7 do?", history=about_mind_search)
    assert "MindSearch" not in answer.standalone_question


def test_a_number_is_one_of_the_list_that_has_as_many(
    sample_assistant: Assistant, about_merging: tuple[Turns, list[str]]
) -> None:
    history, listed = about_merging
    first = sample_assistant.ask("What does paper 1 propose?", history=history)
    later = [*history, *said("What does paper 1 propose?", first.text)]
    answer = sample_assistant.ask("And what does paper 3 propose?", history=later)
    assert titles(answer) == [listed[2]]


def test_a_number_within_a_digest_is_no_reference(
    sample_assistant: Assistant, about_merging: tuple[Turns, list[str]]
) -> None:
    history, listed = about_merging
    answer = sample_assistant.ask("What is paper 2 of the Mar 14 digest?", history=history)
    assert listed[1] not in answer.standalone_question


def test_each_of_them_is_about_both_papers_spoken_of(sample_assistant: Assistant) -> None:
    question = "Compare OSWorld and AndroidWorld"
    history = said(question, sample_assistant.ask(question).text)
    answer = sample_assistant.ask("What does each of them measure?", history=history)
    assert sorted(title.split(":")[0] for title in titles(answer)) == ["AndroidWorld", "OSWorld"]


@pytest.mark.parametrize(
    "question",
    [
        "boiling point of mercury?",
        "How do I bake bread?",
        "What does AndroidWorld measure?",
        "Which papers are about model merging?",
        "Does any paper show that chain-of-thought can hurt performance?",
        "Is there evidence that compute thresholds fail to mitigate risk?",
        "Is it true that compute thresholds fail to mitigate risk?",
        "Which of the methods that merge models need no training data?",
        "how many papers are in the Mar 14 digest?",
    ],
)
def test_a_question_about_something_else_stays_as_it_is(
    sample_assistant: Assistant, about_mind_search: Turns, question: str
) -> None:
    answer = sample_assistant.ask(question, history=about_mind_search)
    assert answer.standalone_question == question
    assert MIND_SEARCH not in titles(answer)


@pytest.mark.parametrize("question", ["how well does it do?", "and on phones?", "OSWorld tasks?"])
@pytest.mark.parametrize("history", [None, [], ()])
def test_without_a_history_a_question_stays_as_it_is(
    sample_assistant: Assistant, question: str, history: list[dict[str, str]] | None
) -> None:
    assert sample_assistant.ask(question, history=history).standalone_question == question


def test_the_last_exchange_counts_not_an_earlier_one(
    sample_assistant: Assistant, about_mind_search: Turns
) -> None:
    question = "What is OSWorld?"
    history = about_mind_search + said(question, sample_assistant.ask(question).text)
    answer = sample_assistant.ask("how many tasks does it have?", history=history)
    assert [title.split(":")[0] for title in titles(answer)] == ["OSWorld"]


def test_a_refusal_between_does_not_change_what_it_means(
    sample_assistant: Assistant, about_mind_search: Turns
) -> None:
    question = "boiling point of mercury?"
    history = about_mind_search + said(question, sample_assistant.ask(question).text)
    answer = sample_assistant.ask("how well does MindSearch do?", history=history)
    assert titles(answer) == [MIND_SEARCH]


def test_llama_index_messages_are_a_history(
    sample_assistant: Assistant, about_mind_search: Turns
) -> None:
    messages = [
        ChatMessage(role=MessageRole(turn["role"]), content=turn["content"])
        for turn in about_mind_search
    ]
    by_messages = sample_assistant.ask("how well does it do?", history=messages)
    by_turns = sample_assistant.ask("how well does it do?", history=about_mind_search)
    assert by_messages.standalone_question == by_turns.standalone_question
    assert by_messages.text == by_turns.text


@pytest.mark.parametrize(
    "history",
    [
        [{"role": "user"}],
        [{"content": "What is OSWorld?"}],
        [{"role": "bot", "content": "hello"}],
        [{"role": "user", "content": None}],
        [{"role": "user", "content": 3}],
        [{"role": ["user"], "content": "hello"}],
        [None],
        ["hello"],
        "hello",
    ],
)
def test_a_history_that_cannot_be_read_is_an_error_that_says_where(
    sample_assistant: Assistant, history: object
) -> None:
    with pytest.raises(InputError, match=r"^history item 1 .*role.*content"):
        sample_assistant.ask("how well does it do?", history=history)  # type: ignore[arg-type]


def test_an_error_in_a_history_names_the_item(
    sample_assistant: Assistant, about_mind_search: Turns
) -> None:
    with pytest.raises(InputError, match=r"^history item 3 "):
        sample_assistant.ask("why?", history=[*about_mind_search, {"role": "bot", "content": "x"}])


def test_a_long_history_with_odd_text_is_read(sample_assistant: Assistant) -> None:
    history = said(*["agents \x00 **[9]** " * 200] * 40)
    answer = sample_assistant.ask("how well does it do?", history=history)
    keeps_the_promises(answer)


def test_a_comparison_with_the_paper_spoken_of_has_it_as_a_side(
    sample_assistant: Assistant, about_mind_search: Turns
) -> None:
    answer = sample_assistant.ask("compare it with WebArena", history=about_mind_search)
    assert [title.split(":")[0] for title in titles(answer)] == ["MindSearch", "WebArena"]


def test_that_topic_is_what_the_paper_spoken_of_is_about(sample_assistant: Assistant) -> None:
    question = "What is AdaMerging?"
    history = said(question, sample_assistant.ask(question).text)
    answer = sample_assistant.ask("which papers are on that topic?", history=history)
    assert "Adaptive Model Merging" in answer.standalone_question
    assert len(answer.references) > 1


def test_a_history_with_half_a_character_is_read(sample_assistant: Assistant) -> None:
    history = said("What is OSWorld\udcff?", "It is \udcff.")
    keeps_the_promises(sample_assistant.ask("how well does it do?", history=history))
