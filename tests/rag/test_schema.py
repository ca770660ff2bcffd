"""The answer's JSON is a public contract: its keys, its types, and what must agree in it."""

import pytest
from made_up import KITES, keeps_the_promises
from pydantic import ValidationError

from rag import Assistant
from rag.schema import (
    Answer,
    AnswerSentence,
    Citation,
    Filters,
    IndexInfo,
    Passage,
    Reference,
    Usage,
)

QUESTION = "How many photographs was HiveScan trained on?"


def shape(value: object) -> object:
    """A JSON value with its leaves replaced by the names of their types."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if type(value) in {int, float} else type(value).__name__


def test_the_json_of_an_answer_has_exactly_the_documented_shape(certain: Assistant) -> None:
    answer = certain.ask(QUESTION)
    found = answer.model_dump(mode="json")
    times = found.pop("timings_ms")
    assert set(times) >= {"total", "retrieve"}
    assert all(type(ms) is float and ms >= 0 for ms in times.values())
    assert shape(found) == {
        "question": "str",
        "standalone_question": "str",
        "kind": "str",
        "status": "str",
        "reason": "NoneType",
        "lacks": "NoneType",
        "mode": "str",
        "notice": "NoneType",
        "plan": [],
        "text": "str",
        "sentences": [
            {
                "text": "str",
                "citations": [{"reference": "number", "start": "number", "end": "number"}],
                "support": "str",
                "score": "number",
                "reason": "NoneType",
            }
        ],
        "references": [
            {
                "number": "number",
                "paper": {
                    "id": "str",
                    "title": "str",
                    "abstract": "str",
                    "authors": [],
                    "year": "NoneType",
                    "venue": "NoneType",
                    "url": "NoneType",
                    "doi": "NoneType",
                    "arxiv": "NoneType",
                    "pmid": "NoneType",
                    "published": "NoneType",
                    "sources": [
                        {"name": "str", "date": "str", "dated": "str", "position": "number"}
                    ],
                },
                "passages": [{"start": "number", "end": "number", "text": "str"}],
                "found": "str",
            }
        ],
        "nearest": [{"id": "str", "title": "str", "score": "number"}],
        "suggestions": [],
        "usage": {
            "prompt_tokens": "number",
            "completion_tokens": "number",
            "cost_usd": "NoneType",
            "estimated": "bool",
        },
        "model": "NoneType",
        "confidence": "number",
        "checked_by": "NoneType",
        "index": {"id": "str", "papers": "number", "encoder": "str"},
    }
    assert (answer.status, answer.mode) == ("answered", "extractive")
    assert (answer.index.papers, answer.index.encoder) == (16, "all-MiniLM-L6-v2")


def test_a_question_with_half_a_character_still_makes_json(certain: Assistant) -> None:
    # What a terminal in another encoding hands over.
    answer = certain.ask("How many mites does HiveScan\udcff find?")
    assert answer.status == "answered"
    keeps_the_promises(answer)


def answer_with(
    citations: tuple[Citation, ...], references: tuple[Reference, ...], text: str = "It does. [1]"
) -> Answer:
    sentence = AnswerSentence(text="It does.", citations=citations, support="supported", score=1)
    return Answer(
        question="?",
        standalone_question="?",
        status="answered",
        mode="extractive",
        text=text,
        sentences=(sentence,),
        references=references,
        nearest=(),
        usage=Usage(),
        timings_ms={},
        index=IndexInfo(id="g", papers=1, encoder="e"),
    )


KITE_CITATION = Citation(reference=1, start=0, end=7)
KITE_REFERENCE = Reference(
    number=1, paper=KITES, passages=(Passage(start=0, end=7, text="KiteNet"),)
)


@pytest.mark.parametrize(
    ("citations", "references"),
    [
        ((KITE_CITATION,), ()),
        ((), (KITE_REFERENCE,)),
        ((KITE_CITATION.model_copy(update={"reference": 2}),), (KITE_REFERENCE,)),
        ((Citation(reference=1, start=0, end=10**6),), (KITE_REFERENCE,)),
    ],
)
def test_an_answer_that_cites_what_it_does_not_list_cannot_be_made(
    citations: tuple[Citation, ...], references: tuple[Reference, ...]
) -> None:
    with pytest.raises(ValidationError, match="cited"):
        answer_with(citations, references)


def test_an_answer_with_a_passage_that_is_not_verbatim_cannot_be_made() -> None:
    keeps_the_promises(answer_with((KITE_CITATION,), (KITE_REFERENCE,)))
    wrong = Reference(number=1, paper=KITES, passages=(Passage(start=0, end=7, text="BoatNet"),))
    with pytest.raises(ValidationError, match="not verbatim"):
        answer_with((KITE_CITATION,), (wrong,))


def test_answers_and_filters_are_frozen_and_refuse_unknown_fields() -> None:
    answer = answer_with((KITE_CITATION,), (KITE_REFERENCE,))
    with pytest.raises(ValidationError, match="frozen"):
        answer.text = "something else"  # type: ignore[misc]
    with pytest.raises(ValidationError, match="Extra inputs"):
        Filters.model_validate({"digest": "Mar 14"})


@pytest.mark.parametrize(
    "text", ["It does.", "It does. [2]", "It does. [1] [2]", r"It does. \[1\]"]
)
def test_an_answer_whose_markers_are_not_its_references_cannot_be_made(text: str) -> None:
    with pytest.raises(ValidationError, match="markers"):
        answer_with((KITE_CITATION,), (KITE_REFERENCE,), text)
