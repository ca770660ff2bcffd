"""What one client may take: connections, time to send a request, bytes of bodies under way.

A connection counts as waiting until its request is there, body and all. Only waiting ones are
closed to make room, the oldest first, so whoever opens many and says little pushes out their own.

A head that came in few pieces may be whole before the server has seen how long it is, so it is
measured again: beyond some length, Gradio answers an address with a stack trace.

A body is taken in whole before anything is done with it, and passed on as it came. Without that,
Gradio answers an event that the page cannot have sent with a stack trace, and fetches an address
given in the place of an uploaded file. Gradio writes uploads to disk as they come; they are only
bounded here.
"""

import asyncio
import itertools
import json
import resource
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from ui.web.api import ENDPOINTS
from ui.web.events import AT_ONCE, WAITING
from ui.web.own_host import UPLOAD
from ui.web.visitors import network_of, sender

if TYPE_CHECKING:
    from gradio import Blocks

BUSY = "busy, try again: too many questions are waiting"


@dataclass(frozen=True)
class Limits:
    """How much a client may take. Sizes in bytes, times in seconds."""

    connections: int = 1_000
    share_of_one: int = 4
    """One address gets this fraction of all connections: a quarter. A named proxy may use all."""
    head: int = 32_768
    head_seconds: float = 10
    """From the opening of a connection, or the first byte of a request, to the end of its head."""
    call: int = 65_536
    """What a program sends."""
    event: int = 5_000_000
    """What the page itself sends: a digest may be pasted into it."""
    body_seconds: float = 10
    slowest: int = 32_000
    """Bytes that a body has to bring for each second beyond `body_seconds`, …"""
    longest_body_seconds: float = 60
    """… up to this."""
    held: int = 20_000_000
    """All bodies that are under way."""
    held_of_one: int = 5_000_000
    """Those of one address."""
    upload: int = 50_000_000
    """Files, with what is around them."""
    uploads: int = 8
    """Uploads at the same time."""
    upload_seconds: float = 300


LIMITS = Limits()


