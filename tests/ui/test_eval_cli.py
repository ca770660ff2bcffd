"""`abstractqa eval`: each kind of measuring, as people run it."""

import json
from pathlib import Path
from typing import Any

import pytest
from chat_server import ChatServer, says
from running import Capture, failed, succeeded

from ui.cli import build_parser

OSWORLD = (
    "OSWorld: Benchmarking Multimodal Agents for Open-Ended Tasks in Real Computer Environments"
)
MINDSEARCH = "MindSearch: Mimicking Human Minds Elicits Deep AI Searcher"
QUESTIONS: list[dict[str, Any]] = [
    {"id": "tasks", "type": "fact", "answerable": True, "papers": [OSWORLD],
     "question": "How many tasks does OSWorld have?", "nuggets": [["369"]]},
    {"id": "pages", "type": "fact", "answerable": True, "papers": [MINDSEARCH],
     "question": "How many pages can MindSearch read in three minutes?", "nuggets": [["300"]]},
    {"id": "chess", "type": "off-topic", "answerable": False,
     "question": "Who won the chess world championship in 1972?"},
]  # fmt: skip


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    path = tmp_path / "small.jsonl"
    path.write_text("".join(json.dumps(question) + "\n" for question in QUESTIONS))
    return path


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "eval-cache"))


def test_two_runs_are_compared_tabulated_and_judged(
    questions: Path,
    sample_store: Path,
    tmp_path: Path,
    capsys: Capture,
    configured_model: ChatServer,
) -> None:
    runs = ours, peer = str(tmp_path / "ours"), str(tmp_path / "peer")
    for out, system in ((ours, "abstractqa"), (peer, "llamaindex-starter")):
        measured = ("eval", "answers", str(questions), "--store", str(sample_store))
        succeeded(capsys, *measured, "--mode", "extractive", "--system", system, "--out", out)
    out, _ = succeeded(capsys, "eval", "compare", *runs)
    assert "3 questions in both" in out
    assert "negative flips, right before and wrong now: " in out
    assert "chess (off-topic): Who won the chess" in out
    out, _ = succeeded(capsys, "eval", "compare", *runs, "--json")
    assert "chess" in json.loads(out)["negative_flips"]

    board = tmp_path / "board" / "board.md"
    out, _ = succeeded(capsys, "eval", "leaderboard", *runs, "--out", str(board))
    assert "| AbstractQA " in out
    assert "| LlamaIndex starter " in out
    assert board.read_text() == out

    configured_model.script = [says('{"rating": 9}'), says('{"rating": 7}')]
    judged = ("--out", str(tmp_path / "judged"), "--limit", "2", "--json")
    out, _ = succeeded(capsys, "eval", "judge", ours, *judged)
    figures = json.loads(out)["figures"]
    assert (figures["rated"], figures["mean"]) == (2, 8)


@pytest.fixture
def bogs(tmp_path: Path) -> Path:
    """A BEIR folder of three papers."""
    folder = tmp_path / "bogs"
    (folder / "qrels").mkdir(parents=True)
    papers = {"k": "Kites fly in the wind.", "b": "Boats float on rivers.", "m": "Moss is wet."}
    (folder / "corpus.jsonl").write_text(
        "".join(json.dumps({"_id": i, "title": i, "text": t}) + "\n" for i, t in papers.items())
    )
    (folder / "queries.jsonl").write_text(
        '{"_id": "q1", "text": "what floats?"}\n{"_id": "q2", "text": "what is wet?"}\n'
    )
    (folder / "qrels" / "test.tsv").write_text("q1\tb\t1\nq2\tm\t1\n")
    return folder


def test_a_ranking_made_elsewhere_is_measured(bogs: Path, tmp_path: Path, capsys: Capture) -> None:
    ranking = tmp_path / "theirs.trec"
    ranking.write_text("q1 Q0 k 1 9 t\nq1 Q0 b 2 8 t\nq2 Q0 m 1 9 t\n")
    run = ("--run", str(ranking))
    out, _ = succeeded(
        capsys, "eval", "retrieval", str(bogs), *run, "--out", str(tmp_path / "a"), "--json"
    )
    assert json.loads(out)["retrieval"]["hit@1"] == 1 / 2
    assert json.loads(out)["system"] == "theirs"
    ranking.write_text("x Q0 k 1 9 t\n")
    assert "none of the benchmark's queries" in failed(capsys, "eval", "retrieval", str(bogs), *run)


