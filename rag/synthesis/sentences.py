"""The line of a reply that is being written, cut into sentences and into pieces to show."""

import re
from dataclasses import dataclass

from index.sentences import sentence_spans
from rag.synthesis.markers import Address
from rag.synthesis.talk import is_talk, label_length, may_be_talk, shown_length


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph begins, a bullet of a list, or a heading."""

    bullet: bool
    indent: int = 0
    """Spaces before it."""
    heading: bool = False


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

LONGEST = 2000
"""Characters of a sentence; a longer one is cut at a space."""
_REMARK = 200
_SOURCES = ("references", "sources", "citations", "bibliography", "evidence", "works cited")
_LIST_OF_SOURCES = re.compile(
    r"[^\w.!?…。！？]*(?:references?|sources?|citations?|bibliography|evidence|works cited)\W*"
    r"(?::.*)?$",
    re.IGNORECASE,
)
_STOP = re.compile(r"[.!?…。！？]")
_STOPS = ".,;:!?)"
_AFTER_STOP = re.compile(r"[.!?…][\"”’')\]]*(?P<gap>\s+)\W*\w*$")
_WHOLE_WORD = re.compile(r"\W*\w+\W|.{40}", re.DOTALL)
_CLOSING = "\"”’」』）')]"


class OpenLine:
    """The sentences of one line after the other, each told as soon as its end is sure."""

    def __init__(self, *, in_pieces: bool) -> None:
        self.line = Line(bullet=False)
        self.begun = False
        self.over = False
        """Whether a list of sources began: nothing of the answer follows."""
        self.text = ""
        """Of the sentence that is being written, and what of the line follows it."""
        self._in_pieces = in_pieces
        self._given = 0
        self._marks: list[tuple[int, tuple[Address, ...]]] = []
        self._after_marker = False
        self._any = False
        self._first = True
        """Whether the sentence is the first of its line."""

    @property
    def in_word(self) -> bool:
        """Whether what comes next would stand within a word."""
        return not self._after_marker and self.text[-1:].isalnum()

    def begin(self, line: Line) -> None:
        """A line begins."""
        self.line, self.begun, self._first = line, True, True

    def say(self, text: str) -> None:
        """Add text to the line, with the space that a marker may have swallowed."""
        if self._after_marker:
            text = text.lstrip()
            if text and self.text and text[0] not in _STOPS:
                text = " " + text
            self._after_marker = not text
        self.text += text if self.text else text.lstrip()

    def mark(self, addresses: tuple[Address, ...], *, after: bool = True) -> None:
        """The sentence names addresses; `after` what was said of it, or before the rest."""
        if after:
            # The sentence that ends here is the one that the marker stands behind.
            self.text = self.text.rstrip()
            self._after_marker = True
        self._marks.append((len(self.text.rstrip()) + (not after), addresses))

    def end_title(self) -> None:
        """What was said is a title, and then comes what is said of it."""
        self.text = f"{self.text.rstrip(' :')}:"

    def cut(self, *, whole: bool = False) -> list[Read]:
        """Sentences that are whole, and the characters of the one that is not."""
        found: list[Read] = []
        if not whole and self._first and _LIST_OF_SOURCES.match(self.text):
            return found
        while end := self._end_of_first(whole=whole):
            self._tell(found, *end)
        ready = self._ready()
        if ready > self._given and not whole:
            found.append(Piece(self.text[self._given : ready]))
            self._given = ready
        return found

    def end(self) -> list[Read]:
        """The line ends."""
        found: list[Read] = []
        if self.begun and self._first and _LIST_OF_SOURCES.match(self.text):
            self.over = True
        elif self.begun:
            found = self.cut(whole=True)
        self.begun, self.text, self._given, self._after_marker = False, "", 0, False
        self._marks = []
        return found

    def _end_of_first(self, *, whole: bool) -> tuple[int, int] | None:
        """Where the first sentence ends and the next begins; None if that is not sure."""
        if not self.text.strip() or not (
            whole or _STOP.search(self.text) or len(self.text) > LONGEST
        ):
            return None
        spans = sentence_spans(self.text)
        start, end = spans[0]
        if end - start > LONGEST:
            at = self.text.rfind(" ", start + 1, start + LONGEST)
            at = at if at > start else start + LONGEST
            return at, len(self.text) - len(self.text[at:].lstrip())
        if len(spans) == 1:
            return (end, len(self.text)) if whole else None
        following = spans[1][0]
        return (end, following) if whole or self._is_sure(following) else None

    def _is_sure(self, following: int) -> bool:
        """Whether a sentence begins there, whatever more of the line comes."""
        text = self.text
        if not text[following:].strip(_CLOSING):
            return False
        opened = text.rfind("(", max(0, following - _REMARK), following)
        if opened > text.rfind(")", 0, following):
            limit = opened + _REMARK
            if len(text) < limit and text.find(")", following, limit) < 0:
                return False
        # After "al." the word that follows decides: "The" begins a sentence, "Theory" may not.
        one, other = (len(sentence_spans(text[:following] + word)) for word in ("Zzz z", "The z"))
        return one == other or bool(_WHOLE_WORD.match(text, following))

    def _tell(self, found: list[Read], end: int, following: int) -> None:
        """Tell the sentence up to its end, and go on with what follows."""
        start = len(self.text) - len(self.text.lstrip())
        marks = [a for at, addresses in self._marks if at <= end for a in addresses]
        self._marks = [
            (max(0, at - following), addresses) for at, addresses in self._marks if at > end
        ]
        text = self.text[start:end]
        talks = may_be_talk(text)  # then nothing of it was shown
        if talks:
            text = text[label_length(text) :]
        if not (talks and is_talk(text, first=not self._any)):
            if rest := text[max(0, self._given - start) :]:
                found.append(Piece(rest))
            found.append(Sentence(text, tuple(dict.fromkeys(marks))))
            self._any = True
        self.text = self.text[following:]
        self._given, self._first = 0, False

    def _ready(self) -> int:
        """How many characters of the sentence may be shown before it is whole."""
        holds = self.line.bullet or self.line.heading or not self._in_pieces
        if holds or self._may_list_sources() or may_be_talk(self.text):
            return 0
        return min(shown_length(self.text[:LONGEST].rstrip()), self._sure_length())

    def _sure_length(self) -> int:
        """How much of the line belongs to its first sentence whatever more of it comes."""
        if not _STOP.search(self.text):
            return len(self.text)
        (_, end), *_ = sentence_spans(self.text)
        after_stop = _AFTER_STOP.search(self.text, max(0, len(self.text) - _REMARK))
        return min(end, after_stop.start("gap") if after_stop else end)

    def _may_list_sources(self) -> bool:
        """Whether the line may turn out to be the heading of a list of sources."""
        said = re.sub(r"^[^\w.!?…。！？]+|\s+$", "", self.text).casefold()
        return self._first and (
            any(word.startswith(said) for word in _SOURCES) or bool(_LIST_OF_SOURCES.match(said))
        )
