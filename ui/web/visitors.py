"""Who is asking: the name of a login, or a secret that the browser keeps as a cookie."""

import re
import secrets

import gradio as gr
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "abstractqa_visitor"
DAYS_KEPT = 365

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
_BYTES = 32  # 43 characters


def visitor(request: gr.Request) -> str:
    """What is this visitor's alone, and cannot be guessed by another one.

    A browser that keeps no cookies is another visitor at each load of the page.
    """
    if request.username:
        return f"user {request.username}"
    found = request.cookies.get(COOKIE, "")
    return f"cookie {found}" if _SECRET.fullmatch(found) else _of_session(request)


def _of_session(request: gr.Request) -> str:
    """A browser without our cookie; a program without a session is a new one each time."""
    return f"session {request.session_hash or secrets.token_urlsafe(_BYTES)}"


class VisitorCookie:
    """ASGI middleware that gives each browser its secret with the page."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope["method"] != "GET" or _has_one(scope):
            await self.app(scope, receive, send)
            return

        async def with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html"):
                    headers.append("Set-Cookie", _new_cookie())
            await send(message)

        await self.app(scope, receive, with_cookie)


def _has_one(scope: Scope) -> bool:
    # Other programs of this machine share its cookies, and some hold what no standard allows.
    found = cookie_parser(Headers(scope=scope).get("cookie", "")).get(COOKIE, "")
    return _SECRET.fullmatch(found) is not None


def _new_cookie() -> str:
    """A new secret; `SecurityHeaders` keeps it, as every cookie, from scripts and other sites."""
    age = DAYS_KEPT * 24 * 60 * 60
    return f"{COOKIE}={secrets.token_urlsafe(_BYTES)}; Path=/; Max-Age={age}"
