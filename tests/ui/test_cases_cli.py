"""`abstractqa eval cases`: what readers thought of answers, listed and measured."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from running import Capture, failed, succeeded

from eval.feedback import FILE, Feedback, append
from rag.schema import Filters

if TYPE_CHECKING:
    from rag import Assistant

WHEN = datetime(2025, 5, 2, 12, 30, tzinfo=UTC)


def test_votes_are_listed_and_become_cases_that_are_measured(
    tmp_path: Path,
    sample_store: Path,
    sample_assistant: "Assistant",
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    votes = tmp_path / "data" / FILE
    monkeypatch.setenv("ABSTRACTQA_DATA", str(votes.parent))
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

    path = tmp_path / "cases.jsonl"
    _, told = succeeded(capsys, "eval", "cases", "--out", str(path))
    assert f"2 cases in {path}" in told
    assert "1 left out" in told
    assert "1 voted down" in told
    measured = ("eval", "answers", str(path), "--store", str(sample_store))
    out, _ = succeeded(capsys, *measured, "--out", str(tmp_path / "run"), "--json")
    assert set(json.loads(out)["by_type"]) == {"upvoted", "downvoted"}


def test_without_votes_it_is_said_where_they_come_from(tmp_path: Path, capsys: Capture) -> None:
    out, told = succeeded(capsys, "eval", "cases")
    assert out == ""
    assert "thumbs" in told
    assert "nothing to write" in failed(capsys, "eval", "cases", "--out", str(tmp_path / "x"))
    assert not (tmp_path / "x").exists()