def test_a_peer_that_writes_is_given_the_chat_model(
    questions: Path,
    sample_store: Path,
    tmp_path: Path,
    capsys: Capture,
    chat_server: ChatServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    generative = ("eval", "answers", str(questions), "--store", str(sample_store))
    generative += ("--mode", "generative", "--system")
    assert "is for llamaindex-citation" in failed(capsys, *generative, "bm25")
    assert "ABSTRACTQA_CHAT_MODEL" in failed(capsys, *generative, "llamaindex-citation")
    monkeypatch.setenv("ABSTRACTQA_CHAT_MODEL", "scripted")
    monkeypatch.setenv("OPENAI_BASE_URL", chat_server.base_url)
    chat_server.script = lambda _: says("It has 369 tasks [1].")
    out, _ = succeeded(
        capsys, *generative, "llamaindex-citation", "--out", str(tmp_path / "run"), "--json"
    )
    assert json.loads(out)["answered_by"] == {
        "mode": "generative",
        "model": "scripted",
        "index": "LlamaIndex CitationQueryEngine",
    }
    assert json.loads(out)["by_type"]["fact"]["nugget_recall"] == 1 / 2


def test_questions_are_made_of_an_index_and_can_be_asked_of_what_is_left(
    sample_store: Path, tmp_path: Path, capsys: Capture
) -> None:
    made = tmp_path / "made"
    out, err = succeeded(
        capsys,
        *("eval", "synthesize", "--n", "5", "--store", str(sample_store), "--out", str(made)),
    )
    assert "No chat model is configured" in err
    command = out.splitlines()[-1].split()
    assert command[:3] == ["abstractqa", "eval", "answers"]
    parsed = build_parser().parse_args(command[1:])
    assert len(parsed.questions.read_text().splitlines()) == 5
    assert Path(parsed.store).is_dir(), "an index of what is left"


def test_a_part_is_left_out_and_answers_given_elsewhere_are_measured(
    questions: Path, sample_store: Path, tmp_path: Path, capsys: Capture
) -> None:
    answers = ("eval", "answers", str(questions), "--store", str(sample_store), "--json")
    out, _ = succeeded(capsys, *answers, "--without", "lexical", "--out", str(tmp_path / "without"))
    assert json.loads(out)["configuration"]["without"] == "lexical"
    assert json.loads(out)["system"] == "AbstractQA without lexical"
    lines = [
        {"run_id": "mine", "topic_id": q["id"], "topic": "", "references": [], "answer": []}
        for q in QUESTIONS
    ]
    mine = tmp_path / "mine.jsonl"
    mine.write_text("".join(json.dumps(line) + "\n" for line in lines))
    out, _ = succeeded(capsys, *answers, "--answers", str(mine), "--out", str(tmp_path / "again"))
    assert json.loads(out)["system"] == "mine"
    assert json.loads(out)["answers"]["abstention"]["recall"] == 1


@pytest.mark.parametrize(
    ("arguments", "says_so"),
    [
        (["answers", "{questions}", "--system", "oracle"], "no peer 'oracle'"),
        (["answers", "{questions}", "--mode", "generative"], "chat model"),
        (["answers", "{broken}"], "broken.jsonl:1: not JSON"),
        (["answers", "{questions}", "--left-out", "luck"], "no collection 'luck'"),
        (["retrieval", "{folder}"], "has no qrels/test.tsv"),
        (["compare", "{folder}", "{folder}"], "run's folder"),
        (["synthesize", "--n", "0"], "at least 1"),
        (["judge", "{folder}"], "run's folder"),
        (["answers", "{questions}", "--without", "luck"], "no part 'luck'"),
        (["answers", "{questions}", "--without", "names", "--system", "bm25"], "give one of them"),
        (["fit", "--data", "{folder}"], "dev.jsonl"),
    ],
)
def test_mistakes_are_told(
    arguments: list[str],
    says_so: str,
    questions: Path,
    sample_store: Path,
    tmp_path: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ABSTRACTQA_STORE", str(sample_store))
    (tmp_path / "empty").mkdir()
    (broken := tmp_path / "broken.jsonl").write_text("{broken\n")
    named = {"questions": questions, "folder": tmp_path / "empty", "broken": broken}
    given = [argument.format_map(named) for argument in arguments]
    assert says_so in failed(capsys, "eval", *given)
    assert not (tmp_path / "runs").exists()
