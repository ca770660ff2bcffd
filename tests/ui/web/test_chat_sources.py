"""From an answer to its sources and back, in a real browser."""

import pytest
from browsing import QUESTION, ask, assert_fits, wide_and_narrow
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

CHIP = "a.aqa-chat-cite"


@wide_and_narrow
def test_each_chip_opens_its_card_with_the_sentence_it_stands_for_in_view(page: Page) -> None:
    ask(page, QUESTION)
    expect(page.locator(CHIP).nth(1)).to_be_visible()
    assert_fits(page)
    answer = page.locator(".aqa-chat-answer .aqa-chat-text").inner_text()
    chips = page.locator(CHIP).all()
    shown = []
    for chip in chips:
        chip.click()
        marked = page.locator("mark.aqa-chat-target")
        expect(marked).to_have_count(1)
        expect(marked).to_be_in_viewport(ratio=1)
        expect(page.locator(".aqa-chat-card").first).to_be_focused()
        shown.append(marked.inner_text())
        assert_fits(page)
        page.get_by_role("button", name="Back to the answer").locator("visible=true").click()
        expect(chip).to_be_focused()
        expect(chip).to_be_in_viewport()
    assert len(set(shown)) == len(chips)
    # The sentences stand in the answer, each before its own chip.
    for sentence, said in zip(shown, answer.split("[1]"), strict=False):
        assert said.strip().endswith(sentence)
    card = page.locator(".aqa-chat-card").first
    for told in ("OSWorld", "2025", "Found by"):
        expect(card).to_contain_text(told)


def test_the_answer_stays_where_it_is_while_the_panel_scrolls_to_a_card(page: Page) -> None:
    ask(page, "Which papers are about agents?")
    last = page.locator(CHIP).last
    expect(last).to_be_visible()
    place = page.locator("#aqa-chat-scroll").evaluate("e => e.scrollTop")
    page.locator(CHIP).nth(3).click()
    expect(page.locator("mark.aqa-chat-target")).to_be_in_viewport(ratio=1)
    assert page.locator("#aqa-chat-scroll").evaluate("e => e.scrollTop") == place


def test_the_panel_shows_the_newest_sources_and_those_of_an_earlier_answer_when_asked(
    page: Page,
) -> None:
    ask(page, QUESTION)
    expect(page.locator(CHIP).first).to_be_visible()
    ask(page, "What is AdaMerging?")
    panel = page.locator("#aqa-chat-sources section:not([hidden])")
    expect(panel).to_contain_text("AdaMerging")
    expect(panel).not_to_contain_text("OSWorld")
    page.locator(CHIP).first.click()
    expect(panel).to_contain_text("OSWorld")
    expect(panel).not_to_contain_text("AdaMerging")
    expect(page.locator("#aqa-chat-sources h2")).to_contain_text(QUESTION)


def test_an_answer_is_copied_with_its_sources_and_a_paper_as_bibtex(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ask(page, QUESTION)
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "369" in copied
    assert r"\[1\] OSWorld" in copied
    page.get_by_role("button", name="Copy BibTeX").click()
    expect(page.get_by_role("button", name="Copied").last).to_be_visible()
    assert "@" in page.evaluate("navigator.clipboard.readText()")
