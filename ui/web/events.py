"""How the page's events are sent, and what is told where one fails.

None of them is public, and what answers is limited as one.
"""

import logging
from collections.abc import Mapping
from typing import Any

import gradio as gr

from index.errors import AbstractQAError

AT_ONCE = 16
"""Questions answered at the same time, on all tabs and by programs; more wait their turn."""
WAITING = 20
"""Events that may wait; beyond that the page says it is busy."""

QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
"""An event that waits its turn."""
LIGHT: dict[str, Any] = {**QUIET, "queue": False, "trigger_mode": "multiple"}
"""An event of milliseconds, which goes past the queue, even while another is under way."""
LATEST: dict[str, Any] = {**LIGHT, "trigger_mode": "always_last"}
"""A light event that counts as its inputs are at the end: what an event itself carries would be
sent as it was when the first one began."""
LIMITED: dict[str, Any] = {"concurrency_id": "answering", "concurrency_limit": AT_ONCE}
"""The limit of what answers questions."""
ANSWERING: dict[str, Any] = {**QUIET, **LIMITED}
"""An event that answers a question."""
FOLLOWING: dict[str, Any] = {
    **QUIET,
    "concurrency_id": "following",
    "concurrency_limit": 4 * AT_ONCE,
    "trigger_mode": "multiple",
}
"""An event that shows an answer under way; it takes no place of those that answer."""


_log = logging.getLogger(__name__)


def told(error: Exception) -> str:
    """An error as a sentence for the page; one that nobody expected is logged."""
    if not isinstance(error, AbstractQAError):
        _log.error("a request of the page failed", exc_info=error)
        return "Something went wrong here; the terminal that runs AbstractQA says what"
    text = " ".join(str(error).split())
    return text[:1].upper() + text[1:]


def sent(event: gr.EventData) -> Mapping[str, object]:
    """What the browser sent with an event, whatever it is."""
    data = event._data
    return data if isinstance(data, dict) else {}
