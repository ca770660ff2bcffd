"""Sentences made false by their numbers: another one, two exchanged, or another unit."""

import random
import re

_DIGITS = re.compile(r"(?<![\w.,-])\d+(?:,\d{3})*(?:\.\d+)?(?=[\s%.,;:xX×kKMB-]|$)")
NUMBER_WORDS = dict(
    zip("two three four five six seven eight nine ten eleven twelve".split(), range(2, 13),
        strict=True)
)  # fmt: skip
NUMBER_WORD = re.compile(rf"\b(?:{'|'.join(NUMBER_WORDS)})\b")
_LETTER = re.compile(r"[^\W\d_]{3}")
_OTHER_UNITS = {
    "seconds": "minutes", "minutes": "hours", "hours": "days", "days": "weeks", "weeks": "days",
    "months": "years", "years": "months", "ms": "s", "s": "ms", "MB": "GB", "GB": "MB",
    "TB": "GB", "KB": "MB", "%": " points", " percent": " points", " points": "%",
    "x": "%", "×": "%", " times": "%", " million": " billion", " billion": " million",
    "M": "B", "B": "M", "K": "M", "k": "M",
}  # fmt: skip
_UNIT = re.compile(
    r"(?<![\w.,-])(?P<number>\d+(?:,\d{3})*(?:\.\d+)?[ -]?)"
    r"(?P<unit>(?:seconds|minutes|hours|days|weeks|months|years|ms|s|[KMGT]B|[xMBKk])(?!\w)"
    r"|%|×)|(?<![\w.,-])(?P<digits>\d+(?:\.\d+)?)(?P<word> (?:percent|points|times|million"
    r"|billion))\b"
)


def another_number(text: str, draw: random.Random) -> str | None:
    """One number, in digits or a word, turned into another that the sentence does not have."""
    places = [*_DIGITS.finditer(text), *NUMBER_WORD.finditer(text)]
    if not places:
        return None
    place = draw.choice(places)
    said = {match[0] for match in places}
    if place[0] in NUMBER_WORDS:
        others = [word for word in NUMBER_WORDS if word not in said]
        return replaced(text, place, draw.choice(others)) if others else None
    whole, dot, decimals = place[0].replace(",", "").partition(".")
    value = max(2, int(whole))
    for _ in range(9):
        other = draw.choice([value + draw.randint(1, 9), value * 2, max(1, value // 2)])
        written = f"{other:,}" if "," in place[0] else str(other)
        if written + dot + decimals not in said:
            return replaced(text, place, written + dot + decimals)
    return None


def swapped_numbers(text: str, draw: random.Random) -> str | None:
    """Two different numbers with a word between them, each in the place of the other."""
    places = sorted(
        [*_DIGITS.finditer(text), *NUMBER_WORD.finditer(text)], key=lambda match: match.start()
    )
    pairs = [
        (one, other)
        for at, one in enumerate(places)
        for other in places[at + 1 :]
        if _value(one[0]) != _value(other[0])
        and _LETTER.search(text[one.end() : other.start()].replace("and", ""))
    ]
    if not pairs:
        return None
    one, other = draw.choice(pairs)
    between = text[one.end() : other.start()]
    return text[: one.start()] + other[0] + between + one[0] + text[other.end() :]


def another_unit(text: str, draw: random.Random) -> str | None:
    """The unit of a number turned into another: hours of minutes, points of percent."""
    places = list(_UNIT.finditer(text))
    if not places:
        return None
    place = draw.choice(places)
    unit = place["unit"] or place["word"]
    number = place["number"] or place["digits"]
    return replaced(text, place, number.rstrip() + _spaced(number, _OTHER_UNITS[unit]))


def replaced(text: str, place: re.Match[str], other: str) -> str:
    """A text with something else in one place."""
    return text[: place.start()] + other + text[place.end() :]


def _spaced(number: str, unit: str) -> str:
    return number[len(number.rstrip()) :] + unit if unit[0].isalpha() else unit


def _value(said: str) -> float:
    return float(NUMBER_WORDS.get(said, 0) or said.replace(",", ""))
