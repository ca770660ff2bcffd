"""The evaluation tab without a browser: which runs there are, and what is shown of them."""

import json
import os
import shlex
import shutil
from pathlib import Path

import pytest
from measured_runs import QUESTIONS, make_runs

from eval.runs import Run
from index.embedding import SentenceEncoder
from index.errors import InputError
from rag import Assistant
from ui.cli import build_parser
from ui.web.evaluation import catalogue as catalogue_module
from ui.web.evaluation.catalogue import Catalogue
from ui.web.evaluation.comparing import (
    changed,
    comparison_html,
    counts,
    direction,
    questions_html,
)
from ui.web.evaluation.details import details_html
from ui.web.evaluation.plots import over_time
from ui.web.evaluation.question import question_html
from ui.web.evaluation.runs_table import runs_html


@pytest.fixture(scope="module")
def made(
    tmp_path_factory: pytest.TempPathFactory,
    sample_assistant: Assistant,
    sample_store: Path,
    encoder: SentenceEncoder,
) -> Path:
    folder = tmp_path_factory.mktemp("made") / "runs"
    make_runs(folder, sample_assistant, sample_store, encoder)
    return folder


@pytest.fixture
def runs(made: Path, tmp_path: Path) -> Path:
    """The two runs, to be written into."""
    return Path(shutil.copytree(made, tmp_path / "runs"))


def test_finished_runs_are_found_wherever_they_are_the_newest_first(made: Path) -> None:
    entries = Catalogue(made).entries()
    assert [entry.name for entry in entries] == ["peers/bm25", "ours"]
    assert {entry.state for entry in entries} == {"finished"}
    ours = entries[1]
    assert (ours.system, ours.dataset, ours.questions) == ("AbstractQA", "made.jsonl", 4)
    right = ours.figure("right")
    assert right is not None
    assert right.n == 4


def test_what_is_not_finished_damaged_or_something_else_is_told_and_never_raised(
    runs: Path,
) -> None:
    record = {"kind": "answers", "system": "ours", "dataset": {"name": "d", "questions": 2}}
    with Run.begin(runs / "half", "d", record, [{"id": "1"}, {"id": "2"}]) as half:
        half.append({"id": "1"})
    (runs / "broken").mkdir()
    (runs / "broken" / "run.json").write_text("{")
    for name, text in (("torn", "{"), ("odd", "[]"), ("strange", '{"intervals": 3}')):
        shutil.copytree(runs / "ours", runs / name)
        (runs / name / "metrics.json").write_text(text)
    Run.begin(runs / "judged", "d", {"kind": "ratings"}, []).close()
    found = {entry.name: (entry.state, entry.problem) for entry in Catalogue(runs).entries()}
    assert found["half"] == (
        "unfinished",
        "not finished: 1 of 2 questions; the command that began it goes on",
    )
    for name in ("broken", "torn", "odd", "strange"):
        assert found[name][0] == "damaged"
        assert "make the run anew" in found[name][1]
    assert found["judged"][0] == "of another kind"
    shown = runs_html(Catalogue(runs).entries(), runs)
    assert "1 of 2 questions" in shown
    with pytest.raises(InputError, match="not finished"):
        Catalogue(runs).run("half")


def test_a_run_is_read_again_only_if_its_files_changed(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue, read = Catalogue(runs), []
    original = catalogue_module._read

    def counted(folder: Path, name: str) -> catalogue_module.Entry:
        read.append(name)
        return original(folder, name)

    monkeypatch.setattr(catalogue_module, "_read", counted)
    catalogue.entries()
    catalogue.entries()
    assert len(read) == 2
    metrics = runs / "ours" / "metrics.json"
    metrics.write_text(metrics.read_text())
    os.utime(metrics, ns=(1, 1))
    catalogue.entries()
    assert read[2:] == ["ours"]
    shutil.rmtree(runs / "ours")
    assert [entry.name for entry in catalogue.entries()] == ["peers/bm25"]


def test_a_name_that_is_no_run_opens_no_folder(made: Path) -> None:
    for name in ("../made/runs/ours", "/etc", "ours/", "peers", ""):
        with pytest.raises(InputError, match="there is no run"):
            Catalogue(made / "peers").run(name)
    with pytest.raises(InputError, match="two different runs"):
        Catalogue(made).compare("ours", "ours")


def test_without_runs_the_commands_that_make_one_can_be_copied(tmp_path: Path) -> None:
    shown = runs_html([], tmp_path / "my runs", tmp_path / "my store")
    commands = shown.partition("<code>abstractqa")[2].partition("</code>")[0].splitlines()
    parsed = []
    for command in (f"abstractqa{commands[0]}", commands[1]):
        words = shlex.split(command.replace("&#x27;", "'"))
        parsed.append(build_parser().parse_args(words[1:]))
    assert parsed[0].store == tmp_path / "my store"
    assert parsed[1].questions == parsed[0].out / "questions.jsonl"
    assert parsed[1].out == tmp_path / "my runs" / "first"
    assert Catalogue(tmp_path / "none").entries() == []


def test_names_from_runs_are_text_on_the_page(runs: Path) -> None:
    record = runs / "ours" / "run.json"
    hostile = "<img src=x onerror=alert(1)> ${alert(2)} {{x}}"
    record.write_text(json.dumps({**json.loads(record.read_text()), "system": hostile}))
    catalogue = Catalogue(runs)
    entries = catalogue.entries()
    pages = [
        runs_html(entries, runs),
        details_html(catalogue.run("ours"), "ours"),
        over_time(entries, "right"),
        comparison_html(catalogue.compare("ours", "peers/bm25")),
        question_html(catalogue.compare("ours", "peers/bm25"), "tasks"),
    ]
    for page in pages:
        assert "<img" not in page
        assert "{" not in page
        assert "$" not in page


def test_a_question_is_opened_with_what_both_runs_said_and_what_changed(made: Path) -> None:
    compared = Catalogue(made).compare("peers/bm25", "ours")
    shown = question_html(compared, "people")
    assert "Before<span>BM25 (bm25s)</span>" in shown
    assert "72.36%" in shown
    assert shown.count("OSWorld: Benchmarking Multimodal Agents") >= 2
    assert "Expected: no answer" in question_html(compared, "moon")
    with pytest.raises(InputError, match="no question 'other'"):
        question_html(compared, "other")


def test_questions_are_told_apart_by_what_became_of_them(made: Path) -> None:
    compared = Catalogue(made).compare("peers/bm25", "ours")
    of = changed(compared, "right")
    assert set(of) == {question["id"] for question in QUESTIONS}
    assert "better" in of.values()
    found = counts(compared, "right")
    better = questions_html(compared, "right", ["better"])
    assert better.count("data-question=") == found["better"]
    assert questions_html(compared, "unknown", ["better"]) == (
        '<p class="aqa-evaluation-note">No question is so.</p>'
    )


def test_more_words_are_worse_and_a_refusal_is_neither() -> None:
    assert direction("right", 0.5) == direction("latency_ms", -3.0) == "better"
    assert direction("words", 3.0) == "worse"
    assert direction("refused", 1.0) == direction("right", 0.0) == "same"


def test_an_answer_of_another_version_is_told_and_its_text_kept(runs: Path) -> None:
    path = runs / "ours" / "answers.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        line["answer"]["from_the_future"] = 1
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    shown = question_html(Catalogue(runs).compare("peers/bm25", "ours"), "tasks")
    assert "Another version stored this answer" in shown
    assert "369 tasks" in shown
