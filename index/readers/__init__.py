"""From files to papers: one module a format; each yields papers and problems."""

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from index.errors import InputError
from index.papers import Paper
from index.readers.dates import YEARS
from index.readers.digest import read_digest
from index.readers.files import (
    READ_SUFFIXES,
    UNREAD_SUFFIXES,
    Found,
    NotTextError,
    Upload,
    decode,
    find_files,
)
from index.readers.jsonl import read_jsonl
from index.readers.problems import Problem
from index.sources import Origin

__all__ = ["FORMATS", "YEARS", "Problem", "Reading", "Upload", "read", "read_files"]

_Reader = Callable[[str, str, int], Iterator[Paper | Problem]]
_READERS: dict[str, _Reader] = {
    "digest": read_digest,
    "jsonl": lambda text, name, _year: read_jsonl(text, name),
}
FORMATS = tuple(_READERS)
"""The formats that `read` knows, beside "auto"."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A file and what is in it."""

    file: Found
    origin: Origin | None
    """None if the file could not be read."""
    found: Iterator[Paper | Problem]
    """Its papers, and what could not be used, in order; read as it is iterated."""


def read(
    paths: Sequence[Path],
    *,
    format: str = "auto",  # noqa: A002 - the name of the command's option
    year: int | None = None,
) -> Iterator[Paper | Problem]:
    """What `read_files` reads, one after the other."""
    readings = read_files(paths, format=format, year=year)
    return chain.from_iterable(reading.found for reading in readings)


def read_files(
    paths: Sequence[Path | Upload],
    *,
    format: str = "auto",  # noqa: A002 - the name of the command's option
    year: int | None = None,
    leave_out: Path | None = None,
) -> Iterator[Reading]:
    """The papers of files and folders, and what could not be read, in order.

    A paper met twice comes twice; `index.papers.merge_all` makes one of them.

    Args:
        paths: Files, uploads, or folders that are read with all inside them, hidden files left
            out.
        format: One of `FORMATS`, or "auto" to tell by each file's content.
        year: The year of digest dates that have none, one of `YEARS`; default: the year in which
            the file was last modified, in UTC, and for an upload this year.
        leave_out: A folder of which nothing is taken, such as the store itself.

    Raises:
        InputError: at once, if a path, the format or the year cannot be used.
    """
    if format != "auto" and format not in _READERS:
        known = ", ".join(("auto", *FORMATS))
        raise InputError(f"format {format!r} is not read by this version; choose one of {known}")
    if year is not None and year not in YEARS:
        raise InputError(f"year {year} is not between {YEARS[0]} and {YEARS[-1]}")
    named = {path for path in paths if isinstance(path, Path)}
    files = find_files(paths, FORMATS, leave_out)
    return (
        _open(file, format, year, is_named=file.content is not None or file.path in named)
        for file in files
    )


def _open(file: Found, format_: str, year: int | None, *, is_named: bool) -> Reading:
    try:
        data = file.path.read_bytes() if file.content is None else file.content
        modified = _year_modified(file)
        text = decode(data)
    except NotTextError as error:
        return Reading(file, None, iter([Problem(file.name, None, str(error))]))
    except OSError as error:
        reason = f"cannot be read: {error.strerror or error}"
        return Reading(file, None, iter([Problem(file.name, None, reason)]))
    suffix = file.path.suffix.lower()
    is_meant = is_named and (format_ != "auto" or suffix not in UNREAD_SUFFIXES)
    if not is_meant and suffix not in READ_SUFFIXES:
        reason = f"{suffix} files are not read; name it, with its format, to read it as one"
        return Reading(file, None, iter([Problem(file.name, None, reason)]))
    place = os.fsencode(file.path.resolve()) if file.content is None else data
    origin = Origin(
        content=hashlib.sha256(data).hexdigest(), place=hashlib.sha256(place).hexdigest()
    )
    return Reading(file, origin, _read_text(text, file, format_, year or modified))


def _year_modified(file: Found) -> int:
    """The year of a file's modification; this year of an upload, or of an impossible time."""
    if file.content is None:
        with suppress(ValueError, OverflowError):
            return datetime.fromtimestamp(file.path.stat().st_mtime, UTC).year
    return datetime.now(UTC).year


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
