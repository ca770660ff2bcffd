"""A newcomer's way: nothing is indexed, a digest is pasted, read about, kept and taken along."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import DIGEST, TURNS, ask, assert_fits, assert_usable, opened
from playwright.sync_api import Browser, Page, expect
from running import started

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """The page of `abstractqa ui` where there is no index yet."""
    with (
        started(tmp_path / "store", tmp_path / "data") as address,
        opened(browser, address) as page,
    ):
        yield page


def assert_usable_everywhere(page: Page) -> None:
    """In a narrow window, in light and in dark."""
    page.set_viewport_size({"width": 360, "height": 740})
    assert_fits(page)
    page.set_viewport_size({"width": 1280, "height": 800})
    page.add_style_tag(content="* { transition: none !important; }")
    for _ in ("light", "dark"):
        assert_usable(page)
        page.evaluate("document.body.classList.toggle('dark')")


def test_from_nothing_to_a_reading_list(page: Page) -> None:
    # Empty: what to do is said, and the form is open.
    expect(page.get_by_role("heading", name="Begin with some papers")).to_be_visible(timeout=30_000)
    expect(page.get_by_role("button", name="Open the sample")).to_be_visible()
    assert_usable_everywhere(page)
    page.get_by_label("Or paste a digest").fill(DIGEST)
    page.get_by_role("button", name="Read the pasted text").press("Enter")
    page.get_by_role("button", name="Add 2 papers").press("Enter")
    preview = page.locator("#aqa-corpus-preview")
    expect(preview).to_contain_text("2 papers added.", timeout=60_000)
    expect(page.get_by_role("heading", name="Begin with some papers")).to_be_hidden()
    assert_usable_everywhere(page)

    # An overview of what came, and a question.
    page.get_by_role("button", name="Overview of these").press("Enter")
    expect(page.locator(TURNS)).to_have_count(1)
    expect(page.locator(TURNS)).to_contain_text("KiteNet")
    page.get_by_role("button", name="Remove the filter: 2 papers").click()
    ask(page, "How many kites does KiteNet keep in the air?")
    expect(page.locator(TURNS)).to_have_count(2)
    expect(page.locator(TURNS).last).to_contain_text("12 kites")

    # The start page of a new chat: what there is, and what to ask.
    page.get_by_role("button", name="New chat").locator("visible=true").first.click()
    start = page.locator("#aqa-chat-welcome")
    expect(start).to_contain_text("2 papers from 1 digest, Mar 28, 2026.")
    expect(start.locator(".aqa-chat-example").first).to_be_visible()
    assert_usable_everywhere(page)

    # A star, the reading list, and a file of it.
    page.get_by_role("tab", name="Papers").click()
    star = page.get_by_role("button", name="On the reading list: KiteNet")
    star.press("Enter")
    expect(star).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Reading list", exact=True).press("Enter")
    expect(page.locator("#aqa-corpus-papers tbody tr")).to_have_count(1)
    page.locator("[data-aqa-choose]").check()
    assert_usable_everywhere(page)
    chosen = page.get_by_role("region", name="Chosen papers")
    chosen.get_by_text("Export").press("Enter")
    with page.expect_download() as download:
        chosen.get_by_role("button", name="RIS").press("Enter")
    assert "KiteNet" in Path(download.value.path()).read_text(encoding="utf-8")
    page.get_by_role("tab", name="Chat").click()
    expect(start.get_by_role("link", name="1 paper")).to_be_visible()
