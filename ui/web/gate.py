"""Nobody gets past the login page without a login: everything is closed that is not named here.

Gradio checks the login on most of its own addresses, not on all, and not on what is mounted beside
them. A program may send name and password with each request (HTTP Basic, RFC 7617) in place of
the cookie that a login gives.
"""

import asyncio
import base64
import binascii
import re
import secrets
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.web.accounts import Accounts

if TYPE_CHECKING:
    from gradio.routes import App

MOST_WRONG = 10
"""Wrong passwords that one address may send in `SECONDS`; then it has to wait."""
SECONDS = 60

_LOGIN = re.compile(r"/login/?")
# What the login page is made of, and what Gradio asks itself when it starts.
_OPEN = re.compile(
    r"/|/logout|/(?:assets|static)/.+|/theme\.css|/favicon\.ico|/manifest\.json|/robots\.txt"
    r"|/gradio_api/(?:theme\.css|startup-events|login_check/?)"
)
_MOST_ADDRESSES = 10_000


class Guesses:
    """The wrong passwords of each address in the last minute."""

    def __init__(self) -> None:
        self._times: OrderedDict[str, list[float]] = OrderedDict()

    def begin(self, address: str) -> float | None:
        """Note an attempt before its outcome is known; None if there were too many wrong ones."""
        now = time.monotonic()
        times = [then for then in self._times.pop(address, []) if now - then < SECONDS]
        self._times[address] = times
        if len(self._times) > _MOST_ADDRESSES:
            self._times.popitem(last=False)
        if len(times) >= MOST_WRONG:
            return None
        times.append(now)
        return now

    def was_right(self, address: str, attempt: float) -> None:
        """Forget an attempt."""
        times = self._times.get(address, [])
        if attempt in times:
            times.remove(attempt)


class Gate:
    """ASGI middleware that lets in those who have logged in, and slows down guessing."""

    def __init__(self, app: ASGIApp, accounts: Accounts) -> None:
        self.app = app
        self.accounts = accounts
        self.guesses = Guesses()
        self._tokens: dict[str, str] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
        elif _LOGIN.fullmatch(scope["path"]) and scope["method"] == "POST":
            await self._login(scope, receive, send)
        elif _is_open(scope) or self._has_session(scope):
            await self.app(scope, receive, send)
        else:
            await self._with_password(scope, receive, send)

    async def _login(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Gradio's login, its outcome counted."""
        address = _address(scope)
        attempt = self.guesses.begin(address)
        if attempt is None:
            await _too_many(scope, receive, send)
            return

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                self.guesses.was_right(address, attempt)
            await send(message)

        await self.app(scope, receive, counted)

    def _has_session(self, scope: Scope) -> bool:
        """Whether the request has the cookie of a login of someone who is still in the file."""
        app: App = scope["app"]
        cookies = cookie_parser(Headers(scope=scope).get("cookie", ""))
        kinds = (f"access-token-{app.cookie_id}", f"access-token-unsecure-{app.cookie_id}")
        token = next((cookies[kind] for kind in kinds if cookies.get(kind)), "")
        name = app.tokens.get(token)
        return name is not None and self.accounts.knows(name)

    async def _with_password(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request that brings name and password itself; refuse any other."""
        found = _basic(Headers(scope=scope).get("authorization", ""))
        if found is None:
            await _refused(scope, receive, send)
            return
        address = _address(scope)
        attempt = self.guesses.begin(address)
        if attempt is None:
            await _too_many(scope, receive, send)
            return
        if not await asyncio.to_thread(self.accounts.check, *found):
            await _refused(scope, receive, send)
            return
        self.guesses.was_right(address, attempt)
        headers = MutableHeaders(raw=list(scope["headers"]))
        app: App = scope["app"]
        headers["cookie"] = f"access-token-unsecure-{app.cookie_id}={self._token(app, found[0])}"
        await self.app({**scope, "headers": headers.raw}, receive, send)

    def _token(self, app: "App", name: str) -> str:
        """The session in which all requests of one person run that bring a password."""
        token = self._tokens.setdefault(name, secrets.token_urlsafe())
        app.tokens[token] = name  # a logout ends every session of its name
        return token


def _is_open(scope: Scope) -> bool:
    return scope["method"] in {"GET", "HEAD"} and _OPEN.fullmatch(scope["path"]) is not None


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""


def _basic(header: str) -> tuple[str, str] | None:
    """Name and password of an Authorization header, if it has them."""
    kind, _, value = header.partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(value.strip()).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (name, password) if colon else None


async def _refused(scope: Scope, receive: Receive, send: Send) -> None:
    told = JSONResponse({"detail": "log in first, or send name and password (HTTP Basic)"}, 401)
    await told(scope, receive, send)


async def _too_many(scope: Scope, receive: Receive, send: Send) -> None:
    told = {"detail": "too many wrong passwords: wait a minute"}
    await JSONResponse(told, 429, {"Retry-After": str(SECONDS)})(scope, receive, send)
