"""What clients send, taken in whole within limits before anything is done with it.

A body has so many bytes and so much time, and all bodies that are under way together have so many
bytes. What is taken in is checked and passed on as it came: without the check an argument of the
wrong name is an error without a word in Gradio, and an address in the place of an uploaded file is
fetched by this server. Files, which Gradio writes to disk as they come, are only bounded.
"""

import asyncio
import json
import re
from collections.abc import Container, Mapping
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.web.api import required
from ui.web.events import AT_ONCE, WAITING
from ui.web.headers import UPLOAD

if TYPE_CHECKING:
    from gradio import Blocks

LARGEST_CALL = 65_536
"""Bytes of what a program sends."""
LARGEST_EVENT = 5_000_000
"""Bytes of what the page itself sends: a digest may be pasted into it."""
LARGEST_UPLOAD = 50_000_000
"""Bytes of files, with what is around them."""
MOST_HELD = 20_000_000
"""Bytes of all bodies together that are under way."""
BODY_SECONDS = 10
UPLOAD_SECONDS = 300
MOST_UPLOADS = 8
"""At the same time."""
BUSY = "busy, try again: too many questions are waiting"
SECONDS_TO_WAIT = 2

_CALL = re.compile(r"/gradio_api/(?P<how>call|run|api)/(?P<named>v2/)?(?P<endpoint>[^/]+)/?")


class Bodies:
    """ASGI middleware that takes in the bodies of requests.

    Args:
        app: What is called.
        parameters: The arguments of each public endpoint, in order, by its name.
        page: Gradio's page.
    """

    def __init__(
        self, app: ASGIApp, parameters: Mapping[str, tuple[str, ...]], page: "Blocks"
    ) -> None:
        self.app = app
        self.parameters = parameters
        self.page = page
        self._held = 0
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
            elif scope["path"].startswith("/api/"):
                await self._counted(scope, receive, send)
            else:
                await self._taken_in(scope, receive, send)
        except HTTPException as error:
            refused = JSONResponse({"detail": error.detail}, error.status_code, error.headers)
            await refused(scope, receive, send)

    async def _upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass files on as they come; who is too slow is as good as gone."""
        length = Headers(scope=scope).get("content-length", "")
        if not length.isdecimal():
            raise HTTPException(411, "say how long the files are (Content-Length)")
        if int(length) > LARGEST_UPLOAD:
            raise HTTPException(413, f"the files are too large: send {LARGEST_UPLOAD:,} bytes")
        if self._uploads >= MOST_UPLOADS:
            raise busy()
        deadline = asyncio.get_running_loop().time() + UPLOAD_SECONDS

        async def in_time() -> Message:
            try:
                async with asyncio.timeout_at(deadline):
                    return await receive()
            except TimeoutError:
                return {"type": "http.disconnect"}

        self._uploads += 1
        try:
            await self.app(scope, in_time, send)
        finally:
            self._uploads -= 1

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse calls before any work, where as many are answered and waiting as may."""
        if self._calls >= AT_ONCE + WAITING:
            raise busy()
        self._calls += 1
        try:
            await self._taken_in(scope, receive, send)
        finally:
            self._calls -= 1

    async def _taken_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = _CALL.fullmatch(scope["path"])
        of_page = scope["path"].startswith("/gradio_api/") and not (call and call["how"] == "call")
        most = LARGEST_EVENT if of_page else LARGEST_CALL
        body = bytearray()
        try:
            if not await self._read(body, most, scope, receive):
                return
            self._check(call, bytes(body), of_page=of_page)
            await self.app(scope, _replay(bytes(body), receive), _plain_when_busy(send))
        finally:
            self._held -= len(body)

    async def _read(self, body: bytearray, most: int, scope: Scope, receive: Receive) -> bool:
        """Read the whole body, and count its bytes; False if the client has gone.

        Raises:
            HTTPException: it is too large or too slow, or there are too many others.
        """
        too_large = HTTPException(413, f"the request is too large: send at most {most:,} bytes")
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdecimal() and int(announced) > most:
            raise too_large
        try:
            async with asyncio.timeout(BODY_SECONDS):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return False
                    chunk = message.get("body", b"")
                    if len(body) + len(chunk) > most:
                        raise too_large
                    if self._held + len(chunk) > MOST_HELD:
                        raise busy()
                    body += chunk
                    self._held += len(chunk)
                    if not message.get("more_body"):
                        return True
        except TimeoutError as error:
            raise HTTPException(408, f"the request took over {BODY_SECONDS} s") from error

    def _check(self, call: re.Match[str] | None, body: bytes, *, of_page: bool) -> None:
        """Refuse what Gradio would not tell plainly.

        Raises:
            HTTPException: the call has no such endpoint or arguments, or names a file.
        """
        try:
            sent: Any = json.loads(body)
        except RecursionError as error:
            raise HTTPException(422, "the request is nested too deep") from error
        except ValueError as error:
            if call:
                raise HTTPException(422, "the request is not JSON") from error
            return  # a login, for one
        is_public = call is not None and call["endpoint"] in self.parameters
        _refuse_files(sent, "" if is_public else "http")
        if call and (call["how"] == "call" or is_public):
            self._check_call(call["endpoint"], sent, named=bool(call["named"]))
        elif of_page and isinstance(sent, dict) and "fn_index" in sent:
            self._check_event(sent["fn_index"], sent.get("data"))

    def _check_event(self, number: object, data: object) -> None:
        """Refuse an event that the page cannot have sent: Gradio would tell it by a stack trace."""
        event = self.page.fns.get(number) if isinstance(number, int) else None
        if event is None or not isinstance(data, list) or len(data) != len(event.inputs):
            raise HTTPException(422, "the page has no such event")

    def _check_call(self, endpoint: str, sent: object, *, named: bool) -> None:
        if endpoint not in self.parameters:
            known = ", ".join(f"/{name}" for name in self.parameters)
            raise HTTPException(422, f"there is no such endpoint; there are {known}")
        parameters = self.parameters[endpoint]
        if not isinstance(sent, dict):
            raise HTTPException(422, "the request is not a JSON object")
        if named:
            for name in sent:
                if name not in parameters:
                    told = f"/{endpoint} has no argument {name[:50]!r}; it has"
                    raise HTTPException(422, f"{told} {', '.join(parameters)}")
            if missing := [name for name in required(endpoint) if name not in sent]:
                raise HTTPException(422, f"/{endpoint} needs {', '.join(missing)}")
            return
        data = sent.get("data")
        if not isinstance(data, list) or len(data) != len(parameters):
            told = f'the request needs "data", a list of the {len(parameters)} arguments'
            raise HTTPException(422, f"{told}; /api/{endpoint} takes them by name")


