"""Refuse requests from pages of other origins, and keep this page from contacting other hosts.

The page answers only to host names that it knows: otherwise a foreign page could point its own name
here (DNS rebinding) and read this page as its own. No page of another origin may send requests, not
even from another port or a sibling domain: the browser would add the visitor's cookie, and Gradio
allows every origin. Headers that state where a request comes from are only read from trusted
proxies. Response headers restrict the page, its cookies and its uploads to this server.
"""

import logging
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from http.cookies import SimpleCookie
from ipaddress import ip_address, ip_network

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from ui.web.visitors import new_secret, secret_of

_log = logging.getLogger(__name__)

PROXIED = "abstractqa.proxied"  # in the scope of a request that came through a trusted proxy
_PROXY_HEADERS = (b"x-forwarded-", b"forwarded", b"x-real-ip", b"x-gradio-server")
"""Prefixes of proxy headers; Gradio builds addresses from some of them, whoever sent them."""
_ADVICE = (
    "refused a request to an unknown host name or from another origin; --allowed-host NAME adds a"
    " name, and behind a proxy the page needs --trusted-proxy ADDRESS (shown once)"
)
LONGEST_HEAD = 32_768  # bytes of a request's address and headers
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def is_this_machine(host: str) -> bool:
    """Return whether only programs on this machine can reach a page served on `host`."""
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


@dataclass(frozen=True)
class Reach:
    """Where the page listens, and the names and proxies by which it is reached."""

    host: str  # the address to listen on
    names: tuple[str, ...] = ()  # further host names, in lower case; `has` knows the usual ones
    proxies: tuple[str, ...] = ()  # addresses and networks of the trusted proxies

    @property
    def only_here(self) -> bool:
        """Whether only this machine can reach the page."""
        return is_this_machine(self.host) and not self.names and not self.proxies

    def has_proxy(self, address: str) -> bool:
        """Return whether this is the address of a trusted proxy."""
        return _is_address(address) and any(
            ip_address(address) in ip_network(proxy) for proxy in self.proxies
        )

    def has(self, name: str) -> bool:
        """Return whether this name is the page's; a foreign page cannot use an IP address."""
        if is_this_machine(name) or name in (self.host.lower(), *self.names):
            return True
        hostname = socket.gethostname().lower()
        is_own = _is_address(name) or name in (hostname, f"{hostname}.local")
        return is_own and not is_this_machine(self.host)


class Proxies:
    """ASGI middleware that reads proxy headers of trusted addresses, and removes all of them."""

    def __init__(self, app: ASGIApp, trusted: Sequence[str]) -> None:
        self.app = app
        # It reads a chain of addresses from the right, up to the first that is no trusted proxy.
        self._middleware = ProxyHeadersMiddleware(self._serve, list(trusted))  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        client = scope.get("client")
        if client and client[0] in self._middleware.trusted_hosts:
            headers = MutableHeaders(raw=list(scope["headers"]))
            # If several proxies added to the header, ours came last.
            named = ",".join(headers.getlist("x-forwarded-host")).rpartition(",")[2].strip()
            if named:
                headers["host"] = named
            scope = {**scope, "headers": headers.raw, PROXIED: True}
        await self._middleware(scope, receive, send)  # type: ignore[arg-type]

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = scope.get("headers", ())  # there are none when the server starts
        kept = [each for each in headers if not each[0].startswith(_PROXY_HEADERS)]
        await self.app({**scope, "headers": kept}, receive, send)


