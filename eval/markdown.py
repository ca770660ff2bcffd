"""Format figures, and tables of them in Markdown, for the repository and the terminal.

A figure has three decimals without the zero before the point, `.899`; with an interval,
`.899 [.87, .92]`; nothing is a dash.
"""

import math
from collections.abc import Callable, Mapping, Sequence

from eval.statistics import Interval

Cell = str | float | Interval | None
"""A cell of a table: words, a count, a figure, a figure with its interval, or nothing."""
Best = Callable[[Sequence[float]], float]
"""Chooses the best value of a column: `max` or `min`."""
NOTHING = "–"


def figure(cell: Cell) -> str:
    """Format a cell; the ends of an interval, which are less certain, have a decimal less."""
    if isinstance(cell, Interval):
        return f"{decimal(cell.mean)} {interval(cell, places=2)}"
    if isinstance(cell, float):
        return decimal(cell)
    return NOTHING if cell is None else f"{cell:,}" if isinstance(cell, int) else cell


def difference(value: Interval) -> str:
    """Format a difference with its sign and precise ends: whether 0 is inside must show."""
    mean, low, high = (
        f"+{text}" if number > 0 and text.strip("0.") else text
        for number in (value.mean, value.low, value.high)
        for text in [decimal(number)]
    )
    return f"{mean} [{low}, {high}]"


def p_value(p: float | None) -> str:
    """Format a probability, to three decimals."""
    return "< .001" if p is not None and p < 0.0005 else figure(p)


def interval(estimate: Interval, places: int) -> str:
    """Format the ends of an interval: `[.87, .92]`."""
    return f"[{decimal(estimate.low, places)}, {decimal(estimate.high, places)}]"


def decimal(value: float, places: int = 3) -> str:
    """Format a number: `.899`, `1.000`, `85.5`, `1,204`; a dash for what is not a number.

    It has `places` decimals below 10, one below 1,000, and none above.
    """
    if not math.isfinite(value):
        return NOTHING
    size = abs(value)
    text = f"{size:,.{places if size < 10 else 1 if size < 1000 else 0}f}"
    sign = "−" if value < 0 and text.strip("0.") else ""
    return sign + (text.removeprefix("0") if size < 1 and "." in text else text)


def table(
    headers: Sequence[str], rows: Sequence[Sequence[Cell]], best: Mapping[str, Best] | None = None
) -> str:
    """Write a Markdown table with numbers flush right and the best value of a column in bold.

    Words are inline Markdown, so a cell may hold a link; but a pipe, a line break or a tag is text.
    `best` names the columns with bold values; values that look the same are equally bold, a single
    one is not.
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


def _bold_best(cells: Sequence[Cell], best: Best | None) -> list[str]:
    means = [cell.mean if isinstance(cell, Interval) else cell for cell in cells]
    known = [mean for mean in means if isinstance(mean, (int, float))]
    winner = decimal(best(known)) if best and len(known) > 1 else ""
    return [
        f"**{figure(cell)}**" if isinstance(mean, (int, float)) and decimal(mean) == winner
        else _text(figure(cell))
        for cell, mean in zip(cells, means, strict=True)
    ]  # fmt: skip


def _text(text: str) -> str:
    """Put a cell's words on one line; escape tags, and pipes with the backslashes before them."""
    *cells, last = (" ".join(text.split()) or NOTHING).replace("<", "&lt;").split("|")
    doubled = (cell + "\\" * (len(cell) - len(cell.rstrip("\\"))) for cell in cells)
    return "".join(f"{cell}\\|" for cell in doubled) + last
