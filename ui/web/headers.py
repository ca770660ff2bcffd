"""What holds the page to this server: headers, cookies, and uploads only where they are for."""

import re

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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
_UNUSED = re.compile(
    r"/gradio_api/(?:process_recording|component_server|(?:undo-)?vibe-.*|proxy=.*|run-history.*|runs"
    r"|deep_link|profiling.*|stream.*|dev.*|call/.*|api/.*|run/(?!predict/?$).*)/?"
)
"""What Gradio offers and this page does not use: recordings go to other programs, for one; programs
without `gradio_client` use /api."""
_HOLDS = {"httponly", "samesite", "secure"}


class SecurityHeaders:
    """ASGI middleware that adds the policy to every response, and holds cookies to this site.

    Without `uploads` no file is taken.
    """

    def __init__(self, app: ASGIApp, *, uploads: bool) -> None:
        self.app = app
        self.uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "no-referrer"
                cookies = headers.getlist("Set-Cookie")
                del headers["Set-Cookie"]
                for cookie in cookies:
                    headers.append("Set-Cookie", _ours(cookie, scope["scheme"]))
            await send(message)

        path = scope["path"] if scope["type"] == "http" else ""
        if _UNUSED.fullmatch(path) or not path.isprintable():
            await PlainTextResponse("not found", 404)(scope, receive, with_headers)
            return
        if path.startswith(UPLOAD) and not self.uploads:
            await PlainTextResponse("no files are taken", 403)(scope, receive, with_headers)
            return
        await self.app(scope, receive, with_headers)


def _ours(cookie: str, scheme: str) -> str:
    """A cookie that no script reads and no other site sends; Gradio's own is for all sites."""
    parts = [part.strip() for part in cookie.split(";")]
    kept = [part for part in parts if part.partition("=")[0].lower() not in _HOLDS]
    secure = ["Secure"] if scheme == "https" else []
    return "; ".join([*kept, "HttpOnly", "SameSite=Lax", *secure])
