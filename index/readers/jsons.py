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
_ABSTRACTS = frozenset(("abstract", "summary", "abstracttext", "abstractnote", "contenttext"))
"""Folded names of what nothing else than a title, and an abstract, is called."""
_LOOKED_AT = 20
"""Lines among which a whole record says that there is one a line."""


def score(head: str) -> float:
    """How much the beginning of a file looks like JSON, 0 to 1."""
    return 0.97 * bool(re.match(r'\s*(?:\[\s*)?(?:\{\s*(?:"|\}|$)|\[\s*[\[{"]|\[\s*\]\s*$)', head))


def read_json(text: Text, name: str) -> Iterator[Raw | Problem]:
    """The records of a file, in order, and the places where its JSON is broken.

    What is broken does not spoil the next line, or the next object that is indented alike.
    """
    starts = text.head.split("\n")[:_LOOKED_AT]
    is_lines = any(_is_record(_parsed(line.strip(", \t["))[0]) for line in starts)
    for line, value, problem in _line_values(text) if is_lines else _values(text.whole()):
        if problem:
            yield Problem(name, line, f"broken JSON: {problem}", is_damage=True)
            continue
        records = list(_records(value, _DEEPEST))
        yield from (Raw(line, record) for record in records)
        if not records:
            what = "no record" if isinstance(value, list | dict) else "no JSON object"
            yield Problem(name, line, f"{what}: nothing here has a title", is_damage=True)


def _line_values(text: Text) -> Iterator[tuple[int, object, str | None]]:
    """What each line holds, with its number, or what is wrong with it."""
    for number, line in text.lines():
        stripped = line.strip(", \t")
        if stripped not in ("", "[", "]"):
            value, _, problem = _parsed(stripped)
            if problem:  # the first or last line of an array
                value, _, problem = _parsed(stripped.strip("[]"))
            yield number, value, problem


def _values(whole: str) -> Iterator[tuple[int, object, str | None]]:
    """The values in a text, one after the other or in one array, each with its first line."""
    between = re.compile(r"[\s,\]]*")
    opening = re.match(r"\s*\[?", whole)
    at, line, counted = opening.end() if opening else 0, 1, 0
    while (gap := between.match(whole, at)) and (at := gap.end()) < len(whole):
        line, counted = line + whole.count("\n", counted, at), at
        value, end, problem = _parsed(whole, at)
        yield line, value, problem
        if problem:
            indent = whole[whole.rfind("\n", 0, at) + 1 : at]
            alike = whole.find(f"\n{indent}{{", at)
            end = alike + 1 + len(indent) if alike >= 0 else len(whole)
        at = end


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
        inside = [each for key, each in value.items() if key.casefold() not in _OF_ANOTHER]
        if not _is_record(value) and deepest:
            found = (record for each in inside for record in _records(each, deepest - 1))
            yield from filter(_is_record, found)
            return
        held = [record for each in inside if isinstance(each, list) for record in _records(each, 0)]
        held = [record for record in held if _is_record(record) and _has_abstract(record)]
        yield from held if deepest and held and not _has_abstract(value) else [value]


def _has_abstract(value: Mapping[str, object]) -> bool:
    return not _ABSTRACTS.isdisjoint(map(folded, value))


def _is_record(value: object) -> bool:
    """Whether it is an object with a title, be it in an object inside that holds the fields."""
    if not isinstance(value, dict):
        return False
    inner = [each for key, each in value.items() if folded(key) in INSIDE]
    objects = [value, *(each for each in inner if isinstance(each, dict))]
    return any(not _TITLES.isdisjoint(map(folded, each)) for each in objects)
