"""What the tabs of the page share: the assistant, where things are kept, papers worth comparing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from index.errors import InputError
from rag.settings import Settings
from ui.archive import Archive

if TYPE_CHECKING:
    from rag import Assistant
    from ui.web.accounts import Accounts

_NAMED = 8
"""Models named in one message."""

RUNS = Path("runs")
"""Where `abstractqa eval` writes its runs, in the working folder."""


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
    may_set_model: bool | None = None
    """Whether visitors may set the chat model's endpoint: by default those who may change papers
    without a login."""
    archive: Archive = field(init=False)

    def __post_init__(self) -> None:
        """Open what is kept.

        Raises:
            StoreError: it cannot be read.
        """
        object.__setattr__(self, "archive", Archive(self.settings.data))
        if self.may_set_model is None:
            may = self.may_change and self.accounts is None
            object.__setattr__(self, "may_set_model", may)

    def check_model(self, name: str | None) -> None:
        """Refuse a chat model that a visitor names and the endpoint does not list.

        Raises:
            InputError: it is none of the endpoint's; the message lists those.
        """
        if name is None or name == self.assistant.chat_model:
            return
        listed = self.assistant.chat_models()
        if name not in listed:
            there = f"it has {', '.join(listed[:_NAMED])}" if listed else "none is configured"
            raise InputError(f"there is no chat model {name!r}: {there}")


def near_pairs(assistant: "Assistant", names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Pair named papers with near ones that are named too, no paper twice; the first 40 are tried.

    Args:
        assistant: The one whose index has them.
        names: Of each paper that may be paired, by its id.
    """
    left = dict(names)
    for one in islice(names, 40):
        if one not in left:
            continue
        name = left.pop(one)
        try:
            near = assistant.similar(one, 5)
        except InputError:  # removed since
            continue
        other = next((hit.paper.id for hit in near if hit.paper.id in left), None)
        if other is not None:
            yield name, left.pop(other)
