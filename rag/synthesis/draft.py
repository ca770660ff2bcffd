"""An answer while it is written: its lines and sentences so far, and the text they give."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from rag.citations import Block, Claim, compose
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


class Draft:
    """Grows by sentences. What has been shown of it is remembered, so only what is new is shown."""

    def __init__(self, held: Callable[[str], bool]) -> None:
        """Begin; what is `held` at the beginning of a line is not shown before it is whole."""
        self._held = held
        self._lines: list[_Line] = []
        self._partial = ""
        self._shown = ""

    @property
    def claims(self) -> list[Claim]:
        """Every sentence so far."""
        return [claim for line in self._lines for claim in line.claims]

    @property
    def begins_line(self) -> bool:
        """Whether nothing stands in the line yet."""
        return not self._lines[-1].claims and self._lines[-1].title is None

    @property
    def in_bullet(self) -> bool:
        """Whether the line is a bullet of a list."""
        return self._lines[-1].bullet

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
        """Put a claim, or none, in the place of each claim so far."""
        changed: Iterator[Claim | None] = iter(changes)
        for line in self._lines:
            line.claims = [claim for _ in line.claims if (claim := next(changed))]

    def blocks(self) -> list[Block]:
        """The lines that say something."""
        return [
            Block(tuple(line.claims), line.title, line.bullet)
            for line in self._lines
            if line.claims
        ]

    def show(self) -> str:
        """What is new in the text since it was last shown."""
        blocks = self.blocks()
        partial = _UNSETTLED.sub("", self._partial).rstrip()
        if partial and not (self.begins_line and self._held(partial)):
            line = self._lines[-1]
            claims = (*line.claims, Claim(partial, (), UNCHECKED))
            whole = blocks[:-1] if line.claims else blocks
            blocks = [*whole, Block(claims, line.title, line.bullet)]
        text = compose(blocks).text
        if not text.startswith(self._shown):
            return ""
        new, self._shown = text[len(self._shown) :], text
        return new
