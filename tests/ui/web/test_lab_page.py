"""The lab in a real browser: reports of runs; an arena that is blind until the vote."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import assert_fits, assert_usable, free_port, wide_and_narrow
from chat_server import ChatServer, streams
from measured_runs import make_runs
from playwright.sync_api import Browser, Page, expect

from eval.feedback import VOTES, read_votes
from index.embedding import SentenceEncoder
from rag import Assistant
from rag.settings import Settings
from ui.web.app import build
from ui.web.lab.arena import QUOTES
from ui.web.server import launch
from ui.web.site import Site

pytestmark = pytest.mark.browser

LIST = "Which papers are about agents?"


@pytest.fixture(scope="module")
def address(
    site: Site, sample_assistant: Assistant, sample_store: Path, encoder: SentenceEncoder
) -> Iterator[str]:
    """The page over the sample, with two runs beside it."""
    make_runs(site.runs, sample_assistant, sample_store, encoder)
    page = build(site)
    yield launch(page, "127.0.0.1", free_port())
    page.close(verbose=False)


@wide_and_narrow
def test_a_run_s_report_is_shown_alone_and_against_another(page: Page) -> None:
    page.get_by_role("tab", name="Lab").click()
    rows = page.locator("#aqa-lab-runs tbody tr")
    expect(rows).to_have_count(2)
    choose(page, "Report of", "ours")
    page.get_by_role("button", name="Show", exact=True).click()
    report = page.frame_locator("iframe.aqa-lab-report")
    expect(report.get_by_role("heading", name="Questions")).to_be_visible()
    expect(report.locator("svg").first).to_be_visible()
    choose(page, "Compared with", "peers/bm25")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_role("heading", name="peers/bm25 → ours")).to_be_focused()
    expect(page.locator("pre.aqa-lab-report")).to_contain_text("questions in both")
    assert_usable(page)


def open_arena(page: Page) -> None:
    page.get_by_role("tab", name="Lab").click()
    page.get_by_role("tab", name="Arena").click()
    expect(page.get_by_role("heading", name="Standings")).to_be_visible()


def ask_both(page: Page, question: str) -> None:
    page.get_by_role("textbox", name="A question for both").fill(question)
    page.get_by_role("button", name="Ask both").click()


def choose(page: Page, label: str, name: str) -> None:
    page.get_by_label(label).fill(name)
    named = re.compile(rf"^\W*{re.escape(name)}\W*$")
    page.get_by_role("option").filter(has_text=named).click()
    page.get_by_label(label).blur()
    expect(page.get_by_role("option")).to_have_count(0)


@wide_and_narrow
def test_a_vote_is_blind_counts_once_and_can_be_taken_back(page: Page, site: Site) -> None:
    votes = site.settings.data / VOTES
    before = len(read_votes(votes))
    open_arena(page)
    choose(page, "Who meets", "Quotes, 1 source")
    choose(page, "Who meets", "Quotes, 3 sources")
    ask_both(page, LIST)
    battle = page.locator("#aqa-arena-battle")
    # However long the answers are, one can vote without scrolling.
    expect(page.get_by_role("button", name="A is better")).to_be_in_viewport(ratio=0.9)
    expect(battle.get_by_role("region", name="Answer B")).to_contain_text("[1]")
    for configuration in QUOTES:
        expect(battle).not_to_contain_text(configuration.name)
    assert_usable(page)

    page.get_by_role("button", name="A is better").click()
    expect(battle).to_contain_text("Your vote: A is better")
    won = battle.get_by_role("region", name="Answer A").locator("h3 span").inner_text()
    row = page.get_by_role("row").filter(has=page.get_by_role("cell", name=won, exact=True))
    score = row.get_by_role("cell").nth(1)
    expect(score).to_be_visible()
    stored = read_votes(votes)
    assert len(stored) == before + 1
    assert (stored[-1].left, stored[-1].winner) == (won, "left")
    expect(page.get_by_role("button", name="A is better")).to_have_count(0)
    undo = page.get_by_role("button", name="Take the vote back")
    expect(undo).to_be_focused()
    points = score.inner_text()

    undo.click()
    expect(page.get_by_role("button", name="B is better")).to_be_visible()
    expect(battle).not_to_contain_text(won)
    assert len(read_votes(votes)) == before
    page.get_by_role("button", name="B is better").click()
    expect(battle).to_contain_text("Your vote: B is better")
    expect(score).not_to_have_text(points)
    assert len(read_votes(votes)) == before + 1
    assert_fits(page)


def test_stop_closes_what_a_model_was_still_sending(
    browser: Browser,
    sample_store: Path,
    encoder: SentenceEncoder,
    chat_server: ChatServer,
    tmp_path: Path,
) -> None:
    settings = Settings(
        store=sample_store,
        data=tmp_path / "data",
        openai_base_url=chat_server.base_url,
        chat_model="small",
    )
    assistant = Assistant(sample_store, encoder, settings=settings)
    chat_server.script = lambda _: streams(*["word "] * 300, pause_seconds=0.2)
    served = build(Site(assistant, settings, runs=tmp_path / "runs"))
    page = browser.new_page()
    page.goto(launch(served, "127.0.0.1", free_port()))
    open_arena(page)
    choose(page, "Who meets", "small")
    ask_both(page, LIST)
    expect(page.locator("#aqa-arena-battle")).to_contain_text("Both are answering")
    page.wait_for_timeout(1_000)
    assert chat_server.received
    assert not chat_server.hung_up.is_set()
    page.get_by_role("button", name="Stop").click()
    assert chat_server.hung_up.wait(timeout=20)
    expect(page.locator("#aqa-arena-battle")).not_to_contain_text("Both are answering")
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    expect(page.get_by_role("button", name="A is better")).to_have_count(0)
    page.close()
    served.close(verbose=False)
    assistant.close()
