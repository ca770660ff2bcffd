"""How fast the chat shows what there is: source cards without a model, the first word with one."""

from collections.abc import Iterator
from dataclasses import replace
from statistics import median
from time import time

import pytest
from browsing import QUESTION, ask, script
from chat_server import Received, Scripted, streams
from playwright.sync_api import Browser, Page, expect
from web.conftest import Started

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TIMES = 15


def finished(page: Page, turns: int) -> None:
    expect(page.locator(".aqa-chat-turns > .aqa-chat-turn")).to_have_count(turns, timeout=30_000)
    expect(page.locator(".aqa-chat-suggestion").last).to_be_visible(timeout=30_000)
    page.wait_for_timeout(200)


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
