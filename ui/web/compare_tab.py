"""The Compare tab: make a table of papers, show it, and keep it for export; cells are quotes."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import anyio
import gradio as gr

from index.errors import InputError
from index.papers import Paper
from rag.chat import StoppedError
from rag.pipeline import LONGEST_QUESTION
from rag.schema import Passage, Progress
from rag.tables import NOT_STATED, Cell, Table, TableEvents
from rag.tables.columns import DEFAULT_COLUMNS
from ui.export.answer_text import marked_abstract
from ui.tables import as_csv, as_markdown, shown
from ui.web.chat.turn_html import linked, links
from ui.web.corpus.paper_html import seen
from ui.web.corpus.papers_tab import Looking, by_title
from ui.web.markup import macros
from ui.web.site import ANSWERING, LIGHT, QUIET, Site, html, told

HTML = macros("web/compare.html")
MOST_PAPERS = 12  # the most papers, and the most columns, of one comparison
COLUMNS = (*DEFAULT_COLUMNS, "problem", "limitation", "baseline", "speed", "code",
           "number of parameters")  # fmt: skip
_FORMS = (
    ("CSV", as_csv, "comparison.csv", "text/csv"),
    ("Markdown", as_markdown, "comparison.md", "text/markdown"),
)

Update = tuple[Any, ...]  # new values of (HTML, table, compare button, stop button, export buttons)


@dataclass(frozen=True)
class Comparing:
    """The tab's handlers over one site."""

    site: Site

    async def compare(
        self, question: str, papers: list[str] | None, columns: list[str] | None
    ) -> AsyncIterator[Update]:
        """Make a table and yield its progress; closing the generator stops the chat model."""

        def begin() -> TableEvents:
            """Start the table; this opens the chat model, which takes seconds the first time."""
            chosen = [self.site.assistant.paper(id_) for id_ in _texts(papers, "papers")]
            return self.site.assistant.stream_table(
                _subject(question, chosen),
                _texts(columns, "columns") or None,
                papers=[paper.id for paper in chosen],
            )

        yield _shown(HTML.waiting("Looking for the papers"), is_working=True)
        try:
            begun = await anyio.to_thread.run_sync(begin)
            async with aclosing(_events(begun)) as events:
                async for event in events:
                    if isinstance(event, Progress):
                        yield _shown(HTML.waiting(event.text), is_working=True)
                    else:
                        yield _shown(table_html(event), event if event.rows else None)
        except StoppedError:
            yield self.stopped()
        except Exception as error:  # noqa: BLE001 - shown in the page
            yield _shown(HTML.note("", told(error), "problem"))

    def stopped(self) -> Update:
        """Return what the page shows after a stop."""
        return _shown(HTML.note("Stopped", "No table was made."))


async def _events(events: TableEvents) -> AsyncGenerator[Progress | Table, None]:
    """Yield the events of a table; each is awaited in a thread, which a stop abandons."""
    try:
        while True:
            event = await anyio.to_thread.run_sync(next, events, abandon_on_cancel=True)
            yield event
            if isinstance(event, Table):
                return
    finally:
        events.close()


def _texts(given: object, name: str) -> list[str]:
    """Validate what was chosen: over HTTP anything may come."""
    if not given:
        return []
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise InputError(f"the {name} must be a list of texts")
    if len(given) > MOST_PAPERS:
        raise InputError(f"{len(given)} {name} are too many: choose at most {MOST_PAPERS}")
    return given


def _subject(question: object, papers: Sequence[Paper]) -> str:
    """Return the question of the table: the written text, or else the chosen papers' titles."""
    if isinstance(question, str) and question.strip():
        return question
    if not papers:
        raise InputError("write what to compare, or choose papers")
    return f"Compare {'; '.join(paper.display_title for paper in papers)}"[:LONGEST_QUESTION]


def _shown(html: str, made: Table | None = None, *, is_working: bool = False) -> Update:
    compare, stop = gr.Button(interactive=not is_working), gr.Button(visible=is_working)
    return str(html), made, compare, stop, gr.Row(visible=made is not None)


