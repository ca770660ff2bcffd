"""What happens when someone compares: a table is made, shown, and kept for its exports."""

import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import anyio
import gradio as gr

from index.errors import AbstractQAError, InputError
from index.papers import Paper
from rag.chat import StoppedError
from rag.schema import Mode
from rag.tables.columns import DEFAULT_COLUMNS
from rag.tables.table import Table
from ui.tables import as_csv, as_markdown
from ui.web.compare.view import (
    empty_html,
    problem_html,
    stopped_html,
    table_html,
    waiting_html,
)
from ui.web.pairs import near_pairs
from ui.web.site import Site

MOST_PAPERS = 12
"""Papers that can be compared at once."""
MORE_COLUMNS = ("problem", "limitation", "baseline", "speed", "code", "number of parameters")
"""Columns that are suggested beside the usual ones."""
EXAMPLES = 4

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
            chosen = [self.site.assistant.paper(id_) for id_ in _texts(papers, "papers")]
            events = self.site.assistant.stream_table(
                _subject(question, chosen),
                _texts(columns, "columns") or None,
                papers=[paper.id for paper in chosen],
                limit=_limit(limit),
                mode=mode,
            )
            try:
                while True:
                    # In a thread that may be left behind, so that a stop does not wait for a model.
                    event = await anyio.to_thread.run_sync(next, events, abandon_on_cancel=True)
                    if isinstance(event, Table):
                        break
                    yield _working(event.text)
            finally:
                events.close()
        except StoppedError:
            yield self.stopped()
        except AbstractQAError as error:
            yield _shown(problem_html(str(error)))
        except Exception:  # noqa: BLE001 - the page must say that it failed, whatever it was
            _log.exception("a comparison failed")
            yield _shown(problem_html(_FAILED))
        else:
            yield _shown(table_html(event), event if event.rows else None)

    def stopped(self) -> Update:
        """After a stop."""
        return _shown(stopped_html())

    def papers_now(self, made: Table | None) -> tuple[Any, Any]:
        """The papers that can be chosen; before the first table, examples of what to compare."""
        papers = self.site.assistant.papers()
        named = sorted((paper.display_title, paper.id) for paper in papers)
        shown = gr.skip() if made else empty_html(self.examples(papers))
        return gr.Dropdown(choices=named), shown

    def examples(self, papers: Sequence[Paper]) -> list[str]:
        """Pairs of papers that are near each other and that one can name in a few words."""
        names = {paper.id: name for paper in papers if (name := paper.head)}
        pairs = islice(near_pairs(self.site.assistant, names), EXAMPLES)
        return [f"Compare {one} and {other}" for one, other in pairs]


def exported_csv(made: Table | None) -> str:
    """The table as CSV."""
    return as_csv(made) if made else ""


def exported_markdown(made: Table | None) -> str:
    """The table in Markdown."""
    return as_markdown(made) if made else ""


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
    return waiting_html(text), None, compare, stop, gr.Row(visible=False)


def _shown(html: str, made: Table | None = None) -> Update:
    compare, stop = gr.Button(interactive=True), gr.Button(visible=False)
    return html, made, compare, stop, gr.Row(visible=made is not None)


SUGGESTED = [*DEFAULT_COLUMNS, *MORE_COLUMNS]
"""The columns to choose from; others can be written."""
