"""Dates as people write and read them."""

from datetime import date

from index.errors import InputError


def parse_day(text: str, option: str) -> date:
    """The date given to a command's option, as 2025-03-14.

    Raises:
        InputError: it is not such a date.
    """
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{option} {text!r} is not a date; write it as 2025-03-14") from error
