"""Tables in Markdown, for the repository and for the terminal: the columns stand in line."""

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from eval.report.numbers import NOTHING, Cell, decimal, figure, middle

Better = Literal["high", "low"]
"""Which end of a column is the good one."""


def table(
    headers: Sequence[str], rows: Sequence[Sequence[Cell]], best: Mapping[str, Better] | None = None
) -> str:
    """A table; columns of numbers are flush right, the best value of a column is bold.

    Words are inline Markdown, so a cell may hold a link; but a pipe, a line break or a tag in
    it is only text.

    Args:
        headers: The columns' names.
        rows: Cells (`eval.report.numbers.figure`), as many a row as there are headers.
        best: Which end is best, by the column's name; equal to what is shown, equally bold.
            A column that is not named, or has one figure alone, has no bold.

    Returns:
        Lines without a line break after the last.
    """
    texts = [[_text(figure(cell)) for cell in row] for row in rows]
    for column, header in enumerate(headers):
        if best and header in best:
            _embolden(texts, [row[column] for row in rows], column, best[header])
    lines = [[_text(header) for header in headers], *texts]
    widths = [max(3, *(len(line[column]) for line in lines)) for column in range(len(headers))]
    right = [_is_numeric([row[column] for row in rows]) for column in range(len(headers))]
    rule = [
        "-" * (width - 1) + ":" if flush else "-" * width
        for width, flush in zip(widths, right, strict=True)
    ]
    lines.insert(1, rule)
    return "\n".join(_line(line, widths, right) for line in lines)


def _embolden(texts: list[list[str]], cells: Sequence[Cell], column: int, better: Better) -> None:
    """Make the best of a column bold."""
    numbers = [None if isinstance(cell, str) else middle(cell) for cell in cells]
    known = [number for number in numbers if number is not None]
    if len(known) < 2:
        return
    winner = decimal(max(known) if better == "high" else min(known))
    for row, number in zip(texts, numbers, strict=True):
        if number is not None and decimal(number) == winner:
            row[column] = f"**{row[column]}**"


def _is_numeric(cells: Sequence[Cell]) -> bool:
    """Whether a column holds figures; dashes and a word between them do not change that."""
    return any(cell is not None and not isinstance(cell, str) for cell in cells)


def _line(texts: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    cells = (
        text.rjust(width) if flush else text.ljust(width)
        for text, width, flush in zip(texts, widths, right, strict=True)
    )
    return f"| {' | '.join(cells)} |"


def _text(text: str) -> str:
    """A cell's words on one line; backslashes before a pipe are doubled, so that each stays."""
    line = " ".join(text.split()) or NOTHING
    return re.sub(r"(\\*)\|", r"\1\1\\|", line).replace("<", "&lt;")
