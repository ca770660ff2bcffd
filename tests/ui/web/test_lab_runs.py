"""The lab's runs without a browser: which there are, and what is shown of them."""

import html
import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
from measured_runs import make_runs

from eval.runs import Run
from index.embedding import SentenceEncoder
from index.errors import InputError
from rag import Assistant
from ui.cli import build_parser
from ui.web.lab.lab_tab import Reports, find_run, measured_runs, report_html, runs_html
from ui.web.site import Site


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


def within(frame: str) -> str:
    """The page inside a frame."""
    (source,) = re.findall(r'srcdoc="([^"]*)"', frame)
    return html.unescape(source)


def test_finished_runs_are_found_wherever_they_are_the_newest_first(made: Path) -> None:
    found = measured_runs(made)
    assert [(run.name, run.state) for run in found] == [
        ("peers/bm25", "finished"), ("ours", "finished"),
    ]  # fmt: skip
    ours = found[1]
    assert (ours.system, ours.dataset, ours.questions) == ("AbstractQA", "made.jsonl", 4)
    assert ours.figures["right"].n == 4


def test_runs_that_cannot_be_shown_say_why(runs: Path) -> None:
    record = {"kind": "answers", "system": "ours", "dataset": {"name": "d", "questions": 2}}
    with Run.begin(runs / "half", "d", record, [{"id": "1"}, {"id": "2"}]) as half:
        half.append({"id": "1"})
    (runs / "broken").mkdir()
    (runs / "broken" / "run.json").write_text("{")
    for name, text in (("torn", "{"), ("odd", "[]"), ("strange", '{"intervals": 3}')):
        shutil.copytree(runs / "ours", runs / name)
        (runs / name / "metrics.json").write_text(text)
    Run.begin(runs / "judged", "d", {"kind": "ratings"}, []).close()
    found = {run.name: (run.state, run.problem) for run in measured_runs(runs)}
    assert found["half"][0] == "unfinished"
    assert "1 of 2 questions" in found["half"][1]
    for name in ("broken", "torn", "odd", "strange"):
        assert found[name][0] == "damaged"
        assert "make the run anew" in found[name][1]
    assert found["judged"][0] == "of another kind"
    assert "1 of 2 questions" in runs_html(measured_runs(runs))
    with pytest.raises(InputError, match="no finished run 'half'"):
        find_run(runs, "half")


def test_a_name_that_is_no_run_opens_no_folder(made: Path) -> None:
    for name in ("../made/runs/ours", "/etc", "ours/", "peers", ""):
        with pytest.raises(InputError, match="there is no finished run"):
            report_html(made / "peers", name)
    with pytest.raises(InputError, match="two different runs"):
        report_html(made, "ours", "ours")


def test_without_runs_the_commands_that_make_one_can_be_copied(tmp_path: Path) -> None:
    assert measured_runs(tmp_path / "none") == []
    commands = runs_html([]).partition("<code>")[2].partition("</code>")[0].splitlines()
    made, measured = (build_parser().parse_args(shlex.split(line)[1:]) for line in commands)
    assert measured.questions == made.out / "questions.jsonl"


def test_a_report_is_the_one_of_the_command_in_a_frame_without_scripts(made: Path) -> None:
    shown = report_html(made, "ours")
    assert within(shown) == (made / "ours" / "report.html").read_text()
    assert " sandbox " in shown
    compared = report_html(made, "ours", "peers/bm25")
    assert "4 questions in both" in compared
    assert "nugget_recall" in compared


def test_names_from_runs_are_text_on_the_page(runs: Path) -> None:
    record = runs / "ours" / "run.json"
    hostile = "<img src=x onerror=alert(1)> ${alert(2)} {{x}}"
    record.write_text(json.dumps({**json.loads(record.read_text()), "system": hostile}))
    (runs / "ours" / "report.html").write_text(f'"><script>{hostile}</script>')
    for page in (
        runs_html(measured_runs(runs)),
        report_html(runs, "ours"),
        report_html(runs, "ours", "peers/bm25"),
    ):
        assert not re.search(r"<img|<script|[{$]", page)


def test_a_run_of_another_version_is_a_problem_in_one_line(runs: Path, site: Site) -> None:
    (runs / "ours" / "scores.jsonl").write_text('{"from_the_future": 1}\n')
    reports = Reports(site)
    reports.root = runs
    shown = reports.show("ours", "peers/bm25")
    assert 'role="alert"' in shown
    assert "<pre" not in shown
    assert "There is no finished run" in reports.show("gone", None)
