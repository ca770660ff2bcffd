"""How figures look, and tables of them in Markdown, for the repository and for the terminal.

A figure has three decimals without the zero before the point, `.899`; with an interval,
`.899 [.87, .92]`; where there is nothing, a dash.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Literal

from eval.statistics import Interval

Cell = str | float | Interval | None
"""What a table's cell holds: words, a count, a figure, one with its interval, or nothing."""
Better = Literal["high", "low"]
"""Which end of a column is the good one."""

NOTHING = "–"


def figure(cell: Cell) -> str:
    """A cell as text; an interval's ends have one decimal less, for they are known less well."""
    if isinstance(cell, Interval):
        return f"{decimal(cell.mean)} {interval(cell, places=2)}"
    if isinstance(cell, float):
        return decimal(cell)
    return NOTHING if cell is None else f"{cell:,}" if isinstance(cell, int) else cell


def difference(value: Interval) -> str:
    """A difference with its sign, and ends to three decimals: whether 0 is inside must show."""
    mean, low, high = (
        f"+{text}" if number > 0 and text.strip("0.") else text
        for number in (value.mean, value.low, value.high)
        for text in [decimal(number)]
    )
    return f"{mean} [{low}, {high}]"


def p_value(p: float | None) -> str:
    """A probability, to three decimals."""
    return "< .001" if p is not None and p < 0.0005 else figure(p)


def interval(estimate: Interval, places: int) -> str:
    """The ends of an interval: `[.87, .92]`."""
    return f"[{decimal(estimate.low, places)}, {decimal(estimate.high, places)}]"


def decimal(value: float, places: int = 3) -> str:
    """A number: `.899`, `1.000`, `85.5`, `1,204`; a dash for what is not a number.

    It has so many decimals below 10; above it there is one at most.
    """
    if not math.isfinite(value):
        return NOTHING
    size = abs(value)
    text = f"{size:,.{places if size < 10 else 1 if size < 1000 else 0}f}"
    sign = "−" if value < 0 and text.strip("0.") else ""
    return sign + (text.removeprefix("0") if size < 1 and "." in text else text)


def table(
    headers: Sequence[str], rows: Sequence[Sequence[Cell]], best: Mapping[str, Better] | None = None
) -> str:
    """A Markdown table; columns of numbers are flush right, the best value of a column is bold.

    Words are inline Markdown, so a cell may hold a link; but a pipe, a line break or a tag in
    it is only text.

    Args:
        headers: The columns' names.
        rows: Cells, as many a row as there are headers.
        best: Which end is best, by the column's name; equal to what is shown, equally bold.
            A column that is not named, or has one figure alone, has no bold.
    """
    columns: list[list[str]] = []
    for place, header in enumerate(headers):
        cells = [row[place] for row in rows]
        texts = [_text(header), *_bold_best(cells, (best or {}).get(header))]
        width = max(3, *map(len, texts))
        numeric = any(cell is not None and not isinstance(cell, str) for cell in cells)
        padded = [text.rjust(width) if numeric else text.ljust(width) for text in texts]
        rule = "-" * (width - 1) + (":" if numeric else "-")
        columns.append([padded[0], rule, *padded[1:]])
    return "\n".join(f"| {' | '.join(line)} |" for line in zip(*columns, strict=True))


def _bold_best(cells: Sequence[Cell], better: Better | None) -> list[str]:
    texts = [_text(figure(cell)) for cell in cells]
    means = [cell.mean if isinstance(cell, Interval) else cell for cell in cells]
    known = [mean for mean in means if isinstance(mean, (int, float))]
    if better is None or len(known) < 2:
        return texts
    winner = decimal(max(known) if better == "high" else min(known))
    return [
        f"**{text}**" if isinstance(mean, (int, float)) and decimal(mean) == winner else text
        for text, mean in zip(texts, means, strict=True)
    ]


def _text(text: str) -> str:
    """A cell's words on one line, in which neither a pipe nor a tag is markup.

    Backslashes before a pipe are doubled, so that each stays.
    """
    *cells, last = (" ".join(text.split()) or NOTHING).replace("<", "&lt;").split("|")
    doubled = (cell + "\\" * (len(cell) - len(cell.rstrip("\\"))) for cell in cells)
    return "".join(f"{cell}\\|" for cell in doubled) + last
