"""That no request leaves the origin is checked at the end of every module: so is the check."""

import pytest
from browsing import free_port
from chat_server import ChatServer
from leaving import Leaving
from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


def fetch(page: Page, url: str) -> None:
    """Ask for an address from within a page, and wait until that has failed."""
    page.evaluate("url => fetch(url, { mode: 'no-cors' }).catch(() => null)", url)


def test_whatever_a_page_asks_of_another_origin_is_noted_and_fails_the_module(
    browser: Browser, leaving: Leaving, chat_server: ChatServer
) -> None:
    context = browser.new_context()
    other_port = f"http://127.0.0.1:{free_port()}/z"
    asked = ["http://127.0.0.2:9/x", "http://127.0.0.2:9/y", other_port]
    for page, url in zip(
        (browser.new_page(), context.new_page(), context.new_page()), asked, strict=True
    ):
        # No page of ours: its policy would refuse the request before it left.
        page.goto(chat_server.base_url)
        leaving.assert_none()
        fetch(page, url)
        assert leaving.urls[-1] == url
        with pytest.raises(AssertionError, match=url):
            leaving.assert_none()
        leaving.allow(url)
        leaving.assert_none()
        page.close()
    context.close()
