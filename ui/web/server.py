"""Build the page from its tabs, connect them, and serve it."""

import socket
import threading
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

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
from rag.settings import Settings
from ui.terminal import log_in_lines, note, shown_meanwhile
from ui.web.accounts import Accounts
from ui.web.api import McpTools, Programs, add_endpoints, add_routes
from ui.web.limits import LIMITS, Bodies, Connection, Limits, clear_uploads, most_connections
from ui.web.own_host import LONGEST_HEAD, Entrance, Proxies, Reach
from ui.web.site import AT_ONCE, LIGHT, QUIET, WAITING, Site, html
from ui.web.visitors import Gate, Guesses

_ICON = (
    '<link rel="icon" href="data:image/svg+xml,'
    "%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E"
    "%3Crect width='32' height='32' rx='7' fill='%231f4e79'/%3E"
    "%3Ctext x='16' y='22' font-family='Georgia,serif' font-size='17' fill='white' "
    "text-anchor='middle'%3E%5B1%5D%3C/text%3E%3C/svg%3E"
    '">'
)

# Not in a style sheet, where Gradio changes selectors: this must match its own elements, too.
_STILL = (
    "<style>@media (prefers-reduced-motion: reduce) { *, *::before, *::after {"
    " animation-duration: 0.01ms !important; animation-iteration-count: 1 !important;"
    " transition-duration: 0s !important; scroll-behavior: auto !important; } }</style>"
)


def build(site: Site) -> gr.Blocks:
    """Build the page of a site; it is not served yet."""
    # Slow imports: at the top they would delay the error for a busy port or a wrong host.
    from ui.web import compare_tab as compare
    from ui.web import lab_tab as lab
    from ui.web.chat import chat_tab as chat
    from ui.web.corpus import papers_tab as corpus
    from ui.web.corpus.start_page import heading

    an_hour = (3_600, 3_600)  # until unread uploads are deleted
    page = gr.Blocks(
        title="AbstractQA", fill_width=True, analytics_enabled=False, delete_cache=an_hour
    )
    with page:
        add_endpoints(site)  # first, or a tab's handler could take an endpoint's name
        title = html(heading(site.assistant), elem_id="aqa-heading")
        with gr.Tabs(elem_id="aqa-tabs", selected="chat") as tabs:
            with gr.Tab("Chat", id="chat", elem_id="aqa-chat-tab"):
                asking = chat.build(site, page)
            with gr.Tab("Papers", id="corpus", elem_id="aqa-corpus-tab"):
                papers, looking, changed = corpus.build(site, page, tabs)
            with gr.Tab("Compare", id="compare", elem_id="aqa-compare-tab") as tab:
                compare.build(site, tab, papers, looking, tabs)
            with gr.Tab("Lab", id="lab", elem_id="aqa-lab-tab") as tab:
                lab.build(site, tab)

        to_chat = "() => { aqaGo(''); document.querySelector('#aqa-question textarea')?.focus(); }"
        asked = [asking.filters.papers, asking.asked, tabs]
        for each in (papers, asking.examples):
            event = each.aqa_ask(looking.ask, None, asked, **LIGHT)
            event.success(None, js=to_chat, **QUIET)

        def refresh() -> tuple[Any, ...]:
            return (heading(site.assistant), *asking.refresh())

        # On load, too: the index may have changed since the server started.
        gr.on([changed.change, page.load], refresh, None, [title, *asking.corpus], **LIGHT)
    # `api_open=False` keeps requests to /run from bypassing the queue.
    page.queue(default_concurrency_limit=AT_ONCE, max_size=WAITING, api_open=False)
    return page


