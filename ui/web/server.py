"""Serving the page: address, look, and what the server leaves out."""

import os
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import gradio as gr
from starlette.applications import Starlette
from starlette.middleware import Middleware

from index.errors import InputError
from ui.web.api import parameters
from ui.web.assets import head, stylesheet, theme
from ui.web.calls import Calls
from ui.web.gate import Gate
from ui.web.guesses import Guesses
from ui.web.headers import SecurityHeaders
from ui.web.own_host import OwnOrigin, Reach
from ui.web.proxies import Proxies
from ui.web.visitors import VisitorCookie

if TYPE_CHECKING:
    from rag.settings import Settings
    from ui.web.accounts import Accounts
    from ui.web.mcp_tools import McpTools

MOST_SESSIONS = 1_000
"""Open pages that Gradio remembers, at some 300 kB each."""
LARGEST_UPLOAD = "20mb"
"""Of one file; a digest has some hundred kilobytes."""


def launch(
    page: gr.Blocks,
    host: str | Reach,
    port: int,
    *,
    uploads: bool = True,
    accounts: "Accounts | None" = None,
    tools: "McpTools | None" = None,
) -> str:
    """Serve `page` in a background thread.

    Args:
        page: What is served.
        host: Address to listen on; with the names and proxies by which it is reached.
        port: From 1 to 65,535.
        uploads: Whether files are taken, of papers to add.
        accounts: Who may log in; without them everybody is let in.
        tools: The public endpoints for clients of the Model Context Protocol, served beside it.

    Returns:
        Its address.

    Raises:
        InputError: the host or the port cannot be listened on.
    """
    reach = host if isinstance(host, Reach) else Reach(host)
    host = reach.host
    check_free(host, port)
    guesses = Guesses(accounts) if accounts else None
    outer = [
        Middleware(Proxies, trusted=reach.proxies),
        Middleware(SecurityHeaders, uploads=uploads),
        Middleware(OwnOrigin, reach=reach),
    ]
    inner = [Middleware(VisitorCookie)]
    if guesses is not None:
        inner.append(Middleware(Gate, guesses=guesses))
    inner.append(Middleware(Calls, parameters=parameters()))
    app: dict[str, Any] = {"middleware": inner, "lifespan": _around_gradio(outer, tools)}
    if tools is not None:
        app["routes"] = tools.routes
    # Its server believes forwarded addresses of whoever is named here, by default of this machine's
    # programs; Gradio passes it no other word. `Proxies` does that.
    os.environ["FORWARDED_ALLOW_IPS"] = ""
    try:
        page.launch(
            server_name=host,
            server_port=port,
            prevent_thread_lock=True,
            quiet=True,
            share=False,
            inbrowser=False,
            ssr_mode=False,
            pwa=False,
            mcp_server=False,  # ours is `tools`
            # Gradio takes coroutines, too; its type does not say so.
            auth=guesses.login if guesses else None,  # type: ignore[arg-type]
            max_file_size=LARGEST_UPLOAD,
            state_session_capacity=MOST_SESSIONS,
            show_error=False,
            enable_monitoring=False,
            run_history=False,
            footer_links=[],
            theme=theme(),
            css=stylesheet(),
            head=head(),
            app_kwargs=app,
        )
    except OSError as error:
        raise InputError(f"cannot serve on {host}:{port}: {error}") from error
    return f"http://{'localhost' if host == '0.0.0.0' else host}:{port}"  # noqa: S104


def _around_gradio(
    outer: list[Middleware], tools: "McpTools | None"
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    """Put middleware before that of Gradio, which answers preflights and lets every origin in.

    Gradio puts its own before what it is given, but no request comes before the start is over.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.user_middleware[:0] = outer
        app.middleware_stack = app.build_middleware_stack()
        async with tools.lifespan(app) if tools else nullcontext():
            yield

    return lifespan


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
    from ui.web.mcp_tools import PATH as MCP_PATH
    from ui.web.mcp_tools import McpTools
    from ui.web.site import Site

    may_change = reach.only_here or accounts is not None
    assistant = Assistant.open(store=settings.store, settings=settings)
    site = Site.over(
        assistant,
        settings,
        may_change=may_change,
        auth=accounts is not None,
        may_set_model=model_settings if accounts else reach.only_here,
    )
    tools = McpTools(site) if mcp else None
    page = build(site)
    address = launch(page, reach, port, uploads=may_change, accounts=accounts, tools=tools)
    sys.stderr.write(f"AbstractQA is at {address} (stop it with Ctrl-C)\n")
    if mcp:
        sys.stderr.write(f"Its tools for MCP clients are at {address}{MCP_PATH}\n")
    sys.stderr.flush()
    try:
        threading.Event().wait()
    finally:
        page.close(verbose=False)
