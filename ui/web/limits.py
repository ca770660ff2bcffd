"""Limit what one client may use: connections, time to send a request, bytes of request bodies.

A connection counts as waiting until its whole request has arrived. Only waiting connections are
closed to make room, the oldest first: whoever opens many and sends little loses their own.

A body is read in full and checked before it is passed on unchanged. Without that, Gradio answers an
event that the page cannot have sent with a stack trace, and fetches an address that is given in
place of an uploaded file. Gradio writes uploads to disk as they arrive; they are only limited here.
"""

import asyncio
import json
import resource
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from gradio.utils import get_upload_folder
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from ui.web.api import ENDPOINTS
from ui.web.own_host import UPLOAD
from ui.web.site import AT_ONCE, WAITING
from ui.web.visitors import network_of, sender

if TYPE_CHECKING:
    from gradio import Blocks


@dataclass(frozen=True)
class Limits:
    """How much may be used at the same time. Sizes in bytes, times in seconds."""

    connections: int = 1_000
    share_of_one: int = 4
    """One address gets 1 / `share_of_one` of all connections, and of `held`. A trusted proxy may
    use all connections."""
    head_seconds: float = 10
    """From the opening of a connection, or the first byte of a request, to the end of its head."""
    call: int = 65_536  # the body of a program's call
    call_seconds: float = 10
    event: int = 5_000_000  # the body of an event of the page, which may hold a pasted digest
    event_seconds: float = 60
    held: int = 20_000_000  # all bodies in memory
    upload: int = 50_000_000  # uploaded files, with their multipart envelope
    upload_seconds: float = 300
    uploads: int = 8


LIMITS = Limits()


