"""What people see in a terminal: answers, log lines, and a conversation line by line."""

import io
import json
import logging
from pathlib import Path

import pytest
from running import Capture
from web.chat_answers import answer, claim, paper, refusal, span

from rag import Assistant, Filters
from rag.schema import Hit, Passage
from ui.terminal import Chat, LogLines, answer_text, hits_text


def talk(assistant: Assistant, monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(lines)))
    Chat(assistant, Filters(), "extractive").run()


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


def test_a_refusal_lists_the_nearest_papers_and_an_unclear_question_what_may_be_meant() -> None:
    told = "The abstracts do not say. Nope.\n\nThe nearest papers:\n  - Kites: A Survey"
    assert answer_text(refusal("Nope.")) == told
    unclear = refusal("Which one?", suggestions=("What is “Kite One”?",))
    assert answer_text(unclear) == "Which one?\n\nAsk instead:\n  - What is “Kite One”?"


def test_signs_of_markdown_are_shown_and_sequences_that_repaint_a_terminal_are_left_out() -> None:
    signs = "KiteNet holds *12* <kites> for 3_000 hours."
    repaints = signs.replace("<kites>", "\x1b[31m<kites>")
    shown = answer_text(answer(claim(repaints, span(paper(signs, "Kites"), signs))))
    assert "*12* [31m<kites> for 3_000 hours." in shown
    assert not set(shown) & set("\x1b\x07\x9b")
    evil = paper("It rings.\x07 \x9b2J", "Red\x1b[31m title")
    shown = hits_text([Hit(paper=evil, score=1, passages=(Passage(start=0, end=9, text="\x07!"),))])
    assert not set(shown) & set("\x1b\x07\x9b")


def test_a_log_line_is_bounded_and_nobody_can_forge_another() -> None:
    lines = LogLines()
    sent = logging.LogRecord("page", logging.WARNING, "", 1, "no %s", ("a\nb\x1b[2J" * 500,), None)
    shown = lines.format(sent)
    assert shown.startswith("page: no a\\nb\\x1b[2J")
    assert len(shown.splitlines()) == 1
    assert len(shown) < 1_000
