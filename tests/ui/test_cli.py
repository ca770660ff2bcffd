"""The `abstractqa` command: what it prints, and how it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from index import sample
from rag.schema import Answer
from ui.cli import main

SAMPLES = Path(sample.__file__).parent
COMMAND = Path(sys.executable).parent / "abstractqa"


def digest(folder: Path, name: str = "march.txt") -> Path:
    path = folder / name
    path.write_text(
        "new\n\nMar 14, 2025\n\n"
        "KiteNet: Flying Far\n\nKiteNet keeps 12 kites in the air at once. It needs no wind.\n\n"
        "On boats and rivers\n\nBoats float on rivers because they displace water downwards.\n",
        encoding="utf-8",
    )
    return path


def failed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run a command that must end in one clear line and exit code 1; return that line."""
    assert main(arguments) == 1
    out, err = capsys.readouterr()
    lines = [line for line in err.splitlines() if line != "Indexing …"]
    assert out == ""
    assert len(lines) == 1, err
    assert lines[0].startswith("abstractqa: ")
    assert "Traceback" not in err
    return lines[0]


def succeeded(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[str, str]:
    code = main(arguments)
    out, err = capsys.readouterr()
    assert code == 0, err
    return out, err


Capture = pytest.CaptureFixture[str]


def test_index_says_what_it_did(tmp_path: Path, capsys: Capture) -> None:
    path, store = digest(tmp_path), tmp_path / "store"
    out, _ = succeeded(capsys, "index", str(path), "--store", str(store))
    assert "2 new, 0 unchanged, 0 updated, 0 duplicate, 0 rejected" in out
    out, _ = succeeded(capsys, "index", str(path), "--store", str(store))
    assert "0 new, 2 unchanged" in out
    assert "0 texts embedded" in out


def test_index_prints_one_json_document_and_messages_go_to_stderr(
    tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "papers.jsonl"
    good = {"title": "KiteNet: Flying Far", "abstract": "KiteNet keeps 12 kites in the air."}
    path.write_text(json.dumps(good) + "\n" + "{broken\n" * 30, encoding="utf-8")
    out, err = succeeded(capsys, "index", str(path), "--store", str(tmp_path / "s"), "--json")
    report = json.loads(out)
    assert (report["new"], report["rejected"], report["papers"]) == (1, 30, 1)
    assert len(report["problems"]) == 30
    assert "papers.jsonl:2: " in err
    assert "… and 10 more" in err


def test_undo_goes_back_to_the_index_before(tmp_path: Path, capsys: Capture) -> None:
    store = str(tmp_path / "store")
    succeeded(capsys, "index", str(digest(tmp_path)), "--store", store)
    more = tmp_path / "more.jsonl"
    more.write_text('{"title": "A third paper here", "abstract": "It came later."}\n')
    out, _ = succeeded(capsys, "index", str(more), "--store", store, "--json")
    assert json.loads(out)["papers"] == 3
    succeeded(capsys, "index", "--undo", "--store", store)
    out, _ = succeeded(capsys, "index", str(digest(tmp_path)), "--store", store, "--json")
    assert json.loads(out)["papers"] == 2


def test_ask_prints_the_answer_and_its_sources(sample_store: Path, capsys: Capture) -> None:
    out, _ = succeeded(
        capsys, "ask", "How many tasks does OSWorld have?", "--store", str(sample_store)
    )
    text, _, sources = out.partition("\n\n[1] ")
    assert "369" in text
    assert "[1]" in text
    assert sources.startswith("OSWorld")
    assert "“" in sources
    assert max(len(line) for line in out.splitlines()) <= 100


def test_ask_shows_signs_of_markdown_and_terminals_as_plain_text(
    tmp_path: Path, capsys: Capture
) -> None:
    path, store = tmp_path / "papers.jsonl", str(tmp_path / "store")
    abstract = "KiteNet holds *12* <b>kites</b> in the \x1b[31mair for 3_000 hours."
    path.write_text(json.dumps({"title": "KiteNet: Flying Far", "abstract": abstract}))
    succeeded(capsys, "index", str(path), "--store", store)
    out, _ = succeeded(capsys, "ask", "How many kites does KiteNet hold?", "--store", store)
    text, _, sources = " ".join(out.split()).partition(" [1] KiteNet")
    assert "*12* <b>kites</b>" in text
    assert "3_000 hours" in text
    assert "*12* <b>kites</b>" in sources
    assert "**" not in out
    assert "\x1b" not in out


def test_ask_json_is_the_answer_of_the_schema(sample_store: Path, capsys: Capture) -> None:
    out, _ = succeeded(
        capsys, "ask", "How many tasks does OSWorld have?", "--store", str(sample_store), "--json"
    )
    answer = Answer.model_validate_json(out)
    assert answer.status == "answered"
    assert out == answer.model_dump_json() + "\n"


def test_what_the_abstracts_do_not_say_is_said_and_is_no_failure(
    sample_store: Path, capsys: Capture
) -> None:
    question = "What is the boiling point of mercury on the moon?"
    out, _ = succeeded(capsys, "ask", question, "--store", str(sample_store))
    assert out.startswith("The abstracts do not say.")


def test_search_lists_the_best_paper_first(sample_store: Path, capsys: Capture) -> None:
    arguments = ["search", "merging task vectors", "--limit", "3", "--store", str(sample_store)]
    out, _ = succeeded(capsys, *arguments)
    assert out.startswith("1. AdaMerging")
    out, _ = succeeded(capsys, *arguments, "--json")
    hits = json.loads(out)
    assert len(hits) == 3
    assert hits[0]["paper"]["title"].startswith("AdaMerging")


def test_doctor_finds_everything_well(sample_store: Path, capsys: Capture) -> None:
    out, _ = succeeded(capsys, "doctor", "--store", str(sample_store), "--json")
    report = json.loads(out)
    assert report["ok"] is True
    names = [check["name"] for check in report["checks"]]
    assert names == ["Python", "settings", "encoder", "index", "page", "answers"]


def test_doctor_says_what_to_do_without_an_index(tmp_path: Path, capsys: Capture) -> None:
    assert main(["doctor", "--store", str(tmp_path / "none")]) == 1
    out = capsys.readouterr().out
    (problem,) = [line for line in out.splitlines() if line.startswith("problem")]
    assert "abstractqa index" in problem


def test_eval_answers_writes_a_run(sample_store: Path, tmp_path: Path, capsys: Capture) -> None:
    questions = tmp_path / "questions.jsonl"
    title = (
        "OSWorld: Benchmarking Multimodal Agents for Open-Ended Tasks in Real Computer Environments"
    )
    asked = {
        "id": "q1",
        "type": "fact",
        "question": "How many tasks does OSWorld have?",
        "answerable": True,
        "papers": [title],
        "nuggets": [["369"]],
    }
    questions.write_text(json.dumps(asked) + "\n")
    run = tmp_path / "run"
    out, _ = succeeded(
        capsys,
        *("eval", "answers", str(questions), "--store", str(sample_store)),
        *("--out", str(run), "--json"),
    )
    assert json.loads(out) == json.loads((run / "metrics.json").read_text())
    assert (run / "answers.jsonl").exists()
    assert (run / "report.html").exists()


def test_eval_retrieval_writes_a_run(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    data = tmp_path / "data"
    (data / "qrels").mkdir(parents=True)
    (data / "corpus.jsonl").write_text(
        '{"_id": "k", "title": "Kites", "text": "Kites fly in the wind."}\n'
        '{"_id": "b", "title": "Boats", "text": "Boats float on rivers."}\n'
    )
    (data / "queries.jsonl").write_text('{"_id": "q", "text": "what floats on a river?"}\n')
    (data / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\tb\t1\n")
    run = tmp_path / "run"
    out, _ = succeeded(capsys, "eval", "retrieval", str(data), "--out", str(run))
    assert "ndcg" in out.lower()
    assert (run / "run.trec").read_text().startswith("q Q0 b 1 ")


@pytest.mark.parametrize("arguments", [["index"], ["index", ""], ["index", "no/such/path"]])
def test_a_missing_or_empty_path_is_one_clear_line(arguments: list[str], capsys: Capture) -> None:
    failed(capsys, *arguments)


def test_files_that_hold_no_papers_are_one_clear_line(tmp_path: Path, capsys: Capture) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    failed(capsys, "index", str(empty))
    binary = tmp_path / "x.txt"
    binary.write_bytes(bytes(range(256)) * 40)
    failed(capsys, "index", str(binary))
    failed(capsys, "index", str(digest(tmp_path)), "--format", "stone-tablet")
    failed(capsys, "index", str(digest(tmp_path)), "--year", "20255")


def test_bad_files_leave_the_published_index_alone(tmp_path: Path, capsys: Capture) -> None:
    store = str(tmp_path / "store")
    succeeded(capsys, "index", str(digest(tmp_path)), "--store", store)
    binary = tmp_path / "x.txt"
    binary.write_bytes(bytes(range(256)) * 40)
    failed(capsys, "index", str(binary), "--store", store)
    out, _ = succeeded(capsys, "search", "kites", "--store", store)
    assert "KiteNet" in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["ask", ""], "empty"),
        (["ask", "   "], "empty"),
        (["ask", "x" * 100_000], "4,000"),
        (["ask", "bad \udcff bytes"], "UTF-8"),
        (["ask", "What is OSWorld?", "--digest", "no such digest"], "no such digest"),
        (["ask", "What is OSWorld?", "--since", "someday"], "2025-03-14"),
        (["ask", "What is OSWorld?", "--since", "2025-04-01", "--until", "2025-03-01"], "after"),
        (["search", "agents", "--limit", "0"], "--limit 0"),
        (["search", ""], "empty"),
        (["ui", "--port", "0"], "--port 0"),
        (["ui", "--host", "no.such.host.invalid"], "no.such.host.invalid"),
        (["eval", "answers", "no-such-questions.jsonl"], "no-such-questions.jsonl"),
    ],
)
def test_bad_input_is_one_clear_line(
    arguments: list[str], says: str, sample_store: Path, capsys: Capture
) -> None:
    assert says in failed(capsys, *arguments, "--store", str(sample_store))


def test_a_broken_dataset_is_one_clear_line(tmp_path: Path, capsys: Capture) -> None:
    assert "no-such-folder" in failed(capsys, "eval", "retrieval", str(tmp_path / "no-such-folder"))


@pytest.mark.parametrize("command", [["ask", "why?"], ["search", "kites"], ["ui"]])
def test_a_store_that_is_none_is_one_clear_line(
    command: list[str], tmp_path: Path, capsys: Capture
) -> None:
    assert "abstractqa index" in failed(capsys, *command, "--store", str(tmp_path / "none"))
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "notes.txt").write_text("not an index")
    assert "is not an index" in failed(capsys, *command, "--store", str(foreign))
    file = tmp_path / "file"
    file.write_text("")
    assert "is a file" in failed(capsys, *command, "--store", str(file))


