"""Follow-ups become questions that stand alone; other questions stay as they are."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from llama_index.core.llms import ChatMessage, MessageRole
from made_up import cited, keeps_the_promises

from index.embedding import SentenceEncoder
from index.errors import InputError
from index.store import Index
from rag import Answer, Assistant
from rag.conversation import FEATURES, Standalone, Turn, papers_before, stand_alone
from rag.fitted import Linear
from rag.wording import ASKS, Kind, Wording

FIRST = "How many photographs was HiveScan trained on?"
BEES = "Which papers are about honey bees?"
Turns = list[dict[str, object]]
Alone = Callable[..., Standalone]


def said(*answers: Answer) -> Turns:
    """The conversation in which these answers were given."""
    return [
        turn
        for answer in answers
        for turn in (
            {"role": "user", "content": answer.question},
            {"role": "assistant", "content": answer.text, "references": cited(answer)},
        )
    ]


def turns(question: str, *papers: str) -> tuple[Turn, Turn]:
    """A question, and an answer that cites these papers."""
    return Turn("user", question), Turn("assistant", "It does.", papers)


def wording(leans: float, kind: Kind = Kind.ANSWER) -> Wording:
    asks = np.full(len(ASKS), 1 / len(ASKS), dtype=np.float32)
    return Wording({kind: 1.0}, asks, {"count": 1.0}, leans)


@pytest.fixture(scope="module")
def alone(index: Index, encoder: SentenceEncoder) -> Alone:
    """Make a question stand alone, where it leans as the test says and by its wording only."""
    weights = np.array([[name == "leans by its wording"] for name in FEATURES], dtype=np.float32)
    model = Linear(FEATURES, (), weights, np.zeros(1, dtype=np.float32))

    def of(
        question: str, before: Sequence[Turn], leans: float = 0.9, kind: Kind = Kind.ANSWER
    ) -> Standalone:
        return stand_alone(question, before, index, encoder, (), wording(leans, kind), model)

    return of


def about(found: Standalone, index: Index) -> list[str]:
    return [index.papers[row].id for row in found.about]


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("Which apiaries and keepers and frames does it need?", "Which apiaries"),
        ("and with wax?", "How many photographs was HiveScan trained on"),
    ],
)
def test_a_pronoun_or_a_fragment_is_asked_of_the_paper_of_the_last_answer(
    alone: Alone, index: Index, question: str, asked: str
) -> None:
    found = alone(question, (*turns(BEES, "smoke", "lamps"), *turns(FIRST, "hivescan")))
    assert asked in found.asked
    assert question in found.asked
    assert about(found, index) == ["hivescan"]
    assert index.papers[found.about[0]].display_title in found.text(index)


@pytest.mark.parametrize(
    "question", ["sorry, I meant WaggleNet", "and WaggleNet?", "What about WaggleNet?"]
)
def test_another_name_alone_asks_the_question_before_about_it(alone: Alone, question: str) -> None:
    assert alone(question, turns(FIRST, "hivescan")) == Standalone(
        "How many photographs was WaggleNet trained on?"
    )


@pytest.mark.parametrize(
    "question",
    [
        "So how many degrees is WaggleNet wrong on dances?",
        "OK, how many loose bolts does BridgeSong report in a year?",
        "So which glaciers creak before they calve?",
    ],
)
def test_a_new_topic_and_a_first_question_stay_as_they_are(alone: Alone, question: str) -> None:
    assert alone(question, turns(FIRST, "hivescan"), leans=0.1) == Standalone(question)
    for first in (question, "How well does it do?", "[2]?"):
        assert alone(first, ()) == Standalone(first)


@pytest.mark.parametrize(
    ("question", "papers"),
    [
        ("What does the second paper propose?", ["lamps"]),
        ("the first one?", ["smoke"]),
        ("[2]?", ["lamps"]),
        ("Tell me more about reference 2", ["lamps"]),
        ("What do papers 1 and 3 report?", ["smoke", "hivescan"]),
        ("And what does paper 7 propose?", []),
    ],
)
def test_a_number_is_the_paper_that_has_it_in_the_last_list(
    alone: Alone, index: Index, question: str, papers: list[str]
) -> None:
    found = alone(question, turns(BEES, "smoke", "lamps", "hivescan"))
    assert (about(found, index), found.missing) == (papers, None if papers else 7)
    before = (*turns(BEES, "smoke", "lamps", "hivescan"), *turns("What is [1]?", "smoke"))
    of_the_longer = alone("And what does paper 3 propose?", before)
    assert about(of_the_longer, index) == ["hivescan"], "a list that has as many"


def test_papers_are_known_by_id_title_or_the_name_in_the_text(index: Index) -> None:
    title = index.papers[3].title
    listed = Turn("assistant", "It is.", (index.papers[5].id, title, "nobody knows it"))
    assert papers_before([Turn("user", "?"), listed], index) == [5, 3]
    named = Turn("assistant", "**CrackMap**\n\nIt flies.")
    (row,) = papers_before([Turn("user", "?"), named], index)
    assert index.papers[row].id == "crackmap"


@pytest.mark.parametrize(
    ("question", "fact"),
    [
        ("How many mites does it find?", "94%"),
        ("How does it count the mites in the photographs of open beehives?", "counts mites"),
    ],
)
def test_a_follow_up_is_answered_from_the_paper_spoken_of(
    certain: Assistant, question: str, fact: str
) -> None:
    answer = certain.ask(question, said(certain.ask(FIRST)))
    keeps_the_promises(answer)
    assert answer.question == question
    assert question in answer.standalone_question
    assert "HiveScan" in answer.standalone_question
    assert cited(answer) == ["hivescan"]
    assert any(fact in sentence.text for sentence in answer.sentences)


@pytest.mark.parametrize(
    "question",
    [
        "How many bolts did BridgeSong report in a year on four bridges?",
        "What does a gram of dust do to the snow on glaciers?",
    ],
)
def test_a_question_about_something_else_is_answered_as_if_it_came_first(
    certain: Assistant, question: str
) -> None:
    after = certain.ask(question, said(certain.ask(FIRST)))
    assert after.standalone_question == question
    assert after.text == certain.ask(question).text


def test_messages_of_llama_index_are_a_history(certain: Assistant) -> None:
    history = said(certain.ask(FIRST))
    messages = [
        ChatMessage(role=MessageRole(turn["role"]), content=str(turn["content"]))
        for turn in history
    ]
    question = "How many mites does it find?"
    by_messages, by_turns = (certain.ask(question, each) for each in (messages, history))
    assert by_messages.standalone_question == by_turns.standalone_question
    assert by_messages.text == by_turns.text


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
def test_a_history_that_cannot_be_read_is_an_error_that_says_where(
    library: Assistant, history: object
) -> None:
    with pytest.raises(InputError, match=r"^history item 1 .*role.*content"):
        library.ask("how well does it do?", history)  # type: ignore[arg-type]


def test_a_long_history_with_odd_text_is_read(library: Assistant) -> None:
    odd = ["bees \x00 **[9]** " * 200, "half a character \udcff"] * 20
    history = [{"role": role, "content": text} for text in odd for role in ("user", "assistant")]
    keeps_the_promises(library.ask("how well does it do?", history))


@pytest.mark.parametrize(
    ("question", "fact"),
    [
        ("Why does it fail on wax?", "wax reflects"),
        ("Who wrote it?", "has no authors"),
        ("Is it in both digests?", "Yes: it is in"),
    ],
)
def test_a_whole_question_with_a_pronoun_is_not_mixed_with_the_one_before(
    certain: Assistant, question: str, fact: str
) -> None:
    assert fact in certain.ask(question, said(certain.ask(FIRST))).text
