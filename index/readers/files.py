"""Files and folders as people name them, and their bytes as text."""

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from index.errors import InputError
from index.sources import free_name, source_name

READ_SUFFIXES = ("", ".txt", ".text", ".md", ".jsonl", ".ndjson", ".json")
"""What is taken from a folder; a file named itself may have any suffix."""

UNREAD_SUFFIXES = (".bib", ".ris", ".csv", ".tsv", ".htm", ".html", ".xml")
"""Text in formats that would only look like a bad digest."""

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_LEAST_ASCII = 0.7
_MOST_CONTROL = 0.01
_LONGEST_NAME = 200


class NotTextError(ValueError):
    """The bytes are not text in any encoding that is tried."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that lies nowhere: what someone uploaded or pasted, with the name they gave it.

    Raises:
        InputError: the name is not that of a file in a folder.
    """

    name: str
    content: bytes

    def __post_init__(self) -> None:
        try:
            self.name.encode()
            is_name = PurePath(self.name).name == self.name != ".."
        except UnicodeEncodeError:
            is_name = False
        if not is_name or not self.name.strip() or len(self.name) > _LONGEST_NAME:
            shown = ascii(self.name[:100])
            raise InputError(f"{shown} is not the name of a file: give one like 'march.txt'")


@dataclass(frozen=True, slots=True)
class Found:
    """A file to read: where it lies, and the name its papers' sources get, unique in the run."""

    path: Path
    """Of an upload, its name."""
    name: str
    content: bytes | None = None
    """What an upload holds; None of a file on disk, which is read when its turn comes."""


def decode(data: bytes) -> str:
    r"""Bytes as text with `\n` line ends.

    UTF-8 and UTF-16 with a byte order mark, UTF-8 without one, and else Windows-1252, the
    encoding old mail programs leave behind.

    Raises:
        NotTextError: they are none of these, or contain NUL or many control characters.
    """
    try:
        text = data.decode("utf-16" if data.startswith(_UTF16) else "utf-8-sig")
    except UnicodeDecodeError:
        text = _decode_windows(data)
    if "\0" in text or text.startswith("%PDF-"):
        raise NotTextError("not text")
    if sum(1 for _ in _CONTROL.finditer(text)) > _MOST_CONTROL * len(text):
        raise NotTextError("not text")
    return re.sub(r"\r\n?", "\n", text)


def _decode_windows(data: bytes) -> str:
    """Windows-1252, if nearly all of it is ASCII as in every language that uses it."""
    ascii_bytes = len(data.translate(None, bytes(range(128, 256))))
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError as error:
        raise NotTextError("not text") from error
    if ascii_bytes < _LEAST_ASCII * len(data):
        raise NotTextError("not text")
    return text


def read_text(path: Path) -> str:
    """A file's text; see `decode`.

    Raises:
        NotTextError: the file is not text.
        OSError: it cannot be read.
    """
    return decode(path.read_bytes())


def find_files(
    paths: Sequence[Path | Upload], formats: Sequence[str], leave_out: Path | None = None
) -> list[Found]:
    """The files of `paths`: each file itself, each folder's files by name, hidden ones left out.

    A file named twice is taken once, under its first name. A file whose name another one has got
    before it is called by its folder too, an upload by a number.

    Args:
        paths: Files, folders and uploads.
        formats: What is read, for the message that a folder has none of it.
        leave_out: A folder of which nothing is taken, though it may lie inside others.

    Raises:
        InputError: there is no path, a path is missing, or a folder holds no readable file.
    """
    if not paths:
        raise InputError("nothing to read: name a file or a folder of abstracts")
    found: dict[Path | Upload, Found] = {}
    names: set[str] = set()
    for path in paths:
        if isinstance(path, Upload):
            if path in found:
                continue
            name = free_name(None, source_name(PurePath(path.name)), names)
            found[path] = Found(Path(path.name), name, path.content)
            names.add(name)
            continue
        try:
            inside = list(_inside(path, leave_out)) if path.is_dir() else None
            exists = path.exists()
        except (OSError, ValueError) as error:  # a name too long, or with a NUL
            raise InputError(f"{str(path)[:100]!r} is not a path: {_why(error)}") from error
        if not exists:
            raise InputError(
                f"{source_name(path)} does not exist: name a file or a folder of abstracts"
            )
        if inside is not None and not any(map(_is_readable, inside)):
            suffixes = ", ".join(filter(None, READ_SUFFIXES))
            raise InputError(
                f"no readable file in {source_name(path)}: this version reads"
                f" {', '.join(formats)} ({suffixes})"
            )
        for file in [Found(path, source_name(PurePath(path.name)))] if inside is None else inside:
            place = file.path.resolve()
            if place not in found:
                found[place] = replace(file, name=free_name(file.path, file.name, names))
                names.add(found[place].name)
    return list(found.values())


def _why(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _inside(folder: Path, leave_out: Path | None) -> Iterator[Found]:
    left_out = leave_out.resolve() if leave_out else None
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        is_hidden = any(part.startswith(".") for part in name.parts)
        if path.is_file() and not is_hidden and left_out not in path.resolve().parents:
            yield Found(path, source_name(name))


def _is_readable(file: Found) -> bool:
    try:
        return file.path.suffix.lower() in READ_SUFFIXES and bool(read_text(file.path).strip())
    except (NotTextError, OSError):
        return False
