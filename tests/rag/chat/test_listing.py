"""Which models an endpoint lists, and what happens where it lists none."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic, sleep

import pytest

from index.embedding import SentenceEncoder
from index.errors import InputError
from rag import Assistant
from rag.settings import Settings

KEY = "sk-a-key-that-must-not-be-seen"


@contextmanager
def listing(body: bytes, *, status: int = 200, delay_seconds: float = 0) -> Iterator[list[str]]:
    """An endpoint that answers GET with `body`; gives its address, then what was asked of it."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            sleep(delay_seconds)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that gave up is no news."""

    with Server(("127.0.0.1", 0), Handler) as server:
        asked.append(f"http://127.0.0.1:{server.server_port}/v1")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield asked
        finally:
            server.shutdown()
            thread.join()


def listed(*names: object) -> bytes:
    return json.dumps({"object": "list", "data": [{"id": name} for name in names]}).encode()


def assistant_at(address: str, store: Path, encoder: SentenceEncoder) -> Assistant:
    settings = Settings(chat_model="mine", openai_base_url=address, openai_api_key=KEY)  # type: ignore[arg-type]
    return Assistant(store, encoder, settings=settings)


def test_the_configured_model_comes_first_and_then_what_the_endpoint_lists_once_a_minute(
    sample_store: Path, encoder: SentenceEncoder
) -> None:
    with listing(listed("zeta", "mine", "alpha", "bad\nname", 7, "x" * 1000)) as asked:
        assistant = assistant_at(asked[0], sample_store, encoder)
        assert assistant.chat_models() == ["mine", "alpha", "zeta"]
        assert assistant.chat_models() == ["mine", "alpha", "zeta"]
        assert asked[1:] == ["/v1/models"]
        assistant.close()
        with pytest.raises(InputError, match="closed"):
            assistant.ask("What is OSWorld?")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"no", 404),
        (f'{{"error": {{"message": "bad key {KEY}"}}}}'.encode(), 401),
        (b"<html>", 200),
        (b'{"data": 7}', 200),
        (b'{"data": [{"name": "x"}]}', 200),
        (b'{"data": []}', 200),
        (b" " * (2**20 + 1), 200),
    ],
)
def test_an_endpoint_that_lists_nothing_usable_leaves_the_configured_model(
    sample_store: Path,
    encoder: SentenceEncoder,
    body: bytes,
    status: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with listing(body, status=status) as asked, caplog.at_level("DEBUG"):
        assistant = assistant_at(asked[0], sample_store, encoder)
        assert assistant.chat_models() == ["mine"]
        assistant.close()
    assert KEY not in caplog.text


def test_a_silent_endpoint_is_given_up_soon(sample_store: Path, encoder: SentenceEncoder) -> None:
    with listing(listed("other"), delay_seconds=30) as asked:
        assistant = assistant_at(asked[0], sample_store, encoder)
        begun = monotonic()
        assert assistant.chat_models() == ["mine"]
        assert monotonic() - begun < 10
        assistant.close()


def test_an_unreachable_endpoint_leaves_the_configured_model(
    sample_store: Path, encoder: SentenceEncoder
) -> None:
    assistant = assistant_at("http://127.0.0.1:9/v1", sample_store, encoder)
    assert assistant.chat_models() == ["mine"]
    assistant.close()
    assert assistant.chat_models() == ["mine"], "the list is kept for a minute"
