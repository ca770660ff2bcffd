"""What the abstracts do not say is refused, with a reason and the nearest papers."""

from collections.abc import Callable, Sequence
from datetime import date

import pytest
from made_up import BOATS, KITES, keeps_the_promises, paper

from index.papers import Paper
from rag import Answer, Assistant, Filters

Open = Callable[[Sequence[Paper]], Assistant]


def refused(answer: Answer) -> str:
    keeps_the_promises(answer)
    assert answer.status == "insufficient_evidence", answer.text
    assert answer.reason
    return answer.reason


@pytest.mark.parametrize(
    "question",
    [
        "boiling point of mercury?",
        "How do I bake sourdough bread?",
        "Who won the 2018 football world cup?",
        "What is the capital of France?",
        "How does photosynthesis work?",
        "Compare Beethoven and Mozart",
        "List papers on quantum gravity",
        "Are there papers about dinosaurs?",
        "Which papers are about kites?",
        "Compare cats and dogs",
    ],
)
def test_questions_off_the_subject_are_refused(sample_assistant: Assistant, question: str) -> None:
    answer = sample_assistant.ask(question)
    assert "about this" in refused(answer)
    assert len(answer.nearest) == 3
    scores = [near.score for near in answer.nearest]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("What does Voyager do in Minecraft?", "Voyager"),
        ("How does DreamerV3 work?", "DreamerV3"),
        ("What does BERTScore measure?", "BERTScore"),
        ("Compare OSWorld and Voyager", "Voyager"),
        ("How well does GPT-7 do on WebArena?", "GPT-7"),
    ],
)
def test_names_that_no_abstract_mentions_are_refused_by_name(
    sample_assistant: Assistant, question: str, name: str
) -> None:
    answer = sample_assistant.ask(question)
    assert name in refused(answer)
    assert answer.nearest


@pytest.mark.parametrize(
    ("question", "counted"),
    [
        ("How many parameters does MindSearch have?", "parameters"),
        ("How many layers does LoRAMoE have?", "layers"),
        ("How many dollars does Dobb-E cost?", "dollars"),
        ("How many authors wrote AndroidWorld?", "authors"),
        ("How many GPUs was AdaMerging trained on?", "GPUs"),
    ],
)
def test_a_number_that_the_abstract_does_not_give_is_refused(
    sample_assistant: Assistant, question: str, counted: str
) -> None:
    answer = sample_assistant.ask(question)
    assert counted in refused(answer)
    assert answer.nearest


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ("Which optimizer does LiNeS use?", "LiNeS"),
        ("Which learning rate does AdaMerging use?", "learning rate"),
        ("What batch size did Twin-Merging use?", "Twin-Merging"),
        ("Has Cybench been deployed at a bank?", "Cybench"),
        ("When was RT-H published?", "when"),
        ("who is MUSCLE by", "authors"),
    ],
)
def test_what_the_abstract_of_a_named_paper_is_silent_about_is_refused(
    sample_assistant: Assistant, question: str, word: str
) -> None:
    assert word in refused(sample_assistant.ask(question))


@pytest.mark.parametrize(
    "question",
    [
        "What success rate do humans reach on OSWorld?",
        "Is Cybench hard?",
        "Does LoRAMoE help?",
        "How good is AdaMerging?",
        "What is special about RT-H?",
    ],
)
def test_words_that_any_abstract_says_in_its_own_way_are_not_missed(
    sample_assistant: Assistant, question: str
) -> None:
    assert sample_assistant.ask(question).status == "answered"


@pytest.mark.parametrize("subject", ["protein folding", "machine translation", "dinosaurs"])
def test_a_list_on_a_subject_that_no_abstract_has_is_refused(
    sample_assistant: Assistant, subject: str
) -> None:
    assert "about" in refused(sample_assistant.ask(f"Which papers are about {subject}?"))
    assert subject in refused(sample_assistant.ask(f"Which papers mention {subject}?"))


@pytest.mark.parametrize(
    "question",
    [
        "What does MindSearch imitate?",
        "How many web pages are gathered in three minutes by the multi-agent search?",
    ],
)
def test_a_question_whose_paper_the_filters_leave_out_is_refused(
    sample_assistant: Assistant, question: str
) -> None:
    march = Filters(digests=("Mar 14",))
    assert "“MindSearch”, does not pass" in refused(sample_assistant.ask(question, filters=march))


def test_an_everyday_acronym_does_not_turn_a_long_question_down(
    sample_assistant: Assistant,
) -> None:
    question = "How many web pages does the multi-agent search engine on my PC with RAM gather?"
    assert sample_assistant.ask(question).status == "answered"


def test_a_reason_with_brackets_cites_nothing(open_papers: Open) -> None:
    odd = paper("o", "Net [1]: Odd", "Net [1] flies 3 kites.", day=date(2025, 3, 14))
    answer = open_papers([odd, BOATS]).ask("Which learning rate does Net [1] have?")
    keeps_the_promises(answer)


def test_a_number_is_refused_for_the_paper_named_even_if_others_give_it(open_papers: Open) -> None:
    answer = open_papers([KITES, BOATS]).ask("How many boats does KiteNet keep?")
    assert "boats" in refused(answer)


@pytest.mark.parametrize("question", ["?", "...", "the", "😀", "***"])
def test_a_question_without_words_is_refused(sample_assistant: Assistant, question: str) -> None:
    assert "no words" in refused(sample_assistant.ask(question))


@pytest.mark.parametrize(
    "question",
    [
        "How many tasks does OSWorld have?",
        "Which papers are about model merging?",
        "Compare OSWorld and AndroidWorld",
    ],
)
def test_when_the_filters_leave_nothing_the_answer_says_so(
    sample_assistant: Assistant, question: str
) -> None:
    nothing = Filters(since=date(2026, 1, 1))
    answer = sample_assistant.ask(question, filters=nothing)
    assert "filters" in refused(answer)
    assert answer.nearest == ()
    assert sample_assistant.search(question, filters=nothing) == []
    assert sample_assistant.papers(nothing) == []


def test_a_paper_outside_the_filters_is_not_cited(sample_assistant: Assistant) -> None:
    march = Filters(digests=("Mar 14",))
    assert "MindSearch" in refused(sample_assistant.ask("What does MindSearch do?", filters=march))


def test_questions_the_abstracts_answer_are_not_refused(open_papers: Open) -> None:
    assistant = open_papers(
        [KITES, BOATS, paper("tea", "On the brewing of tea", "Green tea steeps for 3 minutes.")]
    )
    for question in ("How long does green tea steep?", "what do kites do?", "kitenet", "boats"):
        assert assistant.ask(question).status == "answered", question
