"""The bytes of files as text: out of archives, in whatever encoding, line by line.

Nothing is ever unpacked to a place that an archive names, and everything has a bound.
"""

import bz2
import codecs
import gzip
import io
import lzma
import re
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any

import zstandard

from index.readers.records import ReadError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MOST_BYTES = 8_000_000_000
"""Bytes that one file may unpack to; the arXiv snapshot has five billion."""
MOST_MEMBERS = 20_000
"""Files in one archive."""
LONGEST_LINE = 30_000_000
"""Characters of one line."""
_MOST_RATIO = 150
"""Text that is packed tighter than this is none; JSON of abstracts reaches ten."""
_CHECKED_FROM = 8_000_000
"""Unpacked bytes below which the ratio is of no interest."""
_HEAD = 1 << 16
"""Bytes by which encoding and format are told."""

_Unpack = Callable[[IO[bytes]], Any]
_PACKED: tuple[tuple[bytes, _Unpack], ...] = (
    (b"\x1f\x8b", lambda file: gzip.GzipFile(fileobj=file)),
    (b"BZh", bz2.BZ2File),
    (b"\xfd7zXZ\0", lzma.LZMAFile),
    (
        b"\x28\xb5\x2f\xfd",
        lambda file: zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True),
    ),
)
_BROKEN = (
    EOFError, OSError, ValueError, RuntimeError, NotImplementedError, lzma.LZMAError,
    tarfile.TarError, zipfile.BadZipFile, zlib.error, zstandard.ZstdError,
)  # fmt: skip
_AS_CLEAN, _AS_LIKELY, _NEARLY = 0.05, 0.15, 0.9
"""How near to the best guess Windows-1252 must come; the share of ASCII in Western texts."""
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_MOST_CONTROL = 0.01
_OFFICE = ("[Content_Types].xml", "mimetype", "META-INF/manifest.xml")
"""What the archives have inside that only their programs open."""
_BINARY = {b"%PDF-": "a PDF", b"PK\x03\x04": "a packed file", b"\x89PNG": "a picture",
           b"{\\rtf": "RTF",
           b"\xd0\xcf\x11\xe0": "an office file"}  # fmt: skip
_BAD_BYTE = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True, slots=True)
class Member:
    """A file, or one file of an archive."""

    name: str | None
    """Its path inside the archive; None of a file that is no archive."""
    open: Callable[[], IO[bytes]]
    """A new stream of its bytes; who calls it closes it."""


class _Bounded(io.RawIOBase):
    """What a packed file unpacks to, which ends in an error where it is more than text can be."""

    def __init__(self, unpack: _Unpack, packed: IO[bytes]) -> None:
        self._inside, self._packed, self._count = unpack(packed), packed, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        room = memoryview(buffer)
        data = self._inside.read(len(room))
        room[: len(data)] = data
        self._count += len(data)
        packed = max(self._packed.tell(), 1)
        if self._count > MOST_BYTES or (
            self._count > _CHECKED_FROM and self._count > _MOST_RATIO * packed
        ):
            raise ReadError("unpacks to more than a file of abstracts can be: not read")
        return len(data)

    def close(self) -> None:
        self._inside.close()
        self._packed.close()
        super().close()


def members(source: Path | bytes) -> Iterator[Member]:
    """The files in an archive, by name; or the one file that is no archive.

    A member can be opened until the next one is asked for.

    Raises:
        ReadError: the archive is broken, too large, or names a place outside of it.
        OSError: the file cannot be read.
    """
    with _open(source) as file:
        head = file.read(_HEAD)
    if head.startswith(b"PK\x03\x04"):
        with _problems("zip"):
            yield from _zipped(source)
        return
    opened = partial(_open, source)
    packed = next((unpack for magic, unpack in _PACKED if head.startswith(magic)), None)
    if packed is not None:
        opened = partial(_unpacked, source, packed)
        with _problems("packed file"), _Bounded(packed, _open(source)) as inside:
            head = inside.read(512) or b""
    if head[257:262] != b"ustar":
        yield Member(None, opened)
        return
    with _problems("tar"), tempfile.TemporaryFile() as whole:
        with opened() as file:
            shutil.copyfileobj(file, whole)
        yield from _tarred(whole)


def _open(source: Path | bytes) -> IO[bytes]:
    return io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")


def _unpacked(source: Path | bytes, unpack: _Unpack) -> IO[bytes]:
    return io.BufferedReader(_Bounded(unpack, _open(source)), _HEAD)


@contextmanager
def _problems(what: str) -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        raise ReadError(
            f"a broken {what}: {' '.join(str(error).split()) or 'it ends early'}"
        ) from error


def _check(names: list[str], sizes: int, packed: int) -> None:
    if len(names) > MOST_MEMBERS:
        raise ReadError(f"holds {len(names):,} files, more than {MOST_MEMBERS:,}: not read")
    if sizes > MOST_BYTES or (sizes > _CHECKED_FROM and sizes > _MOST_RATIO * max(packed, 1)):
        raise ReadError("unpacks to more than files of abstracts can be: not read")
    for name in names:
        parts = PurePosixPath(name.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or re.match(r"[A-Za-z]:", name):
            raise ReadError(f"holds {name[:80]!r}, a path out of the archive: not read")


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)


def _zipped(source: Path | bytes) -> Iterator[Member]:
    with _open(source) as file, zipfile.ZipFile(file) as archive:
        inside = [info for info in archive.infolist() if not info.is_dir()]
        if any(info.filename in _OFFICE for info in inside):
            raise ReadError("an office file or a book, not text: save it as text or CSV")
        packed = sum(info.compress_size for info in inside)
        _check([info.filename for info in inside], sum(i.file_size for i in inside), packed)
        if any(info.flag_bits & 1 for info in inside):
            raise ReadError("is locked by a password: unpack it first")
        for info in sorted(inside, key=lambda info: info.filename):
            if not _is_hidden(info.filename):
                yield Member(info.filename, partial(archive.open, info))


