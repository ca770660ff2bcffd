"""Nobody gets past the login page without a login: everything is closed that is not named here.

Gradio checks the login on most of its own addresses, not on all, and not on what is mounted beside
them. A program may send name and password with each request (HTTP Basic, RFC 7617) in place of
the cookie that a login gives.
"""

import base64
import binascii
import re
import secrets
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ui.web.guesses import Guesses, caller, network_of

if TYPE_CHECKING:
    from gradio.routes import App

_LOGIN = re.compile(r"/login/?")
# What the login page is made of.
_OPEN = re.compile(
    r"/|/logout|/(?:assets|static)/.+|/theme\.css|/favicon\.ico|/manifest\.json|/robots\.txt"
    r"|/gradio_api/(?:theme\.css|login_check/?)"
)


class Gate:
    """ASGI middleware that lets in those who have logged in, and slows down guessing.

    Args:
        app: What is called.
        guesses: The accounts.
        gradio_app: Gradio's part of the page, which keeps the sessions.
    """

    def __init__(self, app: ASGIApp, guesses: Guesses, gradio_app: "App") -> None:
        self.app = app
        self.guesses = guesses
        self.gradio_app = gradio_app
        self._tokens: dict[str, str] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
        elif _LOGIN.fullmatch(scope["path"]) and scope["method"] == "POST":
            caller.set(_address(scope))
            await self.app(scope, receive, send)
        elif _is_open(scope) or self._has_session(scope):
            await self.app(scope, receive, send)
        else:
            await self._with_password(scope, receive, send)

    def _has_session(self, scope: Scope) -> bool:
        """Whether the request has the cookie of a login of someone who is still in the file."""
        app = self.gradio_app
        cookies = cookie_parser(Headers(scope=scope).get("cookie", ""))
        kinds = (f"access-token-{app.cookie_id}", f"access-token-unsecure-{app.cookie_id}")
        token = next((cookies[kind] for kind in kinds if cookies.get(kind)), "")
        name = app.tokens.get(token)
        return name is not None and self.guesses.accounts.knows(name)

    async def _with_password(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request that brings name and password itself; refuse any other."""
        found = _basic(Headers(scope=scope).get("authorization", ""))
        if found is None:
            await _refused(scope, receive, send)
            return
        try:
            right = await self.guesses.check(*found, _address(scope))
        except HTTPException as error:
            told = JSONResponse({"detail": error.detail}, error.status_code, error.headers)
            await told(scope, receive, send)
            return
        if not right:
            await _refused(scope, receive, send)
            return
        headers = MutableHeaders(raw=list(scope["headers"]))
        cookie = f"access-token-unsecure-{self.gradio_app.cookie_id}"
        headers["cookie"] = f"{cookie}={self._token(found[0])}"
        await self.app({**scope, "headers": headers.raw}, receive, send)

    def _token(self, name: str) -> str:
        """The session in which all requests of one person run that bring a password."""
        token = self._tokens.setdefault(name, secrets.token_urlsafe())
        self.gradio_app.tokens[token] = name  # a logout ends every session of its name
        return token


def _is_open(scope: Scope) -> bool:
    return scope["method"] in {"GET", "HEAD"} and _OPEN.fullmatch(scope["path"]) is not None


def _address(scope: Scope) -> str:
    """Who sent it."""
    return network_of(scope["client"][0]) if scope.get("client") else ""


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
