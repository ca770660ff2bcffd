"""The date line of a digest: "Apr 22", "Tuesday, 22 April 2025", "2025-04-22"."""

import re
from datetime import date

YEARS = range(1900, 2101)
"""Years that a user may give; any other is a typing error."""

MONTH_NAME = (
    r"\b(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b"
)
"""A regular expression, to be used in any case, of a month's name or its usual abbreviation.

It takes whole words alone ("marketing" and "novel" are none), without the stop of "Sept.".
"""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = rf"(?P<month>{MONTH_NAME})\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?:,?\s+(?P<year>\d{4}))?"
_BEFORE = (
    r"(?:(?:date|sent)\s*:\s*)?"
    r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\.?,?\s+)?"
)
_AFTER = (
    r"(?:,?\s+(?:at\s+)?\d{1,2}:\d{2}(?::\d{2})?(?:\s*[ap]\.?m\.?)?"
    r"(?:\s*[+-]\d{4}|\s+[A-Z]{3,4})?)?"
)
_SHAPES = tuple(
    re.compile(_BEFORE + shape + _AFTER, re.IGNORECASE)
    for shape in (
        _MONTH + r"\s+" + _DAY + _YEAR,
        _DAY + r"(?:\s+of)?\s+" + _MONTH + _YEAR,
        r"(?P<year>\d{4})(?P<sign>[-/.])(?P<month>\d{1,2})(?P=sign)(?P<day>\d{1,2})",
        r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})",
    )
)


def month_number(name: str) -> int:
    """The month, 1 to 12, of a name that `MONTH_NAME` matches."""
    return _MONTHS.index(name[:3].lower()) + 1


def match_date(line: str) -> re.Match[str] | None:
    """Whether the whole line is a date, be it one that exists or not."""
    text = line.strip()
    if len(text) > 60:
        return None
    return next((match for shape in _SHAPES if (match := shape.fullmatch(text))), None)


def resolve_date(match: re.Match[str], year: int) -> date:
    """The day a date line means; `year` counts if the line has none.

    Raises:
        ValueError: there is no such day; the message says which.
    """
    name = match["month"]
    month = int(name) if name.isdigit() else month_number(name)
    named_year = int(match["year"]) if match["year"] else year
    try:
        return date(named_year, month, int(match["day"]))
    except ValueError as error:
        hint = "" if match["year"] else f" in {year}; give another year if it is of another"
        raise ValueError(f"there is no {match[0]}{hint}") from error
