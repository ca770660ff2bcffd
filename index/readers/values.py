"""What a value of a record says, whatever its shape: text, number, list or object."""

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence

SAYING = ("value", "text", "name", "display_name", "title", "source", "#text", "$", "created")
"""Keys under which an object has what it says."""
_NOTHING = frozenset(
    ("", "nan", "none", "null", "n/a", "na", "nil", "undefined", "-", "--", "?", "n.d.", "unknown",
     "[no abstract available]", "no abstract available", "no abstract available.", "no abstract",
     "abstract not available", "not available", "abstract unavailable")
)  # fmt: skip
HALF_CHARACTER = re.compile("[\ud800-\udfff]")
"""Half a character, which no encoder takes."""


def folded(name: str) -> str:
    """A field's name without case, spaces and signs."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name)).casefold()


def is_nothing(value: object) -> bool:
    """Whether a value only says that there is none."""
    if value is None or value is False or (isinstance(value, list | dict) and not value):
        return True
    if isinstance(value, float) and math.isnan(value):
        return True
    if isinstance(value, Mapping) and set(value) == {"value"}:
        return is_nothing(value["value"])
    return isinstance(value, str) and value.strip().casefold() in _NOTHING


def texts_in(value: object, deep: int = 3) -> list[str]:
    """The texts in a value: itself, those of a list, or what an object says."""
    if is_nothing(value) or deep < 0 or isinstance(value, bool):
        return []
    if isinstance(value, str):
        return [value if value.isascii() else HALF_CHARACTER.sub("\ufffd", value)]
    if isinstance(value, int):
        return [str(value)] if -(10**18) < value < 10**18 else []
    if isinstance(value, Sequence):
        return [text for each in value for text in texts_in(each, deep - 1)]
    if isinstance(value, Mapping):
        for key in (*SAYING, "href", "URL", "url"):
            if found := texts_in(value.get(key), deep - 1):
                return found
    return []


def text_in(value: object) -> str | None:
    """The first text in a value; None if there is none."""
    return next(iter(texts_in(value)), None)


def joined(value: object, between: str) -> str | None:
    """All texts in a value as one; None if there is none."""
    return between.join(texts_in(value)) or None
