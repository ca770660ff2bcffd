"""Follow-up questions are short, about the papers at hand, and known to bring something new."""

import pytest

from rag import Answer, Assistant, Filters
from rag.followups import suggest


def spans(answer: Answer) -> set[tuple[str, int, int]]:
    return {(r.paper.id, at.start, at.end) for r in answer.references for at in r.passages}


@pytest.mark.parametrize(
    "question",
    [
        "What is OSWorld?",
        "Which papers are about model merging?",
        "Compare OSWorld and AndroidWorld",
        "How many layers does LoRAMoE have?",
        "boiling point of mercury?",
    ],
)
def test_each_suggestion_is_answered_with_evidence_that_was_not_quoted(
    sample_assistant: Assistant, question: str
) -> None:
    answer = sample_assistant.ask(question)
    found = suggest(sample_assistant, answer)
    assert 1 <= len(found) <= 3
    assert len(set(found)) == len(found)
    history = [
        {"role": "user", "content": question},
        {"role": "assistant", "content": answer.text},
    ]
    for text in found:
        assert text.endswith("?")
        assert len(text) <= 120
        reply = sample_assistant.ask(text, history)
        assert reply.status == "answered", text
        assert spans(reply) - spans(answer), text


def test_suggestions_are_the_same_every_time_and_no_more_than_asked_for(
    sample_assistant: Assistant,
) -> None:
    answer = sample_assistant.ask("What is OSWorld?")
    found = suggest(sample_assistant, answer)
    assert suggest(sample_assistant, answer) == found
    assert suggest(sample_assistant, answer, limit=1) == found[:1]
    stored = Answer.model_validate_json(answer.model_dump_json())
    assert suggest(sample_assistant, stored) == found


def test_an_answer_about_a_paper_is_followed_by_questions_about_it(
    sample_assistant: Assistant,
) -> None:
    answer = sample_assistant.ask("What is OSWorld?")
    assert any("OSWorld" in text for text in suggest(sample_assistant, answer))


def test_a_refusal_about_a_paper_is_followed_by_what_its_abstract_does_say(
    sample_assistant: Assistant,
) -> None:
    answer = sample_assistant.ask("How many layers does LoRAMoE have?")
    assert answer.status == "insufficient_evidence"
    assert "LoRAMoE" in suggest(sample_assistant, answer)[0]


def test_suggestions_keep_to_the_filters_of_the_question(sample_assistant: Assistant) -> None:
    filters = Filters(title="OSWorld")
    answer = sample_assistant.ask("What is OSWorld?", filters=filters)
    for text in suggest(sample_assistant, answer, filters=filters):
        assert sample_assistant.ask(text, filters=filters).status == "answered"
        assert "other papers" not in text


def test_nothing_is_suggested_where_no_paper_is_at_hand(sample_assistant: Assistant) -> None:
    nothing = Filters(title="zebra")
    answer = sample_assistant.ask("What is OSWorld?", filters=nothing)
    assert suggest(sample_assistant, answer, filters=nothing) == ()
    assert suggest(sample_assistant, sample_assistant.ask("How many papers are there?")) == ()
