"""The answer's JSON is a public contract: its keys, its types, and what must agree in it."""

import pytest
from made_up import KITES
from pydantic import ValidationError

from rag import Assistant
from rag.schema import Answer, AnswerSentence, Citation, IndexInfo, Passage, Reference, Usage


def shape(value: object) -> object:
    """A JSON value with its leaves replaced by the names of their types."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if type(value) in {int, float} else type(value).__name__


STR, NUMBER, NONE = "str", "number", "NoneType"
SHAPE = {
    **dict.fromkeys(("question", "standalone_question", "kind", "status", "mode", "text"), STR),
    **dict.fromkeys(("reason", "lacks", "notice", "model", "checked_by"), NONE),
    "sentences": [
        {
            **{"text": STR, "support": STR, "score": NUMBER, "reason": NONE},
            "citations": [dict.fromkeys(("reference", "start", "end"), NUMBER)],
        }
    ],
    "references": [
        {
            "number": NUMBER,
            "paper": {
                **dict.fromkeys(("id", "title", "abstract"), STR),
                **dict.fromkeys(("year", "venue", "url", "doi", "arxiv", "pmid"), NONE),
                **{"authors": [], "published": NONE},
                "sources": [{"name": STR, "date": STR, "dated": STR, "position": NUMBER}],
            },
            "passages": [{"start": NUMBER, "end": NUMBER, "text": STR}],
            "found": STR,
        }
    ],
    "nearest": [{"id": STR, "title": STR, "score": NUMBER}],
    "suggestions": [],
    "usage": {
        **dict.fromkeys(("prompt_tokens", "completion_tokens"), NUMBER),
        **{"cost_usd": NONE, "estimated": "bool"},
    },
    "confidence": NUMBER,
    "index": {"id": STR, "papers": NUMBER, "encoder": STR},
}
"""The contract: every key of an answer, and the type of what it has here."""


def test_the_json_of_an_answer_has_exactly_the_documented_shape(certain: Assistant) -> None:
    answer = certain.ask("How many photographs was HiveScan trained on?")
    found = answer.model_dump(mode="json")
    times = found.pop("timings_ms")
    assert set(times) >= {"total", "retrieve"}
    assert all(type(ms) is float and ms >= 0 for ms in times.values())
    assert shape(found) == SHAPE
    assert (answer.status, answer.mode) == ("answered", "extractive")
    assert (answer.index.papers, answer.index.encoder) == (16, "all-MiniLM-L6-v2")


def answer_with(
    citations: tuple[Citation, ...], references: tuple[Reference, ...], text: str
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


CITED = (Citation(reference=1, start=0, end=7),)
LISTED, WRONG = (
    (Reference(number=1, paper=KITES, passages=(Passage(start=0, end=7, text=text),)),)
    for text in ("KiteNet", "BoatNet")
)


@pytest.mark.parametrize(
    ("citations", "references", "text", "why"),
    [
        (CITED, (), "It does. [1]", "cited"),
        ((), LISTED, "It does. [1]", "cited"),
        ((Citation(reference=2, start=0, end=7),), LISTED, "It does. [1]", "cited"),
        (CITED, WRONG, "It does. [1]", "not verbatim"),
        (CITED, LISTED, "It does.", "markers"),
        (CITED, LISTED, "It does. [2]", "markers"),
        (CITED, LISTED, r"It does. \[1\]", "markers"),
    ],
)
def test_an_answer_that_breaks_the_contract_cannot_be_made(
    citations: tuple[Citation, ...], references: tuple[Reference, ...], text: str, why: str
) -> None:
    with pytest.raises(ValidationError, match=why):
        answer_with(citations, references, text)
