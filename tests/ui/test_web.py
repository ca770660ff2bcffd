"""The page over HTTP: follow-ups of programs, its headers, its limits."""

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from browsing import free_port
from gradio_client import Client

from index.errors import InputError
from rag.schema import Answer
from ui.web.app import build
from ui.web.server import launch
from ui.web.site import Site


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[Client]:
    with_client = Client(address, verbose=False, analytics_enabled=False)
    yield with_client
    with_client.close()


@pytest.mark.parametrize("parts", [False, True])
def test_a_follow_up_resolves_against_the_history(client: Client, parts: bool) -> None:
    said = ["What is OSWorld?", "OSWorld is a benchmark of 369 computer tasks. [1]"]
    history: list[dict[str, Any]] = [
        {"role": role, "content": [{"type": "text", "text": text}] if parts else text}
        for role, text in zip(("user", "assistant"), said, strict=True)
    ]
    found = client.predict("How well do people do on it?", history, [], api_name="/ask")
    answer = Answer.model_validate(found)
    assert answer.references[0].paper.title.startswith("OSWorld")


def test_every_response_holds_the_page_to_this_server(address: str) -> None:
    for path in ("/", "/config", "/theme.css", "/no-such-page"):
        try:
            response = urlopen(address + path)
        except HTTPError as error:
            response = error
        with response:
            policy = response.headers["Content-Security-Policy"]
        assert "connect-src 'self'" in policy
        assert "img-src 'self' data: blob:" in policy


def test_nothing_on_the_page_is_loaded_from_elsewhere(address: str) -> None:
    config = json.load(urlopen(address + "/config"))
    assert config["analytics_enabled"] is False
    assert not any("//" in sheet for sheet in config["stylesheets"])


def test_monitoring_is_off(address: str) -> None:
    with pytest.raises(HTTPError) as caught:
        urlopen(address + "/monitoring")
    caught.value.close()


def upload(address: str) -> Request:
    body = b'--b\r\nContent-Disposition: form-data; name="files"; filename="f.txt"\r\n\r\n'
    content = {"Content-Type": "multipart/form-data; boundary=b"}
    return Request(f"{address}/gradio_api/upload", body + b"x\r\n--b--\r\n", content)


def test_files_are_taken_only_where_papers_may_be_added(address: str, site: Site) -> None:
    with urlopen(upload(address)) as taken:
        assert taken.status == 200
    page = build(replace(site, may_change=False))
    with pytest.raises(HTTPError) as caught:
        urlopen(upload(launch(page, "127.0.0.1", free_port(), uploads=False)))
    assert caught.value.code == 403
    caught.value.close()
    page.close(verbose=False)


def test_a_taken_port_is_one_clear_line(site: Site) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port} on 127.0.0.1: .* give another --port"):
            launch(build(site), "127.0.0.1", port)


def test_a_program_may_say_what_an_answer_cited(client: Client) -> None:
    history: list[dict[str, Any]] = [
        {"role": "user", "content": "Which benchmarks are there?"},
        {"role": "assistant", "content": "Several."},
    ]
    found = client.predict("Which benchmarks are there?", [], [], api_name="/ask")
    ids = [reference["paper"]["id"] for reference in found["references"]]
    history[1]["references"] = ids[:2]
    found = client.predict("What does the second paper do?", history, [], api_name="/ask")
    assert found["references"][0]["paper"]["id"] == ids[1]
