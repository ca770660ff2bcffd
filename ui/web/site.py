"""What the tabs of the page share: the assistant, and where things are kept."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rag.settings import Settings
from ui.archive.archive import Archive

if TYPE_CHECKING:
    from rag import Assistant

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

    @classmethod
    def over(
        cls,
        assistant: "Assistant",
        settings: Settings,
        *,
        runs: Path = RUNS,
        may_change: bool = True,
        auth: bool = False,
    ) -> "Site":
        """A page over an open assistant; conversations are kept in the settings' `data` folder."""
        archive = Archive(settings.data)
        return cls(assistant, settings, archive, runs, may_change=may_change, auth=auth)
