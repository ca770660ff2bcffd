"""A sentence rests on one abstract, the one it is about, and on what that says of its own work."""

from collections.abc import Callable

import pytest
from chat_server import ChatServer, Received, Scripted, says, streams
from writing import QUESTION, cited, in_turn, writes

from index.embedding import SentenceEncoder
from index.store import Index
from rag import Assistant
from rag.evidence import Evidence, PaperEvidence
from rag.names import title_name
from rag.own_work import own_from, speaks_of_others
from rag.question import Kind
from rag.retrieval import passage_rows
from rag.support.local import LocalChecker
from rag.synthesis.grounding import Grounder, says_nothing
from rag.synthesis.sheet import lay_out

Ground = Callable[[str], str]


@pytest.fixture(scope="module")
def grounder(sample_assistant: Assistant, encoder: SentenceEncoder) -> Grounder:
    """A sheet with all of three abstracts."""
    index: Index = sample_assistant._live()[0]
    rows = [
        row
        for name in ("OSWorld", "AndroidWorld", "MindSearch")
        for row, paper in enumerate(index.papers)
        if paper.title.startswith(f"{name}:")
    ]
    papers = tuple(PaperEvidence(row, tuple(passage_rows(index, row)), 1.0) for row in rows)
    sheet = lay_out(index, Evidence(Kind.FACT, papers), 5_000, lambda text: len(text) // 4)
    return Grounder(index, sheet, LocalChecker(encoder))


@pytest.mark.parametrize(
    "text",
    [
        "OSWorld has a benchmark of 369 tasks.",
        "On OSWorld people complete more than 72.36% of the tasks.",
        "People complete more than 72.36% of the tasks in OSWorld.",
        "MindSearch can gather information from over 300 web pages in 3 minutes.",
        "OSWorld has a benchmark of 369 tasks, while AndroidWorld has 116 programmatic tasks.",
    ],
)
def test_what_an_abstract_says_of_its_paper_is_supported(grounder: Grounder, text: str) -> None:
    claim = grounder.ground(text, ())
    assert claim.verdict is not None
    assert claim.verdict.support == "supported", claim.verdict


@pytest.mark.parametrize(
    "text",
    [
        "OSWorld has 116 programmatic tasks.",
        "AndroidWorld has a benchmark of 369 tasks.",
        "MindSearch offers a scalable environment of real computers.",
        "People complete more than 72.36% of the tasks in AndroidWorld.",
        "OSWorld has 116 programmatic tasks, while AndroidWorld has a benchmark of 369 tasks.",
        "MindSearch works poorly at pairing language models with search engines.",
        "People prefer the responses of OSWorld to those of ChatGPT-Web.",
    ],
)
def test_what_is_said_of_another_or_of_earlier_work_is_not(grounder: Grounder, text: str) -> None:
    claim = grounder.ground(text, ())
    assert claim.verdict is not None
    assert claim.verdict.support != "supported", [span.text for span in claim.spans]


def test_two_facts_joined_cite_a_passage_each(grounder: Grounder) -> None:
    text = "OSWorld has a benchmark of 369 tasks, while AndroidWorld has 116 programmatic tasks."
    claim = grounder.ground(text, ())
    assert [span.paper.title.split(":")[0] for span in claim.spans] == ["OSWorld", "AndroidWorld"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("The abstracts do not say how many.", True),
        ("No information is given on the cost.", True),
        ("This is not mentioned in the sentences.", True),
        ("The paper shows that GPT-5 does not hallucinate.", False),
        ("The evidence shows that the context window is not limited.", False),
        ("Papers by Smith prove that there is no free lunch.", False),
    ],
)
def test_only_a_statement_about_what_is_said_says_nothing(text: str, said: bool) -> None:
    assert says_nothing(text) is said


def test_a_made_up_lead_is_a_claim_like_any_other(grounder: Grounder) -> None:
    announced = grounder.ground("These papers fit:", ()).verdict
    accused = grounder.ground("In it Google stole all of the data from its users:", ()).verdict
    assert announced is not None
    assert accused is not None
    assert (announced.support, accused.support) == ("unchecked", "unsupported")


def test_a_repair_of_a_bullet_stays_with_its_paper(
    writing: Assistant, scripted: ChatServer
) -> None:
    asked: list[Received] = []

    def repair(request: Received) -> Scripted:
        asked.append(request)
        return says("1. Its environment has 116 programmatic tasks in 20 real apps.")

    written = "- **OSWorld**: It has 512 tasks.\n- **AndroidWorld**: It has 116 programmatic tasks."
    scripted.script = in_turn(lambda _: streams(written), repair)
    answer = writing.ask("Compare OSWorld and AndroidWorld")
    assert [sentence.support for sentence in answer.sentences] == ["unsupported", "supported"]
    assert answer.sentences[0].text == "It has 512 tasks."
    assert "116 programmatic" not in asked[0].text


def test_a_word_that_only_begins_like_drop_is_a_repair(
    writing: Assistant, scripted: ChatServer
) -> None:
    scripted.script = in_turn(
        writes(lambda _: "OSWorld has a benchmark of 369 tasks. It has 512 tasks."),
        lambda _: says("1. Dropping in, people complete more than 72.36% of the tasks."),
    )
    answer = writing.ask(QUESTION)
    assert len(answer.sentences) == 2
    assert cited(answer.sentences[1], answer) or answer.sentences[1].support == "unsupported"


def test_earlier_work_is_told_from_the_papers_own(sample_assistant: Assistant) -> None:
    paper = next(p for p in sample_assistant.papers() if p.title.startswith("MindSearch"))
    assert paper.abstract[own_from(paper) :].startswith("MindSearch imitates")
    assert speaks_of_others("Existing methods overlook the interference between parameters.")
    assert not speaks_of_others("It removes the interference between parameters.")


def test_no_sentence_holds_with_the_name_of_another_paper_of_its_sheet(
    sample_assistant: Assistant, encoder: SentenceEncoder
) -> None:
    index: Index = sample_assistant._live()[0]
    named = [(row, name) for row, p in enumerate(index.papers) if (name := title_name(p))]
    checker = LocalChecker(encoder)
    tried, passed = 0, []
    for at, (row, name) in enumerate(named):
        other, other_name = named[(at + 1) % len(named)]
        papers = tuple(PaperEvidence(r, tuple(passage_rows(index, r)), 1.0) for r in (row, other))
        sheet = lay_out(index, Evidence(Kind.FACT, papers), 5_000, lambda text: len(text) // 4)
        grounder = Grounder(index, sheet, checker)
        for passage in passage_rows(index, row):
            text = index.passages[passage].text
            if name not in text:
                continue
            tried += 1
            verdict = grounder.ground(text.replace(name, other_name), ()).verdict
            if verdict is not None and verdict.support == "supported":
                passed.append(text)
    assert tried > 40
    assert passed == []
