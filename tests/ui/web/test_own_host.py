"""What is not for this page is turned away: other names, other origins, headers of others."""

from collections.abc import Iterator
from http.cookies import SimpleCookie
from types import SimpleNamespace

import httpx
import pytest
from browsing import served
from running import run

from ui.web.own_host import Reach, is_this_machine
from ui.web.site import Site
from ui.web.visitors import COOKIE, visitor

OTHER = "http://127.0.0.1:1"
PROXY = "127.0.0.2"
FORWARDED = {"X-Forwarded-Host": "papers.example", "X-Forwarded-Proto": "https"}


# The names of a page


def test_a_page_that_others_reach_is_not_for_this_machine_alone() -> None:
    for host in ("127.0.0.1", "localhost", "::1", "0.0.0.0", "192.168.0.7", "example.org"):
        is_here = host in ("127.0.0.1", "localhost", "::1")
        assert is_this_machine(host) is Reach(host).only_here is is_here
    assert not Reach("127.0.0.1", proxies=("127.0.0.1",)).only_here
    assert not Reach("127.0.0.1", names=("papers.example",)).only_here


@pytest.mark.parametrize(
    ("reach", "own", "foreign"),
    [
        (Reach("127.0.0.1"), "localhost 127.0.0.2 ::1", "192.168.0.7 papers.example box"),
        (Reach("0.0.0.0"), "localhost 192.168.0.7 fe80::1 box box.local", "papers.example"),
        (Reach("box.lan"), "box.lan 10.0.0.1", "box.lan.elsewhere.example"),
        (Reach("127.0.0.1", names=("papers.example",)), "papers.example", "example"),
    ],
)
def test_the_names_of_a_page(
    reach: Reach, own: str, foreign: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "Box")
    assert [name for name in own.split() if not reach.has(name)] == []
    assert [name for name in ["", *foreign.split()] if reach.has(name)] == []


def test_a_name_that_points_here_from_elsewhere_is_refused(address: str) -> None:
    for host in ("localhost:7860", "127.0.0.1", "[::1]:7860", "LOCALHOST"):
        assert httpx.get(f"{address}/config", headers={"Host": host}).status_code == 200
    for host in ("elsewhere.example:7860", "127.0.0.1.elsewhere.example", "[::2]"):
        reply = httpx.get(f"{address}/config", headers={"Host": host})
        assert (reply.status_code, "open the page as localhost" in reply.text) == (403, True)


# Pages elsewhere

ELSEWHERE = [
    {"Origin": "https://elsewhere.example"},
    {"Origin": "null"},
    {"Origin": OTHER},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
    {"Sec-Fetch-Site": "something-new"},
    {"Origin": OTHER, "X-Forwarded-Host": "127.0.0.1:1"},
    {"Origin": OTHER, "X-Forwarded-Host": "127.0.0.1:1", "Sec-Fetch-Site": "same-site"},
    {"Origin": OTHER, "Forwarded": "host=127.0.0.1:1", "X-Original-Host": "127.0.0.1:1"},
]


@pytest.mark.parametrize("headers", ELSEWHERE)
def test_what_a_page_elsewhere_sends_is_refused(address: str, headers: dict[str, str]) -> None:
    for path in "gradio_api/upload gradio_api/queue/join api/papers api/openapi.json mcp".split():
        for method in ("GET", "POST"):
            reply = httpx.request(method, f"{address}/{path}", headers=headers)
            assert (reply.status_code, "another origin" in reply.text) == (403, True)


def test_a_preflight_of_a_page_elsewhere_is_refused_before_gradio_grants_it(address: str) -> None:
    asked = {"Origin": OTHER, "Access-Control-Request-Method": "POST"}
    for headers in (asked, asked | {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}):
        reply = httpx.options(f"{address}/gradio_api/queue/join", headers=headers)
        assert reply.status_code == 403
        assert not [name for name in reply.headers if name.startswith("access-control")]
        assert "default-src 'self'" in reply.headers["Content-Security-Policy"]


def test_the_page_itself_links_to_it_and_programs_are_let_in(address: str) -> None:
    follows = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    own = {"Sec-Fetch-Site": "same-origin", "Host": address.removeprefix("http://")}

    def code(method: str, path: str, headers: dict[str, str]) -> int:
        return httpx.request(method, f"{address}{path}", headers=headers).status_code

    for headers in ({}, {"Origin": address}, own, follows):
        assert code("GET", "/", headers) == 200
    assert code("GET", "/?c=1", follows | {"Sec-Fetch-Dest": "document"}) == 200
    assert code("GET", "/", follows | {"Sec-Fetch-Dest": "iframe"}) == 403
    assert code("GET", "/logout", follows) == 403
    assert code("POST", "/", follows) == 403
    assert code("GET", "/", follows | {"Origin": OTHER}) == 403