class Entrance:
    """ASGI middleware that refuses foreign requests, and adds security headers to responses.

    The host name that a trusted proxy (`reach`) forwards is accepted. Each browser gets its secret
    (`visitors`) with the page. `uploads` allows files.
    """

    def __init__(self, app: ASGIApp, reach: Reach, *, uploads: bool) -> None:
        self.app = app
        self.reach = reach
        self.uploads = uploads
        self._has_advised = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return

        async def respond(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_headers(scope, MutableHeaders(scope=message))
            await send(message)

        refused = self._refused(scope, Headers(scope=scope))
        if refused is None:
            await self.app(scope, receive, respond)
            return
        status, reason = refused
        # Do not wait for the request's body.
        await PlainTextResponse(reason, status, {"Connection": "close"})(scope, receive, respond)

    def _refused(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        # A head that arrives at once passes the server's own limit, and Gradio answers a very long
        # address with a stack trace.
        size = len(scope.get("raw_path") or b"") + len(scope.get("query_string", b""))
        size += sum(len(name) + len(value) + 4 for name, value in scope["headers"])
        if size > LONGEST_HEAD:
            return 431, f"address and headers are too large: send at most {LONGEST_HEAD:,} bytes"
        host = headers.get("host", "").lower()
        name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
        is_known = PROXIED in scope or self.reach.has(name)
        if not is_known or _is_cross_origin(scope, headers):
            if not self._has_advised:
                _log.warning(_ADVICE)
                self._has_advised = True
            if is_known:
                return 403, "This request comes from a page of another origin."
            return 403, "Unknown host name: open the page as localhost or by its machine's address."
        path = scope["path"]
        is_unused = path.startswith(_UNUSED) and path.rstrip("/") != "/gradio_api/run/predict"
        if is_unused or not path.isprintable():
            return 404, "not found"
        if path.startswith(UPLOAD) and not self.uploads:
            return 403, "this page accepts no files"
        return None


def _is_cross_origin(scope: Scope, headers: Headers) -> bool:
    """Return whether a page of another origin sent this; following a link to the page is fine."""
    # Browsers send Sec-Fetch-Site over https and on this machine, Origin elsewhere; programs none.
    origin = headers.get("origin")
    if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        is_page = scope["path"] == "/" or scope["path"].startswith("/shared/")
        is_shown = headers.get("sec-fetch-dest", "document") == "document"
        navigates = headers.get("sec-fetch-mode") == "navigate"
        opens_the_page = scope["method"] in {"GET", "HEAD"} and is_page and navigates and is_shown
        return origin is not None or not opens_the_page
    host = headers.get("host", "").lower().removesuffix(_DEFAULT_PORTS[scope["scheme"]])
    return origin is not None and origin != f"{scope['scheme']}://{host}"


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


# Gradio's page needs inline scripts and, for its templates, eval. Nothing may be fetched from or
# sent to another host, whatever an abstract or a model puts into the page.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "media-src 'self' data: blob:; worker-src 'self' blob:; connect-src 'self'; "
    "form-action 'self'; base-uri 'self'; object-src 'none'; frame-src 'none'; "
    "frame-ancestors 'self'"
)
UPLOAD = "/gradio_api/upload"  # Gradio's address for files with papers to add
_UNUSED = tuple(
    f"/gradio_api/{name}"
    for name in "process_recording component_server vibe- undo-vibe- proxy= run deep_link profiling"
    " stream dev call/ api/".split()
)
"""Gradio's addresses that this page does not use; recordings, say, are passed to other programs.
Programs without `gradio_client` use /api."""


def _add_headers(scope: Scope, headers: MutableHeaders) -> None:
    """Add the policy to a response; hide its cookies from scripts and from other sites."""
    headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    cookies = headers.getlist("Set-Cookie")
    is_page = headers.get("content-type", "").startswith("text/html")
    if is_page and scope["method"] == "GET" and secret_of(Headers(scope=scope)) is None:
        cookies.append(new_secret())
    del headers["Set-Cookie"]
    for each in cookies:
        for cookie in SimpleCookie(each).values():  # Gradio lets other sites send its own
            is_secure = scope["scheme"] == "https"
            cookie.update({"httponly": True, "samesite": "Lax", "secure": is_secure})
            headers.append("Set-Cookie", cookie.OutputString())
