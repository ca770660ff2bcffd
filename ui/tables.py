"""Comparison tables for people, as text, Markdown and CSV: quotes without LaTeX, on one line."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from index.text import clean_text
from ui.terminal import paper_text, wrap

if TYPE_CHECKING:
    from rag.tables import Cell, Table

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""The beginnings of a cell that a spreadsheet reads as a formula (OWASP, CSV injection)."""


def shown(cell: "Cell") -> str:
    """Return the quote of a cell without LaTeX and line breaks, or `NOT_STATED`."""
    from rag.tables import NOT_STATED

    return NOT_STATED if cell.text is None else " ".join(clean_text(cell.text).split())


def as_csv(made: "Table") -> str:
    """Return the table as CSV: a column of titles, then its columns."""
    return csv_text(_grid(made))


def csv_text(rows: Iterable[Sequence[str]]) -> str:
    """Return rows as CSV (RFC 4180), with an apostrophe before what begins like a formula."""
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
    blocks = []
    for number, row in enumerate(made.rows, start=1):
        lines = [paper_text(f"{number}.", row.paper)]
        for cell in row.cells:
            if len(cell.column) > width:
                lines += wrap(cell.column, " " * 4), wrap(shown(cell), " " * 6, " " * 6)
            else:
                name = f"    {cell.column.ljust(width)}  "
                lines.append(wrap(shown(cell), name, " " * len(name)))
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _grid(made: "Table") -> list[list[str]]:
    rows = [[row.paper.display_title, *map(shown, row.cells)] for row in made.rows]
    return [["Paper", *made.columns], *rows]
