"""Serving the page: address, look, and what the server leaves out."""

import socket
import threading
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, cast

import gradio as gr
import uvicorn
from fastapi import FastAPI
from gradio.exceptions import ServerFailedToStartError
from gradio.http_server import Server
from gradio.routes import App as GradioApp
from gradio.themes.utils.fonts import Font
from starlette.middleware import Middleware
from starlette.routing import Mount

from index.errors import InputError
from ui.terminal import log_in_lines, note, shown_meanwhile
from ui.web.api import Programs, add_routes
from ui.web.limits import (
    LIMITS,
    Bodies,
    Connection,
    Limits,
    most_connections,
    remove_broken_uploads,
    upload_folder,
)
from ui.web.own_host import LONGEST_HEAD, Entrance, Proxies, Reach
from ui.web.visitors import Gate, Guesses

if TYPE_CHECKING:
    from rag.settings import Settings
    from ui.web.accounts import Accounts
    from ui.web.site import Site

_ICON = (
    '<link rel="icon" href="data:image/svg+xml,'
    "%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E"
    "%3Crect width='32' height='32' rx='7' fill='%231f4e79'/%3E"
    "%3Ctext x='16' y='22' font-family='Georgia,serif' font-size='17' fill='white' "
    "text-anchor='middle'%3E%5B1%5D%3C/text%3E%3C/svg%3E"
    '">'
)

# Not in a style sheet: Gradio changes the selectors there, and this is for its own elements too.
_STILL = (
    "<style>@media (prefers-reduced-motion: reduce) { *, *::before, *::after {"
    " animation-duration: 0.01ms !important; animation-iteration-count: 1 !important;"
    " transition-duration: 0s !important; scroll-behavior: auto !important; } }</style>"
)


def _application(
    page: gr.Blocks, reach: Reach, site: "Site | None", *, mcp: bool, limits: Limits
) -> FastAPI:
    """Everything that is served: Gradio's page and what programs may call of `site`."""
    accounts = site.accounts if site else None
    guesses = Guesses(accounts) if accounts else None
    programs = Programs(site) if site else None
    tools = None
    if programs and mcp:
        from ui.web.mcp_tools import McpTools  # the protocol's library takes long

        tools = McpTools(programs)
    app = FastAPI(
        title="AbstractQA",
        version=version("abstractqa"),
        docs_url=None,  # it would fetch scripts from elsewhere
        redoc_url=None,
        openapi_url="/api/openapi.json" if programs else None,
        lifespan=tools.lifespan if tools else None,
    )
    if programs:
        add_routes(app, programs)
    if tools:
        app.routes.extend(tools.routes)
    gradio_app = _mount(app, page, guesses)
    app.user_middleware[:0] = [
        Middleware(Proxies, trusted=reach.proxies),
        Middleware(Entrance, reach=reach, uploads=site is None or site.may_change),
        *([Middleware(Gate, guesses=guesses, gradio_app=gradio_app)] if guesses else []),
        Middleware(Bodies, page=page, limits=limits),
    ]
    return app


def _mount(app: FastAPI, page: gr.Blocks, guesses: Guesses | None) -> GradioApp:
    """Put Gradio's page at the root, below all other routes."""
    page.state_session_capacity = 1_000  # open pages, at some 300 kB each
    gr.mount_gradio_app(
        app,
        page,
        "",
        auth=guesses.login if guesses else None,
        max_file_size="20mb",  # a digest has some hundred kilobytes
        show_error=False,
        enable_monitoring=False,
        run_history=False,
        footer_links=[],
        ssr_mode=False,
        pwa=False,
        mcp_server=False,  # ours is `McpTools`
        theme=_theme(),
        css="\n".join(_texts("*.css")),
        head=_ICON + _STILL + "".join(f"<script>{each}</script>" for each in _texts("*.js")),
    )
    page.app = cast(GradioApp, next(each.app for each in app.routes if isinstance(each, Mount)))
    return page.app


def _theme() -> gr.themes.Base:
    """Gradio's plain theme with the system's own fonts, so that none is fetched."""
    return gr.themes.Base(
        primary_hue="blue",
        neutral_hue="slate",
        font=[Font("system-ui"), Font("sans-serif")],
        font_mono=[Font("ui-monospace"), Font("monospace")],
        radius_size="lg",
    ).set(
        body_background_fill="#fbfbf9",
        body_background_fill_dark="#14181e",
        input_background_fill="#ffffff",
        input_background_fill_dark="#1b2028",
        button_secondary_background_fill="transparent",
        button_secondary_background_fill_dark="transparent",
    )


def _texts(pattern: str) -> list[str]:
    """The style sheets or scripts of the page: the shared ones first, then those of each tab."""
    paths = Path(__file__).parent.rglob(pattern)
    ordered = sorted(paths, key=lambda path: (len(path.parts), path))
    return [path.read_text(encoding="utf-8") for path in ordered]


def launch(
    page: gr.Blocks,
    host: str | Reach,
    port: int,
    site: "Site | None" = None,
    *,
    mcp: bool = False,
    limits: Limits = LIMITS,
) -> str:
    """Serve `page` in a background thread.

    Args:
        page: What is served.
        host: Address to listen on; with the names and proxies by which it is reached.
        port: From 1 to 65,535.
        site: Who may log in, whether files are taken, and what programs may call.
        mcp: Whether clients of the Model Context Protocol may call that, too.
        limits: What one client may take.

    Returns:
        Its address.

    Raises:
        InputError: the host or the port cannot be listened on.
    """
    reach = host if isinstance(host, Reach) else Reach(host)
    check_free(reach.host, port)
    remove_broken_uploads(upload_folder(), limits.upload_seconds)
    most = most_connections(limits)
    connection = partial(Connection, limits=limits, most=most, is_proxy=reach.has_proxy)
    page.server = Server(
        uvicorn.Config(
            _application(page, reach, site, mcp=mcp, limits=limits),
            reach.host,
            port,
            http=connection,  # type: ignore[arg-type]  # it is called
            ws="none",
            backlog=most,
            proxy_headers=False,  # `Proxies` reads them
            server_header=False,
            h11_max_incomplete_event_size=LONGEST_HEAD,
            log_config=None,
            log_level="error",  # what clients get wrong is no news
            access_log=False,
        )
    )
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
) -> None:
    """Serve the page over the index of `settings` until interrupted.

    On a page for this machine alone everybody may change papers and set the chat model. Elsewhere
    those who log in may change papers.

    Raises:
        StoreError: there is no usable index.
        InputError: the address cannot be listened on.
    """
    log_in_lines()
    with shown_meanwhile("Opening the index"):
        # They take seconds.
        from rag import Assistant
        from ui.web.app import build
        from ui.web.site import Site

        site = Site(
            Assistant.open(store=settings.store, settings=settings),
            settings,
            accounts=accounts,
            may_change=reach.only_here or accounts is not None,
        )
        page = build(site)
    address = launch(page, reach, port, site, mcp=mcp)
    note(f"AbstractQA is at {address} (stop it with Ctrl-C)")
    if mcp:
        note(f"Its tools for MCP clients are at {address}/mcp")
    try:
        threading.Event().wait()
    finally:
        page.close(verbose=False)
