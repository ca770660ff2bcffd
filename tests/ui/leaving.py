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
        self._allowed: set[str] = set()

    def watch(self, browser: Browser) -> None:
        """Look at each context that is made from now on, with all its pages and workers."""
        browser.on("context", lambda context: context.on("request", self._note))

    def allow(self, url: str) -> None:
        """A test asks for this address itself, to see what comes of it."""
        self._allowed.add(url)

    def assert_none(self) -> None:
        """No page has asked anything of another origin.

        Raises:
            AssertionError: one has; the message has the addresses.
        """
        left = [url for url in self.urls if url not in self._allowed]
        assert left == [], f"requests to other origins: {left}"

    def _note(self, request: Request) -> None:
        asked = urlsplit(request.url)
        if asked.scheme in WITHIN:
            return
        if asked.hostname in OWN:
            # Opening a page is the test's doing; what the page fetches is of its own server.
            if request.is_navigation_request():
                return
            page = urlsplit(request.frame.url)
            if asked.netloc == page.netloc:
                return
        self.urls.append(request.url)