def table_html(made: Table) -> str:
    """Return the HTML of the table with its notice, or the reason why there is none."""
    if not made.rows:
        return str(HTML.note("Nothing to compare", made.reason or ""))
    rows = []
    for at, row in enumerate(made.rows):
        where = "; ".join(dict.fromkeys(map(seen, row.paper.sources))) or "no digest"
        cells = [
            (cell.column, *_cell(row.paper, cell, f"aqa-compare-{at}-{place}"))
            for place, cell in enumerate(row.cells)
        ]
        rows.append((row.paper, where, links(row.paper), cells))
    is_written = made.mode == "generative"
    by = (made.model or "the chat model") if is_written else "rule"
    return str(HTML.table(made, rows, f"quotes chosen by {by}"))


def _cell(paper: Paper, cell: Cell, anchor: str) -> tuple[str, str | None]:
    """Return a quote, and its abstract with the quote marked; or `NOT_STATED` and None."""
    if cell.text is None or cell.start is None or cell.end is None:
        return NOT_STATED, None
    passage = Passage(start=cell.start, end=cell.end, text=cell.text)
    return shown(cell), marked_abstract(paper.abstract, [passage], anchor, linked)


def build(site: Site, tab: gr.Tab, listed: gr.HTML, looking: Looking, tabs: gr.Tabs) -> None:
    """Lay out the tab inside itself, and connect its handlers and those of the list of papers."""
    comparing = Comparing(site)
    made = gr.State(None)
    with gr.Column(elem_id="aqa-compare"):
        html(HTML.lead())
        question, papers, columns, compare, stop = _form()
        shown = html(elem_id="aqa-compare-shown")
        with gr.Row(elem_id="aqa-compare-exports", visible=False) as exports:
            buttons = [gr.Button(f"Download {form[0]}", size="sm", scale=0) for form in _FORMS]
        text = gr.Textbox(visible=False)

    outputs = [shown, made, compare, stop, exports]
    inputs = [question, papers, columns]
    chosen = [question, papers, tabs]
    begun = listed.aqa_compare(looking.compare, None, chosen, **LIGHT)
    begun.success(None, js="() => aqaGo('#/compare')", **QUIET)
    running: list[Any] = [
        compare.click(comparing.compare, inputs, outputs, trigger_mode="once", **ANSWERING),
        question.submit(comparing.compare, inputs, outputs, trigger_mode="once", **ANSWERING),
        begun.success(comparing.compare, inputs, outputs, **ANSWERING),
    ]
    focus = "() => document.getElementById('aqa-compare-heading')?.focus({ preventScroll: true })"
    for event in running:
        event.then(None, js=focus, **QUIET)
    stop.click(comparing.stopped, None, outputs, cancels=running, **LIGHT)
    for button, (_, export, name, kind) in zip(buttons, _FORMS, strict=True):
        save = f'(text) => aqaSave("{name}", "{kind}", text)'
        button.click(_if_made(export), made, text, **LIGHT).then(None, text, js=save, **QUIET)
    tab.select(  # the index may have changed
        lambda: gr.Dropdown(choices=by_title(site.assistant.papers())), None, papers, **LIGHT
    )


def _if_made(export: Callable[[Table], str]) -> Callable[[Table | None], str]:
    return lambda made: export(made) if made else ""


def _form() -> tuple[gr.Textbox, gr.Dropdown, gr.Dropdown, gr.Button, gr.Button]:
    with gr.Column(elem_id="aqa-compare-form"):
        with gr.Row(elem_classes="aqa-compare-row"):
            question = gr.Textbox(
                elem_id="aqa-compare-question",
                label="What to compare",
                placeholder="GUI agents, or: Compare OSWorld and WebArena",
                max_length=4_000,
                max_lines=4,
            )
            compare = gr.Button("Compare", elem_id="aqa-compare-go", variant="primary", scale=0)
            stop = gr.Button("Stop", elem_id="aqa-compare-stop", visible=False, scale=0)
        with gr.Row(elem_classes="aqa-compare-row"):
            many: dict[str, Any] = {"multiselect": True, "max_choices": MOST_PAPERS, "value": []}
            label = f"Or choose papers, up to {MOST_PAPERS}"
            papers = gr.Dropdown([], elem_id="aqa-compare-papers", label=label, **many)
            many |= {"label": "Columns: choose some, or write your own", "allow_custom_value": True}
            columns = gr.Dropdown(list(COLUMNS), elem_id="aqa-compare-columns", **many)
    return question, papers, columns, compare, stop
