"""An export as a file: its name, its media type and its text."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from index.errors import InputError
from index.papers import Paper
from ui.archive.models import Conversation, Turn
from ui.export.bibtex import bibtex
from ui.export.cited import cited_papers
from ui.export.markdown import answer_markdown, conversation_markdown
from ui.export.page import answer_html, conversation_html
from ui.export.record import answer_json, conversation_json
from ui.export.ris import ris
from ui.export.spreadsheet import papers_csv

LONGEST_NAME = 60
"""Characters of a file's name that come from the title."""


@dataclass(frozen=True)
class Exported:
    """A file to download."""

    name: str
    media_type: str
    text: str


_FILES: Mapping[str, tuple[str, str]] = {
    "markdown": ("md", "text/markdown"),
    "html": ("html", "text/html"),
    "json": ("json", "application/json"),
    "bibtex": ("bib", "application/x-bibtex"),
    "ris": ("ris", "application/x-research-info-systems"),
    "csv": ("csv", "text/csv"),
}
_TURNS: Mapping[str, Callable[[Turn], str]] = {
    "markdown": answer_markdown,
    "html": answer_html,
    "json": answer_json,
}
_CONVERSATIONS: Mapping[str, Callable[[Conversation], str]] = {
    "markdown": conversation_markdown,
    "html": conversation_html,
    "json": conversation_json,
}
_PAPERS: Mapping[str, Callable[[Sequence[Paper]], str]] = {
    "bibtex": bibtex,
    "ris": ris,
    "csv": papers_csv,
}
KINDS = tuple(_FILES)
BIBLIOGRAPHIC = tuple(_PAPERS)
"""The kinds that hold the cited papers alone."""


def papers_jsonl(papers: Sequence[Paper]) -> str:
    """The papers as JSON lines, with every field that is known; `index` reads them back."""
    return "".join(paper.model_dump_json(exclude_none=True) + "\n" for paper in papers)


LISTS: Mapping[str, Callable[[Sequence[Paper]], str]] = {
    "bib": bibtex, "ris": ris, "csv": papers_csv, "jsonl": papers_jsonl, "json": papers_jsonl,
}  # fmt: skip
"""File ending → what writes papers in its format."""


def export(what: Conversation | Turn, kind: str) -> Exported:
    """A conversation, or one turn of it, as a file.

    Args:
        what: What to export.
        kind: One of `KINDS`.

    Raises:
        InputError: there is no such kind, or nothing is cited that a bibliography could hold.
    """
    if kind not in _FILES:
        raise InputError(f"unknown format {kind!r}: choose one of {', '.join(KINDS)}")
    ending, media_type = _FILES[kind]
    if isinstance(what, Conversation):
        title, day, turns = what.title, what.updated, what.turns
    else:
        title, day, turns = what.question, what.asked, (what,)
    if kind in _PAPERS:
        papers = cited_papers(turns)
        if not papers:
            raise InputError("no paper is cited here, so there is nothing to export")
        text = _PAPERS[kind](papers)
    elif isinstance(what, Conversation):
        text = _CONVERSATIONS[kind](what)
    else:
        text = _TURNS[kind](what)
    return Exported(f"{_slug(title)}-{day:%Y-%m-%d}.{ending}", media_type, text)


def _slug(title: str) -> str:
    """A title in small ASCII letters, digits and hyphens: every system takes such a name."""
    flat = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", flat)[:LONGEST_NAME].strip("-") or "abstractqa"
