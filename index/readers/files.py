"""Find the files that users name, open archives, and decode text in any encoding.

Nothing is ever unpacked to a path that an archive names, and every size is limited. Text is decoded
line by line.
"""

import codecs
import gzip
import hashlib
import io
import lzma
import os
import re
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path, PurePath, PurePosixPath
from typing import IO, Any, cast

import zstandard

from index.errors import InputError
from index.readers.records import ReadError
from index.sources import free_name, sha256_of, source_name

MOST_BYTES = 8_000_000_000  # that one file may unpack to; the arXiv snapshot has five billion
MOST_MEMBERS = 20_000  # files in one archive
HEAD_BYTES = 1 << 16  # by which archives, encodings and formats are recognised
LONGEST_LINE = 30_000_000  # characters

OpenStream = Callable[[], IO[bytes]]
"""A function that opens a new stream of a file's bytes; the caller closes it."""
_Unpack = Callable[[IO[bytes]], Any]
_PACKED: Mapping[bytes, _Unpack] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"\x28\xb5\x2f\xfd": lambda file: zstandard.ZstdDecompressor().stream_reader(
        file, read_across_frames=True
    ),
}
_OFFICE = {"[Content_Types].xml", "mimetype", "META-INF/manifest.xml"}
"""Names inside archives that are office documents or e-books."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that is not on disk, with the name that its user gave: `InputError` if it is none."""

    name: str
    content: bytes

    def __post_init__(self) -> None:
        is_name = PurePath(self.name).name == self.name != ".." and self.name.strip()
        is_text = self.name == self.name.encode("utf-8", "replace").decode()
        if not is_name or not is_text or len(self.name) > 200:
            shown = ascii(self.name[:100])
            raise InputError(f"{shown} is not a file name: use one like 'march.txt'")


@dataclass(frozen=True, slots=True)
class Found:
    """A file to read."""

    name: str  # of its papers' sources, unique in the run
    source: Path | bytes  # its path, or the content of an upload
    is_named: bool = True  # by the user, rather than found in a folder

    @property
    def is_read_once(self) -> bool:
        """Whether it is a pipe, which can be read only once."""
        return isinstance(self.source, Path) and not self.source.is_file()

    @property
    def path_on_disk(self) -> Path | None:
        """Its path; None for an upload or a pipe."""
        return self.source if isinstance(self.source, Path) and not self.is_read_once else None

    @property
    def place(self) -> bytes:
        """The bytes that identify its place: its absolute path, or an upload's content."""
        place = self.source
        return os.fsencode(place.resolve()) if isinstance(place, Path) else place

    def digest(self) -> str:
        """Return the SHA-256 of its content, hexadecimal."""
        if isinstance(self.source, Path):
            return sha256_of(self.source)
        return hashlib.sha256(self.source).hexdigest()

    def year(self) -> int:
        """Return the year of its last change (UTC); this year for an upload or an invalid time."""
        with suppress(ValueError, OverflowError):
            if isinstance(self.source, Path):
                return datetime.fromtimestamp(self.source.stat().st_mtime, UTC).year
        return datetime.now(UTC).year


def find_files(paths: Sequence[Path | Upload], leave_out: Path | None = None) -> list[Found]:
    """Return the files of `paths`: each file itself, and each folder's files by name, none hidden.

    A file that is named twice is returned once. If an earlier file has the same name, a file is
    named with its folder, an upload with a number. The folder `leave_out` is skipped everywhere.
    No path, a missing one, or a folder without files is an `InputError`.
    """
    if not paths:
        raise InputError("nothing to read: name a file or a folder of abstracts")
    found: dict[Path | Upload, Found] = {}
    names: set[str] = set()
    for path in paths:
        for file in _files_of(path, leave_out):
            place = file.source if isinstance(file.source, Path) else None
            key = place.resolve() if place else path
            if key not in found:
                found[key] = replace(file, name=free_name(place, file.name, names))
                names.add(found[key].name)
    return list(found.values())


def _files_of(path: Path | Upload, leave_out: Path | None) -> list[Found]:
    name = source_name(PurePath(path.name))
    if isinstance(path, Upload):
        return [Found(name, path.content)]
    shown = source_name(path)
    try:
        if not path.exists():
            raise InputError(f"{shown} does not exist: name a file or a folder of abstracts")
    except (OSError, ValueError) as error:  # a name too long, or with a NUL
        why = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise InputError(f"{str(path)[:100]!r} is not a path: {why}") from error
    if not path.is_dir():
        return [Found(name, path)]
    left_out = leave_out.resolve() if leave_out else None
    found: list[Found] = []
    for file in sorted(path.rglob("*")):
        inner = file.relative_to(path)
        is_hidden = any(part.startswith(".") for part in inner.parts)
        if file.is_file() and not is_hidden and left_out not in file.resolve().parents:
            found.append(Found(source_name(inner), file, is_named=False))
    if not found:
        raise InputError(f"no file in {shown}: name a folder that contains abstracts")
    return found


