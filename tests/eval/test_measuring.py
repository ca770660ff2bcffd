"""The whole evaluation on a small collection: real encoder, index and assistant."""

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
from eval.systems import Subject, open_ours
from eval.vector_cache import benchmark_store
from index.build import build_papers
from index.embedding import SentenceEncoder
from index.papers import Paper, derived_id
from rag.schema import Answer, Mode
from rag.settings import Settings

ABSTRACTS = {
    "PeatNet: Reading Water Tables from Bog Photographs": (
        "Measuring the water table of a bog by hand is slow. We introduce PeatNet, a network that "
        "reads it from photographs of moss. PeatNet is off by 3.1 cm on average over 52 bogs."
    ),
    "Ferry Timetables as Constraint Programs": (
        "Island ferries must meet trains, tides and crew shifts. We write timetables as constraint "
        "programs and solve them with a branching rule of our own. On 14 harbours the rule halves "
        "the waiting time."
    ),
    "How Choirs Keep Their Pitch": (
        "Unaccompanied choirs drift in pitch. We recorded 23 choirs and found that drift grows "
        "with the number of voices, and that singers listen to the basses first."
    ),
    "A Glossary of Sourdough": (
        "Bakers name the stages of sourdough in many ways. We collect 310 terms from six "
        "languages and link those that mean the same."
    ),
}
PEATNET, FERRIES, CHOIRS, _ = ABSTRACTS
QUESTIONS: list[dict[str, Any]] = [
    {"id": "m1", "type": "fact", "answerable": True, "papers": [PEATNET],
     "question": "How far off is PeatNet when it reads the water table of a bog?",
     "evidence": [{"paper": PEATNET, "quote": "off by 3.1 cm on average"}],
     "nuggets": [["3.1 cm"]]},
    {"id": "m2", "type": "followup", "answerable": True, "papers": [CHOIRS],
     "question": "how many did they record?",
     "history": [{"role": "user", "content": "Which paper studies the pitch of choirs?"},
                 {"role": "assistant", "content": f"{CHOIRS}."}],
     "nuggets": [["23 choirs"]]},
    {"id": "m3", "type": "off-topic", "answerable": False,
     "question": "Who won the chess world championship in 1972?"},
]  # fmt: skip


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    settings = Settings(store=tmp_path_factory.mktemp("index") / "store")
    papers = [
        Paper(id=derived_id(title, abstract), title=title, abstract=abstract)
        for title, abstract in ABSTRACTS.items()
    ]
    build_papers(papers, settings.store, SentenceEncoder.open(settings.encoder))
    return open_ours(settings.store, settings)


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    return jsonl(tmp_path / "small.jsonl", *QUESTIONS)


def test_a_run_keeps_every_answer(subject: Subject, questions: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    metrics: Mapping[str, Any] = evaluate_answers(questions, subject, "extractive", out)
    lines = [json.loads(line) for line in (out / "answers.jsonl").read_text().splitlines()]
    assert [line["id"] for line in lines] == ["m1", "m2", "m3"]
    first = Answer.model_validate(lines[0]["answer"])
    assert "3.1 cm" in first.text
    assert json.loads((out / "metrics.json").read_text()) == metrics
    assert metrics["configuration"]["papers"] == 4
    assert metrics["dataset"]["name"] == "small.jsonl"
    assert metrics["intervals"]["verbatim"]["mean"] == 1
    assert metrics["by_type"]["fact"]["nugget_recall"] == 1
    assert metrics["retrieval"]["hit@1"] == 1
    assert "m2" in (out / "report.html").read_text()
    run = load_run(out)
    assert list(run.scores) == ["m1", "m2", "m3"]
    assert run.scores["m1"].values["hit@1"] == 1
    assert run.scores["m3"].values["abstained_rightly"] == 1
    assert run.questions["m2"]["question"] == "how many did they record?"


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
    measured: Mapping[str, Any] = evaluate_answers(path, subject, "extractive", tmp_path / "run")
    assert measured["retrieval"]["questions"] == 2
    assert measured["retrieval"]["R@10"] == 1 / 2
    assert measured["papers_not_in_index"] == 1


def test_a_benchmark_run_is_in_trec_format(
    encoder: SentenceEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder, out = tmp_path / "small", tmp_path / "run"
    beir(folder, **{"qrels/test.tsv": "q1\td0\t1\nq2\td1\t1\n"})
    titles = enumerate([*ABSTRACTS.items(), ("A Bare Title", "")])
    corpus = ({"_id": f"d{at}", "title": title, "text": text} for at, (title, text) in titles)
    jsonl(folder / "corpus.jsonl", *corpus)
    queries = {"q1": "estimating bog water levels from pictures", "q2": "ferry scheduling"}
    jsonl(folder / "queries.jsonl", *({"_id": id_, "text": queries[id_]} for id_ in queries))
    benchmark = load_beir(folder)
    ours = open_ours(benchmark_store(benchmark.papers, encoder), Settings())
    metrics: Mapping[str, Any] = evaluate_retrieval(benchmark, ours, out)
    rows = [line.split() for line in (out / "run.trec").read_text().splitlines()]
    assert {(len(row), row[1], row[5]) for row in rows} == {(6, "Q0", "abstractqa")}
    assert next(row[3] for row in rows if row[0] == "q1") == "1"
    assert metrics["retrieval"]["hit@1"] == 1
    assert metrics["configuration"]["papers"] == 5
    assert str(tmp_path) not in (out / "metrics.json").read_text()
    assert json.loads((out / "metrics.json").read_text()) == metrics
