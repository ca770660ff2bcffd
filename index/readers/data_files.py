"""Read records with named fields: JSON, and tables with any delimiter.

JSON with one object per line, and tables, need the memory of one record; other JSON that of all.
"""

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice

from index.readers.files import LONGEST_LINE, Text
from index.readers.records import INSIDE, How, Problem, Raw, ReadError, Records, canonical
from index.readers.values import folded

_DEEPEST = 4  # objects around the array of records: Crossref has two, OpenAlex one
_OTHER_PAPERS = ("references", "citations", "related", "related_works", "reference")
_TITLES = {"title", "displayname", "ti", "articletitle", "papertitle"}
_ABSTRACTS = {"abstract", "summary", "abstracttext", "abstractnote", "contenttext"}


def json_score(head: str) -> float:
    """Return how likely the beginning of a file is JSON, 0 to 1."""
    return 0.97 * bool(re.match(r'\s*(?:\[\s*)?(?:\{\s*(?:"|\}|$)|\[\s*[\[{"]|\[\s*\]\s*$)', head))


def read_json(text: Text, name: str) -> Records:
    """Yield the records of a file, in order, and the places where its JSON is broken.

    After a broken place, reading resumes at the next line or the next object of the same indent.
    """
    starts = (line.strip(", \t[") for line in text.head.split("\n")[:20])
    is_lines = any(_is_record(_parsed(line)[0]) for line in starts if line)
    for line, value, problem in _line_values(text) if is_lines else _values(text.whole()):
        records = [] if problem else list(_records(value, _DEEPEST))
        yield from (Raw(line, record) for record in records)
        if not records:
            what = "no record" if isinstance(value, list | dict) else "no JSON object"
            reason = f"broken JSON: {problem}" if problem else f"{what}: no object has a title"
            yield Problem(name, line, reason, is_damage=True)


def _line_values(text: Text) -> Iterator[tuple[int, object, str | None]]:
    for number, line in text.lines():
        if (stripped := line.strip(", \t")) not in ("", "[", "]"):
            value, _, problem = _parsed(stripped)
            if problem:  # the first or last line of an array
                value, _, problem = _parsed(stripped.strip("[]"))
            yield number, value, problem


def _values(whole: str) -> Iterator[tuple[int, object, str | None]]:
    """Yield the first line of each value in a text or in its array, and the value or problem."""
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
    """Parse the value at an offset; return it, the offset of its end, and what is wrong with it."""
    try:
        value, end = json.JSONDecoder().raw_decode(text, at)
        if at == 0 and text[end:].strip() and "\n" not in text:
            return None, end, f"Extra data at character {end + 1}"
        return value, end, None
    except json.JSONDecodeError as error:
        return None, at, f"{error.msg.removesuffix(' at')} at character {error.colno}"
    except RecursionError:
        return None, at, "nested too deeply"
    except ValueError:  # beyond sys.get_int_max_str_digits()
        return None, at, "a number with too many digits"


def _records(value: object, deepest: int) -> Iterator[Mapping[str, object]]:
    """Yield the outermost objects with a title, or those inside if only they have abstracts.

    All objects of an array of records are records: one without a title is reported.
    """
    if isinstance(value, list):
        objects = [each for each in value if isinstance(each, dict)]
        if any(map(_is_record, objects)) or (deepest == _DEEPEST and objects):
            yield from objects
        elif deepest:
            for each in value:
                yield from _records(each, deepest - 1)
    elif isinstance(value, dict):
        inside = [each for key, each in value.items() if key.casefold() not in _OTHER_PAPERS]
        if not _is_record(value) and deepest:
            found = (record for each in inside for record in _records(each, deepest - 1))
            yield from filter(_is_record, found)
            return
        lists = (each for each in inside if isinstance(each, list) and deepest)
        held = [record for each in lists for record in _records(each, 0) if _is_record(record)]
        held = [record for record in held if _ABSTRACTS & set(map(folded, record))]
        yield from [value] if not held or _ABSTRACTS & set(map(folded, value)) else held


def _is_record(value: object) -> bool:
    """Return whether a value is an object with a title, in itself or in an `INSIDE` object."""
    if not isinstance(value, dict):
        return False
    inner = (each for key, each in value.items() if folded(key) in INSIDE)
    objects = [value, *(each for each in inner if isinstance(each, dict))]
    return any(_TITLES & set(map(folded, each)) for each in objects)


_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_SAMPLE_ROWS = 50  # by which columns without a known heading are recognised
_ABSTRACT_LENGTH = 120  # characters, at the least: the mean of a column of abstracts