def _application(
    page: gr.Blocks, site: Site, reach: Reach, *, mcp: bool, limits: Limits
) -> FastAPI:
    programs = Programs(site)
    tools = McpTools(programs) if mcp else None
    app = FastAPI(
        title="AbstractQA",
        version=version("abstractqa"),
        docs_url=None,  # it would fetch scripts from another host
        redoc_url=None,
        openapi_url="/api/openapi.json",
        lifespan=tools.lifespan if tools else None,
    )
    add_routes(app, programs)
    if tools:
        app.routes.extend(tools.routes)
    guesses = Guesses(site.accounts) if site.accounts else None
    _mount(app, page, guesses)
    app.user_middleware[:0] = [
        Middleware(Proxies, trusted=reach.proxies),
        Middleware(Entrance, reach=reach, uploads=site.may_change),
        *([Middleware(Gate, guesses=guesses, gradio_app=page.app)] if guesses else []),
        Middleware(Bodies, page=page, limits=limits),
    ]
    return app


def _mount(app: FastAPI, page: gr.Blocks, guesses: Guesses | None) -> None:
    """Mount Gradio's page below the endpoints, without what it offers beyond this page."""
    page.state_session_capacity = 1_000  # open pages, about 300 kB each
    theme = gr.themes.Base(
        primary_hue="blue",
        neutral_hue="slate",
        font=[Font("system-ui"), Font("sans-serif")],  # no font is fetched
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
    gr.mount_gradio_app(
        app,
        page,
        "",
        auth=guesses.login if guesses else None,
        max_file_size="20mb",  # a digest has a few hundred kilobytes
        show_error=False,
        enable_monitoring=False,
        run_history=False,
        footer_links=[],
        ssr_mode=False,
        mcp_server=False,  # `McpTools` replaces it
        theme=theme,
        css="\n".join(_texts("*.css")),
        head=_ICON + _STILL + "".join(f"<script>{each}</script>" for each in _texts("*.js")),
    )
    page.app = cast(GradioApp, next(each.app for each in app.routes if isinstance(each, Mount)))


def _texts(pattern: str) -> list[str]:
    """Read the style sheets or scripts of the page: the shared ones first, then each tab's."""
    paths = Path(__file__).parent.rglob(pattern)
    ordered = sorted(paths, key=lambda path: (len(path.parts), path))
    return [path.read_text(encoding="utf-8") for path in ordered]


def launch(
    page: gr.Blocks,
    site: Site,
    reach: Reach,
    port: int,
    *,
    mcp: bool = False,
    limits: Limits = LIMITS,
) -> str:
    """Serve a page, with `mcp` also MCP tools, in a background thread; return its address."""
    check_free(reach.host, port)
    clear_uploads(limits.upload_seconds)
    most = most_connections(limits)
    connection = partial(Connection, limits=limits, most=most, is_proxy=reach.has_proxy)
    page.server = Server(
        uvicorn.Config(
            _application(page, site, reach, mcp=mcp, limits=limits),
            reach.host,
            port,
            http=connection,  # type: ignore[arg-type]  # only called
            ws="none",
            backlog=most,
            proxy_headers=False,  # `Proxies` reads them
            server_header=False,
            h11_max_incomplete_event_size=LONGEST_HEAD,
            log_config=None,
            log_level="error",  # mistakes of clients are not logged
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
    """Raise an `InputError` that names the problem if nothing can listen on this address."""
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
    settings: Settings,
    reach: Reach,
    port: int,
    *,
    accounts: Accounts | None = None,
    mcp: bool = False,
) -> None:
    """Serve the page for the index of `settings`, which must be usable, until interrupted.

    If only this machine can reach the page, visitors may change papers and, without `accounts`, set
    the chat model. Otherwise only visitors who logged in may change papers.
    """
    log_in_lines()
    with shown_meanwhile("Opening the index"):
        from rag import Assistant  # takes seconds

        site = Site(
            Assistant.open(store=settings.store, settings=settings),
            settings,
            accounts=accounts,
            may_change=reach.only_here or accounts is not None,
        )
        page = build(site)
    address = launch(page, site, reach, port, mcp=mcp)
    note(f"AbstractQA is at {address} (stop it with Ctrl-C)")
    if mcp:
        note(f"Its tools for MCP clients are at {address}/mcp")
    try:
        threading.Event().wait()
    finally:
        page.close(verbose=False)
