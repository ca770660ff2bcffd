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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

import zstandard

from index.readers.records import ReadError

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


class _Bounded(io.RawIOBase):
    """What a packed file unpacks to, which ends in an error where it is more than text can be."""

    def __init__(self, inside: IO[bytes], packed: IO[bytes]) -> None:
        self._inside, self._packed, self._count = inside, packed, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._inside.read(len(buffer))
        buffer[: len(data)] = data
        self._count += len(data)
        packed = max(self._packed.tell(), 1)
        if self._count > MOST_BYTES or (
            self._count > _CHECKED_FROM and self._count > _MOST_RATIO * packed
        ):
            raise ReadError("unpacks to more than a file of abstracts can be: not read")
        return len(data)


def members(source: Path | bytes) -> Iterator[Member]:
    """The files in an archive, by name; or the one file that is no archive.

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
    packed = next((unpack for magic, unpack in _PACKED if head.startswith(magic)), None)
    if packed is not None:
        with _problems("packed file"), _open(source) as file:
            start = _Bounded(packed(file), file).read(512)
        if not _is_tar(start or b""):
            yield Member(None, lambda: _unpacked(source, packed))
            return
    elif not _is_tar(head):
        yield Member(None, lambda: _open(source))
        return
    with _problems("tar"), tempfile.TemporaryFile() as whole:
        with _unpacked(source, packed) if packed else _open(source) as file:
            shutil.copyfileobj(file, whole)
        whole.seek(0)
        yield from _tarred(whole)


def _open(source: Path | bytes) -> IO[bytes]:
    return io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")


def _unpacked(source: Path | bytes, unpack: _Unpack) -> IO[bytes]:
    file = _open(source)
    return io.BufferedReader(_Bounded(unpack(file), file), _HEAD)


def _is_tar(head: bytes) -> bool:
    return head[257:262] == b"ustar"


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
                yield Member(info.filename, lambda info=info: archive.open(info))  # type: ignore[misc]


def _tarred(whole: IO[bytes]) -> Iterator[Member]:
    size = whole.seek(0, io.SEEK_END)
    whole.seek(0)
    with tarfile.open(fileobj=whole, mode="r:") as archive:
        inside = [info for info in archive.getmembers() if not info.isdir()]
        _check([info.name for info in inside], sum(info.size for info in inside), size)
        for info in sorted(inside, key=lambda info: info.name):
            if info.isfile() and not _is_hidden(info.name):
                yield Member(info.name, lambda info=info: _given(archive.extractfile(info)))  # type: ignore[misc]


def _given(file: IO[bytes] | None) -> IO[bytes]:
    if file is None:
        raise ReadError("a file in it cannot be read")
    return file


@dataclass
class Text:
    r"""The text of a file, decoded as it is read; its line ends are `\n`."""

    head: str
    """Its first kilobytes, by which the format is told."""
    warnings: list[tuple[int | None, str]]
    """What is odd about its encoding, by line; all of them once the text is read."""
    _stream: IO[bytes]
    _encoding: str

    @classmethod
    def of(cls, stream: IO[bytes]) -> "Text":
        """Tell the encoding of a stream by its beginning.

        UTF-8 and UTF-16 are known by their marks or their bytes; a legacy encoding is guessed, and
        told. A line of UTF-8 that has other bytes is read as Windows-1252.

        Raises:
            ReadError: it is not text, or a broken archive.
        """
        with _problems("file"):
            start = _read(stream, _HEAD)
        kind = next((what for magic, what in _BINARY.items() if start.startswith(magic)), None)
        if kind:
            raise ReadError(f"{kind}, not text: export or save it as text")
        warnings: list[tuple[int | None, str]] = []
        encoding = _encoding_of(start)
        if encoding is None:
            encoding = _guessed(start)
            warnings.append((None, f"read as {encoding}; if it shows wrong letters, save as UTF-8"))
        rest = io.BufferedReader(_Joined(start, stream), _HEAD)
        text = cls("", warnings, rest, encoding)
        head = text._fixed(start.decode(encoding, text._errors), None)
        head = re.sub(r"\r\n?", "\n", head.removeprefix("\ufeff"))
        controls = sum(1 for _ in _CONTROL.finditer(head))
        if "\0" in head or controls > _MOST_CONTROL * len(head):
            raise ReadError("not text")
        text.head = head
        return text

    @classmethod
    def of_string(cls, text: str) -> "Text":
        """A text that is there already."""
        stream = io.BytesIO(text.encode("utf-8", "replace"))
        return cls(text[:_HEAD], [], stream, "utf-8")

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    @property
    def _errors(self) -> str:
        return "surrogateescape" if self._encoding == "utf-8" else "replace"

    def lines(self) -> Iterator[tuple[int, str]]:
        """Each line without its end, with its number from 1.

        Raises:
            ReadError: the archive it comes from is broken, or a line is too long.
        """
        wrapped = io.TextIOWrapper(self._stream, self._encoding, errors=self._errors)
        number = 0
        with _problems("file"):
            while line := wrapped.readline(LONGEST_LINE):
                number += 1
                if len(line) == LONGEST_LINE:
                    reason = f"a line of more than {LONGEST_LINE:,} characters: not read"
                    raise ReadError(reason, number)
                if number == 1:
                    line = line.removeprefix("\ufeff")
                yield number, self._fixed(line.removesuffix("\n"), number)

    def whole(self) -> str:
        """All of it, for formats that are read at once."""
        return "\n".join(line for _, line in self.lines())

    def _fixed(self, line: str, number: int | None) -> str:
        if self._encoding == "utf-8" and _BAD_BYTE.search(line):
            if number is not None:
                self.warnings.append((number, "not UTF-8: this line is read as Windows-1252"))
            return line.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
        return line


def _read(stream: IO[bytes], size: int) -> bytes:
    data = b""
    while len(data) < size and (more := stream.read(size - len(data))):
        data += more
    return data


class _Joined(io.RawIOBase):
    """A stream with its beginning, that was read already, in front again."""

    def __init__(self, start: bytes, rest: IO[bytes]) -> None:
        self._start, self._rest = io.BytesIO(start), rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._start.read(len(buffer)) or self._rest.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


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
