"""Answers that a chat model writes, in a browser: as they come, stopped, and marked."""

import re
from collections.abc import Iterator

import pytest
from browsing import QUESTION, TURNS, ask, opened, script, wide_and_narrow
from chat_server import Received, Scripted, says, streams
from playwright.sync_api import Browser, Page, expect
from web.conftest import Started

pytestmark = pytest.mark.browser

SAID = (
    "OSWorld is a benchmark of 369 computer tasks [1.2]. ",
    "It was made by a group at a university in Norway. ",
    "The best model succeeds at 12.24% of the tasks [1.4].",
)


def writes(*pieces: str, pause_seconds: float = 0.0) -> object:
    """A model that writes these pieces, and is of no help with small requests."""

    def reply(request: Received) -> Scripted:
        if "OSWorld" in request.text and request.body.get("stream"):
            return streams(*pieces, pause_seconds=pause_seconds)
        return streams("no") if request.body.get("stream") else says("no")

    return reply


@pytest.fixture
def page(request: pytest.FixtureRequest, browser: Browser, sampled: Started) -> Iterator[Page]:
    """The page over the sample, in a browser of its own."""
    sampled.model.hung_up.clear()
    with opened(browser, sampled.address, getattr(request, "param", 1280)) as page:
        yield page


def top(page: Page, selector: str) -> float:
    box = page.locator(selector).first.bounding_box()
    assert box
    return box["y"]


@wide_and_narrow
def test_stages_and_sources_come_first_and_no_text_moves(page: Page, sampled: Started) -> None:
    words = [word + " " for word in " ".join(SAID).split()]
    sampled.model.script = writes(*words, pause_seconds=0.08)  # type: ignore[assignment]
    page.evaluate(script("watch_stages"))
    ask(page, QUESTION)
    expect(page.locator(".aqa-chat-writing .aqa-chat-text")).to_contain_text("369", timeout=15_000)
    if page.viewport_size and page.viewport_size["width"] < 900:
        expect(page.get_by_role("button", name="Sources (")).to_be_visible()
    else:
        expect(page.locator(".aqa-chat-card").first).to_be_visible()
    before = top(page, ".aqa-chat-writing .aqa-chat-text p")
    expect(page.locator(".aqa-chat-mark").first).to_be_visible(timeout=15_000)
    assert abs(top(page, ".aqa-chat-turns .aqa-chat-text p") - before) < 2
    log = page.evaluate("log")
    wanted = ["Searching", "cards", "Writing", "words", "Checking"]
    places = [next(i for i, each in enumerate(log) if each.startswith(w)) for w in wanted]
    assert places == sorted(places), log


def test_an_unsupported_sentence_is_marked_and_says_why(page: Page, sampled: Started) -> None:
    sampled.model.script = writes(*SAID)  # type: ignore[assignment]
    ask(page, QUESTION)
    mark = page.get_by_role("button", name="not found").first
    expect(mark).to_be_visible()
    unsupported = page.locator(".aqa-chat-unsupported").first
    expect(unsupported).to_contain_text("Norway")
    style = unsupported.evaluate("e => getComputedStyle(e).textDecorationLine")
    assert style == "underline", "not by its colour alone"
    quiet = page.locator(".aqa-chat-supported").first
    assert quiet.evaluate("e => getComputedStyle(e).textDecorationLine") == "none"
    note = page.locator(".aqa-chat-check", has_text="so it cites nothing").first
    expect(note).not_to_be_visible()
    mark.press("Enter")
    expect(note).to_be_visible()
    expect(mark).to_have_attribute("aria-expanded", "true")
    expect(note).to_contain_text("Norway is not named")
    page.keyboard.press("Escape")
    expect(note).not_to_be_visible()


def test_a_strict_answer_leaves_out_what_is_not_borne_out(page: Page, sampled: Started) -> None:
    sampled.model.script = writes(*SAID[:2])  # type: ignore[assignment]
    page.get_by_role("button", name="Settings").click()
    page.locator("#aqa-chat-drawer").get_by_label("Strict", exact=True).check()
    page.keyboard.press("Escape")
    ask(page, QUESTION)
    text = page.locator(f"{TURNS} .aqa-chat-text")
    expect(text).to_contain_text("369")
    expect(text).not_to_contain_text("Norway")


