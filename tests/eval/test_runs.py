import json
from pathlib import Path

import pytest
from recording import recorded

from eval.runs import QuestionScore, Run, code_hash, environment, load_run
from index.errors import InputError

RECORD = {"kind": "answers", "system": "ours", "configuration": {"mode": "auto"}}
ASKED = [{"id": "q1", "question": "How tall is it?"}]


def test_a_folder_with_anything_else_in_it_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match="not empty, and is no run"):
        Run.begin(tmp_path, "bogs", RECORD, ASKED)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]
    with pytest.raises(InputError, match=r"cannot write a run to .*letter\.txt"):
        Run.begin(tmp_path / "letter.txt", "bogs", RECORD, ASKED)


def test_a_finished_run_is_never_written_to_again(tmp_path: Path) -> None:
    run = Run.begin(tmp_path, "bogs", RECORD, ASKED)
    run.append({"id": "q1", "answer": "90 m"})
    run.finish(
        {"run": "bogs"}, [QuestionScore(id="q1", type="fact", values={"right": 1.0})], "<p>done</p>"
    )
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    names = "run.json questions.jsonl answers.jsonl scores.jsonl metrics.json report.html"
    assert set(before) == set(names.split())
    with pytest.raises(InputError, match="a finished run"):
        Run.begin(tmp_path, "bogs", RECORD, ASKED)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_what_came_back_is_on_disk_at_once_and_there_after_a_kill(tmp_path: Path) -> None:
    run = Run.begin(tmp_path, "bogs", RECORD, ASKED)
    run.append({"id": "q1", "answer": "90\u2028m"})
    with pytest.raises(InputError, match="another process is writing"):
        Run.begin(tmp_path, "bogs", RECORD, ASKED)
    run.close()
    again = Run.begin(tmp_path, "bogs", RECORD, ASKED)
    assert again.came_back == {"q1": {"id": "q1", "answer": "90\u2028m"}}


def test_a_run_begun_by_other_code_is_not_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Run.begin(tmp_path, "bogs", RECORD, ASKED).close()
    monkeypatch.setattr("eval.runs.code_hash", lambda: "another")
    with pytest.raises(InputError, match="begun with another code"):
        Run.begin(tmp_path, "bogs", RECORD, ASKED)


def test_the_record_names_versions_and_nothing_of_the_machine(tmp_path: Path) -> None:
    Run.begin(tmp_path / "run", "bogs", RECORD, ASKED)
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["code"] == code_hash()
    assert record["versions"]["numpy"]
    for known in (record, environment()):
        assert not any(str(folder) in json.dumps(known) for folder in (tmp_path, Path.home()))


def test_a_folder_that_is_no_finished_run_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*run\.json: is .* a run's folder"):
        load_run(tmp_path)
    Run.begin(tmp_path / "half", "d", {"kind": "answers", "system": "ours"}, [])
    with pytest.raises(InputError, match=r"is not finished: give the command .* --out"):
        load_run(tmp_path / "half")
    recorded(tmp_path / "whole", {"right": {"q1": 1.0}})
    scores = tmp_path / "whole" / "scores.jsonl"
    scores.write_text('{"id": "q1"}\n')
    with pytest.raises(InputError, match=r"scores\.jsonl:1: field values"):
        load_run(tmp_path / "whole")
