"""Units of numbers: three minutes are no three hours, and 5.0% are no 5.0 points."""

import re

# Each family's units in the smallest of them, so that 90 seconds are 1.5 minutes.
_FAMILIES = {
    "time": {
        1e-9: "ns nanosecond", 1e-6: "us µs μs microsecond", 1e-3: "ms msec millisecond",
        1.0: "s sec second", 60.0: "min minute", 3600.0: "h hr hour", 86_400.0: "day",
        604_800.0: "week",
    },
    "calendar": {1.0: "month", 12.0: "yr year", 120.0: "decade"},
    "bytes": {
        1.0: "byte", 1e3: "kb kib kilobyte", 1e6: "mb mib megabyte", 1e9: "gb gib gigabyte",
        1e12: "tb tib terabyte", 1e15: "pb petabyte",
    },
    "bits": {1.0: "bit"},
    "hertz": {1.0: "hz hertz", 1e3: "khz", 1e6: "mhz", 1e9: "ghz"},
    "length": {1e-3: "mm", 1e-2: "cm", 1.0: "meter metre", 1e3: "km kilometer kilometre"},
    "power": {1.0: "watt", 1e3: "kw kilowatt"},
    "$": {1.0: "dollar usd", 0.01: "cent"},
    "€": {1.0: "euro eur"},
    "£": {1.0: "pound gbp"},
}  # fmt: skip
_UNITS = {
    name: (family, factor)
    for family, units in _FAMILIES.items()
    for factor, names in units.items()
    for name in names.split()
}
_AFTER = re.compile(
    rf"[-\s]?(?P<unit>{'|'.join(sorted(_UNITS, key=len, reverse=True))})s?(?![^\W_])", re.IGNORECASE
)
_CURRENCY = re.compile(r"(?P<unit>[$€£])\s?$")
_DECADES = range(1000, 2100)


def measure(text: str, start: int, end: int, value: float) -> tuple[str, float, int]:
    """What the number at `text[start:end)` measures, and the factor to its family's unit.

    Args:
        text: A folded text.
        start: Of the number, and `end` is that of its digits or word, without a unit.
        end: Exclusive.
        value: The number: "the 1990s" are no seconds.

    Returns:
        A family ("time", "bytes", "$", …) or "", a factor, 1 without a unit, and where the unit
        ends, exclusive.
    """
    before = _CURRENCY.search(text, max(0, start - 2), start)
    if before:
        return before["unit"], 1.0, end
    after = _AFTER.match(text, end)
    if not after or (after[0].lower() == "s" and value in _DECADES):
        return "", 1.0, end
    return *_UNITS[after["unit"].lower()], after.end()
