"""Export answers, conversations and their cited papers as files with name and media type."""

import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from index.errors import InputError
from index.papers import Paper
from ui.archive import Conversation, Turn
from ui.export.answer_text import markdown, page
from ui.export.bibliography import bibtex, cited_papers, papers_csv, papers_jsonl, ris


@dataclass(frozen=True)
class Exported:
    """A file to download."""

    name: str
    media_type: str
    text: str


def record(what: Conversation | Turn) -> str:
    """Return a conversation or a turn as JSON, without the page's ids; answers as the API's."""
    turns = [turn.model_dump(mode="json", exclude={"id", "followups"}) for turn in _turns(what)]
    header = {"format": "abstractqa-conversation", "version": 1, "title": _title(what)}
    return json.dumps(header | {"turns": turns}, ensure_ascii=False, indent=2) + "\n"


class Format(NamedTuple):
    """A format of exports; either `write` or `papers` makes the text."""

    label: str
    ending: str
    media_type: str
    write: Callable[[Conversation | Turn], str] | None = None  # writes a whole conversation or turn
    papers: Callable[[Sequence[Paper]], str] | None = None  # writes only the cited papers


FORMATS: Mapping[str, Format] = {
    "markdown": Format("Markdown", "md", "text/markdown", markdown),
    "html": Format("HTML", "html", "text/html", page),
    "json": Format("JSON", "json", "application/json", record),
    "bibtex": Format("BibTeX", "bib", "application/x-bibtex", papers=bibtex),
    "ris": Format("RIS", "ris", "application/x-research-info-systems", papers=ris),
    "csv": Format("CSV", "csv", "text/csv", papers=papers_csv),
}
LISTS: Mapping[str, Format] = {form.ending: form for form in FORMATS.values() if form.papers} | {
    "jsonl": Format("JSON", "jsonl", "application/x-ndjson", papers=papers_jsonl)
}
"""The formats for lists of papers, by the ending of their files."""


def export(what: Conversation | Turn, kind: str) -> Exported:
    """Return a conversation or a turn as a file of a kind of `FORMATS`, or raise `InputError`."""
    form = FORMATS.get(kind)
    if form is None:
        raise InputError(f"unknown format {kind!r}: choose one of {', '.join(FORMATS)}")
    if form.write:
        text = form.write(what)
    else:
        papers = cited_papers(_turns(what))
        if not papers or not form.papers:
            raise InputError("no paper is cited here, so there is nothing to export")
        text = form.papers(papers)
    day = what.asked if isinstance(what, Turn) else what.updated
    return Exported(f"{_slug(_title(what))}-{day:%Y-%m-%d}.{form.ending}", form.media_type, text)


def _turns(what: Conversation | Turn) -> tuple[Turn, ...]:
    return (what,) if isinstance(what, Turn) else what.turns


def _title(what: Conversation | Turn) -> str:
    return what.question if isinstance(what, Turn) else what.title


def _slug(title: str) -> str:
    flat = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", flat)[:60].strip("-") or "abstractqa"
