"""JSON: one object a line, an array, or an object that holds records somewhere inside."""

import json
import re
from collections.abc import Iterator, Mapping

from index.readers.files import Text
from index.readers.records import INSIDE, Problem, Raw
from index.readers.values import folded

_DEEPEST = 4
"""Objects around the array of records: Crossref has two, OpenAlex one."""
_OF_ANOTHER = ("references", "citations", "related", "related_works", "reference")
"""Lists of other papers in a record."""
_TITLES = frozenset(("title", "displayname", "ti", "articletitle", "papertitle"))
_LOOKED_AT = 20
"""Lines among which a whole record says that there is one a line."""
_LONGEST = 2_000_000
"""Lines of one object."""
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"?')


def score(head: str) -> float:
    """How much the beginning of a file looks like JSON, 0 to 1."""
    return 0.97 * bool(re.match(r'\s*(?:\[\s*)?(?:\{\s*(?:"|\}|$)|\[\s*[\[{"]|\[\s*\]\s*$)', head))


def read_json(text: Text, name: str) -> Iterator[Raw | Problem]:
    """The records of a file, in order, and the places where its JSON is broken.

    A line that is broken does not spoil the next.
    """
    if any(_is_whole(line.strip(", \t[")) for line in text.head.split("\n")[:_LOOKED_AT]):
        for number, line in text.lines():
            stripped = line.strip(", \t")
            if stripped not in ("", "[", "]"):
                stripped = stripped if _parsed(stripped)[1] is None else stripped.strip("[]")
                yield from _read(stripped, number, name)
        return
    open_lines: list[str] = []
    began, balance, in_array = 1, 0, False
    for number, line in text.lines():
        stripped = line.strip()
        if open_lines and _is_whole(stripped):
            # A whole record while another is open: that one was broken.
            yield from _read("\n".join(open_lines), began, name)
            open_lines.clear()
        if not open_lines:
            began, balance = number, 0
            stripped = stripped.strip(", \t") if in_array else stripped
            if not stripped or (in_array and stripped == "]"):
                continue
        open_lines.append(stripped)
        balance += _opened(stripped)
        if balance > 0 and number == began and stripped.startswith("[") and not in_array:
            in_array = True  # its objects are read one by one
            balance -= 1
            open_lines[:] = filter(None, [stripped[1:].strip(", \t")])
        if len(open_lines) > _LONGEST:
            reason = f"one object of more than {_LONGEST:,} lines: write an object a line"
            yield Problem(name, began, reason, is_damage=True)
            return
        if open_lines and balance <= 0:
            whole = "\n".join(open_lines).rstrip(", \t")
            whole = whole if _parsed(whole)[1] is None or not in_array else whole.removesuffix("]")
            yield from _read(whole.rstrip(", \t"), began, name)
            open_lines.clear()
    if open_lines:
        yield from _read("\n".join(open_lines), began, name)


def _read(text: str, line: int, name: str) -> Iterator[Raw | Problem]:
    value, problem = _parsed(text)
    if problem:
        yield Problem(name, line, problem, is_damage=True)
    else:
        yield from _raws(value, line, name)


def _opened(line: str) -> int:
    """How many more brackets a line opens than it closes, outside of its strings."""
    plain = _STRING.sub("", line)
    return sum(map(plain.count, "[{")) - sum(map(plain.count, "]}"))


def _is_whole(line: str) -> bool:
    """Whether a line is a whole object with a title: a record of its own."""
    if not line.startswith("{") or not line.endswith("}") or '"' not in line:
        return False
    value, problem = _parsed(line)
    return problem is None and isinstance(value, dict) and _is_record(value)


def _parsed(text: str) -> tuple[object, str | None]:
    try:
        return json.loads(text), None
    except json.JSONDecodeError as error:
        what = error.msg.removesuffix(" at")
        return None, f"broken JSON: {what} at character {error.colno}"
    except RecursionError:
        return None, "broken JSON: nested too deep"
    except ValueError:  # beyond sys.get_int_max_str_digits()
        return None, "broken JSON: a number of too many digits"


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
