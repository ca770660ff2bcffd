"""The evaluation tab in a real browser: from the table of runs down to one question."""

import re
from collections.abc import Iterator
from pathlib import Path
from statistics import mean

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import assert_fits, free_port, wide_and_narrow
from measured_runs import make_runs
from playwright.sync_api import Locator, Page, expect

from eval.tables import decimal
from index.embedding import SentenceEncoder
from rag import Assistant
from ui.web.app import build
from ui.web.evaluation.catalogue import Catalogue
from ui.web.server import launch
from ui.web.site import Site

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(
    site: Site, sample_assistant: Assistant, sample_store: Path, encoder: SentenceEncoder
) -> Iterator[str]:
    """The page over the sample, with two runs beside it."""
    make_runs(site.runs, sample_assistant, sample_store, encoder)
    page = build(site)
    yield launch(page, "127.0.0.1", free_port())
    page.close(verbose=False)


def names(page: Page) -> list[str]:
    return page.locator("#aqa-evaluation-runs tbody th button").all_inner_texts()


def press_sort(page: Page, label: str) -> None:
    page.get_by_role("columnheader", name=label, exact=True).get_by_role("button").click()


def shares(site: Site, name: str) -> dict[str, str]:
    """The share of questions of each type that a run got right, as the page writes it."""
    run = Catalogue(site.runs).run(name)
    right = run.column("right")
    return {
        kind: decimal(mean([right[id_] or 0 for id_, s in run.scores.items() if s.type == kind]))
        for kind in ("fact", "off-topic")
    }


def assert_drawn(plot: Locator, *words: str) -> None:
    """A plot is drawn, and says these words, both in its text and to those who do not see it."""
    expect(plot).to_have_attribute("role", "img")
    said, drawn = plot.get_attribute("aria-label") or "", plot.inner_html()
    for word in words:
        assert word in said
        assert word in drawn


@wide_and_narrow
def test_two_runs_are_compared_down_to_a_question(page: Page, site: Site) -> None:
    page.get_by_role("tab", name="Evaluation").click()
    expect(page.locator("#aqa-evaluation-runs tbody tr")).to_have_count(2)
    assert names(page) == ["bm25", "ours"]
    press_sort(page, "Run")
    press_sort(page, "right")
    assert names(page) == ["ours", "bm25"]
    expect(page.get_by_role("columnheader", name="right", exact=True)).to_have_attribute(
        "aria-sort", "descending"
    )
    press_sort(page, "right")
    assert names(page) == ["bm25", "ours"]
    expect(page.get_by_role("columnheader", name="Started", exact=True)).not_to_have_attribute(
        "aria-sort", "descending"
    )

    page.get_by_role("button", name="ours", exact=True).click()
    expect(page.get_by_role("heading", name="ours", exact=True)).to_be_focused()
    ours, bm25 = shares(site, "ours"), shares(site, "peers/bm25")
    assert ours != bm25
    assert_drawn(page.locator("#aqa-evaluation-details svg"), "fact", *ours.values())
    over_time = page.locator("#aqa-evaluation-time svg")
    assert_drawn(over_time, "AbstractQA", "BM25")
    told = over_time.get_attribute("aria-label") or ""
    for entry in Catalogue(site.runs).entries():
        found = entry.figure(entry.primary)
        assert found
        assert re.search(
            rf"{re.escape(entry.system)}: [\d:-]+ {re.escape(decimal(found.mean))}", told
        )

    # The two newest runs of the same questions are chosen already.
    page.get_by_role("button", name="Compare", exact=True).click()
    compared = page.get_by_role("region", name="Metrics of both runs")
    expect(compared.get_by_role("rowheader", name="right", exact=True)).to_be_visible()
    by_type = page.locator("#aqa-evaluation-compared svg[aria-label*='by type']")
    assert_drawn(by_type, *ours.values(), *bm25.values())
    questions = page.locator("#aqa-evaluation-list button")
    page.get_by_role("radio", name="All (4)").check()
    expect(questions).to_have_count(4)
    page.get_by_role("radio", name="Same (1)").check()
    expect(questions).to_have_count(1)
    expect(questions).to_contain_text("How many tasks does OSWorld have?")
    page.get_by_role("radio", name="Worse (3)").check()
    expect(questions).to_have_count(3)
    opened = questions.first
    asked = opened.locator("span").nth(2).inner_text().splitlines()[0]
    opened.click()
    expect(opened).to_have_attribute("aria-current", "true")
    shown = page.locator("#aqa-evaluation-question")
    expect(shown.get_by_role("heading", name=asked)).to_be_visible()
    expect(shown.get_by_role("region", name="Before")).to_contain_text("AbstractQA")
    expect(shown.get_by_role("region", name="After")).to_contain_text("BM25")
    right = page.get_by_role("rowheader", name="right", exact=True)
    expect(shown.get_by_role("row").filter(has=right)).to_contain_text("−1.000")
    assert_fits(page)
    assert [f for f in Axe().run(page).response["violations"] if f["impact"] != "minor"] == []


def test_a_run_that_vanished_is_told_in_one_line(page: Page, site: Site) -> None:
    page.get_by_role("tab", name="Evaluation").click()
    expect(page.locator("#aqa-evaluation-runs tbody tr")).to_have_count(2)
    moved = site.runs.parent / "moved"
    (site.runs / "ours").rename(moved)
    page.get_by_role("button", name="ours", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("There is no run 'ours' any more")
    page.get_by_role("button", name="Read the runs again").click()
    expect(page.locator("#aqa-evaluation-runs tbody tr")).to_have_count(1)
    moved.rename(site.runs / "ours")
