"""Pages elsewhere do not get at this one, and this one asks nothing of elsewhere.

The page answers to names it knows: otherwise a page elsewhere could let its name point here (DNS
rebinding) and read this page as if it were its own. And no page of another origin may send
requests, not even one of another port or of a sibling domain: a browser would add the cookie of the
visitor, and Gradio allows every origin that. What a header says of where a request comes from is
believed of named proxies alone. Headers of each response hold the page, its cookies and its
uploads to this server.
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

PROXIED = "abstractqa.proxied"
"""Set in the scope of a request that a named proxy has passed on."""

_WORD_OF_PROXIES = (b"x-forwarded-", b"forwarded", b"x-real-ip", b"x-gradio-server")
"""How such headers begin; Gradio makes addresses of some of them, whoever sent them."""
_NOT_HERE = "The page has no such name: open it as localhost or by its machine's address."
_ELSEWHERE = "This request comes from a page elsewhere."
_ADVICE = (
    "refused a request to another name, or from a page elsewhere; --allowed-host NAME gives the"
    " page another name, and behind a proxy it needs --trusted-proxy ADDRESS (told once)"
)
LONGEST_HEAD = 32_768
"""Bytes of a request's address and headers."""
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def is_this_machine(host: str) -> bool:
    """Whether only programs of this machine can reach a page served on `host`."""
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


@dataclass(frozen=True)
class Reach:
    """How the page is reached."""

    host: str
    """What it listens on."""
    names: tuple[str, ...] = ()
    """Names of its machine beside those that are known without asking, in lower case."""
    proxies: tuple[str, ...] = ()
    """Addresses and networks of the proxies that pass requests on to it."""

    @property
    def only_here(self) -> bool:
        """Whether it is for this machine alone."""
        return is_this_machine(self.host) and not self.names and not self.proxies

    def has_proxy(self, address: str) -> bool:
        """Whether a named proxy has this address."""
        return _is_address(address) and any(
            ip_address(address) in ip_network(proxy) for proxy in self.proxies
        )

    def has(self, name: str) -> bool:
        """Whether browsers reach it by this name; no page elsewhere can have a number for one."""
        if is_this_machine(name) or name in (self.host.lower(), *self.names):
            return True
        own = socket.gethostname().lower()
        return not is_this_machine(self.host) and (
            _is_address(name) or name in (own, f"{own}.local")
        )


class Proxies:
    """ASGI middleware after which a request is as its browser sent it: client, scheme and host.

    Headers of proxies are believed from the trusted addresses and networks, and taken out.
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
        kept = [each for each in scope["headers"] if not each[0].startswith(_WORD_OF_PROXIES)]
        await self.app({**scope, "headers": kept}, receive, send)


class Entrance:
    """ASGI middleware that turns away what is not for this page, and holds what is to this server.

    Turned away is what is sent to another's name, by a page of another origin, or to what the page
    does not use. A proxy that is named in `reach` answers for the name by which browsers know the
    page. Each browser gets its secret (`visitors`) with the page. Files are taken with `uploads`.
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

        async def held(message: Message) -> None:
            if message["type"] == "http.response.start":
                _hold(scope, MutableHeaders(scope=message))
            await send(message)

        refused = self._refused(scope, Headers(scope=scope))
        if refused is None:
            await self.app(scope, receive, held)
            return
        status, words = refused
        # A body that goes with it is not waited for.
        await PlainTextResponse(words, status, {"Connection": "close"})(scope, receive, held)

    def _refused(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        """Why a request is turned away: the status, and what is said."""
        if _head_size(scope) > LONGEST_HEAD:
            return 431, f"the address and the headers are too large: send {LONGEST_HEAD:,} bytes"
        host = headers.get("host", "").lower()
        name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
        is_known = PROXIED in scope or self.reach.has(name)
        if not is_known or _is_from_elsewhere(scope, headers):
            if not self._has_advised:
                _log.warning(_ADVICE)
                self._has_advised = True
            return 403, _ELSEWHERE if is_known else _NOT_HERE
        path = scope["path"]
        is_unused = path.startswith(_UNUSED) and path.rstrip("/") != _PREDICT
        if is_unused or not path.isprintable():
            return 404, "not found"
        if path.startswith(UPLOAD) and not self.uploads:
            return 403, "no files are taken"
        return None


def _head_size(scope: Scope) -> int:
    """Bytes of a head that may have come whole, before the server has seen how long it is.

    Beyond some length Gradio answers an address with a stack trace.
    """
    headers = sum(len(name) + len(value) + 4 for name, value in scope["headers"])
    return len(scope.get("raw_path") or b"") + len(scope.get("query_string", b"")) + headers


def _is_from_elsewhere(scope: Scope, headers: Headers) -> bool:
    """Whether a page of another origin sent this; following a link to the page is not that.

    Browsers tell it by Sec-Fetch-Site over https and on this machine, and by Origin elsewhere.
    Programs send neither.
    """
    origin = headers.get("origin")
    if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        return origin is not None or not _opens_the_page(scope, headers)
    host = headers.get("host", "").lower().removesuffix(_DEFAULT_PORTS[scope["scheme"]])
    return origin is not None and origin != f"{scope['scheme']}://{host}"


def _opens_the_page(scope: Scope, headers: Headers) -> bool:
    """Whether a browser shows the page in a tab for this."""
    is_page = scope["path"] == "/" or scope["path"].startswith("/shared/")
    is_shown = headers.get("sec-fetch-dest", "document") == "document"
    navigates = headers.get("sec-fetch-mode") == "navigate"
    return scope["method"] in {"GET", "HEAD"} and is_page and navigates and is_shown


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


# Gradio's own page needs inline scripts and, for its templates, eval; nothing may be fetched
# from or sent to another host, whatever an abstract or a model puts into the page.
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "media-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'self'",
        "object-src 'none'",
        "frame-src 'none'",
        "frame-ancestors 'self'",
    ]
)


UPLOAD = "/gradio_api/upload"
"""Gradio's address for files: those of papers to add."""
_UNUSED = tuple(
    f"/gradio_api/{name}"
    for name in "process_recording component_server vibe- undo-vibe- proxy= run deep_link profiling"
    " stream dev call/ api/".split()
)
"""What Gradio offers and this page does not use: recordings go to other programs, for one; programs
without `gradio_client` use /api."""
_PREDICT = "/gradio_api/run/predict"


def _hold(scope: Scope, headers: MutableHeaders) -> None:
    """Add the policy to a response; no script reads its cookies, and no other site sends them."""
    headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    cookies = headers.getlist("Set-Cookie")
    is_page = headers.get("content-type", "").startswith("text/html")
    if is_page and scope["method"] == "GET" and secret_of(Headers(scope=scope)) is None:
        cookies.append(new_secret())
    del headers["Set-Cookie"]
    for each in cookies:
        for cookie in SimpleCookie(each).values():  # Gradio's own would be for all sites
            is_secure = scope["scheme"] == "https"
            cookie.update({"httponly": True, "samesite": "Lax", "secure": is_secure})
            headers.append("Set-Cookie", cookie.OutputString())
