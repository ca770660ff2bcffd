"""Pages of other origins, in a real browser: none acts for a visitor, ours asks none of anything.

That no request leaves the origin is checked at the end of every module: so is the check.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import browsing
import pytest
from browsing import QUESTION, Leaving, ask, free_port, served
from chat_server import ChatServer
from playwright.sync_api import Browser, Page, expect

from ui.web.accounts import Accounts, add
from ui.web.site import Site

pytestmark = pytest.mark.browser


@pytest.fixture
def foreign(chat_server: ChatServer) -> str:
    """The address of a page on another port."""
    return urlsplit(chat_server.base_url).netloc


def test_a_page_on_another_port_cannot_list_a_visitor_s_conversations(
    page: Page, address: str, foreign: str, leaving: Leaving
) -> None:
    ask(page, QUESTION)
    expect(page.locator("a.aqa-chat-cite").first).to_be_visible()
    sent = {"target": address, "headers": {}}
    own = page.evaluate(browsing.LIST_CONVERSATIONS, sent)
    assert "OSWorld" in own, "the attack no longer does what the page does"
    for path in browsing.ASKED_FOR:
        leaving.allowed.add(f"{address}{path}")
    attacking = page.context.new_page()
    attacking.goto(f"http://{foreign}")
    for attack in (sent, sent | {"headers": {"X-Forwarded-Host": foreign}}):
        assert "refused" in attacking.evaluate(browsing.LIST_CONVERSATIONS, attack)
    attacking.close()


@pytest.fixture(params=[False, True], ids=["open", "with a login"])
def target(
    request: pytest.FixtureRequest, address: str, site: Site, tmp_path: Path
) -> Iterator[str]:
    """A page that everybody may use, and one that ada may."""
    if not request.param:
        yield address
        return
    add(tmp_path / "people", "ada", "password")
    closed = replace(site, accounts=Accounts(tmp_path / "people"))
    with served(closed) as address:
        yield address


def test_another_port_does_nothing(page: Page, target: str, foreign: str, leaving: Leaving) -> None:
    page.request.post(f"{target}/login", form={"username": "ada", "password": "password"})
    assert page.request.get(f"{target}/config").ok, "the visitor may, if the attacker may not"
    for _, path in browsing.ROUTES:
        leaving.allowed.add(f"{target}{path}")
    attacking = page.context.new_page()
    attacking.goto(f"http://{foreign}")
    statuses: list[int] = []
    attacking.on("response", lambda reply: statuses.append(reply.status))
    assert attacking.evaluate(browsing.TRY_ALL, {"target": target, "routes": browsing.ROUTES}) == []
    attacking.close()
    assert len(statuses) >= len(browsing.ROUTES)
    assert set(statuses) == {403}


def test_whatever_a_page_asks_of_another_origin_is_noted_and_fails_the_module(
    browser: Browser, leaving: Leaving, chat_server: ChatServer
) -> None:
    page = browser.new_page()
    for url in ("http://127.0.0.2:9/x", f"http://127.0.0.1:{free_port()}/z"):
        # No page of ours: its policy would refuse the request before it left.
        page.goto(chat_server.base_url)
        leaving.assert_none()
        page.evaluate("url => fetch(url, { mode: 'no-cors' }).catch(() => null)", url)
        assert leaving.urls[-1] == url
        with pytest.raises(AssertionError, match=url):
            leaving.assert_none()
        leaving.allowed.add(url)
        leaving.assert_none()
    page.close()
