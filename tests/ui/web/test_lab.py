"""The lab: which runs there are and their reports; an arena that is blind until the vote."""

import asyncio
import html
import json
import re
import shlex
import shutil
from contextlib import closing
from pathlib import Path

import pytest
from browsing import assert_fits, assert_usable, wide_and_narrow
from chat_server import ChatServer, fails, streams
from dataset_files import QUESTIONS, jsonl
from playwright.sync_api import Page, expect

from eval.feedback import VOTES, read_votes
from eval.measuring import evaluate_answers
from eval.peers import peer_subject
from eval.runs import Run
from eval.systems import open_ours
from index.embedding import SentenceEncoder
from index.errors import InputError
from rag import Assistant
from rag.schema import Options
from rag.settings import Settings
from ui.cli import build_parser
from ui.web import lab_tab
from ui.web.lab_tab import HOW_TO_BEGIN, Arena, Battle, Runs, battle_html, contest, ways
from ui.web.site import Site

LIST = "Which papers are about agents?"
TASKS = "How many tasks does OSWorld have?"


@pytest.fixture(scope="module")
def site(
    site: Site, sample_assistant: Assistant, sample_store: Path, encoder: SentenceEncoder
) -> Site:
    """With a run of ours in `ours`, and one of BM25 in `peers/bm25`, on the same questions."""
    site.runs.mkdir()
    path = jsonl(site.runs / "made.jsonl", *QUESTIONS)
    evaluate_answers(path, open_ours(sample_store, Settings()), "extractive", site.runs / "ours")
    peer = peer_subject("bm25", sample_assistant.papers(), encoder)
    evaluate_answers(path, peer, out=site.runs / "peers" / "bm25")
    return site


@pytest.fixture
def runs(site: Site, tmp_path: Path) -> Path:
    return Path(shutil.copytree(site.runs, tmp_path / "runs"))


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
    assert set(others.values()) == {"cannot be read: run it again"}
    shown = Runs(runs).read("gone")[0]
    assert "AbstractQA on made.jsonl" in shown
    assert "<strong>half</strong> is not finished" in shown


def test_a_report_is_that_of_a_run_s_command_in_a_frame_without_scripts(site: Site) -> None:
    shown = Runs(site.runs).show("ours")
    (source,) = re.findall(r'srcdoc="([^"]*)"', shown)
    assert html.unescape(source) == (site.runs / "ours" / "report.html").read_text()
    assert " sandbox " in shown
    for name in ("../ours", "/etc", "ours/", "peers", ""):  # no runs: no folder is opened
        assert 'role="alert"' in Runs(site.runs / "peers").show(name), name


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
def test_two_meet_by_chance_unless_they_say_the_same(sample_assistant: Assistant) -> None:
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
    where = {"openai_base_url": chat_server.base_url, "chat_model": "small"}
    settings = Settings(store=sample_store, **where)
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
    again = arena.vote(battle, winner="right")[0]  # as a page may send it twice
    assert "already has your vote" in again
    (vote,) = read_votes(arena.path)
    assert (vote.left, vote.winner, vote.question) == (battle.names[0], "left", LIST)
    assert vote.index == battle.answers[0].index.id
    assert "this battle is over" in arena.vote(None, winner="left")[0].lower()


# In a browser, whose loop lets no other run behind it


@pytest.mark.browser
@wide_and_narrow
def test_a_run_s_report_is_shown(page: Page) -> None:
    page.get_by_role("tab", name="Lab").click()
    rows = page.locator("#aqa-lab-runs tbody tr")
    expect(rows).to_have_count(2)
    report_of = page.get_by_label("Report of")
    report_of.fill("ours")
    page.get_by_role("option").filter(has_text=re.compile(r"^\W*ours\W*$")).click()
    report_of.blur()
    expect(page.get_by_role("option")).to_have_count(0)
    page.get_by_role("button", name="Show", exact=True).click()
    report = page.frame_locator("iframe.aqa-lab-report")
    expect(report.get_by_role("heading", name="Questions")).to_be_visible()
    expect(report.locator("svg").first).to_be_visible()
    expect(page.get_by_role("heading", name="ours")).to_be_focused()
    assert_usable(page)


@pytest.mark.browser
@wide_and_narrow
def test_a_vote_is_blind_and_counts(page: Page, site: Site) -> None:
    votes = site.settings.data / VOTES
    before = len(read_votes(votes))
    page.get_by_role("tab", name="Lab").click()
    page.get_by_role("tab", name="Arena").click()
    expect(page.get_by_role("heading", name="Standings")).to_be_visible()
    page.get_by_role("textbox", name="A question for both").fill(LIST)
    page.get_by_role("button", name="Ask both").click()
    battle = page.locator("#aqa-arena-battle")
    # However long the answers are, one can vote without scrolling.
    expect(page.get_by_role("button", name="A is better")).to_be_in_viewport(ratio=0.9)
    expect(battle.get_by_role("region", name="Answer B")).to_contain_text("[1]")
    for name in ways(site.assistant):
        expect(battle).not_to_contain_text(name)
    assert_usable(page)
    page.get_by_role("button", name="A is better").click()
    expect(battle).to_contain_text("Your vote: A is better")
    won = battle.get_by_role("region", name="Answer A").locator("h3 span").inner_text()
    row = page.get_by_role("row").filter(has=page.get_by_role("cell", name=won, exact=True))
    expect(row.get_by_role("cell").nth(1)).to_be_visible()
    stored = read_votes(votes)
    assert len(stored) == before + 1
    assert (stored[-1].left, stored[-1].winner) == (won, "left")
    expect(page.get_by_role("button", name="A is better")).to_have_count(0)
    assert_fits(page)