class UnknownEvents:
    """ASGI middleware that knows which calls Gradio has: asked for another, it never ends.

    Args:
        app: What is called.
        queue: Gradio's queue.
    """

    _path = re.compile(r"/gradio_api/call/(?:v2/)?[^/]+/([^/]+)")

    def __init__(self, app: ASGIApp, queue: Any) -> None:
        self.app = app
        self._queue = queue

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        found = self._path.fullmatch(scope.get("path", ""))
        if found and scope.get("method") == "GET" and not self._knows(found[1]):
            await JSONResponse({"detail": "there is no such call"}, 404)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _knows(self, event: str) -> bool:
        pending: Mapping[str, Container[str]] = self._queue.pending_event_ids_session
        return event in self._queue.event_ids_to_events or any(
            event in events for events in pending.values()
        )


def busy() -> HTTPException:
    """What those are told who come when there are too many."""
    return HTTPException(503, BUSY, {"Retry-After": str(SECONDS_TO_WAIT)})


def _refuse_files(sent: object, start: str) -> None:
    """Refuse what Gradio takes for a file with such a path: from an address it would fetch it."""
    left = [sent]
    while left:
        each = left.pop()
        if isinstance(each, list):
            left += each
        elif isinstance(each, dict):
            path = each.get("path")
            if "meta" in each and isinstance(path, str) and path.lower().startswith(start):
                raise HTTPException(422, "a file can only be uploaded, not named by its address")
            left += each.values()


def _replay(body: bytes, receive: Receive) -> Receive:
    """The body again, then whatever else comes: that the client has gone."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return messages.pop() if messages else await receive()

    return replayed


def _plain_when_busy(send: Send) -> Send:
    """Put plain words in the place of what Gradio says when its queue is full."""
    plain = JSONResponse({"detail": BUSY}, 503, {"Retry-After": str(SECONDS_TO_WAIT)})
    is_busy = False

    async def sending(message: Message) -> None:
        nonlocal is_busy
        if message["type"] == "http.response.start" and message["status"] == 503:
            is_busy = True
            message = {**message, "headers": plain.raw_headers}
        elif is_busy:
            message = {"type": "http.response.body", "body": plain.body}
        await send(message)

    return sending