def table_score(head: str) -> float:
    """Return how likely the beginning of a file is a table of papers, 0 to 1."""
    delimiter, columns, _ = _header(head)
    if {"title", "abstract"} <= set(columns):
        return 0.95
    if not delimiter or (delimiter == "|" and not head.lstrip().startswith("|")):
        return 0.0
    lines = iter(head.split("\n")[:-1] or [head])
    rows = [row for _, row in islice(_rows(lines, delimiter), _SAMPLE_ROWS)]
    if any(len(cell) > 60 for row in rows[:1] for cell in row):  # no heading is so long
        return 0.0
    is_even = len(rows) > 2 and len({len(row) for row in rows}) == 1 and len(rows[0]) > 1
    return 0.6 * (is_even and max(_mean_lengths(rows[1:])) >= _ABSTRACT_LENGTH)


def _header(head: str) -> tuple[str, list[str], int]:
    """Return the delimiter, the field of each column, and how many lines precede the headings.

    It is the delimiter by which most columns of the first row name a field.
    """
    lines = head.lstrip("\n").split("\n")
    found: list[tuple[str, list[str], int]] = []
    for above in range(min(5, len(lines))):  # a file may begin with lines about itself
        rows = {sign: next(_rows(iter(lines[above:]), sign), (0, [""]))[1] for sign in _DELIMITERS}
        fields = {sign: [canonical(cell) or "" for cell in row] for sign, row in rows.items()}
        several = [sign for sign in fields if len(fields[sign]) > 1]
        best = max(several, key=lambda sign: len({*fields[sign], ""}), default="")
        found.append((best, fields.get(best, []), above))
        if {"title", "abstract"} <= set(found[-1][1]):
            return found[-1]
    return found[0]


def _rows(lines: Iterator[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the first line and the cells of each row that is not empty; skip Markdown's frame."""
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


def _guess_fields(found: list[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Recognise title and abstract by their cells if no heading names them; return all fields."""
    lengths = enumerate(_mean_lengths(rows)[: len(found)])
    free = {at: length for at, length in lengths if not found[at]}
    if "abstract" not in found and free:
        at = max(free, key=lambda at: free[at])
        if free.pop(at) >= _ABSTRACT_LENGTH:
            found[at] = "abstract"
    if "title" not in found and "abstract" in found:
        fits = (at for at, length in free.items() if 20 <= length < _ABSTRACT_LENGTH * 2)
        if (at := next(fits, -1)) >= 0:
            found[at] = "title"
    if "id" in found:  # ids are distinct, without spaces, and not the rows' numbers
        at = found.index("id")
        cells = [row[at] for row in rows if len(row) > at]
        numbers = [str(number) for number in range(len(cells) + 1)]
        is_numbering = len(cells) > 1 and cells in (numbers[:-1], numbers[1:])
        is_spaced = any(re.search(r"\s", cell.strip()) for cell in cells)
        if is_numbering or is_spaced or len(set(cells)) < len(cells):
            found[at] = ""
    return found


def open_table(text: Text, name: str, how: How) -> tuple[str, Records]:
    """Return how the columns of a table are read, in words, and an iterator of its records.

    Without a column of titles or abstracts, or one that a user named, it is a `ReadError`.
    """
    delimiter, found, above = _header(text.head)
    if not delimiter:
        raise ReadError("not a table: its first line has only one column")
    lines = islice((line for _, line in text.lines()), above, None)
    rows = ((at + above, row) for at, row in _rows(lines, delimiter))
    first = list(islice(rows, _SAMPLE_ROWS))
    heads = [cell.strip().strip("'\ufeff") for cell in first[0][1]] if first else []
    shown = ", ".join(heads)[:200]
    for field, heading in how.columns.items():
        if heading not in heads:
            raise ReadError(f"no column {heading!r}; the columns are {shown}")
        found = [("" if each == field else each) for each in found]
        found[heads.index(heading)] = field
    found = _guess_fields(found, [row for _, row in first[1:]])
    if missing := next((field for field in ("abstract", "title") if field not in found), None):
        hint = f"name it with --columns {missing}=…"
        raise ReadError(f"no column for the {missing}s in {shown}; {hint}")
    named = list(zip(found, heads, strict=False))
    columns = ", ".join(f"{field} ← {head}" for field, head in named if field)
    # The keys are headings: they decide which of several columns of one field counts.
    keys = [head if canonical(head) == field else field or "" for field, head in named]
    keys = [f"{key} " * (key in keys[:at]) or key for at, key in enumerate(keys)]
    described = f"csv ({_DELIMITERS[delimiter]}-separated; {columns})"
    return described, _table_records(name, keys, chain(first[1:], rows))


def _table_records(name: str, keys: list[str], rows: Iterator[tuple[int, list[str]]]) -> Records:
    for line, row in rows:
        if len(row) > 1:
            # An apostrophe keeps a spreadsheet from running a cell as a formula.
            cells = (re.sub(r"\A'(?=[=+@\t\r-])", "", cell) for cell in row)
            yield Raw(line, dict(zip(keys, cells, strict=False)))
        else:
            reason = f"one cell instead of {len(keys)}: the row is broken"
            yield Problem(name, line, reason, is_damage=True)