def test_what_the_page_does_not_use_is_closed(address: str) -> None:
    unused = "process_recording component_server vibe-code proxy=x call/ask call/v2/ask run/ask"
    for path in [*unused.split(), "api/ask"]:
        for method in ("GET", "POST"):
            assert httpx.request(method, f"{address}/gradio_api/{path}").status_code == 404
    assert httpx.get(f"{address}/monitoring").status_code in (403, 404)


# Proxies


@pytest.fixture(scope="module")
def proxied(site: Site) -> Iterator[str]:
    with served(site, Reach("127.0.0.1", proxies=(f"{PROXY}/32",))) as address:
        yield address


def get(url: str, headers: dict[str, str], sender: str = PROXY) -> httpx.Response:
    transport = httpx.HTTPTransport(local_address=sender)
    with httpx.Client(transport=transport) as http:
        return http.get(url, headers=headers)


OTHERS = ({"Host": "papers.example"}, {"X-Forwarded-Host": "forged.example, papers.example"})


@pytest.mark.parametrize(
    "headers", [FORWARDED, *({"X-Forwarded-Proto": "https"} | o for o in OTHERS)]
)
def test_the_page_has_the_name_that_its_proxy_tells(proxied: str, headers: dict[str, str]) -> None:
    own = get(f"{proxied}/config", headers | {"Origin": "https://papers.example"})
    assert own.json()["root"] == "https://papers.example"
    for origin in ("http://papers.example", "https://other.papers.example", proxied):
        assert get(f"{proxied}/config", headers | {"Origin": origin}).status_code == 403
    assert "Secure" in get(proxied, headers).headers["Set-Cookie"]


def test_nobody_else_is_believed(proxied: str, address: str) -> None:
    assert get(f"{proxied}/config", FORWARDED, "127.0.0.1").json()["root"] == proxied
    origin = {"Origin": "https://papers.example"}
    assert get(f"{proxied}/config", FORWARDED | origin, "127.0.0.1").status_code == 403
    assert get(proxied, {"Host": "papers.example"}, "127.0.0.1").status_code == 403
    more = {"X-Forwarded-Prefix": "/elsewhere", "X-Gradio-Server": "https://papers.example"}
    told = FORWARDED | more
    assert httpx.get(f"{address}/config", headers=told).json()["root"] == address
    page = httpx.get(address, headers=told)
    assert "papers.example" not in page.text
    assert "Secure" not in page.headers["Set-Cookie"]


def test_a_proxy_is_named_by_an_address() -> None:
    told = run("ui", "--trusted-proxy", "proxy.example")
    assert told.returncode == 2
    assert "'proxy.example' is not an IP address or network" in told.stderr


# Who is asking

SECRET = "a" * 43


def asked(cookies: dict[str, str], username: str | None = None) -> str:
    request = SimpleNamespace(username=username, cookies=cookies, session_hash="s1")
    return visitor(request)  # type: ignore[arg-type]


def cookie_of(address: str, sent: str = "") -> SimpleCookie:
    headers = {"Cookie": sent.encode("latin-1")} if sent else {}
    return SimpleCookie(httpx.get(address, headers=headers).headers.get("Set-Cookie", ""))


def test_a_visitor_is_a_login_or_a_secret_and_nothing_that_can_be_made_up() -> None:
    assert asked({COOKIE: SECRET}, "ada") == "user ada"
    assert asked({COOKIE: SECRET}) == f"cookie {SECRET}"
    for forged in ("", "short", f"{SECRET}x", "user ada", "../" * 20):
        assert asked({COOKIE: forged}) == "session s1"
    names = {asked({}, "s1"), asked({COOKIE: SECRET}), asked({}), asked({}, f"cookie {SECRET}")}
    assert len(names) == 4


def test_each_browser_gets_a_secret_that_scripts_cannot_read(address: str) -> None:
    first, second = cookie_of(address)[COOKIE], cookie_of(address)[COOKIE]
    assert first.value != second.value
    assert (bool(first["httponly"]), first["samesite"]) == (True, "Lax")
    assert not first["secure"]  # it is served over http here
    assert asked({COOKIE: first.value}) == f"cookie {first.value}"
    assert COOKIE not in cookie_of(f"{address}/config")


@pytest.mark.parametrize("odd", ['prefs={"theme":"dark"}', "a/b=1", "a@b=2", "x=\xe9", "=", ";;"])
def test_a_secret_is_kept_beside_cookies_of_other_programs(address: str, odd: str) -> None:
    assert COOKIE not in cookie_of(address, f"{odd}; {COOKIE}={SECRET}")
    assert COOKIE in cookie_of(address, odd)
    assert COOKIE in cookie_of(address, f"{odd}; {COOKIE}=damaged")
