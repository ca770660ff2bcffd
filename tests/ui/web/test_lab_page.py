"""The lab in a real browser: reports of runs; an arena that is blind until the vote."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import assert_fits, assert_usable, free_port, wide_and_narrow
from measured_runs import make_runs
from playwright.sync_api import Page, expect

from eval.feedback import VOTES, read_votes
from index.embedding import SentenceEncoder
from rag import Assistant
from ui.web.app import build
from ui.web.lab_tab import ways
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
def test_a_run_s_report_is_shown(page: Page) -> None:
    page.get_by_role("tab", name="Lab").click()
    rows = page.locator("#aqa-lab-runs tbody tr")
    expect(rows).to_have_count(2)
    choose(page, "Report of", "ours")
    page.get_by_role("button", name="Show", exact=True).click()
    report = page.frame_locator("iframe.aqa-lab-report")
    expect(report.get_by_role("heading", name="Questions")).to_be_visible()
    expect(report.locator("svg").first).to_be_visible()
    expect(page.get_by_role("heading", name="ours")).to_be_focused()
    assert_usable(page)


def choose(page: Page, label: str, name: str) -> None:
    page.get_by_label(label).fill(name)
    named = re.compile(rf"^\W*{re.escape(name)}\W*$")
    page.get_by_role("option").filter(has_text=named).click()
    page.get_by_label(label).blur()
    expect(page.get_by_role("option")).to_have_count(0)


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
