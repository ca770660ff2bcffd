"""What an answer says, and in which order: facts first, lists as bullets, both sides."""

from collections.abc import Callable, Sequence

import pytest
from made_up import BOATS, EMPTY, KITES, first_sentence, keeps_the_promises, paper, titles

from index.papers import Paper
from rag import Assistant

Open = Callable[[Sequence[Paper]], Assistant]

FACTS = {
    "How many tasks does OSWorld have?": "369",
    "What is the success rate of the best agent on WebArena?": "10.59%",
    "How much better is AlignBot than GPT-4o?": "86.8%",
    "how many capture the flag tasks are in cybench?": "40 professional-level",
    "By how much does M3ViT cut inference FLOPs?": "88%",
    "How many web pages can MindSearch read in three minutes?": "300 web pages",
    "How many training samples did journey learning use?": "327",
    "What share of tasks did the best agent of TheAgentCompany complete?": "24%",
    "By how much does MUSCLE reduce negative flips?": "40%",
    "How many websites does Mind2Web cover?": "137",
    "what does LiNeS stand for?": "Layer-increasing Network Scaling",
}


@pytest.mark.parametrize(("question", "fact"), FACTS.items())
def test_a_question_for_a_fact_gets_a_short_answer_with_its_sentence_first(
    sample_assistant: Assistant, question: str, fact: str
) -> None:
    answer = sample_assistant.ask(question)
    assert fact in first_sentence(answer)
    assert len(answer.references) == 1
    assert len(answer.text.split()) <= 120


MERGING = {
    "Resolving Interference When Merging Models",
    "Parameter Competition Balancing for Model Merging",
    "Twin-Merging: Dynamic Integration of Modular Expertise in Model Merging",
    "AdaMerging: Adaptive Model Merging for Multi-Task Learning",
    "Model Breadcrumbs: Scaling Multi-Task Model Merging with Sparse Masks",
}
LISTS = {
    "Which papers are about model merging?": MERGING,
    "which papers are about computing power and governance?": {
        "On the Limitations of Compute Thresholds as a Governance Strategy",
        "Computing Power and the Governance of Artificial Intelligence",
    },
    "papers about agents on the web": {
        "WebArena: A Realistic Web Environment for Building Autonomous Agents",
        "Mind2Web: Towards a Generalist Agent for the Web",
    },
}


@pytest.mark.parametrize(("question", "expected"), LISTS.items())
def test_a_question_for_papers_gets_a_bullet_with_one_reason_for_each(
    sample_assistant: Assistant, question: str, expected: set[str]
) -> None:
    answer = sample_assistant.ask(question)
    lines = answer.text.splitlines()
    assert expected <= set(titles(answer))
    assert len(lines) == len(answer.references) == len(answer.sentences)
    for number, (line, title) in enumerate(zip(lines, titles(answer), strict=True), 1):
        assert line.startswith(f"- **{title}** — ")
        assert line.endswith(f"[{number}]")


def test_a_list_leaves_out_papers_on_other_subjects(sample_assistant: Assistant) -> None:
    listed = titles(sample_assistant.ask("Which papers are about model merging?"))
    assert len(listed) <= len(MERGING) + 2
    assert not any("Agent" in title or "Audio" in title for title in listed)


SIDES = {
    "Compare OSWorld and AndroidWorld": ("OSWorld", "AndroidWorld"),
    "AndroidWorld vs OSWorld": ("AndroidWorld", "OSWorld"),
    "What is the difference between TIES-Merging and PCB-Merging?": (
        "Resolving Interference",
        "Parameter Competition",
    ),
    "How does IBCL differ from TAME?": ("IBCL", "TAME"),
    "what is the diffrence between Twin-Merging and AdaMerging": ("Twin-Merging", "AdaMerging"),
    "which has more tasks, OSWorld or AndroidWorld?": ("OSWorld", "AndroidWorld"),
    "Mind2Web and WebArena - which uses real websites?": ("Mind2Web", "WebArena"),
    "How do OSWorld and WebArena compare on success rate?": ("OSWorld", "WebArena"),
}


@pytest.mark.parametrize(("question", "sides"), SIDES.items())
def test_a_comparison_tells_of_both_sides_in_the_order_asked(
    sample_assistant: Assistant, question: str, sides: tuple[str, str]
) -> None:
    answer = sample_assistant.ask(question)
    assert len(answer.references) == 2
    for title, side in zip(titles(answer), sides, strict=True):
        assert title.startswith(side)
    assert answer.text.count("**") == 4


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("Compared with human effort, how many pages does MindSearch read?", "MindSearch"),
        ("How does Twin-Merging work out against a fine-tuned model?", "Twin-Merging"),
    ],
)
def test_a_comparison_with_what_is_no_paper_is_told_from_the_paper_named(
    sample_assistant: Assistant, question: str, title: str
) -> None:
    (only,) = titles(sample_assistant.ask(question))
    assert only.startswith(title)


