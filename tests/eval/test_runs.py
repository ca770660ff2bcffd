import json
import re
from pathlib import Path

import pytest

from eval.runs import environment, format_summary, new_run_folder, write_metrics
from index.errors import InputError


def test_a_run_goes_to_runs_by_dataset_and_time_unless_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = new_run_folder(None, "bogs")
    assert re.fullmatch(r"runs/bogs-\d{8}T\d{6}Z", str(folder))
    assert folder.is_dir()
    assert new_run_folder(tmp_path / "a" / "b", "bogs") == tmp_path / "a" / "b"


def test_an_empty_folder_is_used_and_one_with_files_is_refused(tmp_path: Path) -> None:
    assert new_run_folder(tmp_path, "bogs") == tmp_path
    (tmp_path / "metrics.json").write_text("{}")
    with pytest.raises(InputError, match="is not empty"):
        new_run_folder(tmp_path, "bogs")
    with pytest.raises(InputError, match=r"cannot write a run to .*metrics\.json"):
        new_run_folder(tmp_path / "metrics.json", "bogs")


def test_the_record_names_versions_and_nothing_of_the_machine() -> None:
    recorded = environment()
    assert list(recorded) == ["date", "python", "packages"]
    assert str(recorded["date"]).endswith("+00:00")
    assert str(Path.home()) not in json.dumps(recorded)


def test_metrics_are_written_as_they_are_returned(tmp_path: Path) -> None:
    write_metrics(tmp_path, {"b": {"recall": 0.5, "none": None}, "a": 1})
    assert json.loads((tmp_path / "metrics.json").read_text()) == {
        "b": {"recall": 0.5, "none": None},
        "a": 1,
    }


def test_the_summary_has_a_line_for_each_section_and_type() -> None:
    metrics = {
        "run": "bogs-1",
        "dataset": {"name": "bogs.jsonl"},
        "answers": {"nuggets": {"recall": 0.51234}, "words": {"median": None}},
        "retrieval": {"questions": 3},
        "environment": {"date": "today"},
    }
    assert format_summary(metrics).splitlines() == [
        "run                     bogs-1",
        "dataset                 name bogs.jsonl",
        "nuggets                 recall 0.512",
        "words                   median –",
        "retrieval               questions 3",
    ]
