"""The page over HTTP: who may send files, and a port that is taken."""

import socket
from dataclasses import replace
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from browsing import LOCAL, served

from index.errors import InputError
from ui.web.server import build, launch
from ui.web.site import Site


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
            launch(build(site), site, LOCAL, port)
