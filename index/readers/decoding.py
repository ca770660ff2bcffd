"""The bytes of a file as text, in whatever encoding, line by line."""

import codecs
import io
import re
from collections.abc import Iterable, Iterator
from typing import IO

from index.readers.files import HEAD_BYTES, Member, refused_if_broken
from index.readers.records import ReadError

LONGEST_LINE = 30_000_000
"""Characters of one line."""
_BINARY = {b"%PDF-": "a PDF", b"PK\x03\x04": "a packed file", b"\x89PNG": "a picture",
           b"{\\rtf": "RTF", b"\xd0\xcf\x11\xe0": "an office file"}  # fmt: skip
_CONTROLS = bytes({*range(32), 127} - {9, 10, 11, 12, 13, 27}).decode()


class Text:
    r"""The text of a file, decoded as it is read; its line ends are `\n`."""

    def __init__(self, stream: IO[str], head: str, warnings: Iterable[str] = ()) -> None:
        self._stream = stream
        self.head = head
        """Its first kilobytes, by which the format is recognised."""
        self.warnings: list[tuple[int | None, str]] = [(None, warning) for warning in warnings]
        """What is odd about its encoding, by line; all of them once the text is read."""

    @classmethod
    def of(cls, member: Member) -> "Text":
        """Recognise the encoding of a file by its beginning, and open it; `close` it in the end.

        UTF-8 and UTF-16 are known by their marks or their bytes; a legacy encoding is guessed, with
        a warning. A line of UTF-8 that has other bytes is read as Windows-1252.

        Raises:
            ReadError: it is not text, or a broken archive.
        """
        with refused_if_broken("file"), member.open() as stream:
            start = stream.read(HEAD_BYTES)
        kind = next((what for magic, what in _BINARY.items() if start.startswith(magic)), None)
        if kind:
            raise ReadError(f"{kind}, not text: export or save it as text")
        warnings: list[str] = []
        encoding = _unicode_of(start)
        if encoding is None:
            encoding = _legacy_of(start)
            warnings.append(f"read as {encoding}; if it shows wrong letters, save as UTF-8")
        errors = "surrogateescape" if encoding == "utf-8" else "replace"
        # A letter that the beginning cuts in two is left out of it.
        head = codecs.getincrementaldecoder(encoding)(errors).decode(start, len(start) < HEAD_BYTES)
        head = head.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        head = "\n".join(map(_fixed, head.split("\n")))
        if "\0" in head or sum(map(head.count, _CONTROLS)) > len(head) / 100:
            raise ReadError("not text")
        return cls(io.TextIOWrapper(member.open(), encoding, errors), head, warnings)

    @classmethod
    def of_string(cls, text: str) -> "Text":
        """A text that is there already."""
        whole = text.encode("utf-8", "replace").decode()
        return cls(io.StringIO(whole, newline=None), whole[:HEAD_BYTES])

    def close(self) -> None:
        """Close the file, and what it is packed in."""
        self._stream.close()

    def lines(self) -> Iterator[tuple[int, str]]:
        """Each line without its end, with its number from 1.

        Raises:
            ReadError: the archive it comes from is broken, or a line is too long.
        """
        number = 0
        with refused_if_broken("file"):
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
    if line.isascii() or not re.search("[\udc80-\udcff]", line):
        return line
    return line.encode("utf-8", "surrogateescape").decode("cp1252", "replace")


def _unicode_of(start: bytes) -> str | None:
    """UTF-8 or UTF-16, as marks and bytes show it; None of a legacy encoding."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    even, odd = start[::2].count(0), start[1::2].count(0)
    many, few = max(even, odd), min(even, odd)
    if len(start) > 15 and many > len(start) // 8 and few <= many // 8:
        return "utf-16-le" if odd > even else "utf-16-be"
    text = start.decode("utf-8", "surrogateescape")
    bad = len(re.findall("[\udc80-\udcff]", text[:-3]))
    good = sum(1 for c in text if c >= "\x80") - bad
    return "utf-8" if bad <= good / 4 else None


def _legacy_of(start: bytes) -> str:
    """The most likely legacy encoding; Windows-1252 wherever it fits about as well."""
    # Imported here: most files are UTF-8.
    from charset_normalizer import from_bytes

    found = from_bytes(start, threshold=0.3)
    best = found.best()
    if best is None:
        raise ReadError("not text")
    western = (e for e in found if "cp1252" in (e.encoding, *e.could_be_from_charset))
    if any(e.chaos <= best.chaos + 0.05 and e.coherence >= best.coherence - 0.15 for e in western):
        return "cp1252"
    is_mostly_ascii = sum(byte < 128 for byte in start) >= 0.9 * len(start)
    return "cp1252" if is_mostly_ascii and best.multi_byte_usage > 0 else best.encoding
