"""The whole evaluation and leaderboard on a small collection: real encoder, index and assistant."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Never

import ir_measures
import pytest
from dataset_files import beir, jsonl

from eval.benchmarks import MEASURES, load_beir
from eval.datasets import Question
from eval.leaderboard import Suite
from eval.measuring import evaluate_answers, evaluate_retrieval
from eval.peers import PEERS, PeerEntry
from eval.runs import load_run
from eval.systems import Subject, ours
from eval.vector_cache import CachedEncoder, benchmark_store
from index.build import build_papers
from index.embedding import SentenceEncoder
from index.errors import InputError
from index.papers import Paper, derived_id
from rag.assistant import Assistant
from rag.fitted import record
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
    return ours(Assistant.open(store=settings.store, settings=settings), settings.store)


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
    assert "3.1 cm" in first.text
    assert json.loads((out / "metrics.json").read_text()) == metrics
    assert metrics["configuration"]["papers"] == 4
    assert metrics["dataset"]["name"] == "small.jsonl"
    assert metrics["answers"]["micro"]["verbatim"] == 1
    assert metrics["by_type"]["fact"]["nugget_recall"] == 1
    assert metrics["retrieval"]["hit@1"] == 1
    assert "m2" in (out / "report.html").read_text()
    run = load_run(out)
    assert list(run.scores) == ["m1", "m2", "m3"]
    assert run.scores["m1"].values["hit@1"] == 1
    assert run.scores["m3"].values["abstained_rightly"] == 1
    assert run.questions["m2"]["question"] == "how many did they record?"


def test_the_same_configuration_twice_gives_the_same_figures(
    subject: Subject, questions: Path, tmp_path: Path
) -> None:
    def figures(out: Path) -> Mapping[str, Any]:
        metrics: dict[str, Any] = evaluate_answers(questions, subject, "extractive", out)
        del metrics["run"], metrics["environment"]
        for timed in ("latency_ms", "stages_ms"):
            del metrics["answers"][timed]
        for each in (metrics["intervals"], *metrics["by_type"].values()):
            each.pop("latency_ms")
        return metrics

    assert figures(tmp_path / "one") == figures(tmp_path / "two")


def test_a_question_too_long_to_ask_is_refused_before_a_run_is_made(
    subject: Subject, tmp_path: Path
) -> None:
    path = jsonl(tmp_path / "long.jsonl", {**QUESTIONS[0], "question": "why " * 2_000})
    with pytest.raises(InputError, match=r"long.jsonl: question 'm1': .* at most 4,000"):
        evaluate_answers(path, subject, "extractive", tmp_path / "run")
    assert not (tmp_path / "run").exists()


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


def test_a_benchmark_run_is_in_trec_format_and_its_figures_are_those_of_ir_measures(
    cached_encoder: CachedEncoder, tmp_path: Path
) -> None:
    queries = {"q1": "estimating bog water levels from pictures", "q2": "ferry scheduling"}
    corpus = (
        json.dumps({"_id": f"d{number}", "title": title, "text": abstract}) + "\n"
        for number, (title, abstract) in enumerate([*ABSTRACTS.items(), ("A Bare Title", "")])
    )
    files = {
        "corpus.jsonl": "".join(corpus),
        "queries.jsonl": "".join(
            json.dumps({"_id": id_, "text": text}) + "\n" for id_, text in queries.items()
        ),
        "qrels/test.tsv": "q1\td0\t1\nq2\td1\t1\n",
    }
    benchmark, out = load_beir(beir(tmp_path / "small", **files)), tmp_path / "run"
    store = benchmark_store(benchmark.papers, cached_encoder)
    measured = evaluate_retrieval(benchmark, ours(Assistant.open(store=store), store), out)
    metrics: Mapping[str, Any] = measured
    rows = [line.split() for line in (out / "run.trec").read_text().splitlines()]
    assert {(len(row), row[1], row[5]) for row in rows} == {(6, "Q0", "abstractqa")}
    assert next(row[3] for row in rows if row[0] == "q1") == "1"
    theirs = ir_measures.calc_aggregate(
        list(MEASURES.values()),
        benchmark.qrels,
        list(ir_measures.read_trec_run(str(out / "run.trec"))),
    )
    for name, measure in MEASURES.items():
        assert metrics["retrieval"][name] == pytest.approx(theirs[measure], abs=1e-6)
    assert metrics["retrieval"]["hit@1"] == 1
    assert metrics["configuration"]["papers"] == 5
    assert str(tmp_path) not in (out / "metrics.json").read_text()
    assert json.loads((out / "metrics.json").read_text()) == metrics


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "digests").mkdir(parents=True)
    entries = "\n\n".join(f"{title}\n\n{text}" for title, text in ABSTRACTS.items())
    (folder / "digests" / "march.txt").write_text(f"new\n\nMar 14\n\n{entries}\n")
    jsonl(folder / "questions" / "dev.jsonl", *QUESTIONS)
    papers = (
        json.dumps({"_id": f"d{number}", "title": title, "text": text}) + "\n"
        for number, (title, text) in enumerate(ABSTRACTS.items())
    )
    files = {"corpus.jsonl": "".join(papers), "qrels/test.tsv": "q1\td0\t1\n"}
    for name in ("scifact", "litsearch_acl"):
        beir(folder / "beir" / name, **files)
    return folder


def broken(*_: object) -> Never:
    raise ModuleNotFoundError(name="no_such_package")


@pytest.mark.slow
def test_everything_is_measured_once_and_tabulated(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    peers = {"bm25": PEERS["bm25"], "broken": PeerEntry("broken", broken, ())}
    for module in ("eval.peers", "eval.leaderboard"):
        monkeypatch.setattr(f"{module}.PEERS", peers)
    monkeypatch.setattr("eval.leaderboard.SETS", {"dev": "digests"})
    monkeypatch.setattr("eval.leaderboard.BENCHMARKS", {"scifact": None, "litsearch_acl": 3})
    monkeypatch.setattr("eval.leaderboard.load_material", lambda *_: None)
    monkeypatch.setattr("eval.leaderboard.fit", lambda _, without: record("all-MiniLM-L6-v2"))
    text = Suite(data, tmp_path / "keep", Settings()).page()
    for row in ("| AbstractQA ", "| BM25 (bm25s) "):
        assert row in text, row
    assert "| broken | " in text
    assert "no_such_package is missing" in text
    assert "### litsearch_acl-3: 3 abstracts, 1 queries" in text
    assert str(tmp_path) not in text

    (kept,) = (tmp_path / "keep").iterdir()
    runs = {path: path.stat().st_mtime_ns for path in kept.rglob("metrics.json")}
    assert len(runs) == 6
    for path in runs:
        assert str(tmp_path) not in (path.parent / "run.json").read_text()
    Suite(data, tmp_path / "keep", Settings()).page()
    assert {path: path.stat().st_mtime_ns for path in kept.rglob("metrics.json")} == runs

    records = [json.loads((path.parent / "run.json").read_text()) for path in runs]
    assert len({record["code"] for record in records}) == 1
    assert [r["configuration"].get("left_out") for r in records].count("digests") == 1
