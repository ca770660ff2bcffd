"""A page for this machine alone answers to this machine's names alone.

Otherwise a page elsewhere could let its own name point here (DNS rebinding): its scripts could then
read this page as if it were theirs, and change its papers.
"""

from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_REFUSAL = (
    "This page is for the machine it runs on: open it as localhost or 127.0.0.1. To share it, start"
    " it with --auth, or have the proxy before it send localhost as the Host."
)


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
            await PlainTextResponse(_REFUSAL, 403)(scope, receive, send)
            return
        await self.app(scope, receive, send)


def _name(headers: Headers) -> str:
    """The host that a request was sent to, without its port."""
    host = headers.get("host", "").lower()
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
