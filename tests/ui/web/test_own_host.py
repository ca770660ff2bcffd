"""A page for this machine alone cannot be reached under another name."""

from urllib.error import HTTPError
from urllib.request import Request, urlopen

import httpx
import pytest

from ui.web.own_host import is_this_machine


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


ELSEWHERE = [
    {"Origin": "https://elsewhere.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("headers", ELSEWHERE)
def test_what_a_page_elsewhere_sends_is_refused(
    address: str, method: str, headers: dict[str, str]
) -> None:
    reply = httpx.request(method, f"{address}/gradio_api/upload", headers=headers)
    assert (reply.status_code, "elsewhere" in reply.text) == (403, True)


def test_the_page_itself_links_to_it_and_programs_are_let_in(address: str) -> None:
    host = address.removeprefix("http://")
    for headers in (
        {},
        {"Origin": address},
        {"Origin": "https://papers.example", "X-Forwarded-Host": "papers.example"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
        {"Sec-Fetch-Site": "same-origin", "Host": host},
    ):
        assert httpx.get(address, headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["process_recording", "component_server", "vibe-code", "proxy=x"])
def test_what_the_page_does_not_use_is_closed(address: str, path: str) -> None:
    for method in ("GET", "POST"):
        assert httpx.request(method, f"{address}/gradio_api/{path}").status_code == 404


def test_nobody_gets_past_the_queue(address: str) -> None:
    sent = {"data": ["What is OSWorld?"]}
    assert httpx.post(f"{address}/gradio_api/run/ask", json=sent).status_code == 404
