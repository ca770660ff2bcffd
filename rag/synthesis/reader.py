"""What a chat model writes, read as it comes: lines, sentences, and what each one names.

Text is passed on at once, but for what could still become something else: a marker, a tag, a
greeting. Markers are taken out of the text, wherever in a sentence they stand, and told with the
sentence's end. What is read does not depend on how the reply was cut into pieces.
"""

import re
from collections.abc import Mapping

from index.papers import letters
from rag.synthesis.lines import CONTROLS, Lines
from rag.synthesis.markers import OPENERS, Address, Marker, may_become_marker, read_marker
from rag.synthesis.sentences import Line, OpenLine, Read

_SPECIAL = re.compile(
    rf"[\n\\*`!¹²³⁰⁴-⁹{re.escape(OPENERS)}]|(?<![^\W_])(?:[Pp](?=apers?\b|$|a$|ap$|ape$)"
    r"|[Ss](?=entences?\b|$|e$|en$|ent$|ente$|enten$|entenc$))"
)
# What a sheet calls a paper: "Paper 2 (2025-03-14): " before a title, "Paper 2" in a sentence.
_NAMED = re.compile(
    r"[Pp]aper (?P<paper>\d{1,3})(?!\w|\.\d)(?:,? [Ss]entences? (?P<of_it>\d{1,3})(?!\w|\.\d)"
    r"|(?: \([\d-]{4,10}\))?(?P<colon>: *)?)"
    r"|[Ss]entence \[?(?P<at>\d{1,3})\.(?P<sentence>\d{1,3})(?!\w|\.\d)\]?"
)
_NAMED_WITHIN = 48
_LINE_START = re.compile(
    r"(?P<indent>[ >]*)(?P<heading>#{1,6} +)?(?P<bullet>(?:[-*+•–◦▪●‣·] +"
    r"|(?:\*\*|__)?\(?\d{1,2}[.)] +)(?:\[[ xX]\] +)?)?"
)
_MAY_START = re.compile(
    r"[ >]*(?:#{1,6} *)?(?:[-*+•–◦▪●‣·] *(?:\[[ xX]?\]? *)?"
    r"|(?:\*\*?|__?)?\(?(?:\d{1,2}(?:[.)] *(?:\[[ xX]?\]? *)?)?)?)?"
)
_TAG = re.compile(
    r"</?(?:p|b|i|u|em|strong|br|hr|div|span|sub|sup|ul|ol|li|h[1-6]|code|pre|a|table|thead|tbody"
    r"|tr|td|th|cite|mark|small|blockquote|script|style|sentences?|answer|final_answer|question"
    r"|response|output|result|evidence|context|citations?|sources?|references?|think|thinking)"
    r"(?: [^<>\n]*)?/?>",
    re.IGNORECASE,
)
_MAY_BE_TAG = re.compile(r"</?[a-zA-Z][^<>\n]{0,70}|</?")
_IMAGE = re.compile(r"!\[[^\[\]\n]{0,80}\]\([^()\s]{0,300}\)")
# "According to [1], …": the marker is a part of the sentence, so a name takes its place.
_NEEDS_NAME = re.compile(
    r"(?:^|\s)(?:according to|as (?:shown|stated|described|reported|noted) (?:in|by)|in|by|from|of"
    r"|than|see|unlike|like)\s*$",
    re.IGNORECASE,
)
_ESCAPED_SIGNS = ("*", "`", "_", "#", "|", "~")
_BRACKETS = (*OPENERS, *"])】")
_STOPS = ".,;:!?)"
_ENDS = ".!?。！？…"


