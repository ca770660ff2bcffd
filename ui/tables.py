"""Comparison tables for people: the `table` command, and a table as text, Markdown and CSV.

Cells show the readable form of each quote, without LaTeX debris and line breaks; the JSON has the
quote as it is stored, with its span.
"""

import csv
import io
from argparse import Namespace
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from index.text import clean_text
from ui.terminal import note, paper_text, say_result, wrap

if TYPE_CHECKING:
    from rag import Assistant
    from rag.schema import Filters
    from rag.tables import Cell, Table

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""The beginnings of a cell that a spreadsheet reads as a formula (OWASP, CSV injection)."""

_GAP = "  "


def table(arguments: Namespace, question: str, filters: "Filters", assistant: "Assistant") -> None:
    """Make a table and print it; also write it as CSV if `--csv` names a file."""
    columns = None if arguments.columns is None else arguments.columns.split(",")
    made = assistant.table(
        question,
        columns,
        papers=arguments.paper,
        filters=filters,
        limit=arguments.limit,
        mode=arguments.mode,
    )
    if arguments.csv is not None:
        arguments.csv.write_text(as_csv(made), encoding="utf-8", newline="")
    text = as_markdown(made) if arguments.markdown else as_text(made)
    say_result(arguments, made, text)
    if made.notice and not arguments.json:
        note(made.notice)


def shown(cell: "Cell") -> str:
    """Return the quote of a cell without LaTeX and line breaks, or `NOT_STATED`."""
    from rag.tables import NOT_STATED

    return NOT_STATED if cell.text is None else " ".join(clean_text(cell.text).split())


def as_csv(made: "Table") -> str:
    """Return the table as CSV: a column of titles, then its columns."""
    return csv_text(_grid(made))


def csv_text(rows: Iterable[Sequence[str]]) -> str:
    """Return rows as CSV (RFC 4180).

    Put an apostrophe, which spreadsheets do not show, before a cell that begins like a formula:
    otherwise a spreadsheet would run it.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    for row in rows:
        writer.writerow([f"'{cell}" if cell.startswith(FORMULA_SIGNS) else cell for cell in row])
    return text.getvalue()


def as_markdown(made: "Table") -> str:
    """Return the table as Markdown, with the markup of quotes escaped."""
    from rag.citations import escape

    if not made.rows:
        return f"No paper to compare: {escape(made.reason or '')}"
    lines = [
        f"| {' | '.join(escape(cell).replace('|', chr(92) + '|') for cell in row)} |"
        for row in _grid(made)
    ]
    lines.insert(1, "|" + " --- |" * (len(made.columns) + 1))
    return "\n".join(lines)


def as_text(made: "Table") -> str:
    """Return the table for a terminal: a block per paper, with one cell below another."""
    if not made.rows:
        return wrap(f"No paper to compare: {made.reason}")
    width = min(24, max(map(len, made.columns)))
    return "\n\n".join(
        "\n".join(
            [
                paper_text(f"{number}.", row.paper),
                *(_labelled(cell.column, shown(cell), width) for cell in row.cells),
            ]
        )
        for number, row in enumerate(made.rows, start=1)
    )


def _labelled(name: str, text: str, width: int) -> str:
    """Return a cell next to the name of its column, or below a name longer than `width`."""
    indent = " " * 4
    if len(name) > width:
        return f"{wrap(name, indent)}\n{wrap(text, indent + _GAP, indent + _GAP)}"
    return wrap(text, f"{indent}{name.ljust(width)}{_GAP}", " " * (len(indent + _GAP) + width))


def _grid(made: "Table") -> list[list[str]]:
    """Return the table as rows of text: the headings, then a row per paper."""
    rows = [[row.paper.display_title, *map(shown, row.cells)] for row in made.rows]
    return [["Paper", *made.columns], *rows]
