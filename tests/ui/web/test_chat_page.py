"""The chat in a browser: asking, narrow screens, filters, the keyboard, hostile text, speed."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from statistics import median
from time import time

import browsing
import pytest
from browsing import CHIP, QUESTION, TURNS, ask, assert_fits, hold_the_first, opened, script, served
from chat_server import Received, Scripted, streams
from playwright.sync_api import Browser, Page, expect
from web.conftest import Started

from index.build import build_papers
from index.embedding import SentenceEncoder
from index.papers import Paper
from rag import Assistant
from rag.settings import Settings
from ui.web.site import Site

pytestmark = pytest.mark.browser

BOX = "Your question"
LAST = f"{TURNS}:last-child"
PANEL = "#aqa-chat-sources section:not([hidden])"


def asked(page: Page, question: str, turns: int) -> None:
    """Ask, and wait for the whole of so many answers."""
    ask(page, question)
    expect(page.locator(TURNS)).to_have_count(turns)


def back_to_the_answer(page: Page) -> None:
    page.get_by_role("button", name="Back to the answer").locator("visible=true").click()


@browsing.wide_and_narrow
def test_from_an_example_to_the_sentences_behind_each_answer(page: Page) -> None:
    example = page.locator(".aqa-chat-example").first
    question = example.inner_text()
    example.click()
    expect(page.locator(CHIP).first).to_be_visible()
    expect(page.locator(".aqa-chat-turn h2")).to_have_text(question)
    expect(page.locator("#aqa-chat-welcome")).not_to_be_visible()
    suggested = page.locator(".aqa-chat-suggestion").first
    question = suggested.inner_text()
    suggested.click()
    expect(page.locator(f"{TURNS} h2").last).to_have_text(question)

    # Each chip opens its card with the sentence it stands for, and leads back.
    asked(page, QUESTION, 3)
    expect(page.locator(f"{LAST} {CHIP}").nth(1)).to_be_visible()
    answer = page.locator(f"{LAST} .aqa-chat-answer .aqa-chat-text").inner_text()
    chips = page.locator(f"{LAST} {CHIP}").all()
    shown = []
    marked, card = page.locator("mark.aqa-chat-target"), page.locator(f"{PANEL} .aqa-chat-card")
    for chip in chips:
        chip.click()
        expect(marked).to_have_count(1)
        expect(marked).to_be_in_viewport(ratio=1)
        expect(card.first).to_be_focused()
        shown.append(marked.inner_text())
        assert_fits(page)
        back_to_the_answer(page)
        expect(chip).to_be_focused()
        expect(chip).to_be_in_viewport()
    assert len(set(shown)) == len(chips)
    for sentence, said in zip(shown, answer.split("[1]"), strict=False):
        assert said.strip().endswith(sentence)
    for told in ("OSWorld", "2025", "Found by"):
        expect(card.first).to_contain_text(told)

    # A question is read from its top, and nothing but the turns scrolls.
    asked(page, "Which papers are about agents?", 4)
    expect(page.locator(f"{LAST} li").first).to_be_visible()
    expect(page.locator(f"{LAST} h2")).to_be_in_viewport(ratio=1)
    expect(page.locator(f"{LAST} li").first).to_be_in_viewport(ratio=1)
    assert page.evaluate("window.scrollY") == 0
    assert page.evaluate("document.documentElement.scrollHeight <= window.innerHeight")
    assert_fits(page)
    chip = page.locator(f"{LAST} {CHIP}").nth(3)
    chip.scroll_into_view_if_needed()
    place = page.locator("#aqa-chat-scroll").evaluate("e => e.scrollTop")
    chip.click()
    expect(marked).to_be_in_viewport(ratio=1)
    assert page.locator("#aqa-chat-scroll").evaluate("e => e.scrollTop") == place
    back_to_the_answer(page)
    # The sources of an earlier answer are shown when it is looked at.
    page.locator(TURNS).nth(2).locator(CHIP).first.click()
    expect(page.locator("#aqa-chat-sources h2")).to_contain_text(QUESTION)
    back_to_the_answer(page)

    # What the abstracts do not say is told with the nearest papers.
    asked(page, "What is the boiling point of mercury on the moon?", 5)
    refusal = page.locator(".aqa-chat-refusal")
    expect(refusal).to_contain_text("The abstracts do not say.")
    expect(refusal).to_contain_text("would need abstracts about")
    expect(page.locator(PANEL)).to_contain_text("Nothing is cited.")
    refusal.locator("a").first.click()
    near = page.locator("[id^=aqa-near-]").first
    expect(near).to_be_in_viewport()
    expect(near).to_be_focused()
    back_to_the_answer(page)

    # A question that is too long stays in the box.
    asked(page, "word " * 2_000, 6)
    expect(page.locator(".aqa-chat-problem")).to_contain_text("4,000")
    expect(page.locator(".aqa-chat-problem")).to_be_in_viewport()
    expect(page.get_by_role("textbox", name=BOX)).to_have_value("word " * 2_000)
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_in_viewport()
    assert_fits(page)


def test_one_can_type_at_once_choose_settings_copy_and_vote(page: Page) -> None:
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

    page.get_by_role("button", name="Settings").click()
    drawer = page.locator("#aqa-chat-drawer")
    expect(drawer).to_contain_text("No chat model is in use")
    drawer.get_by_label("Quotes").check()
    drawer.get_by_label("Strict").check()
    page.keyboard.press("Escape")
    expect(drawer).not_to_be_visible()
    expect(page.get_by_role("button", name="Settings")).to_be_focused()
    asked(page, QUESTION, 2)
    turn = page.locator(LAST)

    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    turn.get_by_role("button", name="Copy", exact=True).click()
    expect(turn.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "369" in copied
    assert r"\[1\] OSWorld" in copied
    panel = page.locator(PANEL)
    panel.get_by_role("button", name="Copy BibTeX").click()
    expect(panel.get_by_role("button", name="Copied")).to_be_visible()
    assert "@" in page.evaluate("navigator.clipboard.readText()")

    bad = turn.get_by_role("button", name="Bad answer")
    bad.click()
    page.get_by_role("textbox", name="Why").fill("It is about other agents")
    page.get_by_role("button", name="Send").click()
    expect(bad).to_have_attribute("aria-pressed", "true")
    # What is suggested comes last, and a reload in between would be an error of the page.
    expect(turn.locator(".aqa-chat-suggestion").first).to_be_visible()
    page.wait_for_timeout(100)
    page.reload()
    expect(bad).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Settings").click()
    expect(drawer.get_by_label("Quotes")).to_be_checked()
    expect(drawer.get_by_label("Strict")).to_be_checked()


def test_filters_bind_and_show_as_chips(page: Page, sample_assistant: Assistant) -> None:
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
    for card in page.locator(f"{PANEL} .aqa-chat-card").all():
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


def test_a_new_chat_waits_for_a_question_that_is_on_its_way(page: Page) -> None:
    held = hold_the_first(page, "**/gradio_api/queue/join*")
    ask(page, QUESTION)
    page.get_by_role("button", name="New chat").locator("visible=true").first.click()
    page.wait_for_timeout(500)
    held[0].continue_()
    expect(page.locator("#aqa-chat-list .aqa-chat-open")).to_have_text([QUESTION])
    page.wait_for_timeout(500)
    expect(page.locator(".aqa-chat-turn")).to_have_count(0)
    expect(page.locator(".aqa-chat-example").first).to_be_visible()


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
        question = "<img src=http://127.0.0.2:9/y.png> What is ${alert(5)}?"
        asked(page, question, 1)
        expect(page.locator(f"{TURNS} h2")).to_have_text(question)
        asked(page, "What is KiteNet?", 2)
        page.locator(".aqa-chat-turn").nth(1).locator(CHIP).first.click()
        marked = page.locator("mark.aqa-chat-target")
        expect(marked).to_contain_text("${alert(2)} kites at value or {{#each x}} <script>")
        expect(page.locator(".aqa-chat-text").last).to_contain_text("`metres` <high>")
        assert [url for url in requested if not url.startswith((address, "data:", "blob:"))] == []
        # If there were an image, the page's policy would refuse it.
        assert page.evaluate(script("load_an_image")) == "img-src"
    assert alerts == []


# How fast there is something to see

TIMES = 15


def finished(page: Page, turns: int) -> None:
    expect(page.locator(TURNS)).to_have_count(turns, timeout=30_000)
    expect(page.locator(".aqa-chat-suggestion").last).to_be_visible(timeout=30_000)
    page.wait_for_timeout(200)


@pytest.mark.slow
def test_source_cards_come_at_once(page: Page) -> None:
    page.evaluate(script("watch"))
    took = []
    for turn in range(1, TIMES + 2):
        ask(page, QUESTION)
        finished(page, turn)
        seen = page.evaluate("seen")
        took.append(seen["cards"] - seen["sent"])
    print(f"cards: {median(took[1:]):.0f} ms", [round(each) for each in took[1:]])  # noqa: T201
    assert median(took[1:]) <= 300


@pytest.mark.slow
def test_the_first_word_is_shown_when_the_model_sends_it(browser: Browser, real: Started) -> None:
    sent: list[float] = []

    def reply(request: Received) -> Scripted:
        if "OSWorld is" in request.text or "[1.1]" not in request.text:
            return streams("no")
        whole = streams("OSWorld is a benchmark of 369 tasks [1.2].", pause_seconds=0.1)

        def chunks() -> Iterator[bytes]:
            first, *others = whole.chunks
            sent.append((time() + whole.pause_seconds) * 1000)
            yield first
            yield from others

        return replace(whole, chunks=chunks())

    real.model.script = reply
    page = browser.new_page()
    page.goto(real.address)
    page.get_by_role("textbox", name="Your question").wait_for(timeout=30_000)
    page.evaluate(script("watch"))
    took = []
    for _ in range(TIMES + 1):
        ask(page, QUESTION)
        finished(page, 1)
        took.append(page.evaluate("seen.word") - sent[-1])
        page.get_by_role("button", name="New chat").first.click()
        expect(page.locator(".aqa-chat-turn")).to_have_count(0)
    page.close()
    print(f"first word: {median(took[1:]):.0f} ms", [round(each) for each in took[1:]])  # noqa: T201
    assert median(took[1:]) <= 50
