"""The lab without a browser: which runs there are; who meets, and what a page is told of it."""

import asyncio
import html
import json
import re
import shlex
import shutil
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from chat_server import ChatServer, fails, streams
from measured_runs import make_runs

from eval.feedback import Vote, read_votes
from eval.runs import Run
from index.embedding import SentenceEncoder
from index.errors import InputError
from rag import Assistant
from rag.settings import Settings
from ui.cli import build_parser
from ui.web.lab.arena import (
    QUOTES,
    Arena,
    Battle,
    Configuration,
    battle_html,
    configurations,
    contest,
    standings_html,
)
from ui.web.lab.lab_tab import HOW_TO_BEGIN, Runs
from ui.web.site import Site

LIST = "Which papers are about agents?"
TASKS = "How many tasks does OSWorld have?"
ONE = next(each for each in QUOTES if each.options.sources == 1)
THREE = next(each for each in QUOTES if each.options.sources == 3)


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
    shown = Runs(runs).read("ours", "gone")[0]
    assert "AbstractQA on made.jsonl" in shown
    assert "<strong>half</strong> is not finished" in shown


def test_a_report_is_the_one_of_the_command_in_a_frame_without_scripts(made: Path) -> None:
    shown = Runs(made).show("ours", "")
    (source,) = re.findall(r'srcdoc="([^"]*)"', shown)
    assert html.unescape(source) == (made / "ours" / "report.html").read_text()
    assert " sandbox " in shown
    assert "4 questions in both" in Runs(made).show("ours", "peers/bm25")


@pytest.mark.parametrize("name", ["../made/runs/ours", "/etc", "ours/", "peers", ""])
def test_a_name_that_is_no_run_opens_no_folder(made: Path, name: str) -> None:
    for shown in (Runs(made / "peers").show(name, ""), Runs(made).show("ours", name or "ours")):
        assert 'role="alert"' in shown


def test_without_runs_the_commands_that_make_one_can_be_copied(tmp_path: Path) -> None:
    assert HOW_TO_BEGIN in Runs(tmp_path / "none").read(None, None)[0]
    lines = [shlex.split(line)[1:] for line in HOW_TO_BEGIN.splitlines()]
    made, measured = map(build_parser().parse_args, lines)
    assert measured.questions == made.out / "questions.jsonl"


def test_what_runs_say_is_text_on_the_page_and_an_odd_one_is_a_problem(runs: Path) -> None:
    record = runs / "ours" / "run.json"
    hostile = "<img src=x onerror=alert(1)> ${alert(2)} {{x}} ![y](http://z)"
    record.write_text(json.dumps({**json.loads(record.read_text()), "system": hostile}))
    (runs / "ours" / "report.html").write_text(f'"><script>{hostile}</script>')
    shown = Runs(runs)
    for page in (
        shown.read(None, None)[0],
        shown.show("ours", ""),
        shown.show("ours", "peers/bm25"),
    ):
        assert not re.search(r"<img|<script|[{$]", page)
    (runs / "ours" / "scores.jsonl").write_text('{"from_the_future": 1}\n')
    assert "no finished run" in shown.show("ours", "peers/bm25")


def meet(assistant: Assistant, question: str, *chosen: Configuration) -> Battle:
    known = configurations(assistant).values()
    return asyncio.run(contest(assistant, question, known, chosen))


@pytest.fixture(scope="module")
def battle(sample_assistant: Assistant) -> Battle:
    return meet(sample_assistant, LIST, ONE, THREE)


def test_those_who_are_chosen_meet_by_chance_left_or_right_and_their_answers_differ(
    sample_assistant: Assistant,
) -> None:
    both = [meet(sample_assistant, LIST, ONE, THREE) for _ in range(12)]
    assert {each.pair[0].name for each in both} == {ONE.name, THREE.name}
    cited = {
        each.name: len(answer.references)
        for each, answer in zip(both[0].pair, both[0].answers, strict=True)
    }
    assert cited == {ONE.name: 1, THREE.name: 3}
    drawn = meet(sample_assistant, LIST, ONE)
    assert ONE in drawn.pair
    assert drawn.answers[0].text != drawn.answers[1].text
    with pytest.raises(InputError, match="gave the same answer"):
        meet(sample_assistant, TASKS, QUOTES[0], THREE)


def test_a_model_meets_quotes_and_one_that_fails_takes_no_vote(
    sample_store: Path, encoder: SentenceEncoder, chat_server: ChatServer
) -> None:
    settings = Settings(
        store=sample_store, openai_base_url=chat_server.base_url, chat_model="small", planning=False
    )
    with closing(Assistant(sample_store, encoder, settings=settings)) as assistant:
        known = configurations(assistant)
        chosen = known["small"], known["Quotes"]
        chat_server.script = lambda _: streams("OSWorld has 369 tasks [1.1].")
        met = meet(assistant, TASKS, *chosen)
        assert met.answers[met.pair.index(known["small"])].model == "small"
        chat_server.script = lambda _: fails(400)
        with pytest.raises(InputError, match="small could not answer"):
            meet(assistant, TASKS, *chosen)


def test_other_models_of_an_endpoint_meet_only_by_choice() -> None:
    class Two:
        def chat_models(self) -> list[str]:
            return ["configured", "other"]

    known = configurations(Two())  # type: ignore[arg-type]
    drawn = {name for name, each in known.items() if each.is_drawn}
    assert {"configured", "configured, strict", "Quotes"} <= drawn
    assert known.keys() - drawn == {"other", "other, strict"}


def test_a_battle_has_one_vote_which_can_be_taken_back_and_given_anew(
    site: Site, battle: Battle
) -> None:
    arena = Arena(site)
    undo = arena.voting(None)
    shown, voted, *_ = arena.voting("left")(battle)
    assert voted == replace(battle, winner="left")
    assert "Your vote: A is better" in shown
    arena.voting("left")(battle)  # as a page may send it twice
    assert len(read_votes(arena.path)) == 1
    assert undo(voted)[1] == battle
    assert read_votes(arena.path) == []
    arena.voting("right")(battle)
    (vote,) = read_votes(arena.path)
    assert (vote.left, vote.winner, vote.question) == (battle.pair[0].name, "right", LIST)
    assert vote.index == battle.answers[0].index.id
    assert "this battle is over" in arena.voting("left")(None)[0].lower()


def test_before_the_vote_nothing_on_the_page_tells_who_is_who(battle: Battle) -> None:
    blind = battle_html(battle)
    assert not any(each.name in blind for each in QUOTES)
    assert "is set to" not in blind
    assert battle.id not in blind
    assert ONE.name in battle_html(replace(battle, winner="tie"))


def test_names_in_the_standings_are_only_text() -> None:
    def vote(id_: str, left: str, right: str) -> Vote:
        return Vote(
            id=id_, at="2025-03-14T09:00Z", question="q", left=left, right=right,  # type: ignore[arg-type]
            winner="left", index="i",
        )  # fmt: skip

    shown = standings_html([vote("1", "<b>a", "b"), vote("2", "c", "${x}")])
    assert shown.count("<tr>") == 5
    assert not re.search(r"<b>|[{$]", shown)
    assert "No votes yet" in standings_html([])
