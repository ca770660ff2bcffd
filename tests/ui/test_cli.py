"""The `abstractqa` command: what it prints, and how it ends."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from chat_server import ChatServer, fails, says, streams
from running import Capture, digest, failed, one_line, run, succeeded

from rag.schema import Answer
from ui.cli import main


def test_index_prints_json_and_messages_go_to_stderr(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "papers.jsonl"
    good = {"title": "KiteNet: Flying Far", "abstract": "KiteNet keeps 12 kites in the air."}
    path.write_text(json.dumps(good) + "\n" + "{broken\n" * 30, encoding="utf-8")
    assert main(["index", str(path), "--store", str(tmp_path / "s"), "--json"]) == 1
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert (report["new"], report["rejected"], report["papers"]) == (1, 30, 1)
    assert len(report["problems"]) == 30
    assert "papers.jsonl:2: " in err
    assert "… and 10 more" in err


def test_a_preview_tells_all_and_writes_nothing(tmp_path: Path, capsys: Capture) -> None:
    path, store = digest(tmp_path), tmp_path / "store"
    path.write_text(path.read_text() + "\nA title without an abstract\n")
    preview = ("index", str(path), "--preview", "--store", str(store))
    out, err = succeeded(capsys, *preview)
    assert "new  KiteNet: Flying Far\n" in out
    assert "2 new, 0 unchanged, 0 updated, 0 duplicate, 1 rejected\n" in out
    assert "would contain 2 papers; nothing was written" in out
    assert err.splitlines()[1].startswith("march.txt:13: ")
    out, _ = succeeded(capsys, *preview, "--json")
    told = json.loads(out)
    assert [entry["state"] for entry in told["entries"]] == ["new", "new"]
    assert (told["new"], told["rejected"], told["problems"][0]["line"]) == (2, 1, 13)
    assert not store.exists()
    path.with_name("march.jsonl").write_text('{"title": "A", "abstract": "B"}\n{broken\n')
    assert main(["index", str(tmp_path), "--preview", "--store", str(store)]) == 1


def test_papers_are_removed_and_an_undo_brings_them_back(tmp_path: Path, capsys: Capture) -> None:
    store = ("--store", str(tmp_path / "store"))
    succeeded(capsys, "index", str(digest(tmp_path)), *store)
    out, err = succeeded(capsys, "index", "--remove", "kitenet: flying far", *store)
    assert out.startswith("removed KiteNet: Flying Far\n1 papers and 1 sentences in ")
    assert err == ""
    assert "On boats" in failed(capsys, "index", "--remove", "boats", *store)
    assert "every paper" in failed(capsys, "index", "--remove", "On boats and rivers", *store)
    succeeded(capsys, "index", "--undo", *store)
    out, _ = succeeded(capsys, "search", "kites", "--limit", "1", *store, "--json")
    (hit,) = json.loads(out)
    assert hit["paper"]["title"] == "KiteNet: Flying Far"
    out, _ = succeeded(capsys, "index", "--remove", hit["paper"]["id"], *store, "--json")
    report = json.loads(out)
    assert (report["removed"][0]["id"], report["papers"]) == (hit["paper"]["id"], 1)


def test_doctor_says_what_to_do(
    sample_store: Path, tmp_path: Path, capsys: Capture, configured_model: ChatServer
) -> None:
    doctor = ("doctor", "--store", str(sample_store))
    configured_model.script = [says("ok"), says("ok"), fails(401)]
    report = json.loads(succeeded(capsys, *doctor, "--json")[0])
    assert report["ok"] is True
    names = [check["name"] for check in report["checks"]]
    assert names == ["settings", "encoder", "index", "page", "answers"]
    out, _ = succeeded(capsys, *doctor)
    assert "written by scripted" in out
    assert "checked by 'local'" in out
    for store, told in ((sample_store, "the chat model's key"), (tmp_path, "abstractqa index")):
        code = main(["doctor", "--store", str(store)])
        out, err = capsys.readouterr()
        (problem,) = [line for line in out.splitlines() if line.startswith("problem")]
        assert told in problem
        assert told in one_line(code, err)
        configured_model.script = [says("ok")]


@pytest.mark.parametrize("line", ["", "fly", "ask", "search x --limit ten", "ask x --store="])
def test_wrong_usage_is_exit_code_2(line: str, capsys: Capture) -> None:
    assert main(line.split()) == 2
    assert "usage:" in capsys.readouterr().err


def test_a_shell_completes_what_is_typed(capsys: Capture) -> None:
    script, _ = succeeded(capsys, "completion", "bash")
    for line, offered in {
        "abstractqa se": "search",
        "abstractqa ask --di": "--digest",
        "abstractqa eval co": "compare",
        "abstractqa completion z": "zsh",
        "abstractqa index pyproj": "pyproject.toml",
    }.items():
        typed = f"COMP_WORDS=({line}); COMP_CWORD={len(line.split()) - 1}"
        told = f'{script}\n{typed}; _shtab_abstractqa; echo "${{COMPREPLY[@]}}"'
        done = subprocess.run(["bash", "-c", told], capture_output=True, text=True, check=True)
        assert done.stdout.split() == [offered]
    zsh, _ = succeeded(capsys, "completion", "zsh")
    assert zsh.startswith("autoload -Uz compinit && compinit\n#compdef abstractqa")


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from ui.cli import main; main(['--help']);"
        "sys.exit(any(m in sys.modules for m in ('gradio', 'torch', 'chromadb', 'pydantic')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_refusal_or_a_reader_that_stops_is_no_error(sample_store: Path, capsys: Capture) -> None:
    done = run("ask", "How many tasks does OSWorld have?", "--store", str(sample_store), "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert Answer.model_validate_json(done.stdout).status == "answered"
    out, _ = succeeded(capsys, "ask", "Who sang on the moon?", "--store", str(sample_store))
    assert out.startswith("The abstracts do not say.")
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "w") as closed:
        done = run("search", "agents", "--store", str(sample_store), stdout=closed)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("setting", ["SUPPORT_CHECKER", "CHAT_TOKENIZER", "CHAT_PRICE"])
@pytest.mark.parametrize("command", [["doctor"], ["ask", "How many tasks does OSWorld have?"]])
def test_what_is_beside_the_chat_model_is_looked_at_before_that_is_asked(
    sample_store: Path, capsys: Capture, configured_model: ChatServer,
    monkeypatch: pytest.MonkeyPatch, setting: str, command: list[str],
) -> None:  # fmt: skip
    monkeypatch.setenv(f"ABSTRACTQA_{setting}", "/no/such/file.json")
    configured_model.script = lambda _: says("ok")
    assert main([*command, "--store", str(sample_store)]) == 1
    said = capsys.readouterr().err
    assert setting in said
    assert len(said.strip().splitlines()) == 1
    assert not configured_model.received


def test_ask_says_what_the_abstracts_do_not_bear_out(
    sample_store: Path, capsys: Capture, configured_model: ChatServer
) -> None:
    written = "OSWorld has 369 tasks that involve web and desktop applications. It has 512 tasks."
    configured_model.script = [streams(written), says("1. It differs."), fails(401)]
    question = ("ask", "How many tasks does OSWorld have?", "--store", str(sample_store))
    out, _ = succeeded(capsys, *question)
    assert "Not fully supported by the abstracts:\n  - “It has 512 tasks.” (" in out
    out, _ = succeeded(capsys, *question)
    assert "These are quotes, since no model wrote the answer" in out
