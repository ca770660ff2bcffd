"""What clients send, taken in whole within limits before anything is done with it.

A body has so many bytes and so much time, and all bodies that are under way together have so many
bytes. What is taken in is looked at and passed on as it came: without that Gradio tells an event
that the page cannot have sent by a stack trace, and fetches an address in the place of an uploaded
file. Files, which Gradio writes to disk as they come, are only bounded.
"""

import asyncio
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.web.api import ENDPOINTS
from ui.web.events import AT_ONCE, WAITING
from ui.web.guesses import network_of
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
MOST_OF_ONE = MOST_HELD // 4
"""Bytes of those of one address."""
BODY_SECONDS = 10
UPLOAD_SECONDS = 300
MOST_UPLOADS = 8
"""At the same time."""
BUSY = "busy, try again: too many questions are waiting"
SECONDS_TO_WAIT = 2


class Bodies:
    """ASGI middleware that takes in the bodies of requests.

    Args:
        app: What is called.
        page: Gradio's page.
    """

    def __init__(self, app: ASGIApp, page: "Blocks") -> None:
        self.app = app
        self.page = page
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
            elif scope["path"].startswith("/api/"):
                await self._counted(scope, receive, send)
            else:
                await self._taken_in(scope, receive, send)
        except HTTPException as error:
            # What it has not sent of its body is not waited for.
            headers = {"Connection": "close", **(error.headers or {})}
            refused = JSONResponse({"detail": error.detail}, error.status_code, headers)
            await refused(scope, receive, send)

    async def _upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass files on as they come; who is too slow is as good as gone."""
        headers = Headers(scope=scope)
        length = headers.get("content-length", "")
        if not length.isdecimal() or "transfer-encoding" in headers:
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

        has_begun = False

        async def noted(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        self._uploads += 1
        try:
            await self.app(scope, in_time, noted)
        except ClientDisconnect as error:  # gone, or too slow; Gradio may have answered that
            if not has_begun:
                raise HTTPException(408, f"files have to come in {UPLOAD_SECONDS} s") from error
        finally:
            self._uploads -= 1

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse calls before any work, where as many are answered and waiting as may.

        A call whose body is still to come takes nobody's place.
        """
        self._refuse_if_many()
        body = bytearray()
        try:
            if not await self._read(body, LARGEST_CALL, scope, receive):
                return
            self._refuse_if_many()
            self._calls += 1
            try:
                await self.app(scope, _replay(bytes(body), receive), send)
            finally:
                self._calls -= 1
        finally:
            self._give_back(scope, len(body))

    def _refuse_if_many(self) -> None:
        if self._calls >= AT_ONCE + WAITING:
            raise busy()

    async def _taken_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_event = scope["path"].startswith("/gradio_api/")
        body = bytearray()
        try:
            most = LARGEST_EVENT if is_event else LARGEST_CALL
            if not await self._read(body, most, scope, receive):
                return
            if is_event:
                self._check(bytes(body))
            await self.app(scope, _replay(bytes(body), receive), send)
        finally:
            self._give_back(scope, len(body))

    def _give_back(self, scope: Scope, size: int) -> None:
        """Hold so many bytes of a client less."""
        self._held[_address(scope)] -= size
        self._held += Counter()  # without those who hold nothing

    async def _read(self, body: bytearray, most: int, scope: Scope, receive: Receive) -> bool:
        """Read the whole body, and count its bytes; False if the client has gone.

        Raises:
            HTTPException: it is too large or too slow, or there are too many others.
        """
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdecimal() and int(announced) > most:
            raise _too_large(most)
        address = _address(scope)
        try:
            async with asyncio.timeout(BODY_SECONDS):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return False
                    chunk = message.get("body", b"")
                    if len(body) + len(chunk) > most:
                        raise _too_large(most)
                    of_one = self._held[address] + len(chunk)
                    if of_one > MOST_OF_ONE or self._held.total() + len(chunk) > MOST_HELD:
                        raise busy()
                    body += chunk
                    self._held[address] += len(chunk)
                    if not message.get("more_body"):
                        return True
        except TimeoutError as error:
            raise HTTPException(408, f"the request took over {BODY_SECONDS} s") from error

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
        if event is None or not isinstance(data, list) or len(data) != len(event.inputs):
            raise HTTPException(422, "the page has no such event")
        if event.api_name in ENDPOINTS and len(body) > LARGEST_CALL:
            raise _too_large(LARGEST_CALL)


def _address(scope: Scope) -> str:
    """Whom a request is from, as far as limits go."""
    client = scope.get("client")
    return network_of(client[0]) if client else ""


def busy() -> HTTPException:
    """What those are told who come when there are too many."""
    return HTTPException(503, BUSY, {"Retry-After": str(SECONDS_TO_WAIT)})


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
