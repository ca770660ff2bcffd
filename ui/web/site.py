"""What the tabs of the page share: the assistant, where things are kept, how events are sent.

No event is public, and what answers is limited as one.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from index.errors import AbstractQAError, InputError
from rag.settings import Settings
from ui.archive import Archive

if TYPE_CHECKING:
    from rag import Assistant
    from ui.web.accounts import Accounts

RUNS = Path("runs")
"""Where `abstractqa eval` writes its runs, in the working folder."""

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


@dataclass(frozen=True)
class Site:
    """One served page: what it answers from, what it keeps, and what its visitors may do."""

    assistant: "Assistant"
    settings: Settings
    """Of these `data` is the folder in which things are kept."""
    runs: Path = RUNS
    accounts: "Accounts | None" = None
    """Who may log in; without them everybody is let in."""
    may_change: bool = True
    """Whether visitors may add and remove papers: on this machine alone, or after a login."""
    archive: Archive = field(init=False)

    def __post_init__(self) -> None:
        """Open what is kept; a `StoreError` if it cannot be read."""
        object.__setattr__(self, "archive", Archive(self.settings.data))

    @property
    def may_set_model(self) -> bool:
        """Whether visitors may set the chat model's endpoint: on this machine alone."""
        return self.may_change and self.accounts is None

    def check_model(self, name: str | None) -> None:
        """Refuse, as an `InputError`, a chat model that the endpoint does not list."""
        if name in (None, self.assistant.chat_model):
            return
        if name not in self.assistant.chat_models():
            raise InputError(f"there is no chat model {name!r} at the endpoint")


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


def html(value: object = "", **more: Any) -> gr.HTML:
    """A component that shows HTML of ours: without a script, and without Gradio's look."""
    return gr.HTML(str(value), js_on_load=None, apply_default_css=False, **more)


def scripted(elem_id: str, *events: str, **more: Any) -> gr.HTML:
    """A component that speaks with the page's script by events of the DOM.

    What the script dispatches on its element becomes the Gradio event of that name, as
    `component.name(…)`; each new value reaches the script as the event `aqa-value`.
    """
    script = f"""
for (const name of {json.dumps(events)}) {{
  element.addEventListener(name, (event) => trigger(name, event.detail));
}}
const tell = () => element.dispatchEvent(
  new CustomEvent("aqa-value", {{ bubbles: true, detail: props.value }}),
);
watch("value", tell);
tell();
"""
    return gr.HTML(elem_id=elem_id, js_on_load=script, apply_default_css=False, **more)
