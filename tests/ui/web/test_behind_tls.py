"""The page with a login, behind a TLS proxy: pages of other origins neither read nor change it."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread
from time import sleep
from typing import Any

import browsing
import httpx
import pytest
import uvicorn
from browsing import QUESTION, Leaving, ask, free_port, script, served
from playwright.sync_api import Browser, Page, expect
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from ui.web.accounts import Accounts, add
from ui.web.own_host import Reach
from ui.web.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NAME = "papers.test"
PER_HOP = {b"connection", b"transfer-encoding", b"keep-alive"}
LOG_IN, COUNT_PAPERS = script("log_in"), script("count_papers")


def proxy(upstream: str) -> Starlette:
    """An application that passes on what is sent to `NAME`; other names have an empty page."""

    async def forward(request: Request) -> Response:
        host = request.headers["host"]
        if host.partition(":")[0] != NAME or not upstream:
            return HTMLResponse("<title>elsewhere</title>")
        told = {"x-forwarded-proto": "https", "x-forwarded-host": host, "x-forwarded-for": "::1"}
        headers = [each for each in request.headers.raw if each[0] not in PER_HOP]
        headers += [(name.encode(), value.encode()) for name, value in told.items()]
        client = httpx.AsyncClient(timeout=None)
        url, body = f"{upstream}{request.url.path}?{request.url.query}", await request.body()
        sent = client.build_request(request.method, url, headers=headers, content=body)
        reply = await client.send(sent, stream=True)
        end = BackgroundTask(client.aclose)
        passed = StreamingResponse(reply.aiter_raw(), reply.status_code, background=end)
        passed.raw_headers = [each for each in reply.headers.raw if each[0].lower() not in PER_HOP]
        return passed

    methods = ["GET", "POST", "OPTIONS", "PUT", "DELETE"]
    return Starlette(routes=[Route("/{path:path}", forward, methods=methods)])


@contextmanager
def over_tls(app: Starlette, certificate: tuple[Path, Path]) -> Iterator[int]:
    port = free_port()
    files = {"ssl_certfile": certificate[0], "ssl_keyfile": certificate[1]}
    quiet: dict[str, Any] = {"log_level": "error", "lifespan": "off", "ws": "none"}
    server = uvicorn.Server(uvicorn.Config(app, port=port, **files, **quiet))
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    while thread.is_alive() and not server.started:
        sleep(0.05)
    yield port
    server.should_exit = server.force_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not here")
    folder = tmp_path_factory.mktemp("tls")
    made, key = folder / "certificate.pem", folder / "key.pem"
    kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    command = ["openssl", "req", "-x509", *kind, "-subj", f"/CN={NAME}"]
    subprocess.run([*command, "-keyout", key, "-out", made], check=True, capture_output=True)
    return made, key


@pytest.fixture(scope="module")
def leaving() -> Leaving:
    """Pages of other origins ask for things here: nothing is held to its own."""
    return Leaving()


@pytest.fixture(scope="module")
def ports(
    site: Site, certificate: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[int, int]]:
    """The port of the page's proxy, and one where there is an empty page under every name."""
    people = tmp_path_factory.mktemp("people") / "people"
    add(people, "ada", "password")
    closed = replace(site, accounts=Accounts(people))
    reach = Reach("127.0.0.1", proxies=("127.0.0.1",))
    with (
        served(closed, reach, mcp=True) as upstream,
        over_tls(proxy(upstream), certificate) as own,
        over_tls(proxy(""), certificate) as other,
    ):
        yield own, other


@pytest.fixture
def own(browser: Browser, ports: tuple[int, int]) -> Iterator[Page]:
    """The page of a visitor who has logged in and asked something."""
    with browser.new_context(ignore_https_errors=True) as context:
        page = context.new_page()
        page.goto(f"https://{NAME}:{ports[0]}")
        assert page.evaluate(LOG_IN, {"username": "ada", "password": "password"})
        page.reload()
        expect(page.get_by_role("textbox", name="Your question")).to_be_visible(timeout=30_000)
        ask(page, QUESTION)
        expect(page.locator("a.aqa-chat-cite").first).to_be_visible()
        yield page


def test_the_cookies_of_a_login_are_for_https_and_this_site(own: Page) -> None:
    cookies = [each for each in own.context.cookies() if "access-token" in each.get("name", "")]
    assert cookies
    for cookie in cookies:
        assert (cookie.get("secure"), cookie.get("httpOnly")) == (True, True)
        assert cookie.get("sameSite") == "Lax"


ELSEWHERE = {
    "another site": "elsewhere.test:{1}",
    "a sibling": "sibling.{0}:{1}",
    "a port": "{0}:{2}",
}


@pytest.mark.parametrize("where", ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_page_elsewhere_does_nothing(own: Page, ports: tuple[int, int], where: str) -> None:
    port, other_port = ports
    target = f"https://{NAME}:{port}"
    attacker = f"https://{where.format(NAME, port, other_port)}"
    sent = {"target": target, "headers": {}}
    listed, papers = own.evaluate(browsing.LIST_CONVERSATIONS, sent), own.evaluate(COUNT_PAPERS)
    assert "OSWorld" in listed, "the attack no longer does what the page does"
    assert papers > 0
    events = own.evaluate("async () => (await (await fetch('/config')).json()).dependencies.length")

    attacking = own.context.new_page()
    attacking.goto(attacker)
    statuses: list[int] = []
    attacking.on("response", lambda reply: statuses.append(reply.status))
    forged = {"target": target, "headers": {"X-Forwarded-Host": attacker.split("//")[1]}}
    for attack in (sent, forged):
        assert "refused" in attacking.evaluate(browsing.LIST_CONVERSATIONS, attack)
    assert attacking.evaluate(browsing.TRY_ALL, {"target": target, "routes": browsing.ROUTES}) == []
    attacking.evaluate(script("send_every_event"), {"target": target, "events": events})
    assert len(statuses) >= events
    assert set(statuses) == {403}
    attacking.close()

    assert own.evaluate(COUNT_PAPERS) == papers
    again = own.evaluate(browsing.LIST_CONVERSATIONS, sent)
    assert again.count("OSWorld") == listed.count("OSWorld")
