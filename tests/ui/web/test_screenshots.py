"""Pictures of every tab, in both widths and both themes, to be looked at: `make screenshots`.

The page is started as a user starts it, over the real digests, with a scripted chat model.
"""

import shutil
from pathlib import Path

import pytest
from browsing import QUESTION, ask, assert_fits, open_page
from chat_server import streams
from PIL import Image
from playwright.sync_api import Browser, expect
from running import started
from web.conftest import Started

from ui.cli import main

pytestmark = [pytest.mark.screenshots, pytest.mark.browser]

FOLDER = Path(__file__).parents[3] / "screenshots"
WRITTEN = "OSWorld is a benchmark of 369 computer tasks [1.1]. People complete 91 % of them [1.1]."


@pytest.fixture(scope="module", autouse=True)
def _empty_folder() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()


@pytest.fixture(scope="module")
def with_runs(real: Started, shared: Path) -> Started:
    """The page over the real digests, with a run of ours beside it."""
    command = ["eval", "answers", str(shared / "questions/dev.jsonl"), "--sample", "12"]
    out = str(real.data.parent / "runs" / "quotes")
    assert main([*command, "--store", str(real.store), "--out", out]) == 0
    return real


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_tab(browser: Browser, with_runs: Started, width: int, theme: str) -> None:
    window = {"width": width, "height": 800}
    context = browser.new_context(viewport=window, color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
    page = context.new_page()

    def shoot(name: str) -> None:
        page.wait_for_timeout(400)  # what fades in is there then
        assert_fits(page)
        page.screenshot(path=FOLDER / f"{name}-{width}-{theme}.png")

    open_page(page, with_runs.address)
    shoot("chat-start")
    with_runs.model.script = lambda _: streams(WRITTEN)
    ask(page, QUESTION)
    page.locator("a.aqa-chat-cite").first.click(timeout=20_000)
    shoot("chat-answer")
    page.get_by_role("tab", name="Papers").click()
    title = page.locator("#aqa-corpus-papers tbody th a").first
    expect(title).to_be_visible(timeout=20_000)
    shoot("papers")
    title.click()
    expect(page.locator("#aqa-corpus-title")).to_be_visible()
    shoot("paper")
    page.get_by_role("tab", name="Compare").click()
    page.get_by_label("What to compare").fill("Compare OSWorld, WebArena and AndroidWorld")
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_role("table")).to_be_visible(timeout=30_000)
    shoot("compare")
    page.get_by_role("tab", name="Lab").click()
    expect(page.locator("#aqa-lab-runs tbody tr")).to_have_count(1, timeout=20_000)
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator(".aqa-lab-report")).to_be_visible(timeout=20_000)
    shoot("lab")
    page.get_by_role("tab", name="Arena").click()
    page.get_by_role("textbox", name="A question for both").fill(QUESTION)
    page.get_by_role("button", name="Ask both").click()
    expect(page.get_by_role("button", name="A is better")).to_be_visible(timeout=30_000)
    shoot("arena")
    context.close()


def test_the_picture_of_the_readme(browser: Browser, sample_store: Path, tmp_path: Path) -> None:
    picture = FOLDER.parent / "docs/page.png"
    page = browser.new_page(
        viewport={"width": 1280, "height": 760}, color_scheme="light", reduced_motion="reduce"
    )
    with started(sample_store, tmp_path / "data") as address:
        open_page(page, address)
        ask(page, "How many pages can MindSearch read in three minutes?")
        page.locator("a.aqa-chat-cite").first.click(timeout=20_000)
        page.wait_for_timeout(1_500)  # suggested questions come behind the answer
        page.screenshot(path=picture)
    page.close()
    Image.open(picture).convert("RGB").quantize(128).save(picture, optimize=True)
    assert picture.stat().st_size < 200_000