class _Bounded(io.RawIOBase):
    """The unpacked bytes of a packed file; raises `ReadError` if they are more than text can be."""

    def __init__(self, unpack: _Unpack, packed: IO[bytes]) -> None:
        self._inside, self._packed, self._count = unpack(packed), packed, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        size: int = self._inside.readinto(buffer)
        self._count += size
        _check_size(self._count, self._packed.tell())
        return size

    def close(self) -> None:
        self._inside.close()
        self._packed.close()
        super().close()


def _check_size(size: int, packed: int) -> None:
    # Nothing packed tighter than 150:1 is text: JSON of abstracts reaches 10:1. Small files may be.
    if size > MOST_BYTES or (size > 8_000_000 and size > 150 * max(packed, 1)):
        raise ReadError("is too large when unpacked: not read")


@contextmanager
def _refused_if_broken(what: str) -> Iterator[None]:
    """Raise a `ReadError` where an archive or a packed file is broken."""
    try:
        yield
    except (
        EOFError, OSError, RuntimeError, ValueError, lzma.LZMAError, tarfile.TarError,
        zipfile.BadZipFile, zlib.error, zstandard.ZstdError,
    ) as error:  # fmt: skip
        reason = " ".join(str(error).split()) or "it ends early"
        raise ReadError(f"a broken {what}: {reason}") from error


def _open(source: Path | bytes, unpack: _Unpack | None = None) -> IO[bytes]:
    file = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
    return io.BufferedReader(_Bounded(unpack, file), HEAD_BYTES) if unpack else file


def members(source: Path | bytes) -> Iterator[tuple[str, OpenStream]]:
    """Yield the path of each file in an archive, by name, and what opens it; else "" and that.

    Open a member before you ask for the next one. An archive that is broken, too large, or names a
    path outside of it is a `ReadError`.
    """
    opened = partial(_open, source)
    with opened() as file:
        head = file.read(HEAD_BYTES)
    if head.startswith(b"PK\x03\x04"):
        yield from _zipped(opened)
        return
    for magic, unpack in _PACKED.items():
        if head.startswith(magic):
            opened = partial(_open, source, unpack)
            with _refused_if_broken("packed file"), opened() as unpacked:
                head = unpacked.read(512)
            break
    if head[257:262] == b"ustar":
        yield from _tarred(opened)
    else:
        yield "", opened


def _zipped(opened: OpenStream) -> Iterator[tuple[str, OpenStream]]:
    with _refused_if_broken("zip"), opened() as file, zipfile.ZipFile(file) as archive:
        inside = [info for info in archive.infolist() if not info.is_dir()]
        if any(info.filename in _OFFICE for info in inside):
            raise ReadError("an office file or e-book, not text: save it as text or CSV")
        sizes = {info.filename: info.file_size for info in inside}
        names = _readable(sizes, sum(info.compress_size for info in inside))
        if any(info.flag_bits & 1 for info in inside):
            raise ReadError("is protected by a password: unpack it first")
        yield from ((name, partial(archive.open, name)) for name in names)


def _tarred(opened: OpenStream) -> Iterator[tuple[str, OpenStream]]:
    with _refused_if_broken("tar"), tempfile.TemporaryFile() as whole:
        with opened() as file:
            shutil.copyfileobj(file, whole)
        size = whole.tell()
        whole.seek(0)
        with tarfile.open(fileobj=whole, mode="r:") as tar:
            files = {info.name: info for info in tar.getmembers() if not info.isdir()}
            for name in _readable({name: info.size for name, info in files.items()}, size):
                if files[name].isfile():  # so `extractfile` returns a stream, never None
                    yield name, cast(OpenStream, partial(tar.extractfile, files[name]))


