"""What the tabs of the page share: the assistant, where things are kept, papers worth comparing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from index.errors import InputError
from rag.settings import Settings
from ui.archive import Archive

if TYPE_CHECKING:
    from rag import Assistant

_NAMED = 8
"""Models named in one message."""

RUNS = Path("runs")
"""Where `abstractqa eval` writes its runs, in the working folder."""


@dataclass(frozen=True)
class Site:
    """One served page: what it answers from, what it keeps, and what its visitors may do."""

    assistant: "Assistant"
    settings: Settings
    archive: Archive
    runs: Path = RUNS
    may_change: bool = True
    """Whether visitors may add and remove papers: on this machine alone, or after a login."""
    auth: bool = False
    """Whether visitors log in."""
    may_set_model: bool = True
    """Whether visitors may set the chat model's endpoint: on this machine alone, or where the
    operator lets those who log in."""

    @classmethod
    def over(
        cls,
        assistant: "Assistant",
        settings: Settings,
        *,
        runs: Path = RUNS,
        may_change: bool = True,
        auth: bool = False,
        may_set_model: bool | None = None,
    ) -> "Site":
        """A page over an open assistant; conversations are kept in the settings' `data` folder.

        By default the chat model may be set by those who may change papers without a login.
        """
        if may_set_model is None:
            may_set_model = may_change and not auth
        return cls(
            assistant,
            settings,
            Archive(settings.data),
            runs,
            may_change=may_change,
            auth=auth,
            may_set_model=may_set_model,
        )

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
