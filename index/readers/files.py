"""The files that people name, and their bytes as text: out of archives, in whatever encoding.

Nothing is ever unpacked to a place that an archive names, and everything has a bound.
"""

import bz2
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
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path, PurePath, PurePosixPath
from typing import IO, TYPE_CHECKING, Any

import zstandard

from index.errors import InputError
from index.readers.records import ReadError
from index.sources import free_name, sha256_of, source_name

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
        if not is_name or not self.name.strip() or len(self.name) > 200:
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
    is_named: bool = True
    """Whether it was named itself, and not found in a folder."""

    @property
    def source(self) -> Path | bytes:
        """Where its bytes are to be had."""
        return self.path if self.content is None else self.content

    @property
    def is_read_once(self) -> bool:
        """Whether it is a pipe."""
        return self.content is None and not self.path.is_file()

    @property
    def path_on_disk(self) -> Path | None:
        """Where it lies; None of an upload or a pipe."""
        return self.path if self.content is None and self.path.is_file() else None

    @property
    def place(self) -> bytes:
        """What tells where it lies: its absolute path; the content of an upload."""
        return os.fsencode(self.path.resolve()) if self.content is None else self.content

    def digest(self) -> str:
        """The SHA-256 of its content, hexadecimal."""
        content = self.content
        return sha256_of(self.path) if content is None else hashlib.sha256(content).hexdigest()

    def year(self) -> int:
        """The year of its modification; this year of an upload, or of an impossible time."""
        if self.content is None:
            with suppress(ValueError, OverflowError):
                return datetime.fromtimestamp(self.path.stat().st_mtime, UTC).year
        return datetime.now(UTC).year


def find_files(paths: Sequence[Path | Upload], leave_out: Path | None = None) -> list[Found]:
    """The files of `paths`: each file itself, each folder's files by name, hidden ones left out.

    A file named twice is taken once, under its first name. A file whose name another one has got
    before it is called by its folder too, an upload by a number.

    Args:
        paths: Files, folders and uploads.
        leave_out: A folder of which nothing is taken, though it may lie inside others.

    Raises:
        InputError: there is no path, a path is missing, or a folder holds no file.
    """
    if not paths:
        raise InputError("nothing to read: name a file or a folder of abstracts")
    found: dict[Path | Upload, Found] = {}
    names: set[str] = set()
    for path in paths:
        for file in _files_of(path, leave_out):
            key = path if isinstance(path, Upload) else file.path.resolve()
            if key not in found:
                place = None if isinstance(path, Upload) else file.path
                found[key] = replace(file, name=free_name(place, file.name, names))
                names.add(found[key].name)
    return list(found.values())


def _files_of(path: Path | Upload, leave_out: Path | None) -> Iterator[Found]:
    """The file of a path, or those in its folder, with the names that they have there."""
    name = source_name(PurePath(path.name))
    if isinstance(path, Upload):
        yield Found(Path(path.name), name, path.content)
        return
    try:
        is_file, exists = not path.is_dir(), path.exists()
    except (OSError, ValueError) as error:  # a name too long, or with a NUL
        why = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise InputError(f"{str(path)[:100]!r} is not a path: {why}") from error
    if not exists:
        raise InputError(
            f"{source_name(path)} does not exist: name a file or a folder of abstracts"
        )
    if is_file:
        yield Found(path, name)
        return
    left_out = leave_out.resolve() if leave_out else None
    is_empty = True
    for file in sorted(path.rglob("*")):
        inner = file.relative_to(path)
        is_hidden = any(part.startswith(".") for part in inner.parts)
        if file.is_file() and not is_hidden and left_out not in file.resolve().parents:
            yield Found(file, source_name(inner), is_named=False)
            is_empty = False
    if is_empty:
        raise InputError(f"no file in {source_name(path)}: name one that holds abstracts")


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
        _check_size(self._count, self._packed.tell())
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


def _check_size(size: int, packed: int) -> None:
    if size > MOST_BYTES or (size > _CHECKED_FROM and size > _MOST_RATIO * max(packed, 1)):
        raise ReadError("unpacks to more than files of abstracts can be: not read")


@contextmanager
def _problems(what: str) -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        raise ReadError(
            f"a broken {what}: {' '.join(str(error).split()) or 'it ends early'}"
        ) from error


def _readable(files: Sequence[tuple[str, int]], packed: int) -> list[str]:
    """The names of an archive's files that are to be read, in order.

    Args:
        files: The name of each, and its unpacked size in bytes.
        packed: The bytes that they take in the archive.

    Raises:
        ReadError: there are too many, they are too large, or lie outside of it.
    """
    if len(files) > MOST_MEMBERS:
        raise ReadError(f"holds {len(files):,} files, more than {MOST_MEMBERS:,}: not read")
    _check_size(sum(size for _, size in files), packed)
    shown: list[str] = []
    for name, _ in sorted(files):
        parts = PurePosixPath(name.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or re.match(r"[A-Za-z]:", name):
            raise ReadError(f"holds {name[:80]!r}, a path out of the archive: not read")
        if not any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts):
            shown.append(name)
    return shown


def _zipped(source: Path | bytes) -> Iterator[Member]:
    with _open(source) as file, zipfile.ZipFile(file) as archive:
        inside = [info for info in archive.infolist() if not info.is_dir()]
        if any(info.filename in _OFFICE for info in inside):
            raise ReadError("an office file or a book, not text: save it as text or CSV")
        sizes = [(info.filename, info.file_size) for info in inside]
        names = _readable(sizes, sum(info.compress_size for info in inside))
        if any(info.flag_bits & 1 for info in inside):
            raise ReadError("is locked by a password: unpack it first")
        for name in names:
            yield Member(name, partial(archive.open, name))


def _tarred(whole: IO[bytes]) -> Iterator[Member]:
    size = whole.seek(0, io.SEEK_END)
    whole.seek(0)
    with tarfile.open(fileobj=whole, mode="r:") as archive:
        inside = [info for info in archive.getmembers() if not info.isdir()]
        files = {info.name for info in inside if info.isfile()}
        for name in _readable([(info.name, info.size) for info in inside], size):
            if name in files:
                yield Member(name, partial(_extracted, archive, name))


def _extracted(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    file = archive.extractfile(name)
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
