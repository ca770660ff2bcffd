"""An answer while it is written: its lines and sentences so far, and the text they give."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from rag.citations import Block, Claim, Span, compose
from rag.support import UNCHECKED

# The end of a text that reads otherwise once more of it has come: how `escape` writes it is open.
_UNSETTLED = re.compile(r"(?:_+|&#?\w*|^\d{1,2}[.)]?|^[-+#>=]+)$")


@dataclass
class _Line:
    """A paragraph, or a bullet of a list."""

    bullet: bool
    title: str | None = None
    quote: Claim | None = None
    """What it says if nothing is said under its title."""
    claims: list[Claim] = field(default_factory=list)
    shown: int = 0
    """How many of the claims are in the text that was shown."""

    def block(self, claims: Sequence[Claim]) -> Block:
        return Block(tuple(claims), self.title, self.bullet)


class Draft:
    """Grows by sentences. What has been shown of it is remembered, so only what is new is shown.

    Showing takes time by what is new, not by what there is: sentences that were shown are not
    composed again.
    """

    def __init__(self, held: Callable[[str], bool]) -> None:
        """Begin; a sentence that begins as what is `held` is not shown before it is whole."""
        self._held = held
        self._lines: list[_Line] = []
        self._partial = ""
        self._ahead = ""
        """What was shown beyond the sentences that are whole."""
        self._first_spans: dict[str, Span] = {}
        """Of each paper cited in what was shown, by its id, in the order of their numbers."""
        self._last: _Line | None = None
        """The last line of which something was shown."""
        self._departs = False
        """Whether what was shown is not how the text begins any more; it cannot be taken back."""

    @property
    def claims(self) -> list[Claim]:
        """Every sentence so far."""
        return [claim for line in self._lines for claim in line.claims]

    @property
    def begins_line(self) -> bool:
        """Whether nothing stands in the line yet."""
        return not self._lines[-1].claims and self._lines[-1].title is None

    def begin_line(self, *, bullet: bool) -> None:
        """A new paragraph, or a bullet of a list."""
        self.end_line()
        self._lines.append(_Line(bullet))

    def end_line(self) -> None:
        """No more comes in the line: a title under which nothing was said gets its quote."""
        line = self._lines[-1] if self._lines else None
        if line and line.quote and not line.claims:
            line.claims.append(line.quote)

    def head_line(self, title: str, quote: Claim) -> None:
        """The line is a bullet about a paper: its title, and what to say if nothing is said."""
        line = self._lines[-1]
        line.bullet, line.title, line.quote = True, title, quote

    def grow(self, text: str) -> None:
        """More characters of the sentence that is being written."""
        self._partial += text

    def end_sentence(self, claim: Claim | None) -> None:
        """The sentence is whole, and grounded; None leaves it out."""
        self._partial = ""
        if claim:
            self._lines[-1].claims.append(claim)

    def replace(self, changes: Sequence[Claim | None]) -> None:
        """Put a claim, or none, in the place of each claim so far; nothing is shown after that."""
        changed: Iterator[Claim | None] = iter(changes)
        for line in self._lines:
            line.claims = [claim for _ in line.claims if (claim := next(changed))]
        self._departs = True

    def blocks(self) -> list[Block]:
        """The lines that say something."""
        return [line.block(line.claims) for line in self._lines if line.claims]

    def show(self) -> str:
        """What is new in the text since it was last shown."""
        if self._departs or not self._lines:
            return ""
        settled = ""
        start = self._lines.index(self._last) if self._last else 0
        for line in self._lines[start:]:
            if new := line.claims[line.shown :]:
                settled += self._compose(line, new)
                self._last, line.shown = line, len(line.claims)
                for claim in new:
                    for span in claim.spans:
                        self._first_spans.setdefault(span.paper.id, span)
        ahead = ""
        partial = _UNSETTLED.sub("", self._partial).rstrip()
        if partial and not self._held(partial):
            ahead = self._compose(self._lines[-1], [Claim(partial, (), UNCHECKED)])
        new_text = settled + ahead
        if not new_text.startswith(self._ahead):
            self._departs = bool(settled) or not self._ahead.startswith(new_text)
            return ""
        shown, self._ahead = self._ahead, ahead
        return new_text[len(shown) :]

    def _compose(self, line: _Line, claims: Sequence[Claim]) -> str:
        """The text of further claims of a line, behind all that was shown before.

        What was shown is stood for by one empty claim that cites each of its papers once, so that
        numbers go on; what it gives is taken off again.
        """
        before = Claim("", tuple(self._first_spans.values()), UNCHECKED)
        if self._last is None:
            return compose([line.block(claims)]).text
        if line is self._last:
            head, whole = [line.block([before])], [line.block([before, *claims])]
        else:
            head = [Block((before,), bullet=self._last.bullet)]
            whole = [*head, line.block(claims)]
        return compose(whole).text.removeprefix(compose(head).text)
