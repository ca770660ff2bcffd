"""How figures look in a report: three decimals without the zero before the point, `.899`.

With an interval, `.899 [.87, .92]`; where there is nothing, a dash.
"""

import math

from eval.statistics import Interval

Value = float | Interval | None
Cell = str | Value
"""What a table's cell holds: words, a count, a figure, one with its interval, or nothing."""

NOTHING = "–"


def figure(cell: Cell) -> str:
    """A cell as text; an interval's ends have one decimal less, for they are known less well."""
    if cell is None or isinstance(cell, str):
        return NOTHING if cell is None else cell
    if isinstance(cell, int):
        return f"{cell:,}"
    if isinstance(cell, float):
        return decimal(cell)
    return f"{decimal(cell.mean)} {interval(cell, places=2)}"


def difference(value: Value) -> str:
    """A difference with its sign, and ends to three decimals: whether 0 is inside must show."""
    if value is None:
        return NOTHING
    if isinstance(value, float | int):
        return _signed(value)
    return f"{_signed(value.mean)} [{_signed(value.low)}, {_signed(value.high)}]"


def p_value(p: float | None) -> str:
    """A probability, to three decimals."""
    return "< .001" if p is not None and p < 0.0005 else figure(p)


def interval(estimate: Interval, places: int) -> str:
    """The ends of an interval: `[.87, .92]`."""
    return f"[{decimal(estimate.low, places)}, {decimal(estimate.high, places)}]"


def decimal(value: float, places: int = 3) -> str:
    """A number: `.899`, `1.000`, `85.5`, `1,204`; a dash for what is not a number.

    Args:
        value: Any number.
        places: Decimals below 10; above it there is one at most.
    """
    if not math.isfinite(value):
        return NOTHING
    size = abs(value)
    text = f"{size:,.{places if size < 10 else 1 if size < 1000 else 0}f}"
    sign = "−" if value < 0 and any(digit in text for digit in "123456789") else ""
    return sign + text.removeprefix("0") if size < 1 and "." in text else sign + text


def middle(value: Value) -> float | None:
    """The number itself, or the mean of what has an interval."""
    return value if value is None or isinstance(value, float | int) else value.mean


def _signed(value: float) -> str:
    text = decimal(value)
    return f"+{text}" if value > 0 and any(digit in text for digit in "123456789") else text
