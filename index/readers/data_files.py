"""Records by the names of their fields: JSON, and tables of any delimiter.

Of JSON with one object a line, and of tables, the memory of one record is needed; other JSON is
held as a whole.
"""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice

from index.readers.files import LONGEST_LINE, Text
from index.readers.records import INSIDE, How, Problem, Raw, ReadError, canonical
from index.readers.values import folded

_DEEPEST = 4
"""Objects around the array of records: Crossref has two, OpenAlex one."""
_OF_ANOTHER = ("references", "citations", "related", "related_works", "reference")
"""Lists of other papers in a record."""
_TITLES = frozenset(("title", "displayname", "ti", "articletitle", "papertitle"))
_ABSTRACTS = frozenset(("abstract", "summary", "abstracttext", "abstractnote", "contenttext"))


def json_score(head: str) -> float:
    """How much the beginning of a file looks like JSON, 0 to 1."""
    return 0.97 * bool(re.match(r'\s*(?:\[\s*)?(?:\{\s*(?:"|\}|$)|\[\s*[\[{"]|\[\s*\]\s*$)', head))


def read_json(text: Text, name: str) -> Iterator[Raw | Problem]:
    """The records of a file, in order, and the places where its JSON is broken.

    What is broken does not spoil the next line, or the next object that is indented alike.
    """
    starts = (line.strip(", \t[") for line in text.head.split("\n")[:20])
    is_lines = any(_is_record(_parsed(line)[0]) for line in starts if line)
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


_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_LOOKED_AT = 50
"""Rows by which unnamed columns are told."""
_ABSTRACT = 120
"""Characters that the cells of a column of abstracts have on average, at least."""


def table_score(head: str) -> float:
    """How much the beginning of a file looks like a table of papers, 0 to 1."""
    delimiter, columns, _ = _header(head)
    if {"title", "abstract"} <= set(columns):
        return 0.95
    if not delimiter or (delimiter == "|" and not head.lstrip().startswith("|")):
        return 0.0
    lines = iter(head.split("\n")[:-1] or [head])
    rows = [row for _, row in islice(_rows(lines, delimiter), _LOOKED_AT)]
    if any(len(cell) > 60 for row in rows[:1] for cell in row):  # no heading is so long
        return 0.0
    is_even = len(rows) > 2 and len({len(row) for row in rows}) == 1 and len(rows[0]) > 1
    return 0.6 * (is_even and max(_mean_lengths(rows[1:])) >= _ABSTRACT)


def _header(head: str) -> tuple[str, list[str], int]:
    """The delimiter, the field that each column names, and the lines above the headings."""
    lines = head.lstrip("\n").split("\n")
    for above in range(min(5, len(lines))):  # lines about the file may stand there
        delimiter, columns = _headings(lines[above:])
        if {"title", "abstract"} <= set(columns):
            return delimiter, columns, above
    return *_headings(lines), 0


def _headings(lines: Sequence[str]) -> tuple[str, list[str]]:
    """The delimiter by which most columns of the first row name a field, and those fields."""
    best: tuple[str, list[str]] = "", []
    for delimiter in _DELIMITERS:
        _, row = next(_rows(iter(lines), delimiter), (0, [""]))
        columns = [canonical(cell) or "" for cell in row]
        is_better = not best[1] or len({*columns, ""}) > len({*best[1], ""})
        if len(columns) > 1 and is_better:
            best = delimiter, columns
    return best


def _rows(lines: Iterator[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, each with its first line; a Markdown table's without frame."""
    csv.field_size_limit(LONGEST_LINE)
    if delimiter == "|":
        for number, line in enumerate(lines, start=1):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
            if len(cells) > 1 and not all(re.fullmatch(r":?-+:?", cell) for cell in cells):
                yield number, cells
        return
    reader = csv.reader((f"{line}\n" for line in lines), delimiter=delimiter)
    began = 1
    try:
        for row in reader:
            if row:
                yield began, row
            began = reader.line_num + 1
    except csv.Error as error:
        raise ReadError(f"a broken table: {error}", began) from error


def _mean_lengths(rows: Sequence[Sequence[str]]) -> list[float]:
    return [sum(map(len, column)) / len(column) for column in zip(*rows, strict=False)] or [0.0]


def _guess(found: list[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Fields with title and abstract taken from what the cells look like, where no head says it."""
    lengths = enumerate(_mean_lengths(rows)[: len(found)])
    free = {at: length for at, length in lengths if not found[at]}
    if "abstract" not in found and free:
        at = max(free, key=lambda at: free[at])
        if free.pop(at) >= _ABSTRACT:
            found[at] = "abstract"
    if "title" not in found and "abstract" in found:
        fits = (at for at, length in free.items() if 20 <= length < _ABSTRACT * 2)
        if (at := next(fits, -1)) >= 0:
            found[at] = "title"
    at = found.index("id") if "id" in found else -1
    if at >= 0 and not _are_ids([row[at] for row in rows if len(row) > at]):
        found[at] = ""
    return found


def open_table(text: Text, name: str, how: How) -> tuple[str, Iterator[Raw | Problem]]:
    """How the columns of a table are read, in words, and its rows as they come.

    Raises:
        ReadError: no column is one of abstracts, or a heading that a user gave is none.
    """
    delimiter, found, above = _header(text.head)
    if not delimiter:
        raise ReadError("no table: its first line has one column")
    lines = islice((line for _, line in text.lines()), above, None)
    rows = ((at + above, row) for at, row in _rows(lines, delimiter))
    first = list(islice(rows, _LOOKED_AT))
    heads = [cell.strip().strip("'\ufeff") for cell in first[0][1]] if first else []
    shown = ", ".join(heads)[:200]
    for field, heading in how.columns.items():
        if heading not in heads:
            raise ReadError(f"no column {heading!r}: they are {shown}")
        found = [("" if each == field else each) for each in found]
        found[heads.index(heading)] = field
    found = _guess(found, [row for _, row in first[1:]])
    for field in ("abstract", "title"):
        if field not in found:
            raise ReadError(
                f"no column has the {field}s: they are {shown}; --columns {field}=… names it"
            )
    named = list(zip(found, heads, strict=False))
    columns = ", ".join(f"{field} ← {head}" for field, head in named if field)
    # A column is called by its heading, which says how well it names its field.
    keys = [head if canonical(head) == field else field or "" for field, head in named]
    keys = [f"{key} " * (key in keys[:at]) or key for at, key in enumerate(keys)]
    described = f"csv ({_DELIMITERS[delimiter]} between columns; {columns})"
    return described, _rows_read(chain(first[1:], rows), keys, name)


def _rows_read(
    rows: Iterable[tuple[int, list[str]]], keys: Sequence[str], name: str
) -> Iterator[Raw | Problem]:
    for line, row in rows:
        if len(row) == 1:
            reason = f"one cell, not {len(keys)}: a row of the table is broken"
            yield Problem(name, line, reason, is_damage=True)
            continue
        # An apostrophe keeps a spreadsheet from running a cell as a formula.
        cells = (re.sub(r"\A'(?=[=+@\t\r-])", "", cell) for cell in row)
        yield Raw(line, dict(zip(keys, cells, strict=False)))


def _are_ids(cells: list[str]) -> bool:
    """Whether a column holds ids: different words, not the rows' numbers and not keywords."""
    counted = [str(number) for number in range(len(cells) + 1)]
    is_counted = len(cells) > 1 and cells in (counted[:-1], counted[1:])
    is_spaced = any(re.search(r"\s", cell.strip()) for cell in cells)
    return not is_counted and len(set(cells)) == len(cells) and not is_spaced
