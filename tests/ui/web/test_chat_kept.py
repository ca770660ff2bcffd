"""Conversations that last: over reloads and restarts, each visitor's own, changed and exported."""

import asyncio
import threading
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from browsing import CHIP, QUESTION, TURNS, ask, assert_usable, open_page, opened, served, site_of
from playwright.sync_api import Browser, Page, expect

from rag import Assistant
from ui.web.chat.answering import Answering
from ui.web.chat.turn_html import Update

pytestmark = pytest.mark.browser


def asked(page: Page) -> list[str]:
    return page.locator(f"{TURNS} h2").all_inner_texts()


def answered(page: Page, turns: int = 1) -> None:
    """Wait until nothing more comes of what was asked: what is suggested comes last."""
    expect(page.locator(TURNS)).to_have_count(turns)
    expect(page.locator(f"{TURNS}:last-child .aqa-chat-suggestion").last).to_be_visible()
    page.wait_for_timeout(100)


def test_two_browsers_see_only_their_own_chats(page: Page, browser: Browser) -> None:
    ask(page, QUESTION)
    expect(page.locator(CHIP).first).to_be_visible()
    with opened(browser, page.url) as theirs:  # they were even sent its address
        expect(theirs.locator(".aqa-chat-example").first).to_be_visible()
        theirs.get_by_role("button", name="Chats", exact=True).click()
        expect(theirs.locator("#aqa-chat-list")).to_contain_text("None yet")
        ask(theirs, "What is AdaMerging?")
        expect(theirs.locator(CHIP).first).to_be_visible()
        assert asked(theirs) == ["What is AdaMerging?"]
    answered(page)
    page.reload()
    expect(page.locator(TURNS)).to_have_count(1)
    assert asked(page) == [QUESTION]


def test_a_restart_of_the_server_loses_nothing(
    browser: Browser, sample_assistant: Assistant, tmp_path: Path
) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        with served(site_of(sample_assistant, tmp_path)) as address:
            open_page(page, address)
            ask(page, QUESTION)
            expect(page.locator(CHIP).first).to_be_visible()
            links = [chip.get_attribute("href") for chip in page.locator(CHIP).all()]
            conversation = page.url.split("?")[1]
        with served(site_of(sample_assistant, tmp_path)) as address:
            open_page(page, f"{address}/?{conversation}")
            expect(page.locator(TURNS)).to_have_count(1)
            assert [chip.get_attribute("href") for chip in page.locator(CHIP).all()] == links
            page.locator(CHIP).first.click()
            expect(page.locator("mark.aqa-chat-target")).to_contain_text("369")
            expect(page.locator("mark.aqa-chat-target")).to_be_in_viewport()
            ask(page, "How well do people do on it?")
            expect(page.locator(f"{TURNS}:last-child .aqa-chat-text")).to_contain_text("72.36%")
            expect(page.locator(".aqa-chat-understood")).to_contain_text("Understood as: ")


def test_questions_are_asked_again_and_taken_back_into_the_box(page: Page) -> None:
    ask(page, QUESTION)
    expect(page.locator(CHIP).first).to_be_visible()
    ask(page, "What is AdaMerging?")
    answered(page, 2)
    # Undo, with the question back in the box, and restore.
    page.get_by_role("button", name="Undo").locator("visible=true").click()
    expect(page.locator(TURNS)).to_have_count(1)
    expect(page.get_by_role("textbox", name="Your question")).to_have_value("What is AdaMerging?")
    page.get_by_role("button", name="Restore").click()
    expect(page.locator(TURNS)).to_have_count(2)
    expect(page.get_by_role("textbox", name="Your question")).to_have_value("")
    page.get_by_role("button", name="Retry").first.click()
    answered(page, 3)
    expect(page.locator(f"{TURNS} h2").last).to_have_text(QUESTION)
    page.get_by_role("button", name="Undo").locator("visible=true").click()
    expect(page.locator(TURNS)).to_have_count(2)
    page.get_by_role("textbox", name="Your question").fill("Half a quest")
    page.get_by_role("button", name="Undo").locator("visible=true").click()
    expect(page.locator(TURNS)).to_have_count(1)
    expect(page.get_by_role("textbox", name="Your question")).to_have_value("Half a quest")


