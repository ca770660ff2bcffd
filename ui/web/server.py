"""Serving the page: address, look, and what the server leaves out."""

import socket
import sys
import threading
from collections.abc import Callable
from importlib.metadata import version
from typing import TYPE_CHECKING, TypedDict, Unpack, cast

import gradio as gr
import uvicorn
from fastapi import FastAPI
from gradio.exceptions import ServerFailedToStartError
from gradio.http_server import Server
from gradio.routes import App as GradioApp
from starlette.middleware import Middleware
from starlette.routing import Mount

from index.errors import InputError
from ui.terminal import log_in_lines
from ui.web.api import Programs
from ui.web.assets import head, stylesheet, theme
from ui.web.bodies import Bodies
from ui.web.connections import LARGEST_HEAD, Connection, most_connections
from ui.web.gate import Gate
from ui.web.guesses import Guesses
from ui.web.headers import SecurityHeaders
from ui.web.own_host import OwnOrigin, Proxies, Reach
from ui.web.routes import add_routes
from ui.web.visitors import VisitorCookie

if TYPE_CHECKING:
    from rag.settings import Settings
    from ui.web.accounts import Accounts
    from ui.web.mcp_tools import McpTools

MOST_SESSIONS = 1_000
"""Open pages that Gradio remembers, at some 300 kB each."""
LARGEST_FILE = "20mb"
"""Of an upload; a digest has some hundred kilobytes."""


def _server(app: FastAPI, reach: Reach, port: int) -> Server:
    """A server of an application, with its limits on connections; Gradio's page closes it."""
    most = most_connections()
    return Server(
        uvicorn.Config(
            app,
            reach.host,
            port,
            http=Connection.limited(most, reach.has_proxy),
            ws="none",
            backlog=most,
            proxy_headers=False,  # `Proxies` reads them
            server_header=False,
            h11_max_incomplete_event_size=LARGEST_HEAD,
            log_config=None,
            log_level="error",  # what clients get wrong is no news
            access_log=False,
        )
    )


class Parts(TypedDict, total=False):
    """What is served beside the page."""

    uploads: bool
    """Whether files are taken, of papers to add; by default they are."""
    accounts: "Accounts | None"
    """Who may log in; without them everybody is let in."""
    programs: "Programs"
    """The public endpoints, served below /api."""
    tools: "McpTools | None"
    """The same for clients of the Model Context Protocol."""


def application(page: gr.Blocks, reach: Reach, **parts: Unpack[Parts]) -> FastAPI:
    """Everything that is served, as one ASGI application."""
    accounts, programs, tools = parts.get("accounts"), parts.get("programs"), parts.get("tools")
    guesses = Guesses(accounts) if accounts else None
    app = FastAPI(
        title="AbstractQA",
        version=version("abstractqa"),
        docs_url=None,  # it would fetch scripts from elsewhere
        redoc_url=None,
        openapi_url="/api/openapi.json" if programs else None,
        lifespan=tools.lifespan if tools else None,
    )
    if programs is not None:
        add_routes(app, programs)
    if tools is not None:
        app.routes.extend(tools.routes)
    gradio_app = _mount(app, page, guesses)
    layers = [
        Middleware(Proxies, trusted=reach.proxies),
        Middleware(SecurityHeaders, uploads=parts.get("uploads", True)),
        Middleware(OwnOrigin, reach=reach),
        Middleware(VisitorCookie),
        *([Middleware(Gate, guesses=guesses, gradio_app=gradio_app)] if guesses else []),
        Middleware(Bodies, page=page),
    ]
    app.user_middleware[:0] = layers
    return app


def _mount(app: FastAPI, page: gr.Blocks, guesses: Guesses | None) -> GradioApp:
    """Put Gradio's page at the root, below all other routes."""
    page.state_session_capacity = MOST_SESSIONS
    gr.mount_gradio_app(
        app,
        page,
        "",
        auth=guesses.login if guesses else None,
        max_file_size=LARGEST_FILE,
        show_error=False,
        enable_monitoring=False,
        run_history=False,
        footer_links=[],
        ssr_mode=False,
        pwa=False,
        mcp_server=False,  # ours is `McpTools`
        theme=theme(),
        css=stylesheet(),
        head=head(),
    )
    page.app = cast(GradioApp, next(each.app for each in app.routes if isinstance(each, Mount)))
    return page.app


def launch(page: gr.Blocks, host: str | Reach, port: int, **parts: Unpack[Parts]) -> str:
    """Serve `page` in a background thread.

    Args:
        page: What is served.
        host: Address to listen on; with the names and proxies by which it is reached.
        port: From 1 to 65,535.
        parts: What is served beside it.

    Returns:
        Its address.

    Raises:
        InputError: the host or the port cannot be listened on.
    """
    reach = host if isinstance(host, Reach) else Reach(host)
    check_free(reach.host, port)
    page.server = _server(application(page, reach, **parts), reach, port)
    try:
        cast(Callable[[], None], page.server.run_in_thread)()
    except ServerFailedToStartError as error:
        raise InputError(f"cannot serve on {reach.host}:{port}") from error
    page.is_running = True
    shown = "localhost" if reach.host == "0.0.0.0" else reach.host  # noqa: S104
    return f"http://{shown}:{port}"


def check_free(host: str, port: int) -> None:
    """Say plainly what is wrong with an address before Gradio tries it.

    Raises:
        InputError: the host or the port cannot be listened on.
    """
    if not 1 <= port <= 65_535:
        raise InputError(f"--port {port} is not a port; give one from 1 to 65535")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror as error:
        raise InputError(f"--host {host} is not an address of this machine") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"port {port} on {host}: {reason}; give another --port") from error


def serve(
    settings: "Settings",
    reach: Reach,
    port: int,
    *,
    accounts: "Accounts | None" = None,
    mcp: bool = False,
    model_settings: bool = False,
) -> None:
    """Serve the page over the index of `settings` until interrupted.

    Papers can be added and removed by those who log in, or on a page for this machine alone. The
    chat model can be set on a page for this machine alone without a login; by those who log in if
    `model_settings` lets them.

    Raises:
        StoreError: there is no usable index.
        InputError: the address cannot be listened on.
    """
    # Both take seconds.
    from rag import Assistant
    from ui.web.app import build
    from ui.web.mcp_tools import PATH, McpTools
    from ui.web.site import Site

    log_in_lines()
    may_change = reach.only_here or accounts is not None
    site = Site.over(
        Assistant.open(store=settings.store, settings=settings),
        settings,
        may_change=may_change,
        auth=accounts is not None,
        may_set_model=model_settings if accounts else reach.only_here,
    )
    page = build(site)
    tools = McpTools(site) if mcp else None
    parts = Parts(uploads=may_change, accounts=accounts, programs=Programs(site), tools=tools)
    address = launch(page, reach, port, **parts)
    sys.stderr.write(f"AbstractQA is at {address} (stop it with Ctrl-C)\n")
    if mcp:
        sys.stderr.write(f"Its tools for MCP clients are at {address}{PATH}\n")
    sys.stderr.flush()
    try:
        threading.Event().wait()
    finally:
        page.close(verbose=False)
