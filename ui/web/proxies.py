"""What a header says of where a request comes from is believed of named proxies alone."""

from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from ui.web.own_host import PROXIED

_WORD_OF_PROXIES = (b"x-forwarded-", b"forwarded", b"x-real-ip", b"x-gradio-server")
"""How such headers begin; Gradio makes addresses of some of them, whoever sent them."""


class Proxies:
    """ASGI middleware after which a request is as its browser sent it: client, scheme and host.

    Args:
        app: What is called; it sees no header of proxies.
        trusted: Addresses and networks of the proxies.
    """

    def __init__(self, app: ASGIApp, trusted: Sequence[str]) -> None:
        self.app = app
        # It reads a chain of addresses from the right, up to the first that is no proxy's.
        self._believing = ProxyHeadersMiddleware(self._serve, list(trusted))  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        client = scope.get("client")
        if client and client[0] in self._believing.trusted_hosts:
            headers = MutableHeaders(raw=list(scope["headers"]))
            # Where several proxies wrote into one header, ours did so last.
            named = ",".join(headers.getlist("x-forwarded-host")).rpartition(",")[2].strip()
            if named:
                headers["host"] = named
            scope = {**scope, "headers": headers.raw, PROXIED: True}
        await self._believing(scope, receive, send)  # type: ignore[arg-type]

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        kept = [
            each for each in Headers(scope=scope).raw if not each[0].startswith(_WORD_OF_PROXIES)
        ]
        await self.app({**scope, "headers": kept}, receive, send)
