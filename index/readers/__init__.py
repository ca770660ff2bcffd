"""From files to papers: what a file is, is told by its content; each format has a reader."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path, PurePath

from index.errors import InputError
from index.papers import Paper
from index.readers.dates import YEARS
from index.readers.digest import doubt
from index.readers.files import Found, Member, Text, Upload, find_files, members
from index.readers.formats import FORMATS, READERS, Reader, Reading, reader_of
from index.readers.records import How, Normaliser, Problem, ReadError
from index.sources import Origin, source_name

__all__ = [
    "FORMATS", "READERS", "FileRead", "Problem", "Upload", "find_files", "read", "read_files",
]  # fmt: skip

_FOLDER_TEXTS = ("", ".txt", ".text", ".md", ".markdown", ".eml", ".mail", ".html", ".htm")
"""What is read as a digest though only found in a folder: other text there may be anything."""


@dataclass
class FileRead:
    """A file, or a file of an archive, and what is in it."""

    file: Found
    origin: Origin | None
    """None if the file could not be read."""
    found: Iterator[Paper | Problem]
    """Its papers, and what could not be used, in order; read as it is iterated, before the next."""
    format: str = ""
    """The format that was taken, and how; empty of a file that could not be read."""


def read(
    paths: Sequence[Path | Upload],
    *,
    format: str = "auto",  # noqa: A002 - the name of the command's option
    year: int | None = None,
    columns: Mapping[str, str] | None = None,
) -> Iterator[Paper | Problem]:
    """What `read_files` reads, one after the other."""
    readings = read_files(paths, format=format, year=year, columns=columns)
    return chain.from_iterable(reading.found for reading in readings)


def read_files(
    paths: Sequence[Path | Upload],
    *,
    format: str = "auto",  # noqa: A002 - the name of the command's option
    year: int | None = None,
    columns: Mapping[str, str] | None = None,
    leave_out: Path | None = None,
) -> Iterator[FileRead]:
    """The papers of files and folders, and what could not be read, in order.

    A paper met twice comes twice; `index.papers.merge_all` makes one of them.

    Args:
        paths: Files, archives, uploads, or folders that are read with all inside them, hidden
            files left out.
        format: One of `FORMATS`, or "auto" to tell by each file's content.
        year: The year of digest dates that have none, 1900 to 2100; default: that of the other
            dates of the file, or else the one in which it was last modified, in UTC.
        columns: Field → heading of its column, for tables whose headings do not tell.
        leave_out: A folder of which nothing is taken, such as the store itself.

    Raises:
        InputError: at once, if a path, the format, a column or the year cannot be used.
    """
    if format != "auto" and format not in FORMATS:
        known = ", ".join(("auto", *FORMATS))
        raise InputError(f"format {format!r} is not read by this version; choose one of {known}")
    if year is not None and year not in YEARS:
        raise InputError(f"year {year} is not between {YEARS[0]} and {YEARS[-1]}")
    files = find_files(paths, leave_out)
    how = How(year=year, columns=columns or {})
    return (each for file in files for each in _open(file, format, how))


def _open(file: Found, format_: str, how: How) -> Iterator[FileRead]:
    """The file, or the files inside it."""
    try:
        if file.is_read_once:
            file = replace(file, content=file.path.read_bytes())
        how = replace(how, usual_year=file.year())
        digest = file.digest()
        found = False
        for member in members(file.source):
            found = True
            yield from _member(file, member, digest, format_, how)
        if not found:
            yield _unread(file, "an empty archive")
    except ReadError as error:
        yield _unread(file, str(error))
    except OSError as error:
        yield _unread(file, f"cannot be read: {error.strerror or error}")


def _unread(file: Found, reason: str, line: int | None = None) -> FileRead:
    return FileRead(file, None, iter([Problem(file.name, line, reason)]))


def _member(file: Found, member: Member, digest: str, format_: str, how: How) -> Iterator[FileRead]:
    """A file, or one of an archive: its format is told, its papers come as they are read."""
    inner = f"!{member.name}" if member.name else ""
    if member.name:
        file = replace(file, name=f"{file.name}/{source_name(PurePath(member.name))}")
    origin = Origin(
        content=hashlib.sha256((digest + inner).encode()).hexdigest() if inner else digest,
        place=hashlib.sha256(file.place + inner.encode("utf-8", "surrogateescape")).hexdigest(),
    )
    try:
        with closing(Text.of(member)) as text:
            if not text.head.strip():
                raise ReadError("empty file")
            reader = _reader(text.head, file, PurePath(member.name or file.path).suffix, format_)
            reading = reader.open(text, file.name, how)
            found = _papers(file.name, text, reader, reading, is_named=format_ != "auto")
            yield FileRead(file, origin, found, reading.described)
    except ReadError as error:
        yield _unread(file, str(error), error.line)


def _reader(head: str, file: Found, ending: str, format_: str) -> Reader:
    """The reader of a file with this beginning; other text found in a folder may be anything."""
    suffix = ending.casefold()
    reader = reader_of(head, format_, suffix)
    is_guess = reader is None or (reader.name == "digest" and not file.is_named)
    if reader is None or (is_guess and format_ == "auto" and suffix not in _FOLDER_TEXTS):
        begins = repr(" ".join(head.split())[:40])
        raise ReadError(f"no known format: it begins with {begins}; --format names one")
    return reader


def _papers(
    name: str, text: Text, reader: Reader, reading: Reading, *, is_named: bool
) -> Iterator[Paper | Problem]:
    """The papers of a file and its problems; a digest's all at once, if they are plausible.

    `is_named` says that a user named the format: then all of them are.
    """
    found = _normalised(name, text, reading)
    if reader.name in ("digest", "html", "mail"):
        known = list(found)
        reason = doubt([each for each in known if isinstance(each, Paper)])
        reason = None if is_named else reason
        found = iter([Problem(name, None, reason)] if reason else known)
    is_silent = True
    for each in found:
        is_silent = is_silent and isinstance(each, Problem) and each.is_warning
        yield each
    if is_silent:
        yield Problem(name, None, f"no paper found in it, read as {reader.name}")


def _normalised(name: str, text: Text, reading: Reading) -> Iterator[Paper | Problem]:
    normaliser = Normaliser(name)
    told = 0
    try:
        for record in reading.records:
            yield from [record] if isinstance(record, Problem) else normaliser.papers(record)
            for line, reason in text.warnings[told:]:
                yield Problem(name, line, reason, is_warning=True)
            told = len(text.warnings)
    except ReadError as error:
        yield Problem(name, error.line, str(error), is_damage=True)
