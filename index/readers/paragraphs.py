"""The paragraphs of a pasted text, and whether each reads as prose, as a line, or as either."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from typing import Literal

from index.readers.dates import is_date
from index.readers.furniture import is_furniture
from index.sentences import sentence_spans

_SURELY_PROSE = 200
"""Characters; real titles end below this, real abstracts begin above it."""
_LONGEST_TITLE_LINE = 300
_SHORT_ABSTRACT = 120

_ENDS_SENTENCE = re.compile(r"[.…。！？][\"”’')\]]*$")
_HAS_SENTENCE = re.compile(r"[.!?…。！？][\"”’')\]]*(?:\s|$)")
_OPENS_SENTENCE = re.compile(
    r"(?:We|Our|This|These|Those|It|Its|However|Moreover|Furthermore|Additionally|Finally|Here"
    r"|Code|To this end|In (?:this|our|particular|addition|contrast|summary)|The (?:code|data"
    r"|results?|dataset|model)s?|Experiment(?:s|al)|Results?|Extensive|Specifically|Thus|Hence"
    r"|Therefore)\b"
)
_BULLET = re.compile(r"(?:[-*•–‣]|\(?(?:\d{1,2}|[ivx]{1,4}|[a-z])\))\s+")
_UNFINISHED = re.compile(
    r"(?:[:,&–—-]|\b(?:a|an|and|as|at|by|for|from|in|into|is|of|on|or|the|to|using|via|with))$",
    re.IGNORECASE,
)


_NARROWEST = 40
"""Characters; nobody wraps mail narrower than this."""
_SLACK = 2


Stands = Literal["opens", "alone"]


class Kind(Enum):
    """How a paragraph reads."""

    PROSE = "prose"
    """An abstract or a part of one."""
    SENTENCE = "sentence"
    """A sentence with a full stop: a short abstract, or a title as PubMed writes it."""
    LINE = "line"
    """A title, a date, a button."""
    TITLE = "title"
    """A title that stands in one paragraph with its abstract."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A stretch of the text that is one title, one line of furniture, or prose.

    `start` and `end` are code point offsets into the text, `end` exclusive; `line` counts from 1.
    """

    kind: Kind
    start: int
    end: int
    line: int
    text: str
    """Its lines joined by single spaces."""
    is_attached: bool
    """Whether it follows the paragraph before it without an empty line."""

    @property
    def is_long(self) -> bool:
        """Whether it is as long as abstracts are."""
        return len(self.text) >= _SURELY_PROSE

    @property
    def opens_sentence(self) -> bool:
        """Whether it starts as prose does and titles do not, or is an item of a list in prose."""
        return bool(_OPENS_SENTENCE.match(self.text) or _BULLET.match(self.text))


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    start: int
    number: int


def kind_of(text: str) -> Kind:
    """How a paragraph reads by itself."""
    if len(text) >= _SURELY_PROSE and (
        len(text) > _LONGEST_TITLE_LINE or _HAS_SENTENCE.search(text)
    ):
        return Kind.PROSE
    if not _ENDS_SENTENCE.search(text) or len(text) < 12:
        return Kind.LINE
    is_long_enough = len(text) >= _SHORT_ABSTRACT and len(sentence_spans(text)) > 1
    return Kind.PROSE if is_long_enough else Kind.SENTENCE


def paragraphs(text: str, stands: Callable[[str], Stands | None]) -> Iterator[Paragraph]:
    r"""The paragraphs of `text`, whose line ends are `\n`.

    Lines between empty ones form a block. In a block a long line stands for itself, lines wrapped
    at one width are joined, and a title on top of its abstract is taken off. `stands` says
    whether a line opens a field, so that it never goes on the one before, or is one by itself.
    """
    blocks = list(_blocks(text))
    width = _wrap_width(blocks)
    below_title = False
    for block in blocks:
        attached = False
        for group in _groups(block, width, stands, below_title=below_title):
            joined = " ".join(line.text.strip() for line in group)
            kind = kind_of(joined)
            lead = len(group[0].text) - len(group[0].text.lstrip())
            end = group[-1].start + len(group[-1].text.rstrip())
            yield Paragraph(kind, group[0].start + lead, end, group[0].number, joined, attached)
            attached = True
            frame = is_furniture(joined) or is_date(joined)
            below_title = kind is not Kind.PROSE and not frame


def _blocks(text: str) -> Iterator[list[_Line]]:
    block: list[_Line] = []
    at = 0
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            block.append(_Line(line, at, number))
        elif block:
            yield block
            block = []
        at += len(line) + 1
    if block:
        yield block


def _wrap_width(blocks: list[list[_Line]]) -> int:
    """The width in characters at which lines were wrapped, 0 if they were not.

    Lines that go on in lower case tell it; a few of them, long titles, may be wider.
    """
    wrapped = sorted(
        len(line.text.rstrip())
        for block in blocks
        for line, following in pairwise(block)
        if len(line.text) < _SURELY_PROSE and _runs_on(line, following)
    )
    return wrapped[len(wrapped) * 9 // 10] if wrapped else 0


def _groups(
    block: list[_Line], width: int, stands: Callable[[str], Stands | None], *, below_title: bool
) -> Iterator[list[_Line]]:
    """Cut a block into the lines of each paragraph.

    A line of an abstract's length stands for itself; of the others, a paragraph's lines flow into
    one another. `below_title` says that a title stands above the block; else the first line is
    the title, even where it happens to fill the width.
    """
    group: list[_Line] = []
    for i, line in enumerate(block):
        is_title_above = (
            i == 1
            and not below_title
            and len(block) > 2
            and not _runs_on(block[0], line)
            and _flows(line, block[2], width)
        )
        is_apart = is_title_above or stands(line.text) is not None
        is_apart = is_apart or (bool(group) and stands(group[-1].text) == "alone")
        if group and (is_apart or not _flows(group[-1], line, width)):
            yield group
            group = []
        group.append(line)
    yield group


def _flows(line: _Line, following: _Line, width: int) -> bool:
    """Whether both lines are of one paragraph: it runs on, or the next word had no room left."""
    if "\t" in following.text.strip() or line.text.rstrip().endswith(("…", "...")):
        return False
    length = len(line.text.rstrip())
    if max(length, len(following.text)) >= _SURELY_PROSE:
        return False
    if _runs_on(line, following):
        return True
    word = following.text.split(maxsplit=1)[0]
    return length <= width + _SLACK and length + 1 + len(word) > width - _SLACK > 0


def _runs_on(line: _Line, following: _Line) -> bool:
    """Whether the wording says that a sentence or title goes on in the next line."""
    ending = line.text.rstrip()
    return len(ending) >= _NARROWEST and (
        following.text.lstrip()[0].islower() or bool(_UNFINISHED.search(ending))
    )