class DraftReader:
    """Reads one reply. Feed it the pieces as they come, then `finish` it.

    Args:
        names: The names and the title of each paper of the sheet, by its number, the one to call
            it by first, the title last.
        sizes: How many sentences of each paper are on the sheet; without it any number counts.
        pieces: Whether a paragraph is told in pieces, or by whole sentences as bullets always are.
    """

    def __init__(
        self,
        names: Mapping[int, tuple[str, ...]],
        sizes: Mapping[int, int] | None = None,
        *,
        pieces: bool = True,
    ) -> None:
        self._called = {number: known[0] for number, known in names.items() if known}
        self._letters = {letters(n): number for number, known in names.items() for n in known}
        self._titles = {letters(known[-1]) for known in names.values() if known}
        self._sizes = sizes
        self._lines = Lines()
        self._pending = ""
        self._line = OpenLine(in_pieces=pieces)
        self._in_brackets = False

    def feed(self, text: str) -> list[Read]:
        """What can be told once this piece has come."""
        self._pending += self._lines.feed(text.translate(CONTROLS))
        return self._read(last=False)

    def finish(self) -> list[Read]:
        """The rest."""
        self._pending += self._lines.finish()
        return [*self._read(last=True), *self._line.end()]

    def _read(self, *, last: bool) -> list[Read]:
        found: list[Read] = []
        while self._pending and not self._line.over:
            if not self._line.begun:
                if not last and _MAY_START.fullmatch(self._pending):
                    break
                if not self._begin_line(found):
                    continue
            special = _SPECIAL.search(self._pending)
            at = special.start() if special else len(self._pending)
            # What stands before a special character decides what it means, so it is said first.
            if at:
                self._line.say(self._pending[:at])
                self._pending = self._pending[at:]
            elif not self._take_special(found, last=last):
                break
            found += self._line.cut()
        return found

    def _begin_line(self, found: list[Read]) -> bool:
        """Go past what opens a line; False if the line is empty."""
        match = _LINE_START.match(self._pending)
        if match is None or self._pending.startswith("\n", match.end()):
            self._pending = self._pending[match.end() + 1 if match else 1 :]
            return False
        self._pending = self._pending[match.end() :]
        indent = len(match["indent"].replace(">", ""))
        line = Line(bool(match["bullet"]), indent, heading=bool(match["heading"]))
        found.append(line)
        self._line.begin(line)
        return bool(self._pending)

    def _take_special(self, found: list[Read], *, last: bool) -> bool:
        """Read one character that may be more than itself; False if more has to come first."""
        text, first = self._pending, self._pending[0]
        length, said = 1, first
        if first == "\n":
            found += self._line.end()
            said = ""
        elif first in "*`":
            length = len(text) - len(text.lstrip(first))
            if length == len(text) and not last:
                return False
            spaced = length == 1 and text[1:2].isspace() and self._line.text.endswith(" ")
            said = first if spaced else ""
        elif first == "\\":
            if len(text) == 1 and not last:
                return False
            # An escaped bracket may be a marker all the same; other signs are themselves.
            length = 2 if text[1:2] in _ESCAPED_SIGNS else 1
            said = text[1] if length == 2 else "" if text[1:2] in _BRACKETS else first
        elif first == "!":
            opens = text[1:2] in ("", "[")
            if opens and not last and (text == "!" or may_become_marker(text[1:], self._letters)):
                return False
            if image := _IMAGE.match(text):
                length, said = image.end(), ""
        elif first in "PpSs":
            return self._take_named(last=last)
        else:
            return self._take_marker(last=last)
        self._line.say(said)
        self._pending = text[length:]
        return True

    def _take_named(self, *, last: bool) -> bool:
        """Read "Paper 2": a name takes its place, or nothing if its title follows."""
        text = self._pending
        if not last and len(text) < _NAMED_WITHIN and "\n" not in text:
            return False
        match = None if self._line.in_word else _NAMED.match(text)
        number = int(match["paper"] or match["at"]) if match else 0
        if match is None or number not in self._called:
            self._line.say(text[0])
            self._pending = text[1:]
            return True
        if not match["colon"]:
            self._line.say(self._called[number])
        sentence = match["of_it"] or match["sentence"]
        address = Address(number, int(sentence) if sentence else None)
        self._line.mark((address,), after=not match["colon"])
        self._pending = text[match.end() :]
        return True

    def _take_marker(self, *, last: bool) -> bool:
        text, first = self._pending, self._pending[0]
        if not last and may_become_marker(text, self._letters):
            return False
        if first == "<" and not text.lower().startswith("<sup>"):
            if tag := _TAG.match(text):
                self._line.say(" " if tag[0].lower().startswith("<br") else "")
                self._pending = text[tag.end() :]
                return True
            if not last and _MAY_BE_TAG.fullmatch(text):
                return False
        marker = read_marker(text, self._letters, self._sizes)
        if marker is None or not (marker.text or self._counts(marker, text)):
            self._line.say(first)
            self._pending = text[1:]
            return True
        self._pending = text[marker.length :]
        if not marker.addresses:
            self._line.say(marker.text)
            return True
        self._in_brackets = self._in_brackets or first == "["
        known = [a for a in marker.addresses if a.paper in self._called]
        if known and _NEEDS_NAME.search(self._line.text):
            self._line.say(self._called[known[0].paper])
        elif self._is_heading(self._pending.lstrip(" ")[:1]):
            self._line.end_title()
        self._line.mark(marker.addresses)
        return True

    def _is_heading(self, following: str) -> bool:
        """Whether the line so far is what a paper is called, and then something is said of it."""
        said = letters(self._line.text)
        called = self._letters if self._line.line.bullet else self._titles
        begins = following in ("", "\n", "-", "–", "—", ":") or following.isupper()
        return begins and said in called

    def _counts(self, marker: Marker, text: str) -> bool:
        """Whether it is a marker where it stands: "(2)" is a plain remark once "[1]" was written.

        So are numbers in parentheses within a word, as in "O(1)", or within a sentence.
        """
        first, before = text[0], self._line.text
        ending = before.rstrip()[-1:]
        if first in "¹²³⁰⁴⁵⁶⁷⁸⁹" and not (ending and ending in _STOPS):
            return False
        if first not in "(（¹²³⁰⁴⁵⁶⁷⁸⁹":
            return True
        sizes = self._sizes or {}
        if not any(
            a.paper in self._called and (a.sentence or 1) <= sizes.get(a.paper, a.sentence or 1)
            for a in marker.addresses
        ):
            return False
        if first in "(（":
            if self._in_brackets or not ending or (first == "(" and self._line.in_word):
                return False
            following = text[marker.length :].lstrip(" ")[:1]
            return (
                not marker.bare
                or ending in _ENDS
                or following in ("", "\n", *_STOPS, *_ENDS, *OPENERS)
            )
        return True