def _tarred(whole: IO[bytes]) -> Iterator[Member]:
    size = whole.seek(0, io.SEEK_END)
    whole.seek(0)
    with tarfile.open(fileobj=whole, mode="r:") as archive:
        inside = [info for info in archive.getmembers() if not info.isdir()]
        _check([info.name for info in inside], sum(info.size for info in inside), size)
        for info in sorted(inside, key=lambda info: info.name):
            if info.isfile() and not _is_hidden(info.name):
                yield Member(info.name, partial(_extracted, archive, info))


def _extracted(archive: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    file = archive.extractfile(info)
    if file is None:
        raise ReadError("a file in it cannot be read")
    return file


class Text:
    r"""The text of a file, decoded as it is read; its line ends are `\n`."""

    def __init__(self, stream: IO[str], head: str, warnings: Iterable[str] = ()) -> None:
        self._stream = stream
        self.head = head
        """Its first kilobytes, by which the format is told."""
        self.warnings: list[tuple[int | None, str]] = [(None, warning) for warning in warnings]
        """What is odd about its encoding, by line; all of them once the text is read."""

    @classmethod
    def of(cls, member: Member) -> "Text":
        """Tell the encoding of a file by its beginning, and open it; `close` it in the end.

        UTF-8 and UTF-16 are known by their marks or their bytes; a legacy encoding is guessed, and
        told. A line of UTF-8 that has other bytes is read as Windows-1252.

        Raises:
            ReadError: it is not text, or a broken archive.
        """
        with _problems("file"), member.open() as stream:
            start = stream.read(_HEAD)
        kind = next((what for magic, what in _BINARY.items() if start.startswith(magic)), None)
        if kind:
            raise ReadError(f"{kind}, not text: export or save it as text")
        warnings: list[str] = []
        encoding = _encoding_of(start)
        if encoding is None:
            encoding = _guessed(start)
            warnings.append(f"read as {encoding}; if it shows wrong letters, save as UTF-8")
        errors = "surrogateescape" if encoding == "utf-8" else "replace"
        # A letter that the beginning cuts in two is left out of it.
        head = codecs.getincrementaldecoder(encoding)(errors).decode(start, len(start) < _HEAD)
        head = re.sub(r"\r\n?", "\n", head.removeprefix("\ufeff"))
        head = "\n".join(map(_fixed, head.split("\n")))
        controls = sum(1 for _ in _CONTROL.finditer(head))
        if "\0" in head or controls > _MOST_CONTROL * len(head):
            raise ReadError("not text")
        return cls(io.TextIOWrapper(member.open(), encoding, errors), head, warnings)

    @classmethod
    def of_string(cls, text: str) -> "Text":
        """A text that is there already."""
        whole = text.encode("utf-8", "replace").decode()
        return cls(io.StringIO(whole, newline=None), whole[:_HEAD])

    def close(self) -> None:
        """Close the file, and what it is packed in."""
        self._stream.close()

    def lines(self) -> Iterator[tuple[int, str]]:
        """Each line without its end, with its number from 1.

        Raises:
            ReadError: the archive it comes from is broken, or a line is too long.
        """
        number = 0
        with _problems("file"):
            while line := self._stream.readline(LONGEST_LINE):
                number += 1
                if len(line) == LONGEST_LINE:
                    reason = f"a line of more than {LONGEST_LINE:,} characters: not read"
                    raise ReadError(reason, number)
                if number == 1:
                    line = line.removeprefix("\ufeff")
                fixed = _fixed(line)
                if fixed is not line:
                    told = "not UTF-8: this line is read as Windows-1252"
                    self.warnings.append((number, told))
                yield number, fixed.removesuffix("\n")

    def whole(self) -> str:
        """All of it, for formats that are read at once."""
        return "\n".join(line for _, line in self.lines())


def _fixed(line: str) -> str:
    """A line of UTF-8, or one with bytes that are none as Windows-1252."""
    if not _BAD_BYTE.search(line):
        return line
    return line.encode("utf-8", "surrogateescape").decode("cp1252", "replace")


def _encoding_of(start: bytes) -> str | None:
    """UTF-8 or UTF-16 as marks and bytes tell it; None if it must be guessed."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    even, odd = start[::2].count(0), start[1::2].count(0)
    if (
        len(start) > 15
        and max(even, odd) > len(start) // 8
        and min(even, odd) <= max(even, odd) // 8
    ):
        return "utf-16-le" if odd > even else "utf-16-be"
    text = start.decode("utf-8", "surrogateescape")
    bad = len(_BAD_BYTE.findall(text[:-3]))
    good = sum(1 for c in text if c >= "\x80") - bad
    return "utf-8" if bad <= good / 4 else None


def _guessed(start: bytes) -> str:
    """The most likely legacy encoding; Windows-1252 wherever it fits about as well."""
    # Imported here: most files are UTF-8.
    from charset_normalizer import from_bytes

    found = from_bytes(start, threshold=0.3)
    best = found.best()
    if best is None:
        raise ReadError("not text")
    for each in found:
        if "cp1252" in (each.encoding, *each.could_be_from_charset) and (
            each.chaos <= best.chaos + _AS_CLEAN and each.coherence >= best.coherence - _AS_LIKELY
        ):
            return "cp1252"
    is_ascii = len(start.translate(None, bytes(range(128, 256)))) >= _NEARLY * len(start)
    return "cp1252" if is_ascii and best.multi_byte_usage > 0 else best.encoding
