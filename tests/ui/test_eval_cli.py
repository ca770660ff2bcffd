"""`abstractqa eval`: each kind of measuring, as people run it."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from chat_server import ChatServer, says
from running import Capture, failed, succeeded

OSWORLD = (
    "OSWorld: Benchmarking Multimodal Agents for Open-Ended Tasks in Real Computer Environments"
)
MINDSEARCH = "MindSearch: Mimicking Human Minds Elicits Deep AI Searcher"
QUESTIONS: list[dict[str, Any]] = [
    {
        "id": "tasks",
        "type": "fact",
        "question": "How many tasks does OSWorld have?",
        "answerable": True,
        "papers": [OSWORLD],
        "nuggets": [["369"]],
    },
    {
        "id": "pages",
        "type": "fact",
        "question": "How many pages can MindSearch read in three minutes?",
        "answerable": True,
        "papers": [MINDSEARCH],
        "nuggets": [["300"]],
    },
    {
        "id": "chess",
        "type": "off-topic",
        "question": "Who won the chess world championship in 1972?",
        "answerable": False,
    },
]


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    path = tmp_path / "small.jsonl"
    path.write_text("".join(json.dumps(question) + "\n" for question in QUESTIONS))
    return path


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "eval-cache"))


@pytest.fixture
def runs(questions: Path, sample_store: Path, tmp_path: Path, capsys: Capture) -> tuple[str, str]:
    """A run of ours, and one of a peer on the same questions."""
    ours, peer = str(tmp_path / "ours"), str(tmp_path / "peer")
    for out, system in ((ours, "abstractqa"), (peer, "llamaindex-starter")):
        succeeded(
            capsys,
            *("eval", "answers", str(questions), "--store", str(sample_store)),
            *("--system", system, "--out", out),
        )
    return ours, peer


def test_two_runs_are_compared_down_to_the_questions_that_flipped(
    runs: tuple[str, str], tmp_path: Path, capsys: Capture
) -> None:
    report = tmp_path / "report" / "compare.html"
    out, _ = succeeded(capsys, "eval", "compare", *runs, "--out", str(report))
    assert "3 questions in both" in out
    assert "negative flips, right before and wrong now: " in out
    assert "chess (off-topic): Who won the chess" in out
    assert "Who won the chess" in report.read_text()
    out, _ = succeeded(capsys, "eval", "compare", *runs, "--json")
    assert "chess" in json.loads(out)["negative_flips"]


def test_one_question_of_a_run_is_shown_whole(runs: tuple[str, str], capsys: Capture) -> None:
    out, _ = succeeded(capsys, "eval", "show", runs[0], "tasks")
    assert "tasks (fact): How many tasks does OSWorld have?" in out
    assert f"gold: {OSWORLD}" in out
    assert "fact: 369" in out
    assert "369 tasks" in out
    assert "nugget_recall 1.000" in out
    out, _ = succeeded(capsys, "eval", "show", runs[0], "chess", "--json")
    assert json.loads(out)["came_back"]["answer"]["status"] == "insufficient_evidence"
    assert "has no question 'none'" in failed(capsys, "eval", "show", runs[0], "none")


def test_runs_are_tabulated(runs: tuple[str, str], tmp_path: Path, capsys: Capture) -> None:
    out, _ = succeeded(
        capsys, "eval", "leaderboard", *runs, "--out", str(tmp_path / "board" / "board.md")
    )
    assert "| AbstractQA " in out
    assert "| LlamaIndex starter " in out
    assert (tmp_path / "board" / "board.md").read_text() == out
    assert "not both" in failed(capsys, "eval", "leaderboard")


def test_answers_go_out_as_ragnaroks_json_and_come_back_with_the_same_papers(
    runs: tuple[str, str], questions: Path, sample_store: Path, tmp_path: Path, capsys: Capture
) -> None:
    file, again = tmp_path / "answers.jsonl", tmp_path / "again"
    succeeded(capsys, "eval", "export", runs[0], str(file))
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["topic_id"] for line in lines] == ["tasks", "pages", "chess"]
    assert lines[0]["answer"][0]["citations"] == [0]
    store = ("--store", str(sample_store))
    succeeded(
        capsys,
        *("eval", "answers", str(questions), *store, "--answers", str(file), "--out", str(again)),
    )
    scores = [json.loads(line) for line in (again / "scores.jsonl").read_text().splitlines()]
    assert [score["values"]["right"] for score in scores] == [1, 1, 1]
    assert json.loads((again / "run.json").read_text())["system"] == "ours"
    file.write_text(file.read_text().splitlines()[0] + "\n")
    assert "question 'pages' of" in failed(
        capsys, "eval", "answers", str(questions), *store, "--answers", str(file)
    )


def test_each_part_is_switched_off_in_turn(
    questions: Path, sample_store: Path, tmp_path: Path, capsys: Capture
) -> None:
    questions.write_text(questions.read_text().splitlines()[0] + "\n")
    out, _ = succeeded(
        capsys,
        *("eval", "ablate", str(questions), "--store", str(sample_store)),
        *("--out", str(tmp_path / "ablation")),
    )
    assert "| lexical " in out
    assert "| refusals " in out
    assert (tmp_path / "ablation" / "ablation.md").read_text() == out
    record = json.loads((tmp_path / "ablation" / "small-lexical" / "run.json").read_text())
    assert record["configuration"]["off"] == ["lexical"]


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


@pytest.mark.slow
def test_parts_are_switched_off_on_a_benchmark_too(
    questions: Path, bogs: Path, sample_store: Path, tmp_path: Path, capsys: Capture
) -> None:
    questions.write_text(questions.read_text().splitlines()[0] + "\n")
    ablate = ["eval", "ablate", str(questions), "--store", str(sample_store), "--beir", str(bogs)]
    out, _ = succeeded(capsys, *ablate, "--out", str(tmp_path / "ablation"))
    assert out.index("small") < out.index("bogs") < out.rindex("| mending")
    assert succeeded(capsys, *ablate, "--out", str(tmp_path / "ablation"))[0] == out
    questions.write_text(json.dumps(QUESTIONS[1]) + "\n")
    assert "with another dataset" in failed(capsys, *ablate, "--out", str(tmp_path / "ablation"))


def test_a_ranking_made_elsewhere_is_measured_and_one_in_trec_topics_too(
    bogs: Path, tmp_path: Path, capsys: Capture
) -> None:
    ranking = tmp_path / "theirs.trec"
    ranking.write_text("q1 Q0 k 1 9 t\nq1 Q0 b 2 8 t\nq2 Q0 m 1 9 t\n")
    run = ("--run", str(ranking))
    out, _ = succeeded(
        capsys, "eval", "retrieval", str(bogs), *run, "--out", str(tmp_path / "a"), "--json"
    )
    assert json.loads(out)["retrieval"]["hit@1"] == 1 / 2
    assert json.loads(out)["system"] == "theirs"
    topics, qrels = tmp_path / "topics.tsv", tmp_path / "qrels.txt"
    topics.write_text("q1\twhat floats?\n")
    qrels.write_text("q1 0 b 1\n")
    trec = ("--topics", str(topics), "--qrels", str(qrels))
    out, _ = succeeded(
        capsys, "eval", "retrieval", str(bogs), *trec, "--out", str(tmp_path / "b"), "--json"
    )
    assert json.loads(out)["retrieval"]["hit@1"] == 1
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
    if not os.environ.get("CI"):  # which must not skip
        pytest.importorskip("llama_index.llms.openai_like", reason="needs make peers")
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
    out, _ = succeeded(capsys, *command[1:], "--out", str(tmp_path / "run"), "--json")
    assert json.loads(out)["dataset"]["questions"] == 5


def test_a_checker_is_measured_on_claims(tmp_path: Path, capsys: Capture) -> None:
    claims = tmp_path / "claims.jsonl"
    said = "Dry bogs burn for weeks."
    claims.write_text(
        f'{{"id": "1", "claim": "{said}", "evidence": "{said}", "label": "supported"}}\n'
        f'{{"id": "2", "claim": "{said}", "evidence": "Few do.", "label": "not_supported"}}\n'
    )
    out, _ = succeeded(capsys, "eval", "checker", str(claims), "--json")
    assert json.loads(out)["checker"]["balanced_accuracy"] == 1
    claims.write_text('{"id": "1", "claim": "Bogs are wet."}\n')
    assert "claims.jsonl:1: field evidence" in failed(capsys, "eval", "checker", str(claims))


def test_a_judge_rates_a_run_and_compares_two(
    runs: tuple[str, str],
    tmp_path: Path,
    capsys: Capture,
    chat_server: ChatServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "ABSTRACTQA_CHAT_MODEL is not set" in failed(capsys, "eval", "judge", runs[0])
    monkeypatch.setenv("ABSTRACTQA_CHAT_MODEL", "scripted")
    monkeypatch.setenv("OPENAI_BASE_URL", chat_server.base_url)
    chat_server.script = [says("Good. Rating: [[9]]"), says("Fine. Rating: [[7]]")]
    out, _ = succeeded(
        capsys,
        "eval",
        "judge",
        runs[0],
        "--out",
        str(tmp_path / "judged"),
        "--limit",
        "2",
        "--json",
    )
    figures = json.loads(out)["figures"]
    assert figures["rated"] == 2
    assert figures["mean"] == 8
    chat_server.script = lambda _: says("Final decision: [[1]]")
    out, _ = succeeded(capsys, "eval", "judge", *runs, "--out", str(tmp_path / "pairs"), "--json")
    figures = json.loads(out)["figures"]
    assert (figures["judged"], figures["inconsistent"], figures["first_place"]) == (3, 1.0, 1.0)
    assert len((tmp_path / "pairs" / "answers.jsonl").read_text().splitlines()) == 3


def test_a_support_model_can_be_the_judge(
    questions: Path,
    sample_store: Path,
    tmp_path: Path,
    capsys: Capture,
    chat_server: ChatServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ABSTRACTQA_CHAT_MODEL", "scripted")
    monkeypatch.setenv("OPENAI_BASE_URL", chat_server.base_url)
    chat_server.script = lambda _: says("no")
    out, _ = succeeded(
        capsys,
        *("eval", "answers", str(questions), "--store", str(sample_store)),
        *("--mode", "extractive", "--judge", "--out", str(tmp_path / "run"), "--json"),
    )
    found = json.loads(out)["answers"]["alce_judge scripted"]
    assert (found["recall"], found["precision"]) == (0, 0)


@pytest.mark.parametrize(
    ("arguments", "says_so"),
    [
        (
            ["answers", "{questions}", "--system", "oracle"],
            "no system 'oracle'",
        ),
        (["retrieval", "{folder}", "--topics", "t"], "--topics and --qrels go together"),
        (["retrieval", "{folder}"], "has no qrels/test.tsv"),
        (["compare", "{folder}", "{folder}"], "run's folder"),
        (["synthesize", "--n", "0"], "at least 1"),
        (["judge", "{folder}"], "run's folder"),
        (["export", "{folder}", "x.jsonl"], "run's folder"),
        (["ablate", "{folder}/none.jsonl"], "none.jsonl"),
        (["fit", "--data", "{folder}"], "dev.jsonl"),
    ],
)
def test_a_mistake_is_one_line(
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
    given = [a.format(questions=questions, folder=tmp_path / "empty") for a in arguments]
    assert says_so in failed(capsys, "eval", *given)
    assert not (tmp_path / "runs").exists()
