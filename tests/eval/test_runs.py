import json
from dataclasses import replace
from pathlib import Path

import pytest
from handmade import recorded

from eval.changes import against_first, board, compare_runs, comparison_text
from eval.runs import QuestionScore, Run, load_run
from index.errors import InputError

RECORD = {"kind": "answers", "system": "ours", "configuration": {"mode": "auto"}}
ASKED = [{"id": "q1", "question": "How tall is it?"}]


def test_a_finished_run_and_what_is_no_run_are_never_written_to(tmp_path: Path) -> None:
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
    (tmp_path / "run.json").unlink()
    with pytest.raises(InputError, match="not empty, and is not a run"):
        Run.begin(tmp_path, "bogs", RECORD, ASKED)


def test_what_came_back_is_on_disk_at_once_and_there_for_the_same_code_after_a_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run.begin(tmp_path, "bogs", RECORD, ASKED)
    run.append({"id": "q1", "answer": "90\u2028m"})
    with pytest.raises(InputError, match="another process is writing"):
        Run.begin(tmp_path, "bogs", RECORD, ASKED)
    run.close()
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["versions"]["numpy"]
    assert str(tmp_path) not in json.dumps(record)
    again = Run.begin(tmp_path, "bogs", RECORD, ASKED)
    assert again.came_back == {"q1": {"id": "q1", "answer": "90\u2028m"}}
    again.close()
    monkeypatch.setattr("eval.runs.code_hash", lambda: "another")
    with pytest.raises(InputError, match="begun with another code"):
        Run.begin(tmp_path, "bogs", RECORD, ASKED)


def test_a_folder_that_is_no_finished_run_is_refused_with_what_to_do(tmp_path: Path) -> None:
    Run.begin(tmp_path / "half", "d", {"kind": "answers", "system": "ours"}, [])
    with pytest.raises(InputError, match=r"is not finished: give the command .* --out"):
        load_run(tmp_path / "half")
    recorded(tmp_path / "whole", {"right": {"q1": 1.0}})
    scores = tmp_path / "whole" / "scores.jsonl"
    scores.write_text('{"id": "q1"}\n')
    with pytest.raises(InputError, match=r"scores\.jsonl:1: field values"):
        load_run(tmp_path / "whole")


IDS = [f"q{number}" for number in range(1, 13)]


def column(*wrong: str) -> dict[str, float | None]:
    return {id_: float(id_ not in wrong) for id_ in IDS}


def test_a_comparison_names_what_got_better_and_worse_question_by_question(tmp_path: Path) -> None:
    words: dict[str, float | None] = dict.fromkeys(IDS, 80.0)
    one: dict[str, float | None] = {**column("q1", "q2"), "only before": 0.0, "unmeasured": None}
    other: dict[str, float | None] = {**column("q2", "q3"), "only after": 0.0, "unmeasured": 1.0}
    before = recorded(tmp_path / "a", {"right": one, "words": words})
    after = recorded(tmp_path / "b", {"right": other, "words": {**words, "q1": 90.0}})
    compared = compare_runs(before, after)
    right, length = compared["metrics"]["right"], compared["metrics"]["words"]
    assert (right.higher, right.lower) == (("q1",), ("q3",))
    assert (right.before.mean, right.after.mean) == (10 / 12, 11 / 13)
    assert right.difference.mean == 0
    assert (length.higher, length.lower) == (("q1",), ())
    assert compared["negative_flips"] == {"q3": "(fact): What is q3?"}
    assert list(compared["positive_flips"]) == ["q1"]
    assert compared["questions"] == 13, "of both runs"
    assert right.before.n == 12
    assert compared["negative_flip_rate"] == 1 / 12
    row = next(line for line in comparison_text(compared).splitlines() if "| words" in line)
    assert [cell.strip() for cell in row.split("|")[-3:-1]] == ["0", "1"], "more words are worse"


def test_runs_that_cannot_be_compared_are_refused(tmp_path: Path) -> None:
    answers = recorded(tmp_path / "a", {"right": {"q1": 1.0}})
    ranking = recorded(tmp_path / "b", {"hit@1": {"q1": 1.0}}, kind="retrieval")
    other = recorded(tmp_path / "c", {"right": {"x1": 1.0}})
    with pytest.raises(InputError, match="compare runs of one kind"):
        compare_runs(answers, ranking)
    with pytest.raises(InputError, match="no question in common"):
        compare_runs(answers, other)
    asked = tmp_path / "c" / "questions.jsonl"
    asked.write_text(json.dumps({"id": "q1", "question": "Who?"}) + "\n")
    scored = tmp_path / "c" / "scores.jsonl"
    scored.write_text(scored.read_text().replace("x1", "q1"))
    with pytest.raises(InputError, match="question 'q1' is “What is q1"):
        compare_runs(answers, load_run(tmp_path / "c"))


def test_labels_papers_and_checkers_that_differ_are_named(tmp_path: Path) -> None:
    before = recorded(tmp_path / "a", {"right": column(), "alce_recall": column()})
    record = {**before.record, "dataset": {"sha256": "2"}, "configuration": {"support": "nli"}}
    compared = compare_runs(before, replace(before, record=record))
    assert compared["differs"] == ["the questions or their labels", "the checker of support"]
    assert list(compared["metrics"]) == ["right"]
    assert compare_runs(before, before)["differs"] == []


def test_systems_are_rows_with_intervals_and_p_against_the_first(tmp_path: Path) -> None:
    ours = recorded(tmp_path / "a", {"nDCG@10": column("q1")}, kind="retrieval")
    theirs = {"nDCG@10": column(*IDS[:10])}
    peer = recorded(tmp_path / "b", theirs, kind="retrieval", system="peer")
    head, _, first, second = board([ours, peer]).splitlines()
    assert head.split("|")[1].strip() == "system"
    assert "| ours" in first
    assert "**.917 [" in first
    assert ".167 [" in second
    assert "**" not in second
    none, p = against_first([ours, peer], "nDCG@10")
    assert none is None
    assert p is not None
    assert p < 0.01
    assert f"{p:.3f}".lstrip("0") in second
