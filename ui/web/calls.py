"""What programs send, looked at before Gradio reads it: its size, its form, its arguments.

Without this a missing or unknown argument is an error without a word, a message may be of any
length, "busy" is told in the terms of a queue, and an address given in the place of an uploaded
file is fetched by this server.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from index.errors import InputError
from ui.web.headers import UPLOAD

LARGEST_BODY = 5_000_000
"""Bytes of a request, other than an upload of files."""
BUSY = "busy, try again: too many questions are waiting"
SECONDS_TO_WAIT = 2

_CALL = re.compile(r"/gradio_api/(?P<how>call|run|api)/(?P<named>v2/)?(?P<endpoint>[^/]+)/?")


class Calls:
    """ASGI middleware before Gradio.

    Args:
        app: What is called.
        parameters: The arguments of each public endpoint, in order, by its name.
    """

    def __init__(self, app: ASGIApp, parameters: Mapping[str, tuple[str, ...]]) -> None:
        self.app = app
        self.parameters = parameters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        is_post = scope["type"] == "http" and scope["method"] == "POST"
        if not is_post or scope["path"].startswith(UPLOAD):
            await self.app(scope, receive, send)
            return
        body = await _body(scope, receive)
        if body is None:
            told = f"the request is too large: send at most {LARGEST_BODY:,} bytes"
            await _told(413, told)(scope, receive, send)
            return
        call = _CALL.fullmatch(scope["path"])
        try:
            if call and (call["how"] == "call" or call["endpoint"] in self.parameters):
                body = self._checked(call["endpoint"], body, named=bool(call["named"]))
            else:
                _refuse_files(_json_or_nothing(body), "http")
        except InputError as error:
            await _told(422, str(error))(scope, receive, send)
            return
        headers = MutableHeaders(raw=list(scope["headers"]))
        headers["content-length"] = str(len(body))
        del headers["transfer-encoding"]
        await self.app(
            {**scope, "headers": headers.raw}, _replayed(body, receive), _plain_when_busy(send)
        )

    def _checked(self, endpoint: str, body: bytes, *, named: bool) -> bytes:
        """The body of a call with a value for each argument: null for one that is not given."""
        if endpoint not in self.parameters:
            known = ", ".join(f"/{name}" for name in self.parameters)
            raise InputError(f"there is no endpoint /{endpoint[:50]}; there are {known}")
        parameters = self.parameters[endpoint]
        sent = _json(body)
        if not isinstance(sent, dict):
            raise InputError("the request is not a JSON object")
        _refuse_files(sent)
        if named:
            unknown = next((name for name in sent if name not in parameters), None)
            if unknown is not None:
                raise InputError(
                    f"/{endpoint} has no argument {unknown[:50]!r}; it has {', '.join(parameters)}"
                )
            given = {name: sent.get(name) for name in parameters}
            return json.dumps(given).encode()
        data = sent.get("data")
        if not isinstance(data, list):
            raise InputError('the request needs "data": a list of the arguments')
        if len(data) > len(parameters):
            raise InputError(f"/{endpoint} has {len(parameters)} arguments, not {len(data)}")
        return json.dumps(
            {**sent, "data": [*data, *[None] * (len(parameters) - len(data))]}
        ).encode()


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InputError("the request is not JSON") from error


def _json_or_nothing(body: bytes) -> Any:
    """What a body says as JSON; None of another form, as that of a login."""
    try:
        return json.loads(body)
    except ValueError:
        return None
    except RecursionError as error:
        raise InputError("the request is nested too deep") from error


def _refuse_files(sent: object, start: str = "") -> None:
    """Refuse what Gradio takes for a file with such a path: from an address it would fetch it."""
    left = [sent]
    while left:
        each = left.pop()
        if isinstance(each, list):
            left += each
        elif isinstance(each, dict):
            path = each.get("path")
            if "meta" in each and isinstance(path, str) and path.lower().startswith(start):
                raise InputError("a file can only be uploaded, not named by its path or address")
            left += each.values()


async def _body(scope: Scope, receive: Receive) -> bytes | None:
    """The whole body; None if it is too large, which is known before it is all there."""
    announced = Headers(scope=scope).get("content-length", "0")
    if announced.isdecimal() and int(announced) > LARGEST_BODY:
        return None
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY:
            return None
        if not message.get("more_body"):
            return bytes(body)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """The body again, then whatever else comes: that the client has gone."""
    read = False

    async def replay() -> Message:
        nonlocal read
        if read:
            return await receive()
        read = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _plain_when_busy(send: Send) -> Send:
    """Put plain words in the place of what Gradio says when its queue is full."""
    told = json.dumps({"detail": BUSY}).encode()
    busy = False

    async def sending(message: Message) -> None:
        nonlocal busy
        if message["type"] == "http.response.start" and message["status"] == 503:
            busy = True
            headers = MutableHeaders(scope=message)
            headers["content-type"] = "application/json"
            headers["content-length"] = str(len(told))
            headers["retry-after"] = str(SECONDS_TO_WAIT)
        elif busy:
            message = {"type": "http.response.body", "body": told}
        await send(message)

    return sending


def _told(status: int, text: str) -> ASGIApp:
    return JSONResponse({"detail": " ".join(text.split())}, status)
