"""From an answer to its sources and back, in a real browser."""

import pytest
from browsing import QUESTION, ask, assert_fits, wide_and_narrow
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


@wide_and_narrow
def test_a_citation_jumps_to_the_card_with_its_sentence_marked(page: Page) -> None:
    ask(page, QUESTION)
    citation = page.locator("a.aqa-cite").first
    expect(citation).to_have_text("[1]")
    assert_fits(page)
    citation.click()
    card = page.locator("#source-1-1")
    expect(card).to_be_in_viewport()
    expect(card).to_be_focused()
    expect(card.locator("mark").first).to_be_in_viewport()
    expect(card).to_contain_text("OSWorld")
    expect(card).to_contain_text("2025")
    assert_fits(page)


@wide_and_narrow
def test_each_citation_shows_the_sentence_it_stands_for(page: Page) -> None:
    ask(page, QUESTION)
    expect(page.locator("a.aqa-cite").nth(1)).to_be_visible()
    answer = page.locator(".aqa-answer .aqa-text").inner_text()
    citations = page.locator("a.aqa-cite").all()
    shown = []
    for citation in citations:
        citation.click()
        marked = page.locator("mark.aqa-target")
        expect(marked).to_have_count(1)
        expect(marked).to_be_in_viewport(ratio=1)
        shown.append(marked.inner_text())
    assert len(set(shown)) == len(citations)
    # The sentences stand in the answer, each before its own marker.
    for sentence, said in zip(shown, answer.split("[1]"), strict=False):
        assert said.strip().endswith(sentence)


@wide_and_narrow
def test_one_comes_back_from_a_source_to_its_citation(page: Page) -> None:
    ask(page, QUESTION)
    citation = page.locator("a.aqa-cite").last
    citation.click()
    page.get_by_role("button", name="Back to the answer").click()
    expect(citation).to_be_focused()
    expect(citation).to_be_in_viewport()


def test_a_second_answer_has_links_of_its_own_and_the_first_keeps_its_cards(page: Page) -> None:
    ask(page, QUESTION)
    expect(page.locator("#source-1-1")).to_be_visible()
    ask(page, "What is AdaMerging?")
    expect(page.locator("#source-2-1")).to_be_visible()
    page.locator('a.aqa-cite[href^="#source-1-1-"]').first.click()
    expect(page.locator("#source-1-1")).to_be_in_viewport()


def test_an_answer_is_copied_with_its_sources(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ask(page, QUESTION)
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "369" in copied
    assert "[1] OSWorld" in copied


def test_the_source_link_is_reached_and_followed_with_the_keyboard(page: Page) -> None:
    ask(page, QUESTION)
    citation = page.locator("a.aqa-cite").first
    expect(citation).to_be_visible()
    citation.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#source-1-1")).to_be_focused()
