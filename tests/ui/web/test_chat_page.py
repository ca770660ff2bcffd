"""The chat in a browser: asking, narrow screens, filters, the keyboard, and hostile text."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from threading import Event as Flag
from time import sleep

import pytest
from browsing import QUESTION, ask, assert_fits, opened, scrolled, served, wide_and_narrow
from playwright.sync_api import Browser, Page, expect

from index.build import build_papers
from index.embedding import SentenceEncoder
from index.papers import Paper
from rag import Assistant
from rag.schema import Delta, Event
from rag.settings import Settings
from ui.web.site import Site

pytestmark = pytest.mark.browser

CHIP = "a.aqa-chat-cite"
BOX = "Your question"


def in_scroller(page: Page, selector: str) -> bool:
    """Whether an element is wholly within the part of the page that scrolls the chat."""
    return bool(
        page.locator(selector).first.evaluate(
            """(e) => { const a = e.getBoundingClientRect();
            const b = document.getElementById("aqa-chat-scroll").getBoundingClientRect();
            return a.top >= b.top - 1 && a.bottom <= b.bottom + 1; }"""
        )
    )


@wide_and_narrow
def test_an_example_can_be_pressed_and_its_question_is_answered(page: Page) -> None:
    assert_fits(page)
    example = page.locator(".aqa-chat-example").first
    question = example.inner_text()
    example.click()
    expect(page.locator(CHIP).first).to_be_visible()
    expect(page.locator(".aqa-chat-turn h2")).to_have_text(question)
    expect(page.locator("#aqa-chat-welcome")).not_to_be_visible()
    # What is suggested then can be pressed too.
    suggested = page.locator(".aqa-chat-suggestion").first
    question = suggested.inner_text()
    suggested.click()
    expect(page.locator(".aqa-chat-turns > .aqa-chat-turn h2").last).to_have_text(question)
    assert_fits(page)


@wide_and_narrow
def test_what_the_abstracts_do_not_say_is_told_with_the_nearest_papers(page: Page) -> None:
    ask(page, "What is the boiling point of mercury on the moon?")
    refusal = page.locator(".aqa-chat-refusal")
    expect(refusal).to_contain_text("The abstracts do not say.")
    expect(refusal).to_contain_text("would have to be indexed")
    expect(page.locator("#aqa-chat-sources")).to_contain_text("Nothing is cited.")
    refusal.locator("a").first.click()
    card = page.locator("[id^=aqa-near-]").first
    expect(card).to_be_in_viewport()
    expect(card).to_be_focused()
    assert_fits(page)


@wide_and_narrow
def test_a_question_that_is_too_long_is_told_in_one_line_and_stays_in_the_box(page: Page) -> None:
    ask(page, "word " * 2_000)
    expect(page.locator(".aqa-chat-problem")).to_contain_text("4,000")
    expect(page.locator(".aqa-chat-problem")).to_be_in_viewport()
    assert len(page.get_by_role("textbox", name=BOX).input_value()) == 10_000
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_in_viewport()
    assert_fits(page)


def test_one_can_type_at_once_and_the_focus_stays_in_the_box_while_an_answer_comes(
    page: Page,
) -> None:
    box = page.get_by_role("textbox", name=BOX)
    expect(box).to_be_focused()
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(box).to_be_focused()
    expect(page.locator(".aqa-chat-example").first).to_be_visible()
    box.fill(QUESTION)
    box.press("Shift+Enter")
    box.type("Say it exactly.")
    assert box.input_value() == f"{QUESTION}\nSay it exactly."
    box.press("Enter")
    expect(page.locator(CHIP).first).to_be_visible()
    expect(page.locator(".aqa-chat-suggestion").first).to_be_visible()
    expect(box).to_be_focused()
    expect(box).to_have_value("")


@wide_and_narrow
def test_the_page_never_scrolls_as_a_whole_and_a_question_is_read_from_its_top(page: Page) -> None:
    columns = ["#aqa-chat-column", "#aqa-chat-ask"]
    before = [page.locator(each).bounding_box() for each in columns]
    ask(page, QUESTION)
    expect(page.locator(CHIP).first).to_be_visible()
    ask(page, "Which papers are about agents?")
    last = page.locator(".aqa-chat-turns > .aqa-chat-turn").nth(1)
    expect(last.locator("li").first).to_be_visible()
    assert in_scroller(page, ".aqa-chat-turns > .aqa-chat-turn:last-child h2")
    assert in_scroller(page, ".aqa-chat-turns > .aqa-chat-turn:last-child li")
    assert [page.locator(each).bounding_box() for each in columns] == before
    assert scrolled(page) == 0
    assert page.evaluate("document.documentElement.scrollHeight <= window.innerHeight")
    assert_fits(page)


def test_filters_bind_and_show_as_chips_that_can_be_taken_away(
    page: Page, sample_assistant: Assistant
) -> None:
    first, second = sample_assistant.digests()
    page.get_by_role("button", name="Filters").click()
    page.get_by_label("Digests").first.click()
    page.get_by_role("option").first.click()
    page.keyboard.press("Escape")  # closes the list alone
    page.get_by_label("Text in the title").fill("world")
    expect(page.locator("#aqa-chat-chosen")).to_contain_text(first.label)
    expect(page.locator("#aqa-chat-chosen")).to_contain_text("title has “world”")
    ask(page, "Which papers are about agents?")
    expect(page.locator(CHIP).first).to_be_visible()
    for card in page.locator("#aqa-chat-sources section:not([hidden]) .aqa-chat-card").all():
        expect(card).to_contain_text(first.label)
        assert "world" in card.locator("h3").inner_text().lower()
    page.get_by_role("button", name=f"Remove the filter: {first.label}").click()
    page.get_by_role("button", name="Remove the filter: title has “world”").click()
    expect(page.locator("#aqa-chat-chosen")).not_to_contain_text("Only:")
    # A filter that leaves nothing says so.
    page.get_by_role("button", name="Filters").click()
    assert second.date
    page.get_by_role("textbox", name="From").fill(date(second.date.year + 1, 1, 1).isoformat())
    page.keyboard.press("Escape")
    ask(page, QUESTION)
    expect(page.locator(".aqa-chat-refusal").last).to_contain_text("after the filters")


def test_settings_bind_and_last_over_a_reload(page: Page) -> None:
    page.get_by_role("button", name="Settings").click()
    drawer = page.locator("#aqa-chat-drawer")
    expect(drawer).to_contain_text("No chat model is in use")
    drawer.get_by_label("Quotes").check()
    drawer.get_by_label("Strict").check()
    page.keyboard.press("Escape")
    expect(drawer).not_to_be_visible()
    expect(page.get_by_role("button", name="Settings")).to_be_focused()
    ask(page, "Which papers are about agents?")
    expect(page.locator("a.aqa-chat-cite", has_text="[1]").first).to_be_visible()
    # What is suggested comes last, and a reload in between would be an error of the page.
    expect(page.locator(".aqa-chat-suggestion").first).to_be_visible()
    page.wait_for_timeout(100)
    page.reload()
    page.get_by_role("button", name="Settings").click()
    expect(drawer.get_by_label("Quotes")).to_be_checked()
    expect(drawer.get_by_label("Strict")).to_be_checked()


def test_an_answer_goes_on_behind_a_new_chat_and_is_there_when_its_chat_is_opened_again(
    page: Page, sample_assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = Flag()

    async def endless(*_: object) -> AsyncIterator[Event]:
        import asyncio

        from rag.schema import Progress

        try:
            yield Progress(stage="write", text="Writing")
            for number in range(200):
                yield Delta(text=f"word{number} ")
                await asyncio.sleep(0.1)
        finally:
            stopped.set()

    monkeypatch.setattr(sample_assistant, "astream", endless)
    ask(page, QUESTION)
    writing = page.locator(".aqa-chat-writing")
    expect(writing).to_contain_text("word1 word2")
    page.get_by_role("button", name="New chat").first.click()
    expect(page.locator(".aqa-chat-example").first).to_be_visible()
    sleep(0.5)
    expect(page.locator(".aqa-chat-turn")).to_have_count(0)
    expect(page.get_by_role("textbox", name=BOX)).to_be_focused()
    assert not stopped.is_set()
    page.get_by_role("button", name="Chats", exact=True).click()
    listed = page.locator("#aqa-chat-list .aqa-chat-open").first
    for _ in range(2):  # opening it once more is no end of it either
        listed.click()
        expect(writing).to_contain_text("word0 word1")
        shown = writing.inner_text()
        expect(writing).not_to_have_text(shown)
        expect(page.locator(".aqa-chat-turn")).to_have_count(1)
    page.get_by_role("button", name="Stop").click()
    assert stopped.wait(timeout=20)
    expect(page.locator(".aqa-chat-turns .aqa-chat-text")).to_contain_text("word0 word1")
    expect(page.locator(".aqa-chat-stopped")).to_contain_text("Stopped.")


def test_an_image_from_elsewhere_would_be_refused(browser: Browser, address: str) -> None:
    page = browser.new_page()
    page.goto(address)
    refused = page.evaluate(
        """() => new Promise((done) => {
            document.addEventListener("securitypolicyviolation", (e) => done(e.violatedDirective));
            new Image().src = "http://127.0.0.2:9/x.png";
        })"""
    )
    assert refused == "img-src"
    page.close()


def test_hostile_abstracts_are_text(browser: Browser, tmp_path: Path) -> None:
    hostile = (
        'KiteNet <img src="http://127.0.0.2:9/x.png" onerror="alert(1)"> flies ${alert(2)} kites '
        "at {{value}} or {{#each x}} <script>alert(3)</script> `metres` <high>."
    )
    paper = Paper(id="k", title=f"KiteNet: {hostile}", abstract=hostile, url="javascript:alert(4)")
    settings = Settings(store=tmp_path / "store", data=tmp_path / "data")
    build_papers([paper], settings.store, SentenceEncoder.open("all-MiniLM-L6-v2"))
    assistant = Assistant.open(store=settings.store, settings=settings)
    alerts: list[str] = []
    requested: list[str] = []
    with served(Site(assistant, settings)) as address, opened(browser, address) as page:
        page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda sent: requested.append(sent.url))
        page.reload()
        asked = page.locator(".aqa-chat-turns > .aqa-chat-turn h2")
        ask(page, "<img src=http://127.0.0.2:9/y.png> What is ${alert(5)}?")
        expect(asked.first).to_have_text("<img src=http://127.0.0.2:9/y.png> What is ${alert(5)}?")
        ask(page, "What is KiteNet?")
        expect(asked).to_have_count(2)
        page.locator(".aqa-chat-turn").nth(1).locator(CHIP).first.click()
        marked = page.locator("mark.aqa-chat-target")
        expect(marked).to_contain_text("${alert(2)} kites at value or {{#each x}} <script>")
        expect(page.locator(".aqa-chat-text").last).to_contain_text("`metres` <high>")
    assert alerts == []
    assert [url for url in requested if not url.startswith((address, "data:", "blob:"))] == []
