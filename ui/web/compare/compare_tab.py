"""The tab Compare: a table is made, shown, and kept for its exports; every cell is a quote."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import anyio
import gradio as gr
from gradio.context import Context
from gradio.events import Dependency

from index.errors import InputError
from index.papers import Paper
from rag.chat import StoppedError
from rag.digests import label
from rag.schema import Mode, Passage, Progress
from rag.tables import NOT_STATED, Cell, Table, TableEvents
from rag.tables.columns import DEFAULT_COLUMNS
from ui.export.prose import marked_abstract
from ui.tables import as_csv, as_markdown, shown
from ui.web.chat.chat_settings import PLAIN
from ui.web.chat.chat_template import linked, links
from ui.web.events import ANSWERING, LIGHT, QUIET, told
from ui.web.markup import macros
from ui.web.site import Site

HTML = macros("web/compare/compare.html")
MOST_PAPERS = 12
"""Papers that can be compared at once."""
COLUMNS = (*DEFAULT_COLUMNS, "problem", "limitation", "baseline", "speed", "code",
           "number of parameters")  # fmt: skip
"""Columns that are suggested; others can be written."""
LONGEST_SHOWN = 220
"""Code points of a quote in its cell; the whole of it is in the panel that the cell opens."""

_LONGEST_QUESTION = 4_000

_FOCUS = "() => document.getElementById('aqa-compare-heading')?.focus({ preventScroll: true })"
_LEAD = (
    "Papers side by side. Every cell is a quote from the abstract, or says that the abstract does"
    " not state it."
)
_FORMS = (
    ("CSV", as_csv, "comparison.csv", "text/csv"),
    ("Markdown", as_markdown, "comparison.md", "text/markdown"),
)

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

        def begin() -> TableEvents:
            """Open the chat model, which takes seconds the first time."""
            chosen = [self.site.assistant.paper(id_) for id_ in _texts(papers, "papers")]
            return self.site.assistant.stream_table(
                _subject(question, chosen),
                _texts(columns, "columns") or None,
                papers=[paper.id for paper in chosen],
                limit=_limit(limit),
                mode=mode,
            )

        yield _working("Looking for the papers")
        try:
            begun = await anyio.to_thread.run_sync(begin)
            async with aclosing(_events(begun)) as events:
                async for event in events:
                    if isinstance(event, Progress):
                        yield _working(event.text)
                    else:
                        yield _shown(table_html(event), event if event.rows else None)
        except StoppedError:
            yield self.stopped()
        except Exception as error:  # noqa: BLE001 - told in the page
            yield _shown(HTML.note("", told(error), "problem"))

    def choose(self, chosen: str) -> tuple[str, Any]:
        """Papers chosen on another tab, an id a line: values of (question, papers)."""
        return "", gr.Dropdown(choices=self._named(), value=chosen.split("\n"))

    def papers_now(self) -> gr.Dropdown:
        """The papers that can be chosen; the index may have changed."""
        return gr.Dropdown(choices=self._named())

    def _named(self) -> list[tuple[str, str]]:
        return sorted((paper.display_title, paper.id) for paper in self.site.assistant.papers())

    def stopped(self) -> Update:
        """After a stop."""
        return _shown(HTML.note("Stopped", "No table was made."))


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


def build(site: Site, elsewhere: tuple[Dependency, gr.Textbox] | None = None) -> gr.Radio:
    """The tab, inside the page that is being built; gives what chooses the quotes.

    `elsewhere` is an event of another tab that has papers compared, and the field with their ids,
    one a line.
    """
    tab = Context.block
    comparing = Comparing(site)
    made = gr.State(None)
    with gr.Column(elem_id="aqa-compare"):
        gr.HTML(f'<p class="aqa-compare-lead">{_LEAD}</p>', **PLAIN)
        inputs, mode, compare, stop = _form(site)
        shown = gr.HTML("", elem_id="aqa-compare-shown", **PLAIN)
        with gr.Row(elem_id="aqa-compare-exports", visible=False) as exports:
            buttons = [gr.Button(f"Download {form[0]}", size="sm", scale=0) for form in _FORMS]
        text = gr.Textbox(visible=False)

    outputs = [shown, made, compare, stop, exports]
    question, papers, *_ = inputs
    named = [question, papers]

    running = [
        compare.click(comparing.compare, inputs, outputs, trigger_mode="once", **ANSWERING),
        question.submit(comparing.compare, inputs, outputs, trigger_mode="once", **ANSWERING),
    ]
    if elsewhere:
        event, chosen = elsewhere
        begun = event.success(comparing.choose, chosen, named, **LIGHT)
        running.append(begun.then(comparing.compare, inputs, outputs, **ANSWERING))
    for event in running:
        event.then(None, js=_FOCUS, **QUIET)
    stop.click(comparing.stopped, None, outputs, cancels=running, **LIGHT)
    for button, (_, export, name, kind) in zip(buttons, _FORMS, strict=True):
        save = f'(text) => aqaSave("{name}", "{kind}", text)'
        button.click(_if_made(export), made, text, **LIGHT).then(None, text, js=save, **QUIET)
    opened = [tab.select] if isinstance(tab, gr.Tab) else None
    gr.on(opened, comparing.papers_now, None, papers, **LIGHT)
    return mode


def _if_made(export: Callable[[Table], str]) -> Callable[[Table | None], str]:
    return lambda made: export(made) if made else ""


def _form(site: Site) -> tuple[list[Any], gr.Radio, gr.Button, gr.Button]:
    """What is to be compared, and the buttons that begin and stop it."""
    with gr.Column(elem_id="aqa-compare-form"):
        with gr.Row(elem_classes="aqa-compare-row"):
            question = gr.Textbox(
                elem_id="aqa-compare-question",
                label="What to compare",
                placeholder="GUI agents, or: Compare OSWorld and WebArena",
                max_length=4_000,
                lines=1,
                max_lines=4,
            )
            compare = gr.Button("Compare", elem_id="aqa-compare-go", variant="primary", scale=0)
            stop = gr.Button("Stop", elem_id="aqa-compare-stop", visible=False, scale=0)
        papers, columns, limit = _choices()
        mode = gr.Radio(
            [("the chat model", "auto"), ("rules, at once", "extractive")],
            value="auto",
            label="Quotes are chosen by",
            elem_id="aqa-compare-mode",
            visible=site.assistant.chat_model is not None,
        )
    return [question, papers, columns, limit, mode], mode, compare, stop


def _choices() -> tuple[gr.Dropdown, gr.Dropdown, gr.Number]:
    """Which papers, which columns, and how many rows."""
    with gr.Row(elem_classes="aqa-compare-row"):
        papers = gr.Dropdown(
            [],
            elem_id="aqa-compare-papers",
            label=f"Or choose papers, up to {MOST_PAPERS}",
            multiselect=True,
            max_choices=MOST_PAPERS,
            value=[],
            scale=5,
        )
        columns = gr.Dropdown(
            list(COLUMNS),
            elem_id="aqa-compare-columns",
            label="Columns: choose some, or write your own",
            multiselect=True,
            max_choices=MOST_PAPERS,
            allow_custom_value=True,
            value=[],
            scale=5,
        )
        limit = gr.Number(
            8,
            label="Rows at most",
            elem_id="aqa-compare-limit",
            precision=0,
            minimum=1,
            maximum=MOST_PAPERS,
            scale=1,
        )
    return papers, columns, limit
