"""A page behind a proxy: the proxy that is named is believed, and nobody else."""

from collections.abc import Iterator

import httpx
import pytest
from browsing import free_port
from running import run

from ui.web.app import build
from ui.web.own_host import Reach
from ui.web.server import launch
from ui.web.site import Site

PROXY = "127.0.0.2"
FORWARDED = {"X-Forwarded-Host": "papers.example", "X-Forwarded-Proto": "https"}


@pytest.fixture(scope="module")
def proxied(site: Site) -> Iterator[str]:
    """Where a page is served to the proxy."""
    page = build(site)
    yield launch(page, Reach("127.0.0.1", proxies=(f"{PROXY}/32",)), free_port())
    page.close(verbose=False)


def get(url: str, headers: dict[str, str], sender: str = PROXY) -> httpx.Response:
    transport = httpx.HTTPTransport(local_address=sender)
    with httpx.Client(transport=transport) as http:
        return http.get(url, headers=headers)


@pytest.mark.parametrize(
    "headers",
    [
        FORWARDED,
        {"Host": "papers.example", "X-Forwarded-Proto": "https"},
        {"X-Forwarded-Host": "forged.example, papers.example", "X-Forwarded-Proto": "https"},
    ],
)
def test_the_page_has_the_name_that_its_proxy_tells(proxied: str, headers: dict[str, str]) -> None:
    own = get(f"{proxied}/config", headers | {"Origin": "https://papers.example"})
    assert own.json()["root"] == "https://papers.example"
    for origin in ("http://papers.example", "https://other.papers.example", proxied):
        assert get(f"{proxied}/config", headers | {"Origin": origin}).status_code == 403
    assert "Secure" in get(proxied, headers).headers["Set-Cookie"]


def test_nobody_else_is_believed(proxied: str) -> None:
    assert get(f"{proxied}/config", FORWARDED, "127.0.0.1").json()["root"] == proxied
    origin = {"Origin": "https://papers.example"}
    assert get(f"{proxied}/config", FORWARDED | origin, "127.0.0.1").status_code == 403
    assert get(proxied, {"Host": "papers.example"}, "127.0.0.1").status_code == 403
    assert "Secure" not in get(proxied, FORWARDED, "127.0.0.1").headers["Set-Cookie"]


def test_a_proxy_is_named_by_an_address() -> None:
    told = run("ui", "--trusted-proxy", "proxy.example")
    assert told.returncode == 2
    assert "'proxy.example' is no address or network" in told.stderr
