"""What happens when someone compares: a table is made, shown, and kept for its exports."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from itertools import islice
from typing import Any

import anyio
import gradio as gr

from index.errors import AbstractQAError, InputError
from index.papers import Paper
from rag.chat import StoppedError
from rag.digests import label
from rag.schema import Mode, Passage, Progress
from rag.tables.columns import DEFAULT_COLUMNS
from rag.tables.table import NOT_STATED, Cell, Table, TableEvents
from ui.export.prose import marked_abstract
from ui.tables import shown
from ui.web.chat.source_cards import linked, links
from ui.web.markup import macros
from ui.web.site import Site, near_pairs

HTML = macros("web/compare/compare.html")
MOST_PAPERS = 12
"""Papers that can be compared at once."""
COLUMNS = (*DEFAULT_COLUMNS, "problem", "limitation", "baseline", "speed", "code",
           "number of parameters")  # fmt: skip
"""Columns that are suggested; others can be written."""
EXAMPLES = 4
LONGEST_SHOWN = 220
"""Code points of a quote in its cell; the whole of it is in the panel that the cell opens."""

_LONGEST_QUESTION = 4_000
_FAILED = "something went wrong here; the terminal that runs AbstractQA says what"

_log = logging.getLogger(__name__)

Update = tuple[Any, ...]
"""New values of (what is shown, the table, compare, stop, the exports)."""


@dataclass(frozen=True)
class Comparing:
    """The tab's handlers over a site."""

    site: Site

    async def compare(
        self,
        question: str,
        papers: list[str] | None,
        columns: list[str] | None,
        limit: float,
        mode: Mode = "auto",
    ) -> AsyncIterator[Update]:
        """Make a table, telling what is done; closing it stops the chat model."""
        yield _working("Looking for the papers")
        try:
            begun = self._begun(question, papers, columns, limit, mode)
            async with aclosing(_events(begun)) as events:
                async for event in events:
                    yield _made(event) if isinstance(event, Table) else _working(event.text)
        except StoppedError:
            yield self.stopped()
        except AbstractQAError as error:
            yield _problem(str(error))
        except Exception:  # noqa: BLE001 - the page must say that it failed, whatever it was
            _log.exception("a comparison failed")
            yield _problem(_FAILED)

    def _begun(
        self, question: str, papers: object, columns: object, limit: object, mode: Mode
    ) -> TableEvents:
        """The table that is asked for, before its first event."""
        chosen = [self.site.assistant.paper(id_) for id_ in _texts(papers, "papers")]
        return self.site.assistant.stream_table(
            _subject(question, chosen),
            _texts(columns, "columns") or None,
            papers=[paper.id for paper in chosen],
            limit=_limit(limit),
            mode=mode,
        )

    def choose(self, chosen: str) -> tuple[str, Any]:
        """Papers chosen on another tab, an id a line: values of (question, papers)."""
        field, _ = self.papers_now(None)
        return "", gr.Dropdown(choices=field.choices, value=chosen.split("\n"))

    def stopped(self) -> Update:
        """After a stop."""
        return _shown(HTML.note("Stopped", "No table was made."))

    def papers_now(self, made: Table | None) -> tuple[Any, Any]:
        """The papers that can be chosen; before the first table, examples of what to compare."""
        papers = self.site.assistant.papers()
        named = sorted((paper.display_title, paper.id) for paper in papers)
        html = gr.skip() if made else str(HTML.examples(self.examples(papers)))
        return gr.Dropdown(choices=named), html

    def examples(self, papers: Sequence[Paper]) -> list[str]:
        """Pairs of papers that are near each other and that one can name in a few words."""
        names = {paper.id: name for paper in papers if (name := paper.head)}
        pairs = islice(near_pairs(self.site.assistant, names), EXAMPLES)
        return [f"Compare {one} and {other}" for one, other in pairs]


async def _events(events: TableEvents) -> AsyncGenerator[Progress | Table, None]:
    """The events of a table, each waited for in a thread that a stop leaves behind."""
    try:
        while True:
            event = await anyio.to_thread.run_sync(next, events, abandon_on_cancel=True)
            yield event
            if isinstance(event, Table):
                return
    finally:
        events.close()


def _texts(given: object, name: str) -> list[str]:
    """What was chosen, checked: over HTTP anything may come."""
    if not given:
        return []
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise InputError(f"the {name} are no list of texts")
    if len(given) > MOST_PAPERS:
        raise InputError(f"{len(given)} {name} are too many: choose at most {MOST_PAPERS}")
    return given


def _limit(given: object) -> int:
    if not isinstance(given, int | float) or not 1 <= given <= MOST_PAPERS:
        raise InputError(f"choose from 1 to {MOST_PAPERS} rows")
    return int(given)


def _subject(question: object, papers: Sequence[Paper]) -> str:
    """What the table is about: what was written, or else the papers that were chosen."""
    if isinstance(question, str) and question.strip():
        return question
    if not papers:
        raise InputError("write what to compare, or choose papers")
    return f"Compare {'; '.join(paper.display_title for paper in papers)}"[:_LONGEST_QUESTION]


def _working(text: str) -> Update:
    compare, stop = gr.Button(interactive=False), gr.Button(visible=True)
    return str(HTML.waiting(text)), None, compare, stop, gr.Row(visible=False)


def _problem(text: str) -> Update:
    return _shown(HTML.note("", text[:1].upper() + text[1:], "problem"))


def _made(made: Table) -> Update:
    return _shown(table_html(made), made if made.rows else None)


def _shown(html: str, made: Table | None = None) -> Update:
    compare, stop = gr.Button(interactive=True), gr.Button(visible=False)
    return str(html), made, compare, stop, gr.Row(visible=made is not None)


def table_html(made: Table) -> str:
    """The table with what a reader should know of it, or the reason why there is none."""
    if not made.rows:
        return str(HTML.note("Nothing to compare", made.reason or ""))
    rows = [
        (
            row.paper,
            _where(row.paper),
            links(row.paper),
            [
                (cell.column, *_cell(row.paper, cell, f"aqa-compare-{at}-{place}"))
                for place, cell in enumerate(row.cells)
            ],
        )
        for at, row in enumerate(made.rows)
    ]
    is_written = made.mode == "generative"
    by = (made.model or "the chat model") if is_written else "rule"
    return str(HTML.table(made, rows, f"quotes chosen by {by}"))


def _cell(paper: Paper, cell: Cell, anchor: str) -> tuple[str, str | None]:
    """A quote and the abstract that it stands in, marked; or that there is none."""
    if cell.text is None or cell.start is None or cell.end is None:
        return NOT_STATED, None
    text = shown(cell)
    if len(text) > LONGEST_SHOWN:
        text = f"{text[:LONGEST_SHOWN].rsplit(' ', 1)[0]} …"
    passage = Passage(start=cell.start, end=cell.end, text=cell.text)
    return text, marked_abstract(paper.abstract, [passage], anchor, linked)


def _where(paper: Paper) -> str:
    """The digests a paper is in, in words."""
    digests = dict.fromkeys(label(s.name, s.date, s.dated) for s in paper.sources)
    return "; ".join(digests) or "no digest"
