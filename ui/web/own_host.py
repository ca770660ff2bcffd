"""Pages elsewhere do not get at this one, neither by its name nor by one of their own.

A page for this machine alone answers to this machine's names alone: otherwise a page elsewhere
could let its name point here (DNS rebinding) and read this page as if it were its own. And no page
may send requests from another origin: a browser would add the cookie of who is logged in here, and
Gradio allows every origin that.
"""

from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_NOT_HERE = (
    "This page is for the machine it runs on: open it as localhost or 127.0.0.1. To share it, start"
    " it with --auth."
)
_ELSEWHERE = "This request comes from a page elsewhere."


def is_this_machine(host: str) -> bool:
    """Whether only programs of this machine can reach a page served on `host`."""
    try:
        return ip_address("127.0.0.1" if host == "localhost" else host).is_loopback
    except ValueError:
        return False


class OwnHost:
    """ASGI middleware that refuses requests sent to another host's name."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http" and not is_this_machine(_name(Headers(scope=scope))):
            await PlainTextResponse(_NOT_HERE, 403)(scope, receive, send)
            return
        await self.app(scope, receive, send)


class OwnOrigin:
    """ASGI middleware that refuses what pages of another origin send.

    A proxy passes the name on by which browsers know this page: as Host, or as X-Forwarded-Host.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http" and _is_from_elsewhere(Headers(scope=scope)):
            await PlainTextResponse(_ELSEWHERE, 403)(scope, receive, send)
            return
        await self.app(scope, receive, send)


def _is_from_elsewhere(headers: Headers) -> bool:
    """Whether a page of another origin sent this; following a link from there is not that."""
    origin = headers.get("origin")
    if origin is not None:
        own = {headers.get("host", ""), headers.get("x-forwarded-host", "")} - {""}
        return origin.partition("://")[2] not in own
    from_elsewhere = headers.get("sec-fetch-site") in ("cross-site", "same-site")
    return from_elsewhere and headers.get("sec-fetch-mode") != "navigate"


def _name(headers: Headers) -> str:
    """The host that a request was sent to, without its port."""
    host = headers.get("host", "").lower()
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
