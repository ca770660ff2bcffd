"""The answer's JSON is a public contract: its keys, its types, and what must agree in it."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from rag import Answer, Assistant

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
    # The contract: every key of an answer, and the type of what it has here.
    assert shape(found) == json.loads((Path(__file__).parent / "answer_shape.json").read_text())
    assert (answer.status, answer.mode) == ("answered", "extractive")
    assert (answer.index.papers, answer.index.encoder) == (16, "all-MiniLM-L6-v2")


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        (("references",), [], "cited"),
        (("sentences", 0, "citations"), [], "cited"),
        (("sentences", 0, "citations", 0, "reference"), 2, "cited"),
        (("references", 0, "passages", 0, "text"), "BoatNet", "not verbatim"),
        (("text",), "It does.", "markers"),
        (("text",), "It does. [2]", "markers"),
        (("text",), r"It does. \[1\]", "markers"),
    ],
)
def test_an_answer_that_breaks_the_contract_cannot_be_made(
    certain: Assistant, path: tuple[Any, ...], value: object, why: str
) -> None:
    found = part = certain.ask(QUESTION).model_dump(mode="json")
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    with pytest.raises(ValidationError, match=why):
        Answer.model_validate_json(json.dumps(found))
