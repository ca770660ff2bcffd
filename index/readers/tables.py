"""Tables: CSV and TSV with any delimiter, and the tables of Markdown."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from index.readers.decoding import Text
from index.readers.records import How, Problem, Raw, ReadError, canonical

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_LOOKED_AT = 50
"""Rows by which unnamed columns are told."""
_ABSTRACT = 120
"""Characters that the cells of a column of abstracts have on average, at least."""
_PREAMBLE = 5
"""Lines about the file that may stand above the headings."""
_LONGEST_FIELD = 10_000_000


def score(head: str) -> float:
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
    for above in range(min(_PREAMBLE, len(lines))):
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
    csv.field_size_limit(_LONGEST_FIELD)
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
        fits = [at for at, length in free.items() if 20 <= length < _ABSTRACT * 2]
        for at in fits[:1]:
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
            told = f"no column has the {field}s: they are {shown}"
            raise ReadError(told, option=f"--columns {field}=… names it")
    named = list(zip(found, heads, strict=False))
    columns = ", ".join(f"{field} ← {head}" for field, head in named if field)
    # A column is called by its heading, which says how well it names its field.
    keys = [head if canonical(head) == field else field or "" for field, head in named]
    keys = [f"{key} " * (key in keys[:at]) or key for at, key in enumerate(keys)]
    described = f"csv ({_DELIMITERS[delimiter]} between columns; {columns})"
    return described, _records(chain(first[1:], rows), keys, name)


def _records(
    rows: Iterable[tuple[int, list[str]]], keys: Sequence[str], name: str
) -> Iterator[Raw | Problem]:
    """The rows, in order; one of a single cell is damage."""
    for line, row in rows:
        if len(row) > 1:
            yield Raw(line, dict(zip(keys, map(_plain, row), strict=False)))
        else:
            reason = f"one cell, not {len(keys)}: a row of the table is broken"
            yield Problem(name, line, reason, is_damage=True)


def _plain(cell: str) -> str:
    """A cell without the apostrophe that keeps a spreadsheet from running it as a formula."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in ("=", "+", "-", "@", "\t", "\r") else cell


def _are_ids(cells: list[str]) -> bool:
    """Whether a column holds ids: different words, not the rows' numbers and not keywords."""
    counted = [str(number) for number in range(len(cells) + 1)]
    is_counted = len(cells) > 1 and cells in (counted[:-1], counted[1:])
    is_spaced = any(re.search(r"\s", cell.strip()) for cell in cells)
    return not is_counted and len(set(cells)) == len(cells) and not is_spaced
