"""The page in a real browser: asking, narrow screens, and what it fetches."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event as Flag
from time import sleep
from typing import Any

import pytest
from browsing import QUESTION, ask, assert_fits, free_port, scrolled, wide_and_narrow
from playwright.sync_api import Browser, Page, expect

from index.build import build_papers
from index.embedding import SentenceEncoder
from index.papers import Paper
from rag import Assistant
from rag.schema import Delta, Event
from rag.settings import Settings
from ui.web.app import build
from ui.web.server import launch

pytestmark = pytest.mark.browser


def test_an_example_can_be_clicked_and_answers(page: Page) -> None:
    page.locator("#aqa-chat .example").first.click()
    expect(page.locator("a.aqa-cite").first).to_be_visible()


@wide_and_narrow
def test_what_the_abstracts_do_not_say_is_told_with_the_nearest_papers(page: Page) -> None:
    ask(page, "What is the boiling point of mercury on the moon?")
    message = page.locator(".aqa-insufficient")
    expect(message).to_contain_text("The abstracts do not say.")
    message.locator("a").first.click()
    expect(page.locator("#near-1-1")).to_be_in_viewport()
    expect(page.locator("#aqa-sources")).to_contain_text("Nothing is cited.")
    assert_fits(page)


@wide_and_narrow
def test_a_question_that_is_too_long_is_told_in_one_line(page: Page) -> None:
    ask(page, "word " * 2_000)
    expect(page.locator(".aqa-problem")).to_contain_text("4,000")
    expect(page.locator("#aqa-chat")).not_to_contain_text("Traceback")
    expect(page.locator(".aqa-problem")).to_be_in_viewport()
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_in_viewport()
    assert_fits(page)


def test_one_can_type_at_once_and_the_focus_is_left_alone_later(page: Page) -> None:
    box = page.get_by_role("textbox", name="Your question")
    expect(box).to_be_focused()
    ask(page, QUESTION)
    expect(page.get_by_role("button", name="Retry")).to_be_visible()
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_focused()


def test_asking_nothing_leads_to_the_question_box(page: Page) -> None:
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_role("textbox", name="Your question")).to_be_focused()
    expect(page.locator("#aqa-chat .example").first).to_be_visible()


@wide_and_narrow
def test_the_layout_stays_when_an_answer_comes(page: Page) -> None:
    parts = ["main", ".aqa-header", "#aqa-chat-column", "#aqa-side"]

    def sides() -> list[tuple[float, float]]:
        boxes = [page.locator(part).first.bounding_box() for part in parts]
        return [(box["x"], box["width"]) for box in boxes if box]

    before = sides()
    ask(page, QUESTION)
    expect(page.locator("a.aqa-cite").first).to_be_visible()
    assert sides() == before
    assert len(before) == len(parts)


@wide_and_narrow
def test_a_long_answer_is_read_from_its_question_on(page: Page) -> None:
    ask(page, QUESTION)
    expect(page.locator("a.aqa-cite").first).to_be_visible()
    ask(page, "Which papers are about agents?")
    expect(page.locator("a.aqa-cite", has_text="[3]").first).to_be_attached()
    expect(page.locator("#aqa-chat .user").last).to_be_in_viewport()
    expect(page.locator("#aqa-chat .bot li").first).to_be_in_viewport()


def test_a_wide_page_never_scrolls_as_a_whole(page: Page) -> None:
    ask(page, "Which papers are about agents?")
    page.locator("a.aqa-cite", has_text="[3]").first.click()
    expect(page.locator("#source-1-3")).to_be_in_viewport()
    assert scrolled(page) == 0
    assert page.evaluate("document.documentElement.scrollHeight <= window.innerHeight")


def test_a_digest_can_be_chosen_to_answer_from(page: Page, sample_assistant: Assistant) -> None:
    chosen = sample_assistant.digests()[0]
    page.get_by_role("combobox", name="Only from digests").click()
    page.get_by_role("option").first.click()
    page.keyboard.press("Escape")
    ask(page, "Which papers are about language models?")
    expect(page.locator("a.aqa-cite").first).to_be_visible()
    for card in page.locator(".aqa-card").all():
        expect(card).to_contain_text(chosen.name)


def test_asking_again_replaces_the_answer(page: Page) -> None:
    ask(page, QUESTION)
    expect(page.locator("a.aqa-cite").first).to_be_visible()
    page.get_by_role("button", name="Retry").click()
    expect(page.locator("a.aqa-cite").first).to_be_visible()
    expect(page.locator("#aqa-chat .user .aqa-text")).to_have_count(1)


def test_a_new_chat_is_empty(page: Page) -> None:
    ask(page, QUESTION)
    expect(page.locator("#source-1-1")).to_be_visible()
    page.get_by_role("button", name="New chat").click()
    expect(page.locator("#aqa-chat .example").first).to_be_visible()
    expect(page.locator(".aqa-card")).to_have_count(0)


def test_a_question_asked_while_an_answer_is_written_waits_its_turn(
    page: Page, sample_assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = sample_assistant.stream

    def slow(question: str, **options: Any) -> Iterator[Event]:
        sleep(0.7)
        yield from answer(question, **options)

    monkeypatch.setattr(sample_assistant, "stream", slow)
    ask(page, QUESTION)
    expect(page.locator("#aqa-chat .user")).to_be_visible()
    ask(page, "What is AdaMerging?")
    expect(page.locator("#aqa-chat .user .aqa-text")).to_have_count(2)
    expect(page.locator("#aqa-chat .aqa-copy")).to_have_count(2)


def test_a_new_chat_stops_the_answer_being_written(
    page: Page, sample_assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = Flag()

    def endless(*_: object, **__: object) -> Iterator[Delta]:
        try:
            for _ in range(200):
                yield Delta(text="word ")
                sleep(0.1)
        finally:
            stopped.set()

    monkeypatch.setattr(sample_assistant, "stream", endless)
    ask(page, QUESTION)
    expect(page.locator(".aqa-partial")).to_contain_text("word word")
    expect(page.get_by_role("log")).to_have_attribute("aria-busy", "true")
    page.get_by_role("button", name="New chat").click()
    expect(page.locator("#aqa-chat .example").first).to_be_visible()
    assert stopped.wait(timeout=5)
    expect(page.locator("#aqa-chat .user")).to_have_count(0)
    expect(page.get_by_role("textbox", name="Your question")).to_be_focused()


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
        "at {{value}} or {{#each x}} <script>alert(3)</script> `metres` <b>high</b>."
    )
    paper = Paper(id="k", title=f"KiteNet: {hostile}", abstract=hostile, url="javascript:alert(4)")
    store = tmp_path / "store"
    build_papers([paper], store, SentenceEncoder.open("all-MiniLM-L6-v2"))
    served = build(Assistant.open(store=store, settings=Settings(store=store)))
    address = launch(served, "127.0.0.1", free_port())
    page = browser.new_page()
    alerts: list[str] = []
    requested: list[str] = []
    page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda sent: requested.append(sent.url))
    page.goto(address)
    ask(page, "<img src=http://127.0.0.2:9/y.png> What is ${alert(5)}?")
    expect(page.locator("#aqa-chat .user").first).to_contain_text("<img src=http://127.0.0.2")
    ask(page, "What is KiteNet?")
    page.locator('a[href^="#source-2-1"]').first.click()
    marked = page.locator("#source-2-1 mark")
    expect(marked).to_contain_text("${alert(2)} kites at value or {{#each x}} <script>")
    expect(page.locator("#aqa-chat .bot").last).to_contain_text("`metres` <b>high</b>")
    page.close()
    served.close(verbose=False)
    assert alerts == []
    assert [url for url in requested if not url.startswith((address, "data:", "blob:"))] == []
