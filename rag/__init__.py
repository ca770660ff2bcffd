"""Question → evidence → checked, cited answer."""

from importlib import import_module
from typing import TYPE_CHECKING

from rag.schema import (
    Answer,
    Delta,
    Event,
    Filters,
    Finished,
    Hit,
    Options,
    Progress,
    Retrieved,
)

if TYPE_CHECKING:
    from rag.assistant import Assistant
    from rag.tables import Table

__all__ = [
    "Answer",
    "Assistant",
    "Delta",
    "Event",
    "Filters",
    "Finished",
    "Hit",
    "Options",
    "Progress",
    "Retrieved",
    "Table",
]


# Imported when they are first asked for: LlamaIndex takes about two seconds.
_LATER = {"Assistant": "rag.assistant", "Table": "rag.tables"}


def __getattr__(name: str) -> object:
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
