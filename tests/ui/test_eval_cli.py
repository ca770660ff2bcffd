"""`abstractqa eval`: each kind of measuring, as people run it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from chat_server import ChatServer, says
from dataset_files import QUESTIONS, beir, jsonl
from running import Capture, failed, succeeded

from eval.feedback import FILE, Feedback, append
from rag import Assistant, Filters
from ui.cli import build_parser

ANSWERS = ("eval", "answers", "small.jsonl")


@pytest.fixture(autouse=True)
def _folder_with_questions(
    sample_store: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ABSTRACTQA_STORE", str(sample_store))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "eval-cache"))
    jsonl(Path("small.jsonl"), *QUESTIONS)


def test_two_runs_are_compared_and_judged(capsys: Capture, configured_model: ChatServer) -> None:
    runs = {"ours": "abstractqa", "peer": "llamaindex-starter"}
    for out, system in runs.items():
        extractive = (*ANSWERS, "--mode", "extractive", "--system", system)
        succeeded(capsys, *extractive, "--out", out)
    out, _ = succeeded(capsys, "eval", "compare", *runs)
    assert "4 questions in both" in out
    assert "negative flips, right before and wrong now: " in out
    assert "chess (off-topic): Who won the chess" in out
    out, _ = succeeded(capsys, "eval", "compare", *runs, "--json")
    assert "chess" in json.loads(out)["negative_flips"]

    out, _ = succeeded(capsys, "eval", "leaderboard", *runs, "--out", "boards/board.md")
    assert "| AbstractQA " in out
    assert "| LlamaIndex starter " in out
    assert Path("boards/board.md").read_text() == out

    configured_model.script = [says('{"rating": 9}'), says('{"rating": 7}')]
    judged = ("--out", "judged", "--limit", "2", "--json")
    out, _ = succeeded(capsys, "eval", "judge", "ours", *judged)
    figures = json.loads(out)["figures"]
    assert (figures["rated"], figures["mean"]) == (2, 8)


def test_a_ranking_made_elsewhere_is_measured(capsys: Capture) -> None:
    folder = beir(Path("bogs"), **{"qrels/test.tsv": "q1\td1\t1\nq2\td2\t1\n"})
    ranking = Path("theirs.trec")
    ranking.write_text("q1 Q0 d2 1 9 t\nq1 Q0 d1 2 8 t\nq2 Q0 d2 1 9 t\n")
    retrieval = ("eval", "retrieval", str(folder), "--run", str(ranking))
    out, _ = succeeded(capsys, *retrieval, "--out", "run", "--json")
    assert json.loads(out)["retrieval"]["hit@1"] == 1 / 2
    assert json.loads(out)["system"] == "theirs"
    ranking.write_text("x Q0 d1 1 9 t\n")
    assert "none of the benchmark's queries" in failed(capsys, *retrieval)


def test_a_peer_that_writes_is_given_the_chat_model(
    capsys: Capture, configured_model: ChatServer
) -> None:
    generative = (*ANSWERS, "--mode", "generative", "--system")
    assert "or llamaindex-citation" in failed(capsys, *generative, "bm25")
    configured_model.script = lambda _: says("It has 369 tasks [1].")
    out, _ = succeeded(capsys, *generative, "llamaindex-citation", "--out", "run", "--json")
    by = {"mode": "generative", "model": "scripted", "index": "LlamaIndex CitationQueryEngine"}
    assert json.loads(out)["answered_by"] == by
    assert json.loads(out)["by_type"]["fact"]["nugget_recall"] == 1 / 2


def test_questions_are_made_of_an_index_and_can_be_asked_of_what_is_left(capsys: Capture) -> None:
    out, err = succeeded(capsys, "eval", "synthesize", "--n", "5", "--out", "made")
    assert "No chat model is configured" in err
    command = out.splitlines()[-1].split()
    assert command[:3] == ["abstractqa", "eval", "answers"]
    parsed = build_parser().parse_args(command[1:])
    assert len(parsed.questions.read_text().splitlines()) == 5
    assert Path(parsed.store).is_dir(), "an index of what is left"


def test_a_part_is_left_out_and_answers_given_elsewhere_are_measured(capsys: Capture) -> None:
    out, _ = succeeded(capsys, *ANSWERS, "--json", "--without", "lexical", "--out", "without")
    assert json.loads(out)["configuration"]["without"] == "lexical"
    assert json.loads(out)["system"] == "AbstractQA without lexical"
    given = {"run_id": "mine", "topic": "", "references": [], "answer": []}
    jsonl(Path("mine.jsonl"), *({**given, "topic_id": each["id"]} for each in QUESTIONS))
    out, _ = succeeded(capsys, *ANSWERS, "--json", "--answers", "mine.jsonl", "--out", "again")
    assert json.loads(out)["system"] == "mine"
    assert json.loads(out)["answers"]["abstention"]["recall"] == 1


@pytest.mark.parametrize(
    ("arguments", "says_so"),
    [
        ("answers small.jsonl --system oracle", "no peer 'oracle'"),
        ("answers small.jsonl --mode generative", "chat model"),
        ("answers small.jsonl --mode generative --system llamaindex-citation", "CHAT_MODEL"),
        ("answers broken.jsonl", "broken.jsonl:1: not JSON"),
        ("answers small.jsonl --left-out luck", "no collection 'luck'"),
        ("retrieval .", "has no qrels/test.tsv"),
        ("compare . .", "run's folder"),
        ("synthesize --n 0", "at least 1"),
        ("judge .", "run's folder"),
        ("answers small.jsonl --without luck", "no part 'luck'"),
        ("answers small.jsonl --without names --system bm25", "use only one"),
        ("fit --data .", "dev.jsonl"),
    ],
)
def test_a_mistake_is_one_line(arguments: str, says_so: str, capsys: Capture) -> None:
    jsonl(Path("broken.jsonl"), "{broken")
    assert says_so in failed(capsys, "eval", *arguments.split())
    assert not Path("runs").exists()


WHEN = datetime(2025, 5, 2, 12, 30, tzinfo=UTC)


def test_votes_are_listed_and_become_cases_that_are_measured(
    tmp_path: Path, sample_assistant: Assistant, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    votes, path = tmp_path / "data" / FILE, tmp_path / "cases.jsonl"
    monkeypatch.setenv("ABSTRACTQA_DATA", str(votes.parent))
    out, told = succeeded(capsys, "eval", "cases")
    assert out == ""
    assert "thumbs" in told, "where votes come from"
    assert "nothing to write" in failed(capsys, "eval", "cases", "--out", str(path))
    assert not path.exists()

    good = sample_assistant.ask("How many tasks does OSWorld have?")
    nothing = Filters(title="no such title")
    refused = sample_assistant.ask("How many tasks does OSWorld have?", filters=nothing)
    append(votes, Feedback.on(good, vote="up", id="a", asked=WHEN))
    append(votes, Feedback.on(good, vote="down", reason="too\nshort", id="b", asked=WHEN))
    append(votes, Feedback.on(refused, vote="up", id="c", asked=WHEN, filters=nothing))
    out, _ = succeeded(capsys, "eval", "cases")
    assert "up   2025-05-02  How many tasks does OSWorld have?" in out
    assert "too short" in out
    out, _ = succeeded(capsys, "eval", "cases", "--vote", "down", "--json")
    (only,) = json.loads(out)
    assert (only["id"], only["reason"]) == ("b", "too\nshort")

    _, told = succeeded(capsys, "eval", "cases", "--out", str(path))
    assert f"2 cases in {path}" in told
    assert "1 left out" in told
    assert "1 voted down" in told
    out, _ = succeeded(capsys, "eval", "answers", str(path), "--out", "run", "--json")
    assert set(json.loads(out)["by_type"]) == {"upvoted", "downvoted"}
