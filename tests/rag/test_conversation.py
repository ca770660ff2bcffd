"""Follow-ups become questions that stand alone, and those suggested bring something new."""

import pytest
from llama_index.core.llms import ChatMessage, MessageRole
from made_up import NAMES, cited, keeps_the_promises, turns, without_times

from index.errors import InputError
from rag import Answer, Assistant, Filters
from ui.web.chat.answering import suggest

FIRST = "How many photographs was HiveScan trained on?"
BEES = "Which papers are about honey bees?"


def listing(question: str, *papers: str) -> list[dict[str, object]]:
    """A question, and an answer that cites these papers."""
    answer = {"role": "assistant", "content": "It does.", "references": papers}
    return [{"role": "user", "content": question}, answer]


RENAMED = "How many photographs was WaggleNet trained on?"


@pytest.mark.parametrize(
    ("question", "standalone", "papers"),
    [
        ("sorry, I meant WaggleNet", RENAMED, ["wagglenet"]),
        ("and WaggleNet?", RENAMED, ["wagglenet"]),
        ("and with wax?", f"{FIRST[:-1]}: and with wax?", ["hivescan"]),
    ],
)
def test_a_name_or_a_fragment_alone_takes_the_rest_from_the_turns_before(
    certain: Assistant, question: str, standalone: str, papers: list[str]
) -> None:
    answer = certain.ask(question, listing(FIRST, "hivescan"))
    assert standalone in answer.standalone_question
    assert cited(answer) == papers


@pytest.mark.parametrize(
    ("question", "papers"),
    [
        ("What does the second paper propose?", {"lamps"}),
        ("[2]?", {"lamps"}),
        ("Tell me more about reference 2", {"lamps"}),
        ("What do papers 1 and 3 report?", {"smoke", "hivescan"}),
    ],
)
def test_a_number_is_of_the_last_list(certain: Assistant, question: str, papers: set[str]) -> None:
    listed = listing(BEES, "smoke", "lamps", "hivescan")
    after = [*listed, *listing(FIRST, "hivescan")]
    for history in (listed, after):
        assert set(cited(certain.ask(question, history))) == papers
    assert cited(certain.ask("[1]?", after)) == ["hivescan"], "number one is of the last answer"


@pytest.mark.parametrize(
    ("question", "fact"),
    [
        ("How many mites does it find?", "94%"),
        ("How does it count the mites in the photographs of open beehives?", "counts mites"),
        ("Why does it fail on wax?", "wax reflects"),
        ("Who wrote it?", "lacks its authors"),
        ("Is it in both digests?", "Yes: it is in"),
    ],
)
def test_a_follow_up_is_on_the_paper_before(certain: Assistant, question: str, fact: str) -> None:
    answer = certain.ask(question, turns(certain.ask(FIRST)))
    keeps_the_promises(answer)
    assert answer.question == question
    assert "HiveScan" in answer.standalone_question
    assert {*cited(answer)} <= {"hivescan"}
    assert any(fact in sentence.text for sentence in answer.sentences)


@pytest.mark.parametrize(
    "question",
    [
        "How many bolts did BridgeSong report in a year on four bridges?",
        "What does a gram of dust do to the snow on glaciers?",
    ],
)
def test_a_new_topic_is_answered_as_if_it_came_first(certain: Assistant, question: str) -> None:
    after = certain.ask(question, turns(certain.ask(FIRST)))
    assert after.standalone_question == question
    assert after.text == certain.ask(question).text


def test_odd_and_llama_index_messages_are_read(certain: Assistant, library: Assistant) -> None:
    history = turns(certain.ask(FIRST))
    messages = [ChatMessage(role=MessageRole(t["role"]), content=t["content"]) for t in history]
    question = "How many mites does it find?"
    by_messages, by_turns = (certain.ask(question, each) for each in (messages, history))
    assert without_times(by_messages) == without_times(by_turns)
    odd = ["bees \x00 **[9]** " * 200, "half a character \udcff"] * 20
    history = [{"role": role, "content": text} for text in odd for role in ("user", "assistant")]
    keeps_the_promises(library.ask("how well does it do?", history))


@pytest.mark.parametrize(
    "history",
    [
        [{"role": "user"}],
        [{"role": "bot", "content": "hello"}],
        [{"role": "user", "content": 3}],
        [None],
        "hello",
    ],
)
def test_a_history_that_cannot_be_read_is_refused(library: Assistant, history: object) -> None:
    with pytest.raises(InputError, match=r"^history item 1 .*role.*content"):
        library.ask("how well does it do?", history)  # type: ignore[arg-type]


def spans(answer: Answer) -> set[tuple[str, int, int]]:
    return {(r.paper.id, at.start, at.end) for r in answer.references for at in r.passages}


@pytest.mark.parametrize(
    "question",
    [
        "How many photographs was HiveScan trained on?",
        "Which papers are about bridges?",
        "Compare HiveScan and CrackMap",
    ],
)
def test_each_suggestion_brings_evidence_not_yet_quoted(certain: Assistant, question: str) -> None:
    answer = certain.ask(question)
    found = suggest(certain, answer)
    assert 1 <= len(found) <= 3
    assert len(set(found)) == len(found)
    for text in found:
        assert text.endswith("?")
        assert len(text) <= 120
        assert spans(certain.ask(text, turns(answer))) - spans(answer), text
    assert suggest(certain, Answer.model_validate_json(answer.model_dump_json())) == found


def test_suggestions_name_the_nearest_papers_after_a_refusal_and_keep_to_the_filters(
    certain: Assistant, doubting: Assistant
) -> None:
    refused = doubting.ask("Who paid for the flights of CrackMap?")
    assert refused.status == "insufficient_evidence"
    assert any(name in text for text in suggest(certain, refused) for name in NAMES)
    filters = Filters(title="HiveScan")
    answer = certain.ask("How many mites does HiveScan find?", filters=filters)
    for text in suggest(certain, answer, filters=filters):
        assert certain.ask(text, filters=filters).status == "answered"
        assert "other papers" not in text
    assert suggest(certain, certain.ask("How many papers are there?")) == (), "no paper is at hand"