def most_connections(limits: Limits = LIMITS) -> int:
    """How many connections fit into the file handles of this process, raised as far as may be.

    Four handles a connection: as many again may be accepted before they are counted, and the
    other half is for files.
    """
    handles, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4 * limits.connections + 96
    if most != resource.RLIM_INFINITY:
        wanted = min(wanted, most)
    if handles != resource.RLIM_INFINITY and handles < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
        handles = wanted
    return limits.connections if handles < 0 else min(limits.connections, handles // 4)


_places = itertools.count()


class Connection(H11Protocol):
    """One connection to the page."""

    limits = LIMITS
    most = LIMITS.connections
    is_proxy: Callable[[str], bool] = staticmethod(lambda _: False)
    """Whether an address passes on the requests of many."""

    address = ""
    """Who opened it."""
    place = 0
    """In the order in which connections were opened."""
    _deadline: asyncio.TimerHandle | None = None

    @classmethod
    def limited(
        cls, limits: Limits, most: int, is_proxy: Callable[[str], bool]
    ) -> type["Connection"]:
        """The class of the connections of one server."""
        given = {"limits": limits, "most": most, "is_proxy": staticmethod(is_proxy)}
        return type(cls.__name__, (cls,), given)

    @property
    def waits(self) -> bool:
        """Whether its request is not all there."""
        return self._waits_for_head or bool(self.cycle.more_body)

    @property
    def _waits_for_head(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Make room for it, or close it at once."""
        super().connection_made(transport)
        self.place = next(_places)
        self.address = network_of(self.client[0] if self.client else "")
        opened = cast("set[Connection]", self.connections)
        every = [each for each in opened if not each.transport.is_closing()]
        same = [each for each in every if each.address == self.address]
        from_proxy = self.client is not None and self.is_proxy(self.client[0])
        if not from_proxy and len(same) > self.most // self.limits.share_of_one:
            self._make_room(same)
        elif len(every) > self.most:
            self._make_room(every)
        self._watch_head()

    def _make_room(self, among: "list[Connection]") -> None:
        waiting = [each for each in among if each.waits]
        min(waiting, key=lambda each: each.place).transport.abort()

    def data_received(self, data: bytes) -> None:
        """Read on; the time for a head begins with its first byte."""
        super().data_received(data)
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        super().connection_lost(exc)
        self._stop_watching()

    def _watch_head(self) -> None:
        if not self._waits_for_head:
            self._stop_watching()
        elif self._deadline is None and not self.transport.is_closing():
            seconds = self.limits.head_seconds
            self._deadline = self.loop.call_later(seconds, self.transport.abort)

    def _stop_watching(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class Heads:
    """ASGI middleware that refuses heads that are too large."""

    def __init__(self, app: ASGIApp, limits: Limits = LIMITS) -> None:
        self.app = app
        self.limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http" and _head_size(scope) > self.limits.head:
            told = f"the address and the headers are too large: send {self.limits.head:,} bytes"
            await PlainTextResponse(told, 431, {"Connection": "close"})(scope, receive, send)
            return
        await self.app(scope, receive, send)


def _head_size(scope: Scope) -> int:
    headers = sum(len(name) + len(value) + 4 for name, value in scope["headers"])
    return len(scope.get("raw_path") or b"") + len(scope.get("query_string", b"")) + headers


class Bodies:
    """ASGI middleware that takes in the bodies of requests.

    Args:
        app: What is called.
        page: Gradio's page.
        limits: What they may take.
    """

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
        try:
            if scope["path"].startswith(UPLOAD):
                await self._upload(scope, receive, send)
            else:
                await self._taken_in(scope, receive, send)
        except HTTPException as error:
            # What it has not sent of its body is not waited for.
            headers = {"Connection": "close", **(error.headers or {})}
            refused = JSONResponse({"detail": error.detail}, error.status_code, headers)
            await refused(scope, receive, send)

    async def _upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass files on as they come; who is too slow is as good as gone."""
        headers, limits = Headers(scope=scope), self.limits
        length = headers.get("content-length", "")
        if not length.isdecimal() or "transfer-encoding" in headers:
            raise HTTPException(411, "say how long the files are (Content-Length)")
        if int(length) > limits.upload:
            raise HTTPException(413, f"the files are too large: send {limits.upload:,} bytes")
        if self._uploads >= limits.uploads:
            raise busy()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + limits.upload_seconds
        has_begun = False

        async def in_time() -> Message:
            try:
                async with asyncio.timeout_at(deadline):
                    return await receive()
            except TimeoutError:
                return {"type": "http.disconnect"}

        async def noted(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        self._uploads += 1
        try:
            await self.app(scope, in_time, noted)
        except ClientDisconnect as error:  # gone, or too slow; Gradio may have answered that
            if not has_begun:
                told = f"files have to come in {limits.upload_seconds:g} s"
                raise HTTPException(408, told) from error
        finally:
            self._uploads -= 1
            # By then none of the files that are written now is still being written.
            folder, seconds = upload_folder(), limits.upload_seconds
            loop.call_later(seconds + 1, remove_broken_uploads, folder, seconds)

    async def _taken_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body, look at it, and pass it on.

        A call below /api is refused before its body is read where as many are answered and
        waiting as may. One whose body is still to come takes nobody's place.
        """
        is_call, is_event = (scope["path"].startswith(at) for at in ("/api/", "/gradio_api/"))
        if is_call:
            self._refuse_if_many()
        body = bytearray()
        try:
            most = self.limits.event if is_event else self.limits.call
            if not await self._read(body, most, scope, receive):
                return
            if is_event:
                self._check(bytes(body))
            if is_call:
                self._refuse_if_many()
            self._calls += is_call
            try:
                await self.app(scope, _replay(bytes(body), receive), send)
            finally:
                self._calls -= is_call
        finally:
            self._held[sender(scope)] -= len(body)
            self._held += Counter()  # without those who hold nothing

    def _refuse_if_many(self) -> None:
        if self._calls >= AT_ONCE + WAITING:
            raise busy()

    async def _read(self, body: bytearray, most: int, scope: Scope, receive: Receive) -> bool:
        """Read the whole body, and count its bytes; False if the client has gone.

        Raises:
            HTTPException: it is too large or too slow, or there are too many others.
        """
        limits, address = self.limits, sender(scope)
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdecimal() and int(announced) > most:
            raise _too_large(most)
        begun = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(limits.body_seconds) as time_left:
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return False
                    chunk = message.get("body", b"")
                    if len(body) + len(chunk) > most:
                        raise _too_large(most)
                    of_one = self._held[address] + len(chunk)
                    if of_one > limits.held_of_one or self._held.total() + len(chunk) > limits.held:
                        raise busy()
                    body += chunk
                    self._held[address] += len(chunk)
                    if not message.get("more_body"):
                        return True
                    earned = limits.body_seconds + len(body) / limits.slowest
                    time_left.reschedule(begun + min(earned, limits.longest_body_seconds))
        except TimeoutError as error:
            told = f"the request came too slowly: {len(body):,} bytes in the time for it"
            raise HTTPException(408, told) from error

    def _check(self, body: bytes) -> None:
        """Refuse what the page cannot have sent.

        Raises:
            HTTPException: there is no such event, or it names a file.
        """
        try:
            sent: Any = json.loads(body)
        except RecursionError as error:
            raise HTTPException(422, "the request is nested too deep") from error
        except ValueError:
            return  # Gradio says so
        _refuse_files(sent)
        if not isinstance(sent, dict) or not {"fn_index", "data"} <= sent.keys():
            return
        number, data = sent["fn_index"], sent["data"]
        event = self.page.fns.get(number) if isinstance(number, int) else None
        if event is None or not event.fn:  # the browser alone runs it
            raise HTTPException(422, "the page has no such event")
        if not isinstance(data, list) or len(data) != len(event.inputs):
            raise HTTPException(422, "the page has no such event")
        if event.api_name in ENDPOINTS and len(body) > self.limits.call:
            raise _too_large(self.limits.call)


def upload_folder() -> Path:
    """Where Gradio writes files as they come."""
    from gradio.utils import get_upload_folder

    return Path(get_upload_folder())


def remove_broken_uploads(folder: Path, seconds: float) -> None:
    """Remove what is left of uploads that broke off: parts that nothing was added to for so long.

    Gradio gives a file its name once it is whole, and until then one that begins with "tmp".
    """
    for part in folder.glob("tmp*"):
        try:
            if part.is_file() and time.time() - part.stat().st_mtime > seconds:
                part.unlink()
        except OSError:  # gone meanwhile, or another user's
            continue


def busy() -> HTTPException:
    """What those are told who come when there are too many."""
    return HTTPException(503, BUSY, {"Retry-After": "2"})


def _too_large(most: int) -> HTTPException:
    return HTTPException(413, f"the request is too large: send at most {most:,} bytes")


def _refuse_files(sent: object) -> None:
    """Refuse what Gradio takes for a file with such a path: from an address it would fetch it."""
    left = [sent]
    while left:
        each = left.pop()
        if isinstance(each, list):
            left += each
        elif isinstance(each, dict):
            path = each.get("path")
            if "meta" in each and isinstance(path, str) and path.lower().startswith("http"):
                raise HTTPException(422, "a file can only be uploaded, not named by its address")
            left += each.values()


def _replay(body: bytes, receive: Receive) -> Receive:
    """The body again, then whatever else comes: that the client has gone."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return messages.pop() if messages else await receive()

    return replayed