def most_connections(limits: Limits = LIMITS) -> int:
    """Raise this process's limit of file handles; return how many connections fit into it."""
    handles, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    # One for the connection, one for another that is not counted yet, two for files.
    wanted = 4 * limits.connections + 96
    if 0 <= handles < wanted:  # negative: no limit
        handles = min(wanted, most) if most >= 0 else wanted
        resource.setrlimit(resource.RLIMIT_NOFILE, (handles, most))
    return limits.connections if handles < 0 else min(limits.connections, handles // 4)


class Connection(H11Protocol):
    """One of at most `most` connections; `is_proxy` tells whether an address sends for many."""

    def __init__(
        self, *given: Any, limits: Limits, most: int, is_proxy: Callable[[str], bool], **more: Any
    ) -> None:
        super().__init__(*given, **more)
        self.limits, self.most, self.is_proxy = limits, most, is_proxy
        self.opened = time.monotonic()
        self.address = ""
        self._deadline: asyncio.TimerHandle | None = None

    @property
    def waits(self) -> bool:
        """Whether part of the request is still missing."""
        return self._waits_for_head or bool(self.cycle.more_body)

    @property
    def _waits_for_head(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Close the oldest waiting connection if there are too many, of one address or in all."""
        super().connection_made(transport)
        client = self.client[0] if self.client else ""
        self.address = network_of(client)
        every = cast("list[Connection]", list(self.connections))
        every = [each for each in every if not each.transport.is_closing()]
        same = [each for each in every if each.address == self.address]
        if len(same) > self.most // self.limits.share_of_one and not self.is_proxy(client):
            every = same
        elif len(every) <= self.most:
            every = []
        waiting = [each for each in every if each.waits]
        if waiting:
            min(waiting, key=lambda each: each.opened).transport.abort()
        self._watch_head()

    def data_received(self, data: bytes) -> None:
        """Read on; the time limit of a head starts with its first byte."""
        super().data_received(data)
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the time limit."""
        super().connection_lost(exc)
        self._watch_head()

    def _watch_head(self) -> None:
        waits = self._waits_for_head and not self.transport.is_closing()
        if waits and self._deadline is None:
            seconds = self.limits.head_seconds
            self._deadline = self.loop.call_later(seconds, self.transport.abort)
        elif self._deadline and not waits:
            self._deadline.cancel()
            self._deadline = None


class Bodies:
    """ASGI middleware that reads, limits and checks the bodies of all requests."""

    def __init__(self, app: ASGIApp, page: "Blocks", limits: Limits = LIMITS) -> None:
        self.app = app
        self.page = page
        self.limits = limits
        self._held: Counter[str] = Counter()
        self._uploads = 0
        self._calls = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD", "OPTIONS"}:
            await self.app(scope, receive, send)
            return
        serve = self._upload if scope["path"].startswith(UPLOAD) else self._take_in
        try:
            await serve(scope, receive, send)
        except ClientDisconnect:
            return  # nobody is left to answer
        except HTTPException as error:
            # Do not wait for the rest of the body.
            headers = {"Connection": "close", **(error.headers or {})}
            refused = JSONResponse({"detail": error.detail}, error.status_code, headers)
            await refused(scope, receive, send)

    async def _upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers, limits = Headers(scope=scope), self.limits
        length = headers.get("content-length", "")
        if not length.isdecimal() or "transfer-encoding" in headers:
            raise HTTPException(411, "send the size of the files (Content-Length)")
        if int(length) > limits.upload:
            raise _too_large(limits.upload)
        if self._uploads >= limits.uploads:
            raise _busy()
        self._uploads += 1
        try:
            async with asyncio.timeout(limits.upload_seconds):
                await self.app(scope, receive, send)
        except TimeoutError as error:
            detail = f"the upload took more than {limits.upload_seconds:g} s"
            raise HTTPException(408, detail) from error
        finally:
            self._uploads -= 1
            # By then every upload of now has ended.
            remove = partial(clear_uploads, limits.upload_seconds)
            asyncio.get_running_loop().call_later(limits.upload_seconds + 1, remove)

    async def _take_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body, check it, and pass it on; only then a program's call counts as running."""
        is_call = scope["path"].startswith(("/api/", "/mcp"))
        is_event = scope["path"].startswith("/gradio_api/")
        if is_call:
            self._refuse_if_many()
        body = bytearray()
        try:
            await self._read(body, scope, receive, is_event=is_event)
            if is_event:
                self._check(bytes(body))
            if is_call:
                self._refuse_if_many()
            self._calls += is_call
            messages: list[Message] = [{"type": "http.request", "body": bytes(body)}]

            async def replay() -> Message:
                """Return the body, then what comes next: that the client has gone."""
                return messages.pop() if messages else await receive()

            try:
                await self.app(scope, replay, send)
            finally:
                self._calls -= is_call
        finally:
            self._held[sender(scope)] -= len(body)
            self._held += Counter()  # drops addresses with no bytes

    def _refuse_if_many(self) -> None:
        if self._calls >= AT_ONCE + WAITING:
            raise _busy()

    async def _read(
        self, body: bytearray, scope: Scope, receive: Receive, *, is_event: bool
    ) -> None:
        """Read the whole body into `body`, count its bytes, and refuse it if too large or slow."""
        limits, address = self.limits, sender(scope)
        share, most, seconds = limits.held // limits.share_of_one, limits.call, limits.call_seconds
        if is_event:
            most, seconds = limits.event, limits.event_seconds
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdecimal() and int(announced) > most:
            raise _too_large(most)
        try:
            async with asyncio.timeout(seconds):
                async for chunk in Request(scope, receive).stream():
                    if len(body) + len(chunk) > most:
                        raise _too_large(most)
                    room = limits.held - self._held.total(), share - self._held[address]
                    if len(chunk) > min(room):
                        raise _busy()
                    body += chunk
                    self._held[address] += len(chunk)
        except TimeoutError as error:
            detail = f"the request was too slow: {len(body):,} bytes in {seconds:g} s"
            raise HTTPException(408, detail) from error

    def _check(self, body: bytes) -> None:
        """Refuse an event that the page cannot have sent."""
        try:
            sent: Any = json.loads(body, object_hook=_without_address)
        except RecursionError as error:
            raise HTTPException(422, "the request is nested too deeply") from error
        except ValueError:
            return  # Gradio reports that
        if not isinstance(sent, dict) or not {"fn_index", "data"} <= sent.keys():
            return
        number, data = sent["fn_index"], sent["data"]
        event = self.page.fns.get(number) if isinstance(number, int) else None
        is_handled = event and event.fn and isinstance(data, list)  # some run only in the browser
        if not event or not is_handled or len(data) != len(event.inputs):
            raise HTTPException(422, "the page has no such event")
        if event.api_name in ENDPOINTS and len(body) > self.limits.call:
            raise _too_large(self.limits.call)


def clear_uploads(seconds: float) -> None:
    """Remove parts of uploads, "tmp…" in Gradio's folder, not written to for `seconds`."""
    for part in Path(get_upload_folder()).glob("tmp*"):
        with suppress(OSError):  # already gone, or another user's
            if part.is_file() and time.time() - part.stat().st_mtime > seconds:
                part.unlink()


def _busy() -> HTTPException:
    detail = "busy, try again: too many questions are waiting"
    return HTTPException(503, detail, {"Retry-After": "2"})


def _too_large(most: int) -> HTTPException:
    return HTTPException(413, f"the request is too large: send at most {most:,} bytes")


def _without_address(found: dict[str, Any]) -> dict[str, Any]:
    """Refuse an object that Gradio takes for a file at a web address, which it would fetch."""
    path = found.get("path")
    if "meta" in found and isinstance(path, str) and path.lower().startswith("http"):
        raise HTTPException(422, "a file must be uploaded, not given as a web address")
    return found
