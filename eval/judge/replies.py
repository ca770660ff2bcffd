"""Reading what a judge has decided. What cannot be read is None: a verdict is never guessed."""

import re
from typing import Literal, cast

Choice = Literal["1", "2", "tie"]
"""The place of the response that is better, in the order they were shown."""

LOWEST, HIGHEST = 1, 10

# A number that is neither part of another one, nor of a range, nor out of anything but ten.
_NUMBER = (
    r"(?<![\d.,/–-])(\d{1,2}(?:\.\d+)?)(?![\d%]|\.\d)(?!\s*(?:-|–|to|or)\s*\d)"
    r"(?!\W{0,4}(?:/|out of)\s*(?!10\b)\d)"
)
_IN_BRACKETS = re.compile(rf"\[\[\s*{_NUMBER}\s*(?:/\s*10)?\s*\]\]")
_LABELLED = re.compile(
    r"\b(?:rating|(?:overall|final) score)\b(?:[^\d\n]{0,20}|\W{0,20})"
    rf"(?:\(?1\s*(?:-|–|to)\s*10\)?[^\d\n]{{0,10}})?{_NUMBER}",
    re.IGNORECASE,
)
_OF_TEN = re.compile(rf"{_NUMBER}\s*(?:/|out of)\s*10\b", re.IGNORECASE)

_CHOICE = r"(?:(?:response|answer)[ _]?)?\b(1|2|tie)\b(?!\.\d|\s*(?:or|and|/)\W)"
_CHOSEN_IN_BRACKETS = re.compile(rf"\[\[\s*{_CHOICE}\s*\]\]", re.IGNORECASE)
_CHOSEN = re.compile(
    rf"\b(?:decision|verdict|winner)\b\W{{0,12}}(?:is\b\W{{0,6}})?(?:a )?{_CHOICE}",
    re.IGNORECASE,
)


def read_rating(reply: str) -> float | None:
    """The rating in [1, 10] that a reply ends with: `[[7]]`, `Rating: 7`, `7/10`."""
    ratings = _last(reply, _IN_BRACKETS, _LABELLED, _OF_TEN)
    values = {float(rating) for rating in ratings}
    if len(values) != 1:
        return None
    (value,) = values
    return value if LOWEST <= value <= HIGHEST else None


def read_choice(reply: str) -> Choice | None:
    """The decision that a reply ends with: `[[1]]`, `Final decision: response 2`, `[[tie]]`."""
    choices = {choice.casefold() for choice in _last(reply, _CHOSEN_IN_BRACKETS, _CHOSEN)}
    return cast(Choice, choices.pop()) if len(choices) == 1 else None


def _last(reply: str, *patterns: re.Pattern[str]) -> set[str]:
    """What the first pattern that occurs at all matches on the last line it ends on.

    A line that decides twice (a repeated instruction, ratings of several aspects) gives both.
    """
    for pattern in patterns:
        lines: dict[int, set[str]] = {}
        for match in pattern.finditer(reply):
            lines.setdefault(reply.count("\n", 0, match.end()), set()).add(match[1])
        if lines:
            return lines[max(lines)]
    return set()
