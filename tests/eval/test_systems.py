"""Answers that were given elsewhere, and the product without a part."""

import json
from pathlib import Path
from typing import Any

import pytest
from dataset_files import jsonl
from handmade import BOGS, MOSS

from eval.datasets import Question
from eval.systems import RECIPES, open_ours, replay_answers
from index.errors import InputError
from rag.settings import Settings

ASKED = {"id": "q1", "type": "fact", "question": "What grows?", "answerable": True}
QUESTION = Question.model_validate(ASKED)
# The shape that TREC RAG 2024's guidelines show, about something else.
RECORD: dict[str, Any] = {
    "run_id": "bryologists",
    "topic_id": "q1",
    "topic": "what grows",
    "references": ["bogs", "moss"],
    "response_length": 4,
    "answer": [
        {"text": "Mosses grow.", "citations": [1, 0]},
        {"text": "Ferns too.", "citations": []},
    ],
}
PAPERS = (MOSS, BOGS)


def test_an_answer_given_elsewhere_cites_whole_abstracts(tmp_path: Path) -> None:
    questions = jsonl(tmp_path / "questions.jsonl", ASKED)
    subject = replay_answers(jsonl(tmp_path / "theirs.jsonl", RECORD), questions, PAPERS)
    assert subject.name == "bryologists"
    answer = subject.ask(QUESTION, "auto")
    assert [sentence.text for sentence in answer.sentences] == ["Mosses grow.", "Ferns too."]
    assert [reference.paper.id for reference in answer.references] == ["moss", "bogs"]
    assert [r.passages[0].text for r in answer.references] == [MOSS.abstract, BOGS.abstract]
    assert [paper for paper, _ in subject.search(QUESTION, 5)] == ["bogs", "moss"]
    empty = jsonl(tmp_path / "empty.jsonl", {**RECORD, "answer": []})
    refused = replay_answers(empty, questions, PAPERS).ask(QUESTION, "auto")
    assert refused.status == "insufficient_evidence"


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([{**RECORD, "references": ["moss"]}], "topic 'q1' cites beyond"),
        ([{"topic_id": "2", "topic": "x"}], "theirs.jsonl:1: field references"),
        ([RECORD, RECORD], "theirs.jsonl:2: id 'q1' stands twice"),
        ([{**RECORD, "topic_id": "q2"}], "question 'q1' has no answer"),
        ([{**RECORD, "references": ["moss", "fern"]}], "no abstract of 'fern' here"),
    ],
)
def test_broken_answers_are_refused(tmp_path: Path, records: list[Any], message: str) -> None:
    questions = jsonl(tmp_path / "questions.jsonl", ASKED)
    with pytest.raises(InputError, match=message):
        replay_answers(jsonl(tmp_path / "theirs.jsonl", *records), questions, PAPERS)


@pytest.mark.parametrize("part", RECIPES)
def test_the_product_answers_without_any_part_and_says_which(part: str, sample_store: Path) -> None:
    subject = open_ours(sample_store, Settings(), part)
    assert json.loads(json.dumps(subject.configuration))["without"] == part
    question = QUESTION.model_copy(update={"question": "How many tasks does OSWorld have?"})
    assert subject.ask(question, "extractive").text
