"""Question → evidence → checked, cited answer."""

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


def __getattr__(name: str) -> object:
    """Import the assistant when it is first asked for: LlamaIndex takes about two seconds."""
    if name == "Assistant":
        from rag.assistant import Assistant

        return Assistant
    if name == "Table":
        from rag.tables import Table

        return Table
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
