import json
from dataclasses import replace
from pathlib import Path

import pytest
from recording import recorded

from eval.changes import as_json, compare_runs
from eval.runs import load_run
from index.errors import InputError

IDS = [f"q{number}" for number in range(1, 13)]


def column(*wrong: str) -> dict[str, float | None]:
    return {id_: float(id_ not in wrong) for id_ in IDS}


def test_a_comparison_names_what_got_better_and_worse_question_by_question(tmp_path: Path) -> None:
    words: dict[str, float | None] = dict.fromkeys(IDS, 80.0)
    before = recorded(tmp_path / "a", {"right": column("q1", "q2"), "words": words})
    after = recorded(tmp_path / "b", {"right": column("q2", "q3"), "words": {**words, "q1": 90.0}})
    compared = compare_runs(before, after)
    right, length = compared.metrics["right"], compared.metrics["words"]
    assert (right.better, right.worse) == (("q1",), ("q3",))
    assert (right.before.mean, right.after.mean) == (10 / 12, 10 / 12)
    assert right.difference.mean == 0
    assert (length.better, length.worse) == ((), ("q1",))
    assert (compared.negative_flips, compared.positive_flips) == (("q3",), ("q1",))
    assert as_json(compared)["negative_flip_rate"] == 1 / 12


def test_only_questions_of_both_runs_are_compared(tmp_path: Path) -> None:
    before = recorded(tmp_path / "a", {"right": {"q1": 1.0, "q2": 1.0, "q3": None}})
    after = recorded(tmp_path / "b", {"right": {"q2": 0.0, "q3": 1.0, "q4": 0.0}})
    compared = compare_runs(before, after)
    assert compared.questions == 2
    assert compared.metrics["right"].before.n == 1
    assert compared.negative_flips == ("q2",)


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
    assert compared.differs == ("the questions or their labels", "the checker of support")
    assert list(compared.metrics) == ["right"]
    assert compare_runs(before, before).differs == ()
