"""The page in a real browser: asking, citations, narrow screens, and what it fetches."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from index.build import build_papers
from index.embedding import SentenceEncoder
from index.papers import Paper
from rag import Assistant
from rag.settings import Settings
from ui.web.app import build
from ui.web.server import launch

pytestmark = pytest.mark.browser

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
QUESTION = "How many tasks does OSWorld have?"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        if os.environ.get("CI"):
            pytest.fail(f"{CHROMIUM} is missing, and CI must not skip")
        pytest.skip(f"{CHROMIUM} is not here")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def address(sample_assistant: Assistant) -> Iterator[str]:
    page = build(sample_assistant)
    yield launch(page, "127.0.0.1", free_port())
    page.close(verbose=False)


@pytest.fixture
def page(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Page]:
    """The page, freshly loaded; at the end it must have fetched nothing from elsewhere."""
    width = getattr(request, "param", 1280)
    context = browser.new_context(viewport={"width": width, "height": 800})
    opened = context.new_page()
    requested: list[str] = []
    errors: list[str] = []
    opened.on("request", lambda sent: requested.append(sent.url))
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto(address)
    expect(opened.get_by_role("textbox", name="Your question")).to_be_visible()
    yield opened
    context.close()
    elsewhere = [url for url in requested if not url.startswith((address, "data:", "blob:"))]
    assert elsewhere == []
    assert errors == []


wide_and_narrow = pytest.mark.parametrize("page", [1280, 390], indirect=True)


def ask(page: Page, question: str) -> None:
    page.get_by_role("textbox", name="Your question").fill(question)
    page.get_by_role("button", name="Ask", exact=True).click()


def assert_fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


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
    assert_fits(page)


@wide_and_narrow
def test_a_question_that_is_too_long_is_told_in_one_line(page: Page) -> None:
    ask(page, "word " * 2_000)
    expect(page.locator(".aqa-problem")).to_contain_text("4,000")
    expect(page.locator("#aqa-chat")).not_to_contain_text("Traceback")
    assert_fits(page)


def test_a_second_answer_has_links_of_its_own_and_the_first_keeps_its_cards(page: Page) -> None:
    ask(page, QUESTION)
    expect(page.locator("#source-1-1")).to_be_visible()
    ask(page, "What is AdaMerging?")
    expect(page.locator("#source-2-1")).to_be_visible()
    page.locator('a.aqa-cite[href="#source-1-1"]').first.click()
    expect(page.locator("#source-1-1")).to_be_in_viewport()


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
    page.locator('a[href="#source-2-1"]').first.click()
    marked = page.locator("#source-2-1 mark")
    expect(marked).to_contain_text("${alert(2)} kites at value or {{#each x}} <script>")
    expect(page.locator("#aqa-chat .bot").last).to_contain_text("`metres` <b>high</b>")
    page.close()
    served.close(verbose=False)
    assert alerts == []
    assert [url for url in requested if not url.startswith((address, "data:", "blob:"))] == []