def test_undo_without_an_earlier_index_is_one_clear_line(tmp_path: Path, capsys: Capture) -> None:
    failed(capsys, "index", "--undo", "--store", str(tmp_path / "none"))
    failed(capsys, "index", "--undo", str(tmp_path), "--store", str(tmp_path / "none"))


def test_an_unknown_setting_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("ABSTRACTQA_COLOUR", "blue")
    assert "ABSTRACTQA_COLOUR" in failed(capsys, "ask", "why?")


@pytest.mark.parametrize(
    "arguments",
    [[], ["fly"], ["ask"], ["search", "x", "--limit", "ten"], ["ask", "x", "--store", ""]],
)
def test_wrong_usage_is_exit_code_2(arguments: list[str], capsys: Capture) -> None:
    assert main(arguments) == 2
    assert "usage:" in capsys.readouterr().err


def test_an_interrupt_is_one_line_and_130(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("rag.settings.load_settings", interrupt)
    assert main(["ask", "why?"]) == 130
    assert capsys.readouterr().err == "abstractqa: interrupted\n"


def run(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # type: ignore[call-overload,no-any-return]
        [COMMAND, *arguments], capture_output=True, text=True, check=False, timeout=60, **options
    )


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from ui.cli import main; main(['--help']);"
        "sys.exit(any(m in sys.modules for m in ('gradio', 'torch', 'chromadb', 'pydantic')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_installed_command_answers_in_a_process_of_its_own(sample_store: Path) -> None:
    done = run("ask", "How many tasks does OSWorld have?", "--store", str(sample_store), "--json")
    assert done.returncode == 0, done.stderr
    assert Answer.model_validate_json(done.stdout).status == "answered"
    assert done.stderr == ""


def test_the_installed_command_fails_in_one_line(tmp_path: Path) -> None:
    done = run("ask", "why?", "--store", str(tmp_path / "none"))
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1


def test_the_page_is_served_until_interrupted(sample_store: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    arguments = [COMMAND, "ui", "--port", port, "--store", str(sample_store)]
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as serving:
        assert serving.stderr is not None
        assert f"http://127.0.0.1:{port}" in serving.stderr.readline()
        with urlopen(f"http://127.0.0.1:{port}") as page:
            assert b"AbstractQA" in page.read()
        serving.send_signal(signal.SIGINT)
        assert serving.stderr.read() == "abstractqa: interrupted\n"
    assert serving.returncode == 130


def test_a_reader_that_stops_early_is_no_error(sample_store: Path) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "w") as closed:
        done = subprocess.run(
            [COMMAND, "search", "agents", "--store", str(sample_store)],
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )
    assert (done.returncode, done.stderr) == (0, "")
