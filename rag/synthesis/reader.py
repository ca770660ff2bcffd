"""What a chat model writes, read as it comes: lines, sentences, and what each one names.

Text is passed on at once, but for what could still become a marker: from `[` to `]`. Markers are
taken out of the text, wherever in a sentence they stand, and told with the sentence's end.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from index.papers import letters
from index.sentences import sentence_spans
from rag.synthesis.markers import OPENERS, Address, may_become_marker, read_marker


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph begins, or a bullet of a list."""

    bullet: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """The next characters of the sentence that is being written; none of a marker."""

    text: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence is whole; its pieces add up to its text."""

    text: str
    addresses: tuple[Address, ...]


Read = Line | Piece | Sentence

_SPECIAL = re.compile(
    rf"[\n\\*`¹²³⁰⁴-⁹{re.escape(OPENERS)}]|(?<!\w)[Pp](?=aper \d|$|a$|ap$|ape$|aper ?$)"
)
# What a sheet calls a paper: "Paper 2 (2025-03-14): " before a title, "Paper 2" in a sentence.
_PAPER = re.compile(r"[Pp]aper (?P<number>\d{1,3})(?!\w|\.\d)(?: \([\d-]{4,10}\))?(?P<colon>:\s*)?")
_MAY_BE_PAPER = re.compile(
    r"[Pp](?:a(?:p(?:e(?:r(?: (?:\d{1,3}(?: (?:\([\d-]{0,10}\)?)?)?:?\s*)?)?)?)?)?)?"
)
_LINE_START = re.compile(
    r"[ \t>]*(?:#{1,6}[ \t]+)?(?P<bullet>(?:[-*•–][ \t]+|\(?\d{1,2}[.)][ \t]+)(?:\[[ x]\][ \t]+)?)?"
)
_MAY_START = re.compile(r"[ \t>]*(?:#{0,6}[ \t]*|[-*•–][ \t]*|\(?\d{1,2}[.)]?[ \t]*)")
# "According to [1], …": the marker is a part of the sentence, so a name takes its place.
_NEEDS_NAME = re.compile(
    r"(?:^|\s)(?:according to|as (?:shown|stated|described|reported|noted) (?:in|by)|in|by|from|of"
    r"|than|see|unlike|like)\s*$",
    re.IGNORECASE,
)
_SOURCES = ("references", "sources", "citations", "bibliography", "evidence", "works cited")
_LIST_OF_SOURCES = re.compile(
    r"\W*(?:references?|sources?|citations?|bibliography|evidence|works cited)\W*(?::.*)?$",
    re.IGNORECASE,
)
_ESCAPED_BRACKET = re.compile(r"\\(?=[\[\]【】()])")
_STOPS = ".,;:!?)"


class DraftReader:
    """Reads one reply. Feed it the pieces as they come, then `finish` it.

    Args:
        names: The names and the title of each paper of the sheet, by its number, the one to call
            it by first.
        pieces: Whether a paragraph is told in pieces, or by whole sentences as bullets always are.
    """

    def __init__(self, names: Mapping[int, tuple[str, ...]], *, pieces: bool = True) -> None:
        self._called = {number: known[0] for number, known in names.items() if known}
        self._letters = {letters(n): number for number, known in names.items() for n in known}
        self._in_pieces = pieces
        self._pending = ""
        self._in_line = False
        self._bullet = False
        self._over = False
        self._line = ""
        """Text of the sentence that is being written, and what of the line follows it."""
        self._given = 0
        self._marks: list[tuple[int, tuple[Address, ...]]] = []
        self._after_marker = False
        self._in_brackets = False

    def feed(self, text: str) -> list[Read]:
        """What can be told once this piece has come."""
        self._pending = _ESCAPED_BRACKET.sub("", self._pending + text)
        return self._read(last=False)

    def finish(self) -> list[Read]:
        """The rest."""
        return [*self._read(last=True), *self._end_line()]

    def _read(self, *, last: bool) -> list[Read]:
        found: list[Read] = []
        while self._pending and not self._over:
            if not self._in_line:
                if not last and _MAY_START.fullmatch(self._pending):
                    break
                if not self._begin_line(found):
                    continue
            special = _SPECIAL.search(self._pending)
            at = special.start() if special else len(self._pending)
            if at:
                self._say(self._pending[:at])
                self._pending = self._pending[at:]
            elif not self._take_special(found, last=last):
                break
            found += self._cut()
        return found

    def _begin_line(self, found: list[Read]) -> bool:
        """Go past what opens a line; False if the line is empty."""
        match = _LINE_START.match(self._pending)
        self._pending = self._pending[match.end() if match else 0 :]
        if self._pending.startswith("\n"):
            self._pending = self._pending[1:]
            return False
        self._in_line, self._bullet = True, bool(match and match["bullet"])
        found.append(Line(self._bullet))
        return bool(self._pending)

    def _take_special(self, found: list[Read], *, last: bool) -> bool:
        """Read one character that may be more than itself; False if more has to come first."""
        text, first = self._pending, self._pending[0]
        if first == "\n":
            found += self._end_line()
            self._pending = text[1:]
            return True
        if first in "\\*" and len(text) == 1 and not last:
            return False
        if first == "\\":
            escapes = text[1:2] in {"*", "`", "_", "#"}
            self._say(text[1] if escapes else first)
            self._pending = text[2 if escapes else 1 :]
            return True
        if first in "Pp":
            return self._take_paper(last=last)
        if first in "*`":
            signs = len(text) - len(text.lstrip(first))
            spaced = signs == 1 and text[1:2].isspace() and self._line.endswith(" ")
            self._say(first if spaced else "")
            self._pending = text[signs:]
            return True
        return self._take_marker(last=last)

    def _take_paper(self, *, last: bool) -> bool:
        """Read "Paper 2": a name takes its place, or nothing if its title follows."""
        if not last and _MAY_BE_PAPER.fullmatch(self._pending):
            return False
        match = _PAPER.match(self._pending)
        number = int(match["number"]) if match else 0
        if match is None or number not in self._called:
            self._say(self._pending[0])
            self._pending = self._pending[1:]
            return True
        if not match["colon"]:
            self._say(self._called[number])
        self._marks.append((len(self._line.rstrip()) + 1, (Address(number),)))
        self._pending = self._pending[match.end() :]
        return True

    def _take_marker(self, *, last: bool) -> bool:
        text, first = self._pending, self._pending[0]
        is_sign = first in OPENERS or (bool(self._line) and self._line.rstrip()[-1:] in _STOPS)
        marker = read_marker(text, self._letters) if is_sign and self._counts(first) else None
        if marker is None and not last and first in OPENERS and may_become_marker(text):
            return False
        length, addresses = marker or (1, ())
        known = [a for a in addresses if a.paper in self._called]
        if marker is None or (first in "(¹²³⁰⁴⁵⁶⁷⁸⁹" and not known):
            self._say(first)
            self._pending = text[1:]
            return True
        if first == "[":
            self._in_brackets = True
        if known and _NEEDS_NAME.search(self._line):
            self._say(self._called[known[0].paper])
        elif letters(self._line) in self._letters:
            self._line = f"{self._line.rstrip(' :')}:"  # a title, and then what is said of it
        self._marks.append((len(self._line.rstrip()), addresses))
        self._line = self._line.rstrip()
        self._after_marker = True
        self._pending = text[length:]
        return True

    def _counts(self, first: str) -> bool:
        """Whether such a marker counts: "(2)" is a plain remark once "[1]" has been written."""
        if first == "(":
            return not self._in_brackets and bool(self._line.strip())
        return True

    def _say(self, text: str) -> None:
        """Add text to the line, with the space that a marker may have swallowed."""
        if self._after_marker:
            text = text.lstrip()
            if text and self._line and text[0] not in _STOPS:
                text = " " + text
            self._after_marker = not text
        self._line += text if self._line else text.lstrip()

    def _cut(self, *, whole: bool = False) -> list[Read]:
        """Sentences that are whole, and the characters of the one that is not."""
        found: list[Read] = []
        spans = sentence_spans(self._line)
        done = spans if whole else spans[:-1]
        for start, end in done:
            marks = [a for at, addresses in self._marks if at <= end for a in addresses]
            self._marks = [(at, addresses) for at, addresses in self._marks if at > end]
            if rest := self._line[start:end][max(0, self._given - start) :]:
                found.append(Piece(rest))
            found.append(Sentence(self._line[start:end], tuple(dict.fromkeys(marks))))
            self._given = end
        if done:
            cut = spans[len(done)][0] if len(done) < len(spans) else len(self._line)
            self._line = self._line[cut:]
            self._marks = [(max(0, at - cut), addresses) for at, addresses in self._marks]
            self._given = 0
        ready = len(self._line.rstrip())
        holds = self._bullet or whole or not self._in_pieces
        if ready > self._given and not (holds or self._may_list_sources()):
            found.append(Piece(self._line[self._given : ready]))
            self._given = ready
        return found

    def _may_list_sources(self) -> bool:
        """Whether the line may turn out to be the heading of a list of sources."""
        said = self._line.strip().casefold()
        return not self._given and (
            any(word.startswith(said) for word in _SOURCES) or bool(_LIST_OF_SOURCES.match(said))
        )

    def _end_line(self) -> list[Read]:
        if not self._in_line:
            return []
        if not self._given and _LIST_OF_SOURCES.match(self._line):
            self._over, found = True, []
        else:
            found = self._cut(whole=True)
        self._in_line, self._line, self._given, self._after_marker = False, "", 0, False
        self._marks = []
        return found
