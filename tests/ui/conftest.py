"""The page, served and opened in a browser."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import Leaving, open_page, served, site_of, without_stops
from chat_server import ChatServer
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from rag import Assistant
from ui.web.site import Site

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    "--host-resolver-rules=MAP *.test 127.0.0.1",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give a browser test that fails a second try: two cores run server, browser and test."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture
def configured_model(chat_server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> ChatServer:
    """A chat model that the settings name, and a test scripts."""
    monkeypatch.setenv("ABSTRACTQA_CHAT_MODEL", "scripted")
    monkeypatch.setenv("OPENAI_BASE_URL", chat_server.base_url)
    return chat_server


# Not for the whole session: where Playwright runs, asyncio.run cannot, which other tests call.
@pytest.fixture(scope="module")
def leaving() -> Iterator[Leaving]:
    """What pages ask of other origins: nothing, at the end of each module."""
    leaving = Leaving()
    leaving.allowed.add("http://127.0.0.2:9/x.png")  # a test sees the policy refuse it
    yield leaving
    leaving.assert_none()


@pytest.fixture(scope="module")
def browser(leaving: Leaving) -> Iterator[Browser]:
    """Debian's Chromium; no page in it may ask anything of another origin."""
    if not CHROMIUM.exists():
        if os.environ.get("CI"):
            pytest.fail(f"{CHROMIUM} is missing, and CI must not skip")
        pytest.skip(f"{CHROMIUM} is not here")
    expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        leaving.watch(chromium)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def site(sample_assistant: Assistant, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The page's own things over the bundled sample, with no chat model."""
    return site_of(sample_assistant, tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def address(site: Site) -> Iterator[str]:
    """Where the page over the bundled sample is served."""
    with served(site) as address:
        yield address


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """One profile for the pages of a module: what each of them loads is in its cache."""
    with browser.new_context(viewport={"width": 1280, "height": 800}) as opened:
        yield opened


@pytest.fixture
def page(request: pytest.FixtureRequest, context: BrowserContext, address: str) -> Iterator[Page]:
    """The page, freshly loaded, of a new visitor; at the end it must have had no errors."""
    opened = context.new_page()
    opened.set_viewport_size({"width": getattr(request, "param", 1280), "height": 800})
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    open_page(opened, address)
    yield opened
    for each in context.pages:
        each.close()
    # The next page's visitor is a new one: no cookies, and nothing kept of the address.
    context.clear_cookies()
    context.clear_permissions()
    blank = context.new_page()
    session = context.new_cdp_session(blank)
    session.send("Storage.clearDataForOrigin", {"origin": address, "storageTypes": "all"})
    blank.close()
    assert without_stops(errors) == []
