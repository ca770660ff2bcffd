"""Using the page in a browser, as the tests of the page do, and as pages of other origins try."""

import asyncio
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request, Route, expect
from running import free_port

from rag.settings import Settings
from ui.web.own_host import Reach
from ui.web.server import build, launch
from ui.web.site import Site

T = TypeVar("T")
LOCAL = Reach("127.0.0.1")
QUESTION = "How many tasks does OSWorld have?"
CHIP = "a.aqa-chat-cite"
TURNS = ".aqa-chat-turns > .aqa-chat-turn"
DIGEST = (Path(__file__).parent / "digests" / "kites.txt").read_text(encoding="utf-8")
SCRIPTS = Path(__file__).parent / "scripts"

wide_and_narrow = pytest.mark.parametrize("page", [1280, 390], indirect=True)


def script(name: str) -> str:
    return (SCRIPTS / f"{name}.js").read_text(encoding="utf-8")


def site_of(assistant: Any, folder: Path, **settings: Any) -> Site:
    """A page over an assistant, which keeps what it keeps in this folder."""
    kept = Settings(store=Path("unused"), data=folder / "data", **settings)
    return Site(assistant, kept, runs=folder / "runs")


@contextmanager
def served(site: Site, reach: Reach = LOCAL, **more: Any) -> Iterator[str]:
    page = build(site)
    try:
        yield launch(page, site, reach, free_port(), **more)
    finally:
        page.close(verbose=False)


def open_page(page: Page, address: str) -> None:
    """Go to the page, and wait until a question can be asked."""
    page.goto(address)
    # The first load takes seconds on busy cores.
    expect(page.get_by_role("textbox", name="Your question")).to_be_visible(timeout=30_000)


@contextmanager
def opened(browser: Browser, address: str, width: int = 1280) -> Iterator[Page]:
    """A page in a profile of its own; at the end it must have had no errors."""
    context = browser.new_context(viewport={"width": width, "height": 800})
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    # The first load takes seconds on busy cores.
    expect(page.get_by_role("tab", name="Chat")).to_be_visible(timeout=30_000)
    yield page
    context.close()
    assert without_stops(errors) == []


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


def hold_the_first(page: Page, address: str) -> list[Route]:
    """Hold back the first request to an address, which is in the list then; others go on."""
    held: list[Route] = []
    page.route(address, lambda route: route.continue_() if held else held.append(route))
    return held


def without_stops(errors: list[str]) -> list[str]:
    """A page's errors, but for what Gradio's client says when an answer is stopped on its way."""
    stopped = (
        "BodyStreamBuffer was aborted", "Connection errored out",
        "signal is aborted without reason",  # where the page is left
    )  # fmt: skip
    return [error for error in errors if not any(each in error for each in stopped)]


def assert_fits(page: Page) -> None:
    """The page is no wider than the window, once what measures the window has done so."""
    fits = "document.documentElement.scrollWidth <= window.innerWidth"
    page.wait_for_function(fits, timeout=5_000)


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


# Other origins

LIST_CONVERSATIONS, TRY_ALL = script("list_conversations"), script("try_all")
ASKED_FOR = ("/config", "/gradio_api/queue/join", "/gradio_api/queue/data?session_hash=foreign")
POSTED = "api/ask api/papers mcp login gradio_api/queue/join gradio_api/upload"
ROUTES = [("GET", f"/{path}") for path in ("config", "logout", "api/openapi.json")]
ROUTES += [("POST", f"/{path}") for path in POSTED.split()]
OWN = ("127.0.0.1", "localhost")
WITHIN = ("data", "blob", "about", "file")
"""Schemes of addresses that no request leaves the browser for."""


class Leaving:
    """The log of the requests that leave, of every page of the browsers it watches."""

    def __init__(self) -> None:
        self.urls: list[str] = []
        self.allowed: set[str] = set()
        """Addresses that a test asks for itself, to see what comes of it."""

    def watch(self, browser: Browser) -> None:
        """Look at each context that is made from now on, with all its pages and workers."""
        browser.on("context", lambda context: context.on("request", self._note))

    def assert_none(self) -> None:
        """No page has asked anything of another origin."""
        left = [url for url in self.urls if url not in self.allowed]
        assert left == [], f"requests to other origins: {left}"

    def _note(self, request: Request) -> None:
        asked = urlsplit(request.url)
        # Opening a page is the test's doing; what the page fetches is of its own server.
        is_own = asked.hostname in OWN and (
            request.is_navigation_request() or asked.netloc == urlsplit(request.frame.url).netloc
        )
        if asked.scheme not in WITHIN and not is_own:
            self.urls.append(request.url)