def being_written(page: Page, sampled: Started) -> None:
    """Ask, and wait for the first words; the question has words of the answer, too."""
    endless = [SAID[0], "OSWorld is also ", *["more and "] * 400]
    sampled.model.script = writes(*endless, pause_seconds=0.1)  # type: ignore[assignment]
    ask(page, QUESTION)
    written = page.locator(".aqa-chat-writing .aqa-chat-text")
    expect(written).to_contain_text("369 computer tasks", timeout=15_000)


def test_stop_closes_the_model_and_keeps_the_text(page: Page, sampled: Started) -> None:
    being_written(page, sampled)
    page.get_by_role("button", name="Stop").click()
    assert sampled.model.hung_up.wait(timeout=20)
    expect(page.locator(".aqa-chat-stopped")).to_contain_text("Stopped.")
    expect(page.locator(f"{TURNS} .aqa-chat-text")).to_contain_text("369")
    expect(page.get_by_role("button", name="Stop")).not_to_be_visible()
    # The page goes on as if nothing had been.
    sampled.model.script = writes(*SAID)  # type: ignore[assignment]
    page.get_by_role("button", name="Retry").click()
    expect(page.locator(f"{TURNS} .aqa-chat-text").last).to_contain_text("12.24%")


def test_an_answer_goes_on_over_a_reload_or_a_new_chat(page: Page, sampled: Started) -> None:
    words = [word + " " for word in (SAID[0] + SAID[2]).split()]
    sampled.model.script = writes(*words, pause_seconds=0.25)  # type: ignore[assignment]
    writing = page.locator(".aqa-chat-writing")
    ask(page, QUESTION)
    expect(writing.locator("strong")).to_contain_text("Writing", timeout=15_000)
    expect(page).to_have_url(re.compile(r"\?c="))
    page.reload()
    expect(writing.locator("h2")).to_have_text(QUESTION)
    expect(writing.locator(".aqa-chat-text")).to_contain_text("369", timeout=15_000)
    finished = page.locator(TURNS)
    expect(finished.locator(".aqa-chat-text")).to_contain_text("12.24%", timeout=30_000)
    expect(finished.locator("a.aqa-chat-cite").first).to_be_visible()
    expect(writing).to_have_count(0)
    expect(page.locator("#aqa-chat-sources .aqa-chat-card").first).to_be_visible()
    assert not sampled.model.hung_up.is_set()
    asked = sum("OSWorld" in request.text for request in sampled.model.received)
    # Away for a moment, and back when the answer is finished: it is not asked for again.
    page.goto("about:blank")
    page.go_back()
    expect(finished.locator(".aqa-chat-text")).to_contain_text("12.24%")
    assert sum("OSWorld" in request.text for request in sampled.model.received) == asked

    # It goes on behind a new chat, too, and is there when its chat is opened again.
    page.get_by_role("button", name="New chat").first.click()
    expect(finished).to_have_count(0)
    page.evaluate(script("arrive_late"))
    being_written(page, sampled)
    page.get_by_role("button", name="New chat").first.click()
    expect(page.locator(".aqa-chat-example").first).to_be_visible()
    assert page.evaluate("aqaLate()") == 3, "the turns, the one being written, the sources"
    page.wait_for_timeout(500)
    expect(page.locator(".aqa-chat-turn")).to_have_count(0)
    expect(page.locator("#aqa-chat-sources .aqa-chat-card")).to_have_count(0)
    assert not sampled.model.hung_up.is_set()
    page.get_by_role("button", name="Chats", exact=True).click()
    for _ in range(2):  # opening it once more is no end of it either
        page.locator("#aqa-chat-list .aqa-chat-open").first.click()
        expect(writing.locator(".aqa-chat-text")).to_contain_text("369")
        shown = writing.inner_text()
        expect(writing).not_to_have_text(shown)
    page.reload()
    expect(writing.locator(".aqa-chat-text")).to_contain_text("369")
    page.get_by_role("button", name="Stop").click()
    assert sampled.model.hung_up.wait(timeout=20)
    expect(page.locator(".aqa-chat-stopped")).to_contain_text("Stopped.")
    expect(finished).to_have_count(1)
    expect(writing).to_have_count(0)
