"""Follow-up questions are short, about the papers at hand, and known to bring something new."""

import pytest
from made_up import NAMES, turns

from rag import Answer, Assistant, Filters
from ui.web.chat.answering import suggest


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


def test_a_refusal_suggests_the_nearest_papers(certain: Assistant, doubting: Assistant) -> None:
    refused = doubting.ask("Who paid for the flights of CrackMap?")
    assert refused.status == "insufficient_evidence"
    assert any(name in text for text in suggest(certain, refused) for name in NAMES)


def test_suggestions_keep_to_the_filters_and_need_papers_at_hand(certain: Assistant) -> None:
    filters = Filters(title="HiveScan")
    answer = certain.ask("How many mites does HiveScan find?", filters=filters)
    for text in suggest(certain, answer, filters=filters):
        assert certain.ask(text, filters=filters).status == "answered"
        assert "other papers" not in text
    assert suggest(certain, certain.ask("How many papers are there?")) == ()
