"""An encoder behind an endpoint: the real one of the project, served here over HTTP."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from index.encoder import LocalEncoder, open_encoder
from index.errors import EncoderError
from index.minilm import NAME


class Endpoint:
    """What the endpoint does with a request; `fails` is the status of each, one after the other."""

    def __init__(self) -> None:
        self.encoder = LocalEncoder.open(NAME)
        self.fails: list[int] = []
        self.keys: list[str | None] = []
        self.batches: list[int] = []
        self.short = False


@pytest.fixture
def endpoint() -> Iterator[tuple[Endpoint, str]]:
    state = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.keys.append(self.headers["Authorization"])
            state.batches.append(len(asked["input"]))
            status = state.fails.pop(0) if state.fails else 200
            rows = [state.encoder.encode_query(text) * 3 for text in asked["input"]]
            data = [
                {"object": "embedding", "index": at, "embedding": row.tolist()}
                for at, row in reversed(list(enumerate(rows[state.short :])))
            ]
            reply = {"object": "list", "data": data, "model": asked["model"]}
            body = json.dumps(reply if status == 200 else {"error": {"message": "no"}}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield state, f"http://127.0.0.1:{server.server_port}/v1#mini"
    server.shutdown()
    server.server_close()


def test_vectors_are_the_models_in_order_and_of_unit_length(
    endpoint: tuple[Endpoint, str],
) -> None:
    state, address = endpoint
    encoder = open_encoder(address, "secret")
    texts = [f"kettle number {number}" for number in range(130)] + [""]
    assert encoder.dimension == 384
    state.batches.clear()
    vectors = encoder.encode(texts)
    assert state.batches == [128, 3]
    assert set(state.keys) == {"Bearer secret"}
    right = [state.encoder.encode_query(text or " ") for text in texts]
    assert np.allclose(vectors, right, atol=1e-5)
    assert np.allclose(encoder.encode_query("kettle number 4"), right[4], atol=1e-5)


def test_a_busy_endpoint_is_asked_again_and_a_refusal_is_one_line(
    endpoint: tuple[Endpoint, str],
) -> None:
    state, address = endpoint
    encoder = open_encoder(address, "sk-secret")
    state.fails = [503, 429]
    assert encoder.encode_query("tea").shape == (384,)
    state.fails = [401]
    with pytest.raises(EncoderError, match=r"the encoder mini at .* did not answer") as error:
        encoder.encode_query("tea")
    assert "\n" not in str(error.value)
    assert "sk-secret" not in str(error.value)
    state.short = True
    with pytest.raises(EncoderError, match="gave 1 vectors for 2 texts"):
        encoder.encode(["tea", "milk"])


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:1/v1", "http://#model", "https://", "http://[::1#m", "http://h:x#m"],
)
def test_an_address_without_a_model_is_one_line(address: str) -> None:
    with pytest.raises(EncoderError, match=r"write http://HOST:PORT/v1#MODEL"):
        open_encoder(address)
