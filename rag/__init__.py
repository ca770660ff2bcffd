"""Answer questions from an index of paper abstracts: the public names of this package."""

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


# Imported on first use, because importing LlamaIndex takes about two seconds.
_LAZY = {"Assistant": "rag.assistant", "Table": "rag.tables"}


def __getattr__(name: str) -> object:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
