"""What becomes of a model's reply."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.synthesis.drafts import Draft, Reason
from eval.synthesis.replies import read_reply
from index.papers import Paper

PAPER = Paper(
    id="peat",
    title="PeatNet: Reading Water Tables from Bog Photographs",
    abstract="Bogs are wet. PeatNet is off by 3.1\\,cm, or 4\\%, on 52 bogs of the north.",
)
SENTENCE = "PeatNet is off by 3.1 cm, or 4%, on 52 bogs of the north."
QUESTION = "On how many bogs was the moss camera tried out?"


def reply(question: str = QUESTION, answer: str = "52 bogs", sentence: str = SENTENCE) -> str:
    return f"Sentence: {sentence}\nAnswer: {answer}\nQuestion: {question}"


@pytest.mark.parametrize(
    "text",
    [
        reply(),
        f"Sure!\n\n**Question:** {QUESTION}\n**Answer:** the 52 bogs.\n**Sentence:** “{SENTENCE}”",
        "```json\n"
        f'{{"question": "{QUESTION}", "answer": "52 bogs", "sentence": "{SENTENCE}"}}\n'
        "```",
        f"1. SENTENCE : {SENTENCE}\n2. ANSWER : 52 bogs\n3. QUESTION : {QUESTION}",
        reply() + "\n\nSentence: Bogs are wet.\nAnswer: wet\nQuestion: And what are bogs like?",
    ],
)
def test_the_three_parts_are_read_however_they_are_marked_up(text: str) -> None:
    draft = read_reply(text, PAPER, 7)
    assert isinstance(draft, Draft)
    assert (draft.paper, draft.type, draft.question) == (7, "synthetic", QUESTION)
    assert draft.nugget == ("52 bogs",)


def test_of_an_answer_with_words_around_it_what_the_sentence_has_counts() -> None:
    draft = read_reply(reply(answer="it was 3.1 cm, or 4%"), PAPER, 0)
    assert isinstance(draft, Draft)
    assert draft.nugget == ("3.1 cm, or 4%",)


def test_the_quote_is_the_sentence_as_stored_not_as_shown() -> None:
    draft = read_reply(reply(), PAPER, 0)
    assert isinstance(draft, Draft)
    assert draft.quote == PAPER.abstract[14:]


@given(
    st.lists(
        st.sampled_from(["Question:", "**Answer**:", '{"sentence": "', SENTENCE, "52", "?", "\n"])
        | st.text(max_size=9)
    ).map("".join)
)
def test_no_reply_is_too_odd_to_judge(text: str) -> None:
    found = read_reply(text, PAPER, 0)
    assert isinstance(found, Reason) or found.quote in PAPER.abstract


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", Reason.UNREADABLE),
        ("I cannot do that.", Reason.UNREADABLE),
        (f"Question: {QUESTION}\nAnswer: 52 bogs", Reason.UNREADABLE),
        (reply("Tell me on how many bogs the camera was tried."), Reason.NO_QUESTION),
        (reply("How many bogs?"), Reason.LENGTH),
        (reply(answer="4%"), Reason.LENGTH),
        (reply("Why " + "so " * 60 + "many?"), Reason.LENGTH),
        (reply(answer=SENTENCE), Reason.LENGTH),
        (
            reply("What does Reading Water Tables from Bog Photographs with PeatNet say?"),
            Reason.COPIES_TITLE,
        ),
        (reply("What is PeatNet: Reading Water Tables from Bog Photographs about?"),
         Reason.COPIES_TITLE),
        (reply(sentence="PeatNet is never off."), Reason.SENTENCE_NOT_FOUND),
        (reply(answer="53 bogs"), Reason.ANSWER_NOT_FOUND),
        (reply("Was the moss camera tried on 52 bogs or more?"), Reason.GIVES_ANSWER),
    ],
)  # fmt: skip
def test_a_reply_that_is_no_use_is_dropped_with_its_reason(text: str, reason: Reason) -> None:
    assert read_reply(text, PAPER, 0) == reason
