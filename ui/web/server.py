"""Serving the page: address, look, and what the server leaves out."""

import socket
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr
from starlette.middleware import Middleware

from index.errors import InputError
from ui.web.app import build, theme
from ui.web.headers import SecurityHeaders

if TYPE_CHECKING:
    from rag.settings import Settings

_HERE = Path(__file__).parent
_ICON = (
    '<link rel="icon" href="data:image/svg+xml,'
    "%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E"
    "%3Crect width='32' height='32' rx='7' fill='%231f4e79'/%3E"
    "%3Ctext x='16' y='22' font-family='Georgia,serif' font-size='17' fill='white' "
    "text-anchor='middle'%3E%5B1%5D%3C/text%3E%3C/svg%3E"
    '">'
)


def launch(page: gr.Blocks, host: str, port: int) -> str:
    """Serve `page` in a background thread.

    Returns:
        Its address.

    Raises:
        InputError: the host or the port cannot be listened on.
    """
    _check_free(host, port)
    script = f"<script>{(_HERE / 'script.js').read_text(encoding='utf-8')}</script>"
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
            mcp_server=False,
            show_error=False,
            enable_monitoring=False,
            run_history=False,
            footer_links=[],
            theme=theme(),
            css=(_HERE / "style.css").read_text(encoding="utf-8"),
            head=_ICON + script,
            app_kwargs={"middleware": [Middleware(SecurityHeaders)]},
        )
    except OSError as error:
        raise InputError(f"cannot serve on {host}:{port}: {error}") from error
    return f"http://{'localhost' if host == '0.0.0.0' else host}:{port}"  # noqa: S104


def _check_free(host: str, port: int) -> None:
    """Say plainly what is wrong with an address before Gradio tries it."""
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


def serve(settings: "Settings", host: str, port: int) -> None:
    """Serve the page over the index of `settings` until interrupted.

    Raises:
        StoreError: there is no usable index.
        InputError: the address cannot be listened on.
    """
    _check_free(host, port)
    from rag import Assistant  # takes seconds, so a taken port is told first

    page = build(Assistant.open(store=settings.store, settings=settings))
    address = launch(page, host, port)
    sys.stderr.write(f"AbstractQA is at {address} (stop it with Ctrl-C)\n")
    sys.stderr.flush()
    try:
        threading.Event().wait()
    finally:
        page.close(verbose=False)