def test_what_an_answer_sends_at_its_late_end_changes_nothing_that_was_done_since(
    browser: Browser, sample_assistant: Assistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gradio sends what came last once more when an event is over, as late as a busy server is."""
    respond, is_over = Answering.respond, threading.Event()

    async def lingering(*asked: Any) -> AsyncGenerator[Update, None]:
        async for update in respond(*asked):
            yield update
        await asyncio.sleep(2)
        is_over.set()

    monkeypatch.setattr(Answering, "respond", lingering)
    site = site_of(sample_assistant, tmp_path)
    with served(site) as address, opened(browser, address) as page:
        ask(page, QUESTION)
        answered(page)
        page.get_by_role("button", name="Undo").click()
        expect(page.locator(TURNS)).to_have_count(0)
        page.get_by_role("textbox", name="Your question").fill("Half a quest")
        assert is_over.wait(10)
        page.wait_for_timeout(500)
        expect(page.locator(TURNS)).to_have_count(0)
        expect(page.get_by_role("textbox", name="Your question")).to_have_value("Half a quest")


def test_conversations_are_listed_renamed_searched_deleted_and_restored(page: Page) -> None:
    page.get_by_role("button", name="Chats", exact=True).click()
    expect(page.get_by_role("textbox", name="Search conversations")).to_be_focused()
    listed = page.locator("#aqa-chat-list .aqa-chat-open")
    ask(page, QUESTION)
    expect(page.locator(CHIP).first).to_be_visible()
    page.locator("#aqa-chat-new").click()
    ask(page, "What is AdaMerging?")
    expect(listed).to_have_text(["What is AdaMerging?", QUESTION])
    expect(listed.first).to_have_attribute("aria-current", "page")
    listed.nth(1).click()
    expect(page.locator(f"{TURNS} h2")).to_have_text([QUESTION])
    expect(listed.nth(1)).to_have_attribute("aria-current", "page")
    page.once("dialog", lambda dialog: dialog.accept("Benchmarks of agents"))
    page.get_by_role("button", name=f"Rename: {QUESTION}").click()
    expect(listed).to_have_text(["What is AdaMerging?", "Benchmarks of agents"])
    page.reload()
    expect(page.locator(f"{TURNS} h2")).to_have_text([QUESTION])
    expect(listed).to_have_text(["What is AdaMerging?", "Benchmarks of agents"])
    search = page.get_by_role("textbox", name="Search conversations")
    search.fill("369")  # stands in the answer alone
    expect(listed).to_have_text(["Benchmarks of agents"])
    search.fill("no such words")
    expect(page.locator("#aqa-chat-list")).to_contain_text("No conversation has these words.")
    search.fill("")
    page.get_by_role("button", name="Delete: Benchmarks of agents").click()
    expect(listed).to_have_text(["What is AdaMerging?"])
    expect(page.locator(".aqa-chat-example").first).to_be_visible()
    page.reload()
    page.locator(".aqa-chat-deleted").get_by_role("button", name="Undo").click()
    expect(listed).to_have_text(["What is AdaMerging?", "Benchmarks of agents"])


def test_an_answer_and_a_conversation_are_exported(page: Page) -> None:
    ask(page, "Which papers are about agents?")
    expect(page.locator(CHIP).first).to_be_visible()
    ask(page, QUESTION)
    expect(page.locator(TURNS)).to_have_count(2)
    for menu, name, ending, has_first in (
        ("#aqa-chat-tools", "Markdown", ".md", True),
        (f"{TURNS}:last-child", "HTML", ".html", False),
        (f"{TURNS}:last-child", "BibTeX", ".bib", False),
    ):
        page.locator(f"{menu} summary", has_text="Export").last.click()
        with page.expect_download() as waiting:
            page.locator(f"{menu} details[open] button", has_text=name).click()
        assert waiting.value.suggested_filename.endswith(ending)
        text = Path(waiting.value.path()).read_text(encoding="utf-8")
        assert "OSWorld" in text
        assert ("Which papers are about agents?" in text) is has_first


@pytest.mark.parametrize(("page", "theme"), [(1280, "light"), (390, "dark")], indirect=["page"])
def test_everything_that_opens_is_for_everyone(page: Page, theme: str) -> None:
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
    open_page(page, page.url)
    ask(page, "What is the boiling point of mercury on the moon?")
    expect(page.locator(".aqa-chat-refusal")).to_be_visible()
    ask(page, QUESTION)
    expect(page.locator(".aqa-chat-suggestion").last).to_be_visible()
    assert_usable(page)
    # Feedback, the editor and the menu of exports.
    page.get_by_role("button", name="Bad answer").last.click()
    expect(page.locator(".aqa-chat-reason")).to_be_visible()
    page.locator("#aqa-chat-tools summary").click()
    assert_usable(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Settings").click()
    assert_usable(page)
    page.get_by_role("button", name="Filters").click()
    page.get_by_label("Text in the title").fill("world")
    expect(page.locator("#aqa-chat-chosen")).to_contain_text("world")
    assert_usable(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Chats", exact=True).click()
    expect(page.get_by_role("textbox", name="Search conversations")).to_be_focused()
    assert_usable(page)
    page.keyboard.press("Escape")
    page.locator(CHIP).last.click()
    assert_usable(page)
