"""A conversation in the terminal, line by line."""

import io
import json
from pathlib import Path

import pytest
from running import Capture

from rag import Assistant, Filters
from ui.terminal_chat import TerminalChat


def talk(assistant: Assistant, monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(lines)))
    TerminalChat(assistant, Filters(), "extractive").run()


def test_questions_follow_one_another_and_are_kept_in_a_file(
    sample_assistant: Assistant, monkeypatch: pytest.MonkeyPatch, capsys: Capture, tmp_path: Path
) -> None:
    file = tmp_path / "talk.json"
    talk(
        sample_assistant, monkeypatch,
        "What is OSWorld?", "How well do people do on it?", "/sources", f"/export {file}", "/quit",
        "never asked",
    )  # fmt: skip
    out, err = capsys.readouterr()
    assert "72.36%" in out
    assert out.count("OSWorld: Benchmarking Multimodal Agents") >= 2
    assert f"written to {file}" in err
    turns = json.loads(file.read_text())["turns"]
    assert [turn["question"] for turn in turns] == [
        "What is OSWorld?", "How well do people do on it?",
    ]  # fmt: skip


def test_what_cannot_be_done_is_one_line_and_the_next_line_is_read(
    sample_assistant: Assistant, monkeypatch: pytest.MonkeyPatch, capsys: Capture, tmp_path: Path
) -> None:
    talk(
        sample_assistant, monkeypatch,
        "/sources", "/export x.md", "/nothing", "", "What is OSWorld?", "/export x.docx",
        f"/export {tmp_path}/none/x.md", "/new", "/sources", "/help",
    )  # fmt: skip
    out, err = capsys.readouterr()
    assert [line.partition(";")[0].partition(":")[0] for line in err.splitlines()] == [
        "the last answer cites no sentence",
        "there is nothing to export yet",
        "there is no /nothing",
        "/export needs the name of a file that ends in one of .md, .html, .json, .bib, .ris, .csv",
        f"{tmp_path}/none/x.md", "A new conversation.", "the last answer cites no sentence",
    ]  # fmt: skip
    assert "369" in out
    assert "/export FILE" in out
