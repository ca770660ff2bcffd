"""The lab without a browser: which runs there are; who meets, and what a page is told of it."""

import asyncio
import html
import json
import re
import shlex
import shutil
from contextlib import closing
from pathlib import Path

import pytest
from chat_server import ChatServer, fails, streams
from measured_runs import make_runs

from eval.feedback import Vote, read_votes
from eval.runs import Run
from index.embedding import SentenceEncoder
from index.errors import InputError
from rag import Assistant
from rag.schema import Options
from rag.settings import Settings
from ui.cli import build_parser
from ui.web import lab_tab
from ui.web.lab_tab import (
    HOW_TO_BEGIN,
    Arena,
    Battle,
    Runs,
    battle_html,
    contest,
    standings_html,
    ways,
)
from ui.web.site import Site

LIST = "Which papers are about agents?"
TASKS = "How many tasks does OSWorld have?"


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


def test_runs_are_found_wherever_they_are_and_what_is_wrong_with_others_is_said(runs: Path) -> None:
    record = {"kind": "answers", "system": "ours", "dataset": {"name": "d", "questions": 2}}
    Run.begin(runs / "half", "d", record, [{"id": "1"}, {"id": "2"}]).close()
    for name, text in (("torn", "{"), ("odd", "[]"), ("strange", '{"intervals": 3}')):
        shutil.copytree(runs / "ours", runs / name)
        (runs / name / "metrics.json").write_text(text)
    finished, others = Runs(runs).found()
    assert list(finished) == ["peers/bm25", "ours"]
    assert others.pop("half") == "is not finished"
    assert set(others) == {"torn", "odd", "strange"}
    assert set(others.values()) == {"cannot be read: make the run anew"}
    shown = Runs(runs).read("gone")[0]
    assert "AbstractQA on made.jsonl" in shown
    assert "<strong>half</strong> is not finished" in shown


def test_a_report_is_the_one_of_the_command_in_a_frame_without_scripts(made: Path) -> None:
    shown = Runs(made).show("ours")
    (source,) = re.findall(r'srcdoc="([^"]*)"', shown)
    assert html.unescape(source) == (made / "ours" / "report.html").read_text()
    assert " sandbox " in shown


@pytest.mark.parametrize("name", ["../made/runs/ours", "/etc", "ours/", "peers", ""])
def test_a_name_that_is_no_run_opens_no_folder(made: Path, name: str) -> None:
    assert 'role="alert"' in Runs(made / "peers").show(name)


def test_without_runs_the_commands_that_make_one_can_be_copied(tmp_path: Path) -> None:
    assert HOW_TO_BEGIN in Runs(tmp_path / "none").read(None)[0]
    lines = [shlex.split(line)[1:] for line in HOW_TO_BEGIN.splitlines()]
    made, measured = map(build_parser().parse_args, lines)
    assert measured.questions == made.out / "questions.jsonl"


def test_what_runs_say_is_text_on_the_page_and_an_odd_one_is_a_problem(runs: Path) -> None:
    record = runs / "ours" / "run.json"
    hostile = "<img src=x onerror=alert(1)> ${alert(2)} {{x}} ![y](http://z)"
    record.write_text(json.dumps({**json.loads(record.read_text()), "system": hostile}))
    (runs / "ours" / "report.html").write_text(f'"><script>{hostile}</script>')
    shown = Runs(runs)
    for page in (shown.read(None)[0], shown.show("ours")):
        assert not re.search(r"<img|<script|[{$]", page)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only two ways of answering, which differ in how many papers they cite."""
    known = {"Quotes": ("extractive", Options()), "One": ("extractive", Options(sources=1))}
    monkeypatch.setattr(lab_tab, "ways", lambda _: known)


def meet(assistant: Assistant, question: str) -> Battle:
    return asyncio.run(contest(assistant, question))


@pytest.mark.usefixtures("few")
def test_two_meet_by_chance_left_or_right_unless_they_say_the_same(
    sample_assistant: Assistant,
) -> None:
    met = [meet(sample_assistant, LIST) for _ in range(12)]
    assert {each.names for each in met} == {("Quotes", "One"), ("One", "Quotes")}
    for each in met:
        cited = dict(zip(each.names, (len(a.references) for a in each.answers), strict=True))
        assert cited["One"] == 1 < cited["Quotes"]
    with pytest.raises(InputError, match="the same"):
        meet(sample_assistant, TASKS)


def test_a_model_that_fails_takes_no_vote(
    sample_store: Path, encoder: SentenceEncoder, chat_server: ChatServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    settings = Settings(
        store=sample_store, openai_base_url=chat_server.base_url, chat_model="small"
    )
    with closing(Assistant(sample_store, encoder, settings=settings)) as assistant:
        known = {name: way for name, way in ways(assistant).items() if name in ("small", "Quotes")}
        monkeypatch.setattr(lab_tab, "ways", lambda _: known)
        chat_server.script = lambda _: streams("OSWorld has 369 tasks [1.1].")
        met = meet(assistant, TASKS)
        assert met.answers[met.names.index("small")].model == "small"
        chat_server.script = lambda _: fails(400)
        with pytest.raises(InputError, match="small could not answer"):
            meet(assistant, TASKS)


@pytest.mark.usefixtures("few")
def test_a_battle_is_blind_until_its_one_vote(site: Site) -> None:
    arena, battle = Arena(site), meet(site.assistant, LIST)
    blind = battle_html(battle)
    assert not any(word in blind for word in ("Quotes", "One", "is set to", battle.id))
    assert "No votes yet" in arena.standings()
    shown, left, *_ = arena.vote(battle, winner="left")
    assert left is None
    assert "Your vote: A is better" in shown
    assert battle.names[0] in shown
    assert "voted on" in arena.vote(battle, winner="right")[0]  # as a page may send it twice
    (vote,) = read_votes(arena.path)
    assert (vote.left, vote.winner, vote.question) == (battle.names[0], "left", LIST)
    assert vote.index == battle.answers[0].index.id
    assert "this battle is over" in arena.vote(None, winner="left")[0].lower()


def test_names_in_the_standings_are_text() -> None:
    vote = Vote(id="1", at="2025-03-14T09:00Z", question="q", left="<b>a", right="${x}",
                winner="left", index="i")  # type: ignore[arg-type]  # fmt: skip
    shown = standings_html([vote])
    assert "&#36;&#123;x&#125;" in shown
    assert not re.search(r"<b>|[{$]", shown)
