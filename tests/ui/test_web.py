"""The page over HTTP: follow-ups of programs, its headers, its limits."""

import json
import socket
from dataclasses import replace
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from browsing import served

from index.errors import InputError
from ui.web.app import build
from ui.web.server import launch
from ui.web.site import Site


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


def upload(address: str) -> Request:
    body = b'--b\r\nContent-Disposition: form-data; name="files"; filename="f.txt"\r\n\r\n'
    content = {"Content-Type": "multipart/form-data; boundary=b"}
    return Request(f"{address}/gradio_api/upload", body + b"x\r\n--b--\r\n", content)


def test_files_are_taken_only_where_papers_may_be_added(address: str, site: Site) -> None:
    with urlopen(upload(address)) as taken:
        assert taken.status == 200
    with served(replace(site, may_change=False)) as closed, pytest.raises(HTTPError) as caught:
        urlopen(upload(closed))
    assert caught.value.code == 403
    caught.value.close()


def test_a_taken_port_is_one_clear_line(site: Site) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port} on 127.0.0.1: .* give another --port"):
            launch(build(site), "127.0.0.1", port)