def _readable(sizes: Mapping[str, int], packed: int) -> list[str]:
    """Return the names of an archive's files to read; they take `packed` bytes in the archive."""
    if len(sizes) > MOST_MEMBERS:
        raise ReadError(f"contains {len(sizes):,} files, more than {MOST_MEMBERS:,}: not read")
    _check_size(sum(sizes.values()), packed)
    for name in sizes:
        parts = PurePosixPath(name.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or re.match(r"[A-Za-z]:", name):
            raise ReadError(f"contains {name[:80]!r}, a path outside the archive: not read")
    return [name for name in sorted(sizes) if not re.search(r"(?:^|/)(?:\.(?!/)|__MACOSX)", name)]


_BINARY = {b"%PDF-": "a PDF", b"PK\x03\x04": "a packed file", b"\x89PNG": "a picture",
           b"{\\rtf": "RTF", b"\xd0\xcf\x11\xe0": "an office file"}  # fmt: skip
_CONTROLS = bytes({*range(32), 127} - {9, 10, 11, 12, 13, 27}).decode()


class Text:
    r"""The text of a file, decoded while it is read; its line ends are `\n`."""

    def __init__(self, stream: IO[str], head: str, warnings: Iterable[str] = ()) -> None:
        self._stream = stream
        self.head = head  # its first 64 KiB, by which the format is recognised
        # Line (None for all) and oddity of its encoding; complete once the whole text is read.
        self.warnings: list[tuple[int | None, str]] = [(None, warning) for warning in warnings]

    @classmethod
    def of(cls, opened: OpenStream) -> "Text":
        """Recognise the encoding of a file by its beginning, and open it; the caller closes it.

        UTF-8 is recognised by its bytes, it and UTF-16 by a byte order mark; a legacy encoding is
        guessed, with a warning. What is not text, or a broken archive, is a `ReadError`.
        """
        with _refused_if_broken("file"), opened() as stream:
            start = stream.read(HEAD_BYTES)
        if kind := next((what for magic, what in _BINARY.items() if start.startswith(magic)), None):
            raise ReadError(f"{kind}, not text: export or save it as text")
        encoding, warnings = _encoding_of(start)
        errors = "surrogateescape" if encoding == "utf-8-sig" else "replace"
        # A character that the end of `start` cuts in two is left out.
        head = codecs.getincrementaldecoder(encoding)(errors).decode(start, len(start) < HEAD_BYTES)
        head = head.replace("\r\n", "\n").replace("\r", "\n")
        head = "\n".join(map(_fixed, head.split("\n")))
        if "\0" in head or sum(map(head.count, _CONTROLS)) > len(head) / 100:
            raise ReadError("not text")
        return cls(io.TextIOWrapper(opened(), encoding, errors), head, warnings)

    @classmethod
    def of_string(cls, text: str) -> "Text":
        """Wrap a text that is already in memory."""
        whole = text.encode("utf-8", "replace").decode("utf-8-sig")
        return cls(io.StringIO(whole, newline=None), whole[:HEAD_BYTES])

    def close(self) -> None:
        """Close the file, and the archive that holds it."""
        self._stream.close()

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yield each line's number, from 1, and text; `ReadError` if it is too long or broken."""
        with _refused_if_broken("file"):
            readings = iter(lambda: self._stream.readline(LONGEST_LINE), "")
            for number, line in enumerate(readings, start=1):
                if len(line) == LONGEST_LINE:
                    reason = f"a line of more than {LONGEST_LINE:,} characters: not read"
                    raise ReadError(reason, number)
                fixed = _fixed(line)
                if fixed is not line:
                    self.warnings.append((number, "not UTF-8: this line is read as Windows-1252"))
                yield number, fixed.removesuffix("\n")

    def whole(self) -> str:
        """Return the whole text, for formats that are read at once."""
        return "\n".join(line for _, line in self.lines())


def _fixed(line: str) -> str:
    """Return a line as it is, or read as Windows-1252 if it has bytes that are not UTF-8."""
    if line.isascii() or not re.search("[\udc80-\udcff]", line):
        return line
    return line.encode("utf-8", "surrogateescape").decode("cp1252", "replace")


def _encoding_of(start: bytes) -> tuple[str, list[str]]:
    """Return the encoding of a file that begins with `start`, and a warning if it is a guess.

    Windows-1252 is preferred among legacy encodings if it fits about as well as the best.
    """
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", []
    text = start.decode("utf-8", "surrogateescape")
    bad = len(re.findall("[\udc80-\udcff]", text[:-3]))
    if start.startswith(codecs.BOM_UTF8) or 5 * bad <= sum(c >= "\x80" for c in text):
        return "utf-8-sig", []
    # Imported here: most files are UTF-8.
    from charset_normalizer import from_bytes

    found = from_bytes(start, threshold=0.3)
    if (best := found.best()) is None:
        raise ReadError("not text")
    encoding = best.encoding
    western = [e for e in found if "cp1252" in (e.encoding, *e.could_be_from_charset)]
    is_mostly_ascii = sum(byte < 128 for byte in start) >= 0.9 * len(start)
    if (is_mostly_ascii and best.multi_byte_usage > 0) or any(
        e.chaos <= best.chaos + 0.05 and e.coherence >= best.coherence - 0.15 for e in western
    ):
        encoding = "cp1252"
    return encoding, [f"read as {encoding}; if letters look wrong, save it as UTF-8"]
