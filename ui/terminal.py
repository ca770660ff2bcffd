"""What people see in a terminal: answers, hits and progress. Messages go to stderr."""

import re
import shutil
import sys
import textwrap
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Never, Self

from index.text import clean_text
from ui.dates import day

if TYPE_CHECKING:
    from tqdm import tqdm

    from index.build import Stage
    from index.papers import Paper
    from rag.schema import Answer, Hit

WIDEST = 100
"""Columns that text fills at most; longer lines are hard to read."""

# An abstract could carry escape sequences that repaint the terminal.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_MARKDOWN = re.compile(r"\*\*|\\([^\w\s])")
"""Bold signs, which go, and escaped signs, which stay without their backslash."""
_DOING = {
    "read": ("Reading", "papers"),
    "embed": ("Embedding", "texts"),
    "write": ("Writing", "records"),
}


def say(text: str) -> None:
    """Print a result on stdout."""
    sys.stdout.write(text + "\n")


def note(text: str) -> None:
    """Print a message for people on stderr."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def wrap(text: str, indent: str = "", hanging: str | None = None) -> str:
    """Fill each line of `text` to the terminal's width, without control characters."""
    width = min(shutil.get_terminal_size().columns, WIDEST)
    lines = []
    for line in text.split("\n"):
        rest = hanging if hanging is not None else indent + "  " * line.startswith("- ")
        lines.append(
            textwrap.fill(
                " ".join(_CONTROL.sub("", line).split()),
                max(width, 20),
                initial_indent=indent,
                subsequent_indent=rest,
                break_on_hyphens=False,
            )
        )
    return "\n".join(lines)


def digests(paper: "Paper") -> str:
    """Where a paper was found: "Mar 14, 2025 in digest.txt; …"."""
    return "; ".join(f"{day(s.date)} in {s.name}" if s.date else s.name for s in paper.sources)


def answer_text(answer: "Answer") -> str:
    """An answer for people: its text, then its numbered sources with the sentences cited."""
    if answer.status == "insufficient_evidence":
        blocks = [
            wrap("The abstracts do not say." + (f" {answer.reason}" if answer.reason else ""))
        ]
        if answer.nearest:
            titles = [wrap(f"- {clean_text(near.title)}", "  ", "    ") for near in answer.nearest]
            blocks.append("\n".join(["The nearest papers:", *titles]))
        return "\n\n".join(blocks)
    blocks = [wrap(_MARKDOWN.sub(r"\1", answer.text))]
    for reference in answer.references:
        head = f"[{reference.number}] {reference.paper.display_title}"
        found = digests(reference.paper)
        lines = [wrap(head + (f" ({found})" if found else ""), "", "    ")]
        lines += [wrap(f"“{passage.text}”", "    ", "     ") for passage in reference.passages]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def hits_text(hits: "Sequence[Hit]") -> str:
    """Papers found, best first, each with the passage that matches best."""
    if not hits:
        return "No paper matches."
    blocks = []
    for rank, hit in enumerate(hits, start=1):
        found = digests(hit.paper)
        head = f"{rank}. {hit.paper.display_title}" + (f" ({found})" if found else "")
        lines = [wrap(head, "", "    ")]
        lines += [wrap(f"“{passage.text}”", "    ", "     ") for passage in hit.passages[:1]]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


class Progress:
    """Progress of indexing on stderr: a bar with rate and time left, or a line where no one looks.

    A context manager, called as `index.build.Progress` is.
    """

    def __init__(self) -> None:
        self._bar: tqdm[Never] | None = None
        self._stage: Stage | None = None
        self._shown = sys.stderr.isatty()

    def __enter__(self) -> Self:
        if not self._shown:
            note("Indexing …")
        return self

    def __call__(self, stage: "Stage", done: int, total: int) -> None:
        """Show that `done` of `total` (0 while unknown) of a stage is done."""
        if not self._shown:
            return
        if stage != self._stage or self._bar is None:
            from tqdm import tqdm

            self._close()
            doing, unit = _DOING[stage]
            self._stage = stage
            self._bar = tqdm(desc=doing, unit=f" {unit}", file=sys.stderr, dynamic_ncols=True)
        self._bar.total = total or None
        self._bar.update(done - self._bar.n)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
