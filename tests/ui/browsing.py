"""Using the page in a browser, as the tests of the page do."""

import asyncio
import socket
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

T = TypeVar("T")
QUESTION = "How many tasks does OSWorld have?"

wide_and_narrow = pytest.mark.parametrize("page", [1280, 390], indirect=True)


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def in_a_loop(doing: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end; in a thread, since a browser occupies the loop of this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, doing).result()


def ask(page: Page, question: str) -> None:
    """Ask on the page, without waiting for the answer."""
    box = page.get_by_role("textbox", name="Your question")
    box.fill(question)
    if box.input_value() != question:  # what had just been opened took the focus
        box.fill(question)
    page.get_by_role("button", name="Ask", exact=True).click()


def without_stops(errors: list[str]) -> list[str]:
    """A page's errors, but for what Gradio's client says when an answer is stopped on its way."""
    stopped = ("BodyStreamBuffer was aborted", "Connection errored out")
    return [error for error in errors if not any(each in error for each in stopped)]


def assert_fits(page: Page) -> None:
    """The page is no wider than the window."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def assert_usable(page: Page) -> None:
    """The page fits, and axe-core finds nothing serious or critical on it as it is now."""
    assert_fits(page)
    bad = [
        f"{finding['id']}: {node['html'][:200]}"
        for finding in Axe().run(page).response["violations"]
        if finding["impact"] in ("serious", "critical")
        for node in finding["nodes"]
    ]
    assert not bad, "\n".join(bad)


def scrolled(page: Page) -> int:
    """Pixels from the page's top to the window's."""
    return int(page.evaluate("window.scrollY"))
