"""What the tabs share: the assistant, the archive, event settings, and HTML components.

No event is public. All events that answer questions share one limit.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from index.errors import AbstractQAError
from rag.settings import Settings
from ui.archive import Archive
from ui.web.accounts import Accounts

if TYPE_CHECKING:
    from rag import Assistant

AT_ONCE = 16  # questions answered at the same time, from all tabs and programs; others wait
WAITING = 20  # events that may wait in the queue; beyond that the page reports that it is busy

QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
"""An event that waits in the queue."""
LIGHT: dict[str, Any] = {**QUIET, "queue": False, "trigger_mode": "multiple"}
"""An event of milliseconds: it skips the queue, and may run while an earlier one still does."""
LATEST: dict[str, Any] = {**LIGHT, "trigger_mode": "always_last"}
"""A light event; those that come while it runs are sent once, after it, with the inputs of then.
Data of an event would be that of the first one."""
LIMITED: dict[str, Any] = {"concurrency_id": "answering", "concurrency_limit": AT_ONCE}
ANSWERING: dict[str, Any] = {**QUIET, **LIMITED}  # an event that answers a question

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Site:
    """One served page: its assistant, its archive, and what its visitors may do."""

    assistant: "Assistant"
    settings: Settings
    """Its folder `data` holds conversations, marks, votes and the model's endpoint."""
    runs: Path = Path("runs")  # where `abstractqa eval` writes its runs
    accounts: Accounts | None = None  # who may log in; None lets everybody in
    may_change: bool = True
    """Whether visitors may add and remove papers: on a local page, or after a login."""
    archive: Archive = field(init=False)

    def __post_init__(self) -> None:
        """Open the archive; raise a `StoreError` if it cannot be read."""
        object.__setattr__(self, "archive", Archive(self.settings.data))

    @property
    def may_set_model(self) -> bool:
        """Whether visitors may set the chat model's endpoint: on a local page without logins."""
        return self.may_change and self.accounts is None


def told(error: Exception) -> str:
    """Return the message of an error for the page; log an unexpected error and hide its text."""
    if not isinstance(error, AbstractQAError):
        _log.error("a request of the page failed", exc_info=error)
        return "Something went wrong; the details are in the terminal that runs AbstractQA"
    text = " ".join(str(error).split())
    return text[:1].upper() + text[1:]


def sent(event: gr.EventData) -> Mapping[str, object]:
    """Return the data that the browser sent with an event; empty if it is not an object."""
    data = event._data
    return data if isinstance(data, dict) else {}


def html(value: object = "", **more: Any) -> gr.HTML:
    """Make a component that shows our HTML, without a script and without Gradio's styles."""
    return gr.HTML(str(value), js_on_load=None, apply_default_css=False, **more)


def box(elem_id: str, label: str, placeholder: str, **more: Any) -> gr.Textbox:
    """Make a text box whose label only screen readers announce."""
    more |= {"label": label, "show_label": False, "container": False}
    return gr.Textbox(elem_id=elem_id, placeholder=placeholder, **more)


def scripted(elem_id: str, *events: str, **more: Any) -> gr.HTML:
    """Make a component that talks to the page's script by DOM events.

    An event that the script dispatches on its element becomes the Gradio event of that name, used
    as `component.name(…)`; each new value reaches the script as the event `aqa-value`.
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
