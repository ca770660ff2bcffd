"""What the page is told: new values of its parts, each only as far as it changed.

The page's script keeps the turns and cards it has: `order` names all of them, `html` brings those
that are new or have changed.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import gradio as gr

from ui.archive.models import Conversation
from ui.web.render import escape

SKIP = gr.skip()


class Update(NamedTuple):
    """New values of the page's parts; `SKIP` leaves one alone."""

    question: Any = SKIP
    conversation: Any = SKIP
    transcript: Any = SKIP
    live: Any = SKIP
    sources: Any = SKIP
    listing: Any = SKIP
    following: Any = SKIP
    """Not empty: an answer that is being written is to be followed. Never twice the same."""


def transcript(
    conversation: Conversation | None,
    html: Mapping[str, str],
    *,
    notice: str = "",
    said: str = "",
    without: str = "",
    refill: str = "",
    withdraw: str = "",
) -> dict[str, Any]:
    """The finished turns.

    Args:
        conversation: The one that is shown; None for a new one.
        html: The turns that are new or have changed, by their ids.
        notice: HTML below the turns.
        said: What a screen reader says.
        without: The id of a turn that is not finished.
        refill: What to put into the question box, if nothing stands there.
        withdraw: What to take out of the question box, if nothing else stands there.
    """
    turns = conversation.turns if conversation else ()
    return {
        "conversation": conversation.id if conversation else "",
        "title": conversation.title if conversation else "",
        "order": [turn.id for turn in turns if turn.id != without],
        "html": dict(html),
        "notice": notice,
        "said": said,
        "refill": refill,
        "withdraw": withdraw,
    }


def sources(order: Sequence[str], html: Mapping[str, str], show: str | None) -> dict[str, Any]:
    """The source cards of each turn; `show` is the turn whose cards are to be seen."""
    return {"order": list(order), "html": dict(html), "show": show or ""}


def told_html(text: str) -> str:
    """A line that says what happened."""
    return f"<p>{escape(text)}</p>"


def notice_html(text: str, button: str, does: str) -> str:
    """A line that says what was done, with a button that undoes it."""
    return (
        f"<p>{escape(text)} "
        f'<button type="button" class="aqa-chat-tool" data-do="{does}">{button}</button></p>'
    )
