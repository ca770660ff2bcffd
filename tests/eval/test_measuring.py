"""The whole evaluation on the bundled sample: real encoder, index and assistant."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dataset_files import beir, jsonl

from eval.datasets import Question, load_beir
from eval.measuring import evaluate_answers, evaluate_retrieval
from eval.runs import load_run
from eval.scoring import Supports
from eval.systems import Subject, open_ours
from eval.vector_cache import benchmark_store
from index.embedding import SentenceEncoder
from rag.schema import Answer, Mode
from rag.settings import Settings
from rag.support import JudgeChecker

OSWORLD = (
    "OSWorld: Benchmarking Multimodal Agents for Open-Ended Tasks in Real Computer Environments"
)
ANDROID = "AndroidWorld: A Dynamic Benchmarking Environment for Autonomous Agents"
QUESTIONS: list[dict[str, Any]] = [
    {"id": "m1", "type": "fact", "answerable": True, "papers": [OSWORLD],
     "question": "How many tasks does OSWorld have?",
     "evidence": [{"paper": OSWORLD, "quote": "a benchmark of 369 tasks"}],
     "nuggets": [["369"]]},
    {"id": "m2", "type": "followup", "answerable": True, "papers": [ANDROID],
     "question": "how many tasks does it have?",
     "history": [{"role": "user", "content": "What is AndroidWorld?"},
                 {"role": "assistant", "content": f"{ANDROID}."}],
     "nuggets": [["116"]]},
    {"id": "m3", "type": "off-topic", "answerable": False,
     "question": "Who won the chess world championship in 1972?"},
]  # fmt: skip


@pytest.fixture(scope="module")
def subject(sample_store: Path) -> Subject:
    return open_ours(sample_store, Settings())


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    return jsonl(tmp_path / "small.jsonl", *QUESTIONS)


def test_a_run_of_answers_keeps_every_answer_and_measures_it(
    subject: Subject, questions: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    metrics: Mapping[str, Any] = evaluate_answers(questions, subject, "extractive", out)
    lines = [json.loads(line) for line in (out / "answers.jsonl").read_text().splitlines()]
    assert [line["id"] for line in lines] == ["m1", "m2", "m3"]
    first = Answer.model_validate(lines[0]["answer"])
    assert "369 tasks" in first.text
    assert json.loads((out / "metrics.json").read_text()) == metrics
    assert metrics["configuration"]["papers"] == len(subject.papers)
    assert metrics["dataset"]["name"] == "small.jsonl"
    assert metrics["intervals"]["verbatim"]["mean"] == 1
    assert metrics["by_type"]["fact"]["nugget_recall"] == 1
    assert metrics["retrieval"]["hit@1"] == 1
    assert "m2" in (out / "report.html").read_text()
    run = load_run(out)
    assert list(run.scores) == ["m1", "m2", "m3"]
    assert run.scores["m1"].values["hit@1"] == 1
    assert run.scores["m3"].values["abstained_rightly"] == 1
    assert run.questions["m2"]["question"] == "how many tasks does it have?"


def test_a_run_killed_at_a_question_goes_on_without_asking_any_twice(
    subject: Subject, questions: Path, tmp_path: Path
) -> None:
    asked: list[str] = []

    def ask(question: Question, mode: Mode) -> Answer:
        if question.id == "m2" and asked == ["m1"]:
            asked.append("killed")
            raise KeyboardInterrupt
        asked.append(question.id)
        return subject.ask(question, mode)

    counting = replace(subject, ask=ask)
    with pytest.raises(KeyboardInterrupt):
        evaluate_answers(questions, counting, "extractive", tmp_path / "run")
    with (tmp_path / "run" / "answers.jsonl").open("a") as file:
        file.write('{"id": "m", "answer": {}')  # and the kill left half a line
    evaluate_answers(questions, counting, "extractive", tmp_path / "run")
    assert asked == ["m1", "killed", "m2", "m3"]
    assert list(load_run(tmp_path / "run").scores) == ["m1", "m2", "m3"]


def test_question_retrieval_leaves_out_what_needs_a_conversation_and_counts_absent_papers_missed(
    subject: Subject, tmp_path: Path
) -> None:
    half = {**QUESTIONS[0], "id": "m4", "papers": ["A Paper Nobody Indexed"]}
    path = jsonl(tmp_path / "more.jsonl", *QUESTIONS, half)
    mute, out = Supports(JudgeChecker(lambda _: "", "m")), tmp_path / "run"
    measured: Mapping[str, Any] = evaluate_answers(path, subject, "extractive", out, mute)
    assert measured["answers"]["alce_judge m"]["unreadable"] >= 2
    assert measured["retrieval"]["questions"] == 2
    assert measured["retrieval"]["R@10"] == 1 / 2
    assert measured["papers_not_in_index"] == 1


def test_a_benchmark_run_is_in_trec_format(
    encoder: SentenceEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder, out = tmp_path / "small", tmp_path / "run"
    benchmark = load_beir(beir(folder))
    ours = open_ours(benchmark_store(benchmark.papers, encoder), Settings())
    metrics: Mapping[str, Any] = evaluate_retrieval(benchmark, ours, out)
    rows = [line.split() for line in (out / "run.trec").read_text().splitlines()]
    assert {(len(row), row[1], row[5]) for row in rows} == {(6, "Q0", "abstractqa")}
    assert next(row[3] for row in rows if row[0] == "q1") == "1"
    assert metrics["retrieval"]["hit@1"] == 1
    assert metrics["configuration"]["papers"] == 2
    assert str(tmp_path) not in (out / "metrics.json").read_text()
    assert json.loads((out / "metrics.json").read_text()) == metrics
