"""An OpenAI-compatible server on loopback whose replies are scripted: real HTTP, no model."""

import json
import select
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import repeat
from typing import Any

JSON = "application/json"
EVENTS = "text/event-stream"


@dataclass(frozen=True)
class Scripted:
    """One reply: `chunks` sent in order, with a pause of `pause_seconds` before each."""

    chunks: Iterable[bytes]
    status: int = 200
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    pause_seconds: float = 0
    delay_seconds: float = 0
    """The delay before anything is sent, even the status."""
    reset: bool = False
    """Whether the connection is reset after the chunks, before the reply is complete."""


@dataclass(frozen=True)
class Received:
    """One request as the server received it."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]
    port: int = 0
    """The port of the client, which identifies its connection."""

    @property
    def text(self) -> str:
        """The text of all its messages."""
        return "\n".join(message["content"] for message in self.body["messages"])


Script = list[Scripted] | Callable[[Received], Scripted]


def says(
    text: str | None, *, usage: tuple[int, int] | None = (7, 3), finish: str = "stop", **more: Any
) -> Scripted:
    """Return an ordinary reply; `more` is added to its message (`refusal=`)."""
    message = {"role": "assistant", "content": text, **more}
    return Scripted([json.dumps(_completion("message", message, finish, usage)).encode()])


def streams(
    *pieces: str,
    pause_seconds: float = 0,
    usage: tuple[int, int] | None = (7, 3),
    finish: str | None = "stop",
    done: bool = True,
) -> Scripted:
    """Return a reply as server-sent events: one per piece, then the usual last ones."""
    chunks = [delta(content=piece) for piece in pieces]
    if finish is not None:
        chunks.append(delta(finish))
    if usage is not None:
        chunks.append({**_completion("delta", {}, None, usage), "choices": []})
    return sends(*chunks, *(["[DONE]"] if done else []), pause_seconds=pause_seconds)


def delta(finish: str | None = None, **fields: object) -> dict[str, Any]:
    """Return a chunk of a streamed reply with a delta of `fields` (`content=`, `refusal=`, …)."""
    return _completion("delta", fields, finish, None)


def sends(*events: dict[str, Any] | str, pause_seconds: float = 0) -> Scripted:
    """Return the given server-sent events: chunks as JSON, or any text as it is."""
    data = [event if isinstance(event, str) else json.dumps(event) for event in events]
    chunks = [f"data: {line}\n\n".encode() for line in data]
    return Scripted(chunks, content_type=EVENTS, pause_seconds=pause_seconds)


def fails(
    status: int, message: str = "no", *, retry_after: str | None = None, **more: str
) -> Scripted:
    """Return an error reply; `more` is added to its error object (`code=`, `param=`)."""
    body = json.dumps({"error": {"message": message, "type": "error", **more}}).encode()
    headers = {"Retry-After": retry_after} if retry_after else {}
    return Scripted([body], status=status, headers=headers)


def slowly(reply: Scripted, *, pause_seconds: float = 1) -> Scripted:
    """Return the same reply, sent one byte at a time."""
    single = [bytes([byte]) for chunk in reply.chunks for byte in chunk]
    return replace(reply, chunks=single, pause_seconds=pause_seconds)


def cut_off(reply: Scripted) -> Scripted:
    """Return half of the same reply, followed by a reset of the connection."""
    whole = b"".join(reply.chunks)
    return replace(reply, chunks=[whole[: len(whole) // 2]], reset=True)


def huge(content_type: str = JSON) -> Scripted:
    """Return a reply, or the first event of a stream, of 5 MiB that begins normally without end."""
    begin = b'{"choices": [{"message": {"content": "'
    begin = begin if content_type == JSON else b"data: " + begin.replace(b"message", b"delta")
    return Scripted([begin, *repeat(b"x" * 2**20, 5)], content_type=content_type)


class ChatServer:
    """The running server: the script of its replies, and the requests that it received."""

    def __init__(self, address: str) -> None:
        self.base_url = f"http://{address}/v1"
        self.received: list[Received] = []
        self.models: list[str] = []
        """The models that it lists; if there is none, a request for the list fails with 404."""
        self.hung_up = threading.Event()
        """Set once a client has disconnected before the end of its reply."""
        self.script: Script = []
        """The replies, one per request (500 if none is left), or a function of the request."""
        self._turn = threading.Lock()

    def reply_to(self, request: Received) -> Scripted:
        """Record the request, and return the scripted reply."""
        with self._turn:
            self.received.append(request)
            if callable(self.script):
                return self.script(request)
            return self.script.pop(0) if self.script else fails(500, "the script has ended")


@contextmanager
def running() -> Iterator[ChatServer]:
    """Run a server on a free port of loopback, and stop it at the end."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path != "/v1/models" or not chat.models:
                self._send(fails(404, "not found"))
                return
            listed = [{"id": name, "object": "model", "owned_by": "test"} for name in chat.models]
            self._send(Scripted([json.dumps({"object": "list", "data": listed}).encode()]))

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            raw = self.rfile.read(length)
            if len(raw) < length:  # the client disconnected while it sent this
                chat.hung_up.set()
                self.close_connection = True
                return
            body = json.loads(raw)
            reply = chat.reply_to(
                Received(self.path, dict(self.headers), body, self.client_address[1])
            )
            try:
                self._send(reply)
            except OSError:
                chat.hung_up.set()
                self.close_connection = True

        def _send(self, reply: Scripted) -> None:
            self._wait(reply.delay_seconds)
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Transfer-Encoding", "chunked")
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            for chunk in reply.chunks:
                self._wait(reply.pause_seconds)
                self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
            if reply.reset:
                # With a linger time of 0, closing the connection resets it.
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.connection.close()
                self.close_connection = True
                return
            self.wfile.write(b"0\r\n\r\n")

        def _wait(self, seconds: float) -> None:
            """Sleep, but raise an error at once when the client disconnects."""
            until = time.monotonic() + seconds
            while (left := until - time.monotonic()) > 0:
                readable, _, _ = select.select([self.connection], [], [], left)
                if readable and not self.connection.recv(1, socket.MSG_PEEK):
                    raise ConnectionAbortedError

        def log_message(self, *arguments: object) -> None:
            """Log nothing: tests look at `received`."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False  # a slow reply must not delay the tests

        def handle_error(self, request: Any, client_address: Any) -> None:
            if not isinstance(sys.exception(), OSError):  # a client may disconnect at any time
                super().handle_error(request, client_address)

    with Server(("127.0.0.1", 0), Handler) as server:
        chat = ChatServer(f"127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield chat
        finally:
            server.shutdown()
            thread.join()


def _completion(
    part: str, message: dict[str, Any], finish: str | None, usage: tuple[int, int] | None
) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion" if part == "message" else "chat.completion.chunk",
        "created": 0,
        "model": "scripted",
        "choices": [{"index": 0, part: message, "finish_reason": finish}],
    }
    if usage is not None:
        names = ("prompt_tokens", "completion_tokens", "total_tokens")
        body["usage"] = dict(zip(names, (*usage, sum(usage)), strict=True))
    return body