def test_papers_that_have_to_mention_a_word_all_do(sample_assistant: Assistant) -> None:
    answer = sample_assistant.ask("Which papers mention Minecraft?")
    assert len(answer.references) == 2
    for reference in answer.references:
        assert "minecraft" in f"{reference.paper.title} {reference.paper.abstract}".lower()


def test_a_list_is_counted_if_the_question_says_how_many(sample_assistant: Assistant) -> None:
    for question in (
        "How many papers are about model merging?",
        "How many of the Apr 22 papers are about model merging?",
    ):
        answer = sample_assistant.ask(question)
        assert answer.text.startswith(f"{len(answer.references)} papers")
        assert answer.sentences[0].support == "unchecked"


def test_what_a_name_stands_for_comes_before_how_well_it_does(sample_assistant: Assistant) -> None:
    for name in ("MindSearch", "OSWorld", "Cybench", "IBCL"):
        assert name in first_sentence(sample_assistant.ask(f"what is {name}?"))


def test_a_sentence_that_leans_on_the_one_before_brings_it_along(open_papers: Open) -> None:
    leaning = paper(
        "l",
        "LeanNet: Kites in Teams",
        "Every kite is steered by a crew of its own. As a result, knowledge of one kite can hardly"
        " be transferred to another kite. We tie knots.",
    )
    answer = open_papers([leaning, BOATS]).ask("Why is knowledge hard to transfer between kites?")
    said = [sentence.text for sentence in answer.sentences]
    assert said[0].startswith("As a result")
    assert said[1].startswith("Every kite")


def test_numbered_sentences_are_said_once(open_papers: Open) -> None:
    steps = paper(
        "s",
        "StepNet: Steps",
        "Experts collapse in two ways. (1) Expert starvation leaves experts unused. (2) Expert"
        " collapse makes all experts alike. We fix expert collapse.",
    )
    answer = open_papers([steps, BOATS]).ask("What is expert collapse?")
    said = [sentence.text for sentence in answer.sentences]
    assert len(said) == len(set(said))


def test_text_without_latex_debris_cites_the_stored_text_with_it(
    sample_assistant: Assistant,
) -> None:
    answer = sample_assistant.ask("By how much did subtask guidance help in Cybench?")
    sentence = next(s for s in answer.sentences if "3.2%" in s.text)
    (citation,) = sentence.citations
    stored = answer.references[0].paper.abstract[citation.start : citation.end]
    assert r"3.2\%" in stored
    assert sentence.support == "supported"


def test_an_index_of_one_sentence_answers(open_papers: Open) -> None:
    assistant = open_papers([KITES])
    for question in (
        "How many kites does KiteNet keep in the air?",
        "What is KiteNet?",
        "Which papers are about kites?",
    ):
        answer = assistant.ask(question)
        keeps_the_promises(answer)
        assert [sentence.text for sentence in answer.sentences] == [KITES.abstract]
        assert answer.nearest == ()
    assert assistant.ask("boiling point of mercury?").status == "insufficient_evidence"


def test_abstracts_of_one_sentence_and_empty_ones_are_told_apart(open_papers: Open) -> None:
    assistant = open_papers([KITES, BOATS, EMPTY])
    answer = assistant.ask("Compare KiteNet and BoatNet")
    assert [sentence.text for sentence in answer.sentences] == [KITES.abstract, BOATS.abstract]
    assert "12 kites" in first_sentence(assistant.ask("How many kites does KiteNet keep?"))
    assert titles(assistant.ask("Which papers are about boats?")) == [BOATS.title]


def test_papers_without_abstracts_are_never_quoted(open_papers: Open) -> None:
    for papers in ([EMPTY], [EMPTY, KITES]):
        answer = open_papers(papers).ask("On nothing")
        keeps_the_promises(answer)
        assert answer.status == "insufficient_evidence"


def test_brackets_stars_and_backslashes_of_an_abstract_are_shown_and_cite_nothing(
    open_papers: Open,
) -> None:
    abstract = r"KiteNet [12] beats *every* method of [3] by 2**3 points, see C:\kites and \[4\]."
    answer = open_papers([paper("k", "KiteNet: Flying Far", abstract), BOATS]).ask(
        "By how many points does KiteNet win?"
    )
    keeps_the_promises(answer)
    assert len(answer.references) == 1
    assert answer.references[0].passages[0].text == abstract
