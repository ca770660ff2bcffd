"""Puts what is read of a reply into its draft: which line it belongs to, and what it claims."""

from collections.abc import Callable, Sequence

from rag.citations import Claim
from rag.synthesis.draft import Draft
from rag.synthesis.grounding import Grounder
from rag.synthesis.markers import Address
from rag.synthesis.sentences import Line, Piece, Read, Sentence
from rag.synthesis.talk import has_sentinel, is_label, may_be_label, without_sentinel

_STOPS = ".!?:;。！？…"


class Intake:
    """Takes in one reply. A sentence that was said before under the same title is left out."""

    def __init__(
        self, grounder: Grounder, *, lists: bool, drops: Callable[[Claim], bool] | None = None
    ) -> None:
        """Begin.

        Args:
            grounder: Grounds the sentences.
            lists: Whether a list of papers is written: then what follows a title is about it.
            drops: Which claims are left out; then no sentence is shown before it is whole.
        """
        self.draft = Draft(self._holds)
        self.found_nothing = False
        """Whether the model said that the answer, or a part of it, is not there."""
        self._grounder = grounder
        self._lists = lists
        self._drops = drops
        self._line = Line(bullet=False)
        self._top = Line(bullet=False)
        """The line that `_line` stands under, or itself."""
        self._begins = True
        self._entry: int | None = None
        """The paper that the line is about, by its number."""
        self._bare_title = False
        self._said: dict[tuple[int | None, str], None] = {}

    def take(self, found: Sequence[Read]) -> str:
        """Put what was read into the draft; what is new of its text."""
        for read in found:
            match read:
                case Line():
                    self._begin(read)
                case Piece(text):
                    if not (self._drops or self.found_nothing):
                        self.draft.grow(text)
                case Sentence(text, addresses):
                    claim = self._claim(text, addresses)
                    self.draft.end_sentence(claim if claim and self._keeps(claim) else None)
                    self._begins = False
        return self.draft.show()

    def end(self) -> str:
        """The reply is over; what is new of its text."""
        self.draft.end_line()
        return self.draft.show()

    def _keeps(self, claim: Claim) -> bool:
        """Whether a claim is taken in: only with evidence once the model has found nothing."""
        if self._drops and self._drops(claim):
            return False
        return bool(claim.spans) or not self.found_nothing

    def _begin(self, line: Line) -> None:
        self._line, self._begins = line, True
        under_title = self._lists and self._bare_title and not line.bullet
        nested = self._top.bullet and line.indent > self._top.indent
        if line.heading or not (under_title or nested):
            self._open(line)

    def _open(self, line: Line) -> None:
        self.draft.begin_line(bullet=line.bullet)
        self._top, self._entry, self._bare_title = line, None, False

    def _holds(self, begun: str) -> bool:
        """Whether a sentence that begins so is not to be shown before it is whole."""
        if self._begins and (may_be_label(begun) or self._grounder.may_be_title(begun)):
            return True
        return any(text.startswith(begun) for entry, text in self._said if entry == self._entry)

    def _claim(self, text: str, addresses: Sequence[Address]) -> Claim | None:
        """What a sentence claims; None if it is a title, a label, or was said before."""
        if has_sentinel(text):
            self.found_nothing = True
            text = without_sentinel(text)
            if not text:
                return None
        if self._begins and (entry := self._grounder.entry(text)):
            number, title, rest = entry
            if self._line.bullet or self._lists:
                self._head(number, title, bare=not rest)
                text = rest
            elif not rest:
                return None
            if not text:
                return None
        if not addresses and self._begins and (self._line.heading or is_label(text)):
            return None
        if (self._entry, text) in self._said:
            return None
        self._said[self._entry, text] = None
        if self._line is not self._top and self._line.bullet and text[-1] not in _STOPS:
            text += "."  # what goes on behind it was a line of its own
        if self._entry is None:
            return self._grounder.ground(text, addresses)
        return self._grounder.ground_entry(self._entry, text, addresses)

    def _head(self, number: int, title: str, *, bare: bool) -> None:
        """The line begins with the title of a paper."""
        if self._entry != number and self._line is not self._top:
            if not self.draft.begins_line:
                self._open(self._line)
            else:
                self._top = self._line
        if self._entry != number:
            self.draft.head_line(title, self._grounder.quote(number))
        self._entry, self._bare_title = number, bare
