"""BibTeX and BibLaTeX, an entry at a time, by bibtexparser."""

import re
from collections.abc import Iterator

from index.readers.files import Text
from index.readers.records import Problem, Raw
from index.text import clean_text

_ENTRY = re.compile(r"\s*@\s*(?P<kind>[A-Za-z]+)\s*[{(]")
_LONGEST = 5_000
"""Lines of one entry."""
_AT_ONCE = 50
"""Entries given to the parser together."""
_SIGNS = {
    "\\textbackslash{}": "\ue000", "\\textbraceleft{}": "\ue001", "\\textbraceright{}": "\ue002",
    "\\textasciitilde{}": "\ue003", "\\textasciicircum{}": "\ue004", "\\$": "\ue005",
    "\\_": "\ue006",
    "\\%": "\ue007", "\\{": "\ue008", "\\}": "\ue009",
}  # fmt: skip
_HELD = {ord(held): sign for held, sign in zip(_SIGNS.values(), "\\{}~^$_%{}", strict=True)}
_NO_PAPERS = ("string", "preamble", "comment")


def score(head: str) -> float:
    """How much the beginning of a file looks like BibTeX, 0 to 1."""
    found = re.search(r"^\s*@\s*[A-Za-z]+\s*[{(]\s*[^\s,={}]*\s*,", head, re.MULTILINE)
    before = head[: found.start()] if found else ""
    return 0.96 * bool(found and len(before) < len(head) / 2)


def read_bibtex(text: Text, name: str) -> Iterator[Raw | Problem]:
    """The entries of a file; one that cannot be parsed is damage and does not spoil the next."""
    strings: list[str] = []
    batch: list[tuple[int, str]] = []
    for line, kind, entry in _entries(text):
        if kind == "string":
            strings.append(entry)
        elif kind not in _NO_PAPERS:
            batch.append((line, entry))
        if len(batch) == _AT_ONCE:
            yield from _parsed(batch, strings, name)
            batch = []
    yield from _parsed(batch, strings, name)


def _entries(text: Text) -> Iterator[tuple[int, str, str]]:
    """Each entry with its first line and its kind, in small letters; other text is a comment."""
    lines: list[str] = []
    began, kind = 0, ""
    for number, line in text.lines():
        if match := _ENTRY.match(line):
            if lines:
                yield began, kind, "\n".join(lines)
            lines, began, kind = [], number, match["kind"].casefold()
        if began and len(lines) < _LONGEST:
            lines.append(line)
    if lines:
        yield began, kind, "\n".join(lines)


def _parsed(
    entries: list[tuple[int, str]], strings: list[str], name: str
) -> Iterator[Raw | Problem]:
    # Imported here: most files are no BibTeX.
    from bibtexparser.entrypoint import parse_string
    from bibtexparser.middlewares import (
        RemoveEnclosingMiddleware,
        ResolveStringReferencesMiddleware,
    )

    stack = [ResolveStringReferencesMiddleware(), RemoveEnclosingMiddleware()]
    for line, entry in entries:
        library = parse_string("\n".join([*strings, entry]), parse_stack=stack)
        if not library.entries:
            yield Problem(name, line, "a broken entry: its braces do not match", is_damage=True)
        for found in library.entries:
            fields = {
                field.key.casefold(): _plain(field.key, str(field.value)) for field in found.fields
            }
            if "month" in fields and "year" in fields:
                fields.setdefault("date", f"{fields['month']} {fields['year']}")
            yield Raw(line, {**fields, "bibtexkey": found.key})


def _plain(key: str, value: str) -> object:
    """A field without LaTeX; authors stay apart where `and` stands outside of braces."""
    # Imported here, as below.
    from bibtexparser.middlewares.names import split_multiple_persons_names

    if key.casefold() not in ("author", "editor"):
        return _text(value)
    return [_name(name) for name in split_multiple_persons_names(value)]


def _name(value: str) -> object:
    """One name; one in braces is not turned around."""
    held = re.fullmatch(r"\{(.*)\}", value, re.DOTALL)
    return {"literal": _text(held[1])} if held else _text(value)


def _text(value: str) -> str:
    """LaTeX as text; a sign that is written by its name is no LaTeX of the text."""
    for written, held in _SIGNS.items():
        value = value.replace(written, held)
    return re.sub("[{}]", "", clean_text(value)).translate(_HELD)
