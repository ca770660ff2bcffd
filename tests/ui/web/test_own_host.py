"""A page cannot be reached under another's name, nor by pages of another origin."""

from urllib.error import HTTPError
from urllib.request import Request, urlopen

import httpx
import pytest

from ui.web.own_host import Reach, is_this_machine


@pytest.mark.parametrize(
    ("host", "alone"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("192.168.0.7", False),
        ("example.org", False),
    ],
)
def test_whether_only_this_machine_reaches_a_page(host: str, alone: bool) -> None:
    assert is_this_machine(host) == alone


def sent_to(host: str, address: str) -> Request:
    return Request(f"{address}/config", headers={"Host": host})


@pytest.mark.parametrize("host", ["localhost:7860", "127.0.0.1", "[::1]:7860", "LOCALHOST"])
def test_this_machine_s_own_names_are_answered(address: str, host: str) -> None:
    with urlopen(sent_to(host, address)) as response:
        assert response.status == 200


@pytest.mark.parametrize("host", ["elsewhere.example:7860", "127.0.0.1.elsewhere.example", "[::2]"])
def test_a_name_that_points_here_from_elsewhere_is_refused(address: str, host: str) -> None:
    with pytest.raises(HTTPError) as refused:
        urlopen(sent_to(host, address))
    with refused.value as response:
        assert response.code == 403
        assert "open it as localhost" in response.read().decode()


OTHER = "http://127.0.0.1:1"
ELSEWHERE = [
    {"Origin": "https://elsewhere.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
    {"Sec-Fetch-Site": "something-new"},
    {"Origin": OTHER, "X-Forwarded-Host": "127.0.0.1:1"},
    {"Origin": OTHER, "X-Forwarded-Host": "127.0.0.1:1", "Sec-Fetch-Site": "same-site"},
    {"Origin": OTHER, "Forwarded": "host=127.0.0.1:1", "X-Original-Host": "127.0.0.1:1"},
]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("headers", ELSEWHERE)
def test_what_a_page_elsewhere_sends_is_refused(
    address: str, method: str, headers: dict[str, str]
) -> None:
    for path in ("gradio_api/upload", "api/papers", "api/openapi.json", "mcp"):
        reply = httpx.request(method, f"{address}/{path}", headers=headers)
        assert (reply.status_code, "elsewhere" in reply.text) == (403, True)


def test_the_page_itself_links_to_it_and_programs_are_let_in(address: str) -> None:
    host = address.removeprefix("http://")
    for headers in (
        {},
        {"Origin": address},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
        {"Sec-Fetch-Site": "same-origin", "Host": host},
    ):
        assert httpx.get(address, headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["process_recording", "component_server", "vibe-code", "proxy=x"])
def test_what_the_page_does_not_use_is_closed(address: str, path: str) -> None:
    for method in ("GET", "POST"):
        assert httpx.request(method, f"{address}/gradio_api/{path}").status_code == 404


@pytest.mark.parametrize(
    ("reach", "own", "foreign"),
    [
        (Reach("127.0.0.1"), ["localhost", "127.0.0.2", "::1"], ["192.168.0.7", "papers.example"]),
        (Reach("0.0.0.0"), ["localhost", "192.168.0.7", "fe80::1"], ["papers.example", ""]),
        (Reach("box.lan"), ["box.lan", "10.0.0.1"], ["box.lan.elsewhere.example"]),
        (Reach("127.0.0.1", names=("papers.example",)), ["papers.example"], ["example"]),
    ],
)
def test_the_names_of_a_page(reach: Reach, own: list[str], foreign: list[str]) -> None:
    assert [name for name in own if not reach.has(name)] == []
    assert [name for name in foreign if reach.has(name)] == []


def test_a_page_knows_the_name_of_its_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "Box")
    assert Reach("0.0.0.0").has("box.local")
    assert not Reach("127.0.0.1").has("box")


def test_a_page_that_others_reach_is_not_for_this_machine_alone() -> None:
    assert Reach("127.0.0.1").only_here
    assert not Reach("0.0.0.0").only_here
    assert not Reach("127.0.0.1", proxies=("127.0.0.1",)).only_here
    assert not Reach("127.0.0.1", names=("papers.example",)).only_here


def test_a_preflight_of_a_page_elsewhere_is_refused_before_gradio_grants_it(address: str) -> None:
    asked = {"Origin": OTHER, "Access-Control-Request-Method": "POST"}
    for headers in (asked, asked | {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}):
        reply = httpx.options(f"{address}/gradio_api/queue/join", headers=headers)
        assert reply.status_code == 403
        assert not [name for name in reply.headers if name.startswith("access-control")]
        assert "default-src 'self'" in reply.headers["Content-Security-Policy"]


def test_links_from_elsewhere_lead_to_the_page_and_nowhere_else(address: str) -> None:
    follows = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}

    def code(method: str, path: str, **headers: str) -> int:
        return httpx.request(method, f"{address}{path}", headers=follows | headers).status_code

    assert code("GET", "/?c=1", **{"Sec-Fetch-Dest": "document"}) == 200
    assert code("GET", "/", **{"Sec-Fetch-Dest": "iframe"}) == 403
    assert code("GET", "/logout") == 403
    assert code("POST", "/") == 403
    assert code("GET", "/", Origin=OTHER) == 403


def test_forwarded_headers_of_anybody_have_no_effect(address: str) -> None:
    told = {
        "X-Forwarded-Host": "forged.example",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Prefix": "/elsewhere",
        "X-Gradio-Server": "https://forged.example",
    }
    assert httpx.get(f"{address}/config", headers=told).json()["root"] == address
    page = httpx.get(address, headers=told)
    assert "forged.example" not in page.text
    assert "Secure" not in page.headers["Set-Cookie"]
