"""The whole evaluation on the bundled sample: real encoder, index and assistant."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dataset_files import QUESTIONS, beir, jsonl

from eval.datasets import Question, load_beir
from eval.measuring import evaluate_answers, evaluate_retrieval
from eval.runs import load_run
from eval.scoring import Supports
from eval.systems import Subject, benchmark_store, open_ours
from index.embedding import SentenceEncoder
from rag.schema import Answer, Mode
from rag.settings import Settings
from rag.support import JudgeChecker


@pytest.fixture
def subject(sample_store: Path) -> Subject:
    return open_ours(sample_store, Settings())


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    return jsonl(tmp_path / "small.jsonl", *QUESTIONS)


def test_a_run_keeps_every_answer(subject: Subject, questions: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    metrics: Mapping[str, Any] = evaluate_answers(questions, subject, "extractive", out)
    lines = [json.loads(line) for line in (out / "answers.jsonl").read_text().splitlines()]
    assert [line["id"] for line in lines] == ["tasks", "pages", "people", "chess"]
    first = Answer.model_validate(lines[0]["answer"])
    assert "369" in first.text
    assert json.loads((out / "metrics.json").read_text()) == metrics
    assert metrics["dataset"]["name"] == "small.jsonl"
    assert metrics["intervals"]["verbatim"]["mean"] == 1
    assert metrics["by_type"]["fact"]["nugget_recall"] == 1
    assert metrics["retrieval"]["hit@1"] == 1
    assert "people" in (out / "report.html").read_text()
    run = load_run(out)
    assert run.scores["tasks"].values["hit@1"] == 1
    assert run.scores["chess"].values["abstained_rightly"] == 1
    assert run.questions["people"]["question"] == "how well do people do on it?"


def test_a_run_killed_at_a_question_goes_on_without_asking_any_twice(
    subject: Subject, questions: Path, tmp_path: Path
) -> None:
    asked: list[str] = []

    def ask(question: Question, mode: Mode) -> Answer:
        if question.id == "pages" and asked == ["tasks"]:
            asked.append("killed")
            raise KeyboardInterrupt
        asked.append(question.id)
        return subject.ask(question, mode)

    counting = replace(subject, ask=ask)
    with pytest.raises(KeyboardInterrupt):
        evaluate_answers(questions, counting, "extractive", tmp_path / "run")
    with (tmp_path / "run" / "answers.jsonl").open("a") as file:
        file.write('{"id": "p", "answer": {}')  # and the kill left half a line
    evaluate_answers(questions, counting, "extractive", tmp_path / "run")
    assert asked == ["tasks", "killed", "pages", "people", "chess"]
    assert list(load_run(tmp_path / "run").scores) == ["tasks", "pages", "people", "chess"]


def test_question_retrieval_leaves_out_what_needs_a_conversation_and_counts_absent_papers_missed(
    subject: Subject, tmp_path: Path
) -> None:
    half = {**QUESTIONS[0], "id": "half", "papers": ["A Paper Nobody Indexed"]}
    path = jsonl(tmp_path / "more.jsonl", *QUESTIONS, half)
    mute, out = Supports(JudgeChecker(lambda _: "", "m")), tmp_path / "run"
    measured: Mapping[str, Any] = evaluate_answers(path, subject, "extractive", out, mute)
    assert measured["answers"]["alce_judge m"]["unreadable"] >= 2
    assert measured["retrieval"]["questions"] == 3
    assert measured["retrieval"]["R@10"] == 2 / 3
    assert measured["papers_not_in_index"] == 1


def test_a_benchmark_run_is_in_trec_format(
    encoder: SentenceEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    out, benchmark = tmp_path / "run", load_beir(beir(tmp_path / "small"))
    ours = open_ours(benchmark_store(benchmark.papers, encoder), Settings())
    metrics: Mapping[str, Any] = evaluate_retrieval(benchmark, ours, out)
    assert (out / "run.trec").read_text().startswith("q1 Q0 d1 1 ")
    assert metrics["retrieval"]["hit@1"] == 1
    assert metrics["configuration"]["papers"] == 2
    assert str(tmp_path) not in (out / "metrics.json").read_text()
    assert json.loads((out / "metrics.json").read_text()) == metrics
