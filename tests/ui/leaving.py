"""What the pages of a browser ask of other origins than their own."""

from urllib.parse import urlsplit

from playwright.sync_api import Browser, Request

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
