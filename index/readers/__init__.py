"""From files to papers: one module a format; each yields papers and problems."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from index.errors import InputError
from index.papers import Paper
from index.readers.digest import read_digest
from index.readers.files import (
    READ_SUFFIXES,
    UNREAD_SUFFIXES,
    Found,
    NotTextError,
    find_files,
    read_text,
)
from index.readers.jsonl import read_jsonl
from index.readers.problems import Problem

__all__ = ["FORMATS", "Problem", "read"]

_Reader = Callable[[str, str, int], Iterator[Paper | Problem]]
_READERS: dict[str, _Reader] = {
    "digest": read_digest,
    "jsonl": lambda text, name, _year: read_jsonl(text, name),
}
FORMATS = tuple(_READERS)
"""The formats that `read` knows, beside "auto"."""


def read(
    paths: Sequence[Path],
    *,
    format: str = "auto",  # noqa: A002 - the name of the command's option
    year: int | None = None,
) -> Iterator[Paper | Problem]:
    """The papers of files and folders, and what could not be read, in order.

    A paper met twice comes twice; `index.papers.merge_all` makes one of them.

    Args:
        paths: Files, or folders that are read with all inside them, hidden files left out.
        format: One of `FORMATS`, or "auto" to tell by each file's content.
        year: The year of digest dates that have none, 1 to 9999; default: the year in which the
            file was last modified, in UTC.

    Raises:
        InputError: at once, if a path, the format or the year cannot be used.
    """
    if format != "auto" and format not in _READERS:
        known = ", ".join(("auto", *FORMATS))
        raise InputError(f"format {format!r} is not read by this version; choose one of {known}")
    if year is not None and not 1 <= year <= 9999:
        raise InputError(f"year {year} is not between 1 and 9999")
    return _read_all(find_files(paths, FORMATS), set(paths), format, year)


def _read_all(
    files: list[Found], named: set[Path], format_: str, year: int | None
) -> Iterator[Paper | Problem]:
    for file in files:
        try:
            text = read_text(file.path)
            modified = datetime.fromtimestamp(file.path.stat().st_mtime, UTC).year
        except NotTextError as error:
            yield Problem(file.name, None, str(error))
        except OSError as error:
            yield Problem(file.name, None, f"cannot be read: {error.strerror or error}")
        else:
            suffix = file.path.suffix.lower()
            is_named = file.path in named and (format_ != "auto" or suffix not in UNREAD_SUFFIXES)
            if is_named or suffix in READ_SUFFIXES:
                yield from _read_text(text, file, format_, year or modified)
            else:
                reason = f"{suffix} files are not read; name it, with its format, to read it as one"
                yield Problem(file.name, None, reason)


def _read_text(text: str, file: Found, format_: str, year: int) -> Iterator[Paper | Problem]:
    if not text.strip():
        yield Problem(file.name, None, "empty file")
        return
    chosen = _detect(text, file.path) if format_ == "auto" else format_
    is_silent = True
    for found in _READERS[chosen](text, file.name, year):
        is_silent = False
        yield found
    if is_silent:
        yield Problem(file.name, None, f"no paper found: it does not read as {chosen}")


def _detect(text: str, path: Path) -> str:
    """The format of a file, told by its name and its first character that is not blank."""
    is_json = path.suffix.lower() in (".jsonl", ".ndjson", ".json")
    return "jsonl" if is_json or re.match(r'\s*\{\s*"', text) else "digest"
