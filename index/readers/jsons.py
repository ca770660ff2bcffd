"""JSON: one object a line, an array, or an object that holds records somewhere inside.

One object a line needs the memory of one; any other file is held as a whole.
"""

import json
import re
from collections.abc import Iterator, Mapping

from index.readers.decoding import Text
from index.readers.records import INSIDE, Problem, Raw
from index.readers.values import folded

_DEEPEST = 4
"""Objects around the array of records: Crossref has two, OpenAlex one."""
_OF_ANOTHER = ("references", "citations", "related", "related_works", "reference")
"""Lists of other papers in a record."""
_TITLES = frozenset(("title", "displayname", "ti", "articletitle", "papertitle"))
_LOOKED_AT = 20
"""Lines among which a whole record says that there is one a line."""
_BETWEEN = re.compile(r"[\s,\]]*")


def score(head: str) -> float:
    """How much the beginning of a file looks like JSON, 0 to 1."""
    return 0.97 * bool(re.match(r'\s*(?:\[\s*)?(?:\{\s*(?:"|\}|$)|\[\s*[\[{"]|\[\s*\]\s*$)', head))


def read_json(text: Text, name: str) -> Iterator[Raw | Problem]:
    """The records of a file, in order, and the places where its JSON is broken.

    What is broken does not spoil the next line, or the next object that is indented alike.
    """
    if any(_is_whole(line.strip(", \t[")) for line in text.head.split("\n")[:_LOOKED_AT]):
        values = _line_values(text)
    else:
        values = _values(text.whole())
    for line, value, problem in values:
        if problem:
            yield Problem(name, line, f"broken JSON: {problem}", is_damage=True)
        else:
            yield from _raws(value, line, name)


def _line_values(text: Text) -> Iterator[tuple[int, object, str | None]]:
    """What each line holds, with its number, or what is wrong with it."""
    for number, line in text.lines():
        stripped = line.strip(", \t")
        if stripped not in ("", "[", "]"):
            stripped = stripped if _parsed(stripped)[2] is None else stripped.strip("[]")
            value, _, problem = _parsed(stripped)
            yield number, value, problem


def _values(whole: str) -> Iterator[tuple[int, object, str | None]]:
    """The values in a text, one after the other or in one array, each with its first line."""
    opening = re.match(r"\s*\[", whole)
    at, line = opening.end() if opening else 0, 1
    counted = 0
    while (at := _after(whole, at)) < len(whole):
        line, counted = line + whole.count("\n", counted, at), at
        value, end, problem = _parsed(whole, at)
        yield line, value, problem
        if problem:
            indent = whole[whole.rfind("\n", 0, at) + 1 : at]
            alike = re.compile(rf"^{re.escape(indent)}\{{", re.MULTILINE).search(whole, at + 1)
            end = alike.start() if alike else len(whole)
        at = end


def _after(whole: str, at: int) -> int:
    """Where the next value begins."""
    between = _BETWEEN.match(whole, at)
    return between.end() if between else at


def _is_whole(line: str) -> bool:
    """Whether a line is a whole object with a title: a record of its own."""
    if not line.startswith("{") or not line.endswith("}") or '"' not in line:
        return False
    value = _parsed(line)[0]
    return isinstance(value, dict) and _is_record(value)


def _parsed(text: str, at: int = 0) -> tuple[object, int, str | None]:
    """The value that begins at a place, where it ends, and what is wrong with it."""
    try:
        value, end = json.JSONDecoder().raw_decode(text, at)
        if at == 0 and text[end:].strip() and "\n" not in text:
            return None, end, f"Extra data at character {end + 1}"
        return value, end, None
    except json.JSONDecodeError as error:
        return None, at, f"{error.msg.removesuffix(' at')} at character {error.colno}"
    except RecursionError:
        return None, at, "nested too deep"
    except ValueError:  # beyond sys.get_int_max_str_digits()
        return None, at, "a number of too many digits"


def _raws(value: object, line: int, name: str) -> Iterator[Raw | Problem]:
    records = list(_records(value, _DEEPEST))
    for record in records:
        yield Raw(line, record)
    if not records:
        what = "no record" if isinstance(value, list | dict) else "no JSON object"
        yield Problem(name, line, f"{what}: nothing here has a title", is_damage=True)


def _records(value: object, deepest: int) -> Iterator[Mapping[str, object]]:
    """The objects in a value that have a title, those inside one of them left out."""
    if isinstance(value, list):
        # All objects of an array of records are records: one without a title is to be told.
        objects = [each for each in value if isinstance(each, dict)]
        if any(map(_is_record, objects)) or (deepest == _DEEPEST and objects):
            yield from objects
        elif deepest:
            for each in value:
                yield from _records(each, deepest - 1)
    elif isinstance(value, dict):
        inside = [
            each for key, each in value.items()
            if isinstance(each, list | dict) and key.casefold() not in _OF_ANOTHER
        ]  # fmt: skip
        if _is_record(value) or not deepest:
            lists = [each for each in inside if isinstance(each, list)] if deepest else []
            held = [record for each in lists for record in _records(each, 0)]
            held = [record for record in held if _is_record(record) and _has_abstract(record)]
            yield from held if held and not _has_abstract(value) else [value]
            return
        found = [record for each in inside for record in _records(each, deepest - 1)]
        found = [record for record in found if _is_record(record)]
        if found:
            yield from found


def _has_abstract(value: Mapping[str, object]) -> bool:
    """Whether an object has an abstract by a name that means nothing else."""
    return bool(
        set(map(folded, value))
        & {"abstract", "summary", "abstracttext", "abstractnote", "contenttext"}
    )


def _is_record(value: Mapping[str, object]) -> bool:
    keys = set(map(folded, value))
    inner = (each for key, each in value.items() if folded(key) in INSIDE)
    return bool(keys & _TITLES) or any(
        isinstance(each, dict) and _TITLES & set(map(folded, each)) for each in inner
    )
