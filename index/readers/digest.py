"""Digests as people paste them from a mail or a web page: titles and abstracts in turn.

Nothing marks a title or an abstract, so the reader tells them by how they read: an abstract is
prose, and its title is the last line before it that is not furniture (buttons, counts, authors).
A line that is only a date begins a digest; a file may hold several.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import pairwise

from index.papers import Paper, Source, derived_id
from index.readers.dates import match_date, resolve_date
from index.readers.furniture import is_authors, is_footer, is_furniture, is_name
from index.readers.paragraphs import Kind, Paragraph, paragraphs
from index.readers.problems import LONGEST_ABSTRACT, Problem

_TITLE_LABEL = re.compile(r"(?:title\s*:|#{1,6}|\[?\d{1,3}[.)\]])\s+", re.IGNORECASE)
_BOLD = re.compile(r"(?P<sign>\*\*|__)(?P<inside>.+)(?P=sign)")
_OFTEN = 3


def read_digest(text: str, name: str, year: int) -> Iterator[Paper | Problem]:
    r"""The papers of a digest, in order, and what could not be read.

    Args:
        text: The digest, with `\n` line ends.
        name: What the papers' sources are called.
        year: The year of date lines that have none.
    """
    marked = _resolve(list(paragraphs(text)))
    return _Digest(text, name, year, marked).read()


def _resolve(found: list[Paragraph]) -> list[Paragraph]:
    """Decide which single sentences are titles, and drop lines that recur as buttons do."""
    buttons = _recurring(found)
    found = [paragraph for paragraph in found if paragraph.text not in buttons]
    pairs = list(pairwise(found))
    over_prose = [a.kind for a, b in pairs if b.kind is Kind.PROSE and a.kind is not Kind.PROSE]
    titles_end_in_stops = over_prose.count(Kind.SENTENCE) * 2 > len(over_prose)
    resolved: list[Paragraph] = []
    has_title = False
    for i, paragraph in enumerate(found):
        kind = paragraph.kind
        if kind is Kind.SENTENCE:
            before_prose = i + 1 < len(found) and found[i + 1].kind is not Kind.LINE
            is_title = before_prose and not paragraph.opens_sentence
            if is_title and not titles_end_in_stops:
                is_title = not has_title
            kind = Kind.LINE if is_title else Kind.PROSE
        resolved.append(replace(paragraph, kind=kind))
        if not is_furniture(paragraph.text):
            has_title = kind is Kind.LINE and not match_date(paragraph.text)
    return resolved


def _recurring(found: list[Paragraph]) -> set[str]:
    """Lines that stand before several different paragraphs, as "Read more" does."""
    followers: dict[str, set[str]] = {}
    for paragraph, following in pairwise(found):
        if paragraph.kind is Kind.LINE and not match_date(paragraph.text):
            followers.setdefault(paragraph.text, set()).add(following.text)
    return {text for text, texts in followers.items() if len(texts) >= _OFTEN}


@dataclass
class _Digest:
    """One pass over the paragraphs of a file."""

    text: str
    name: str
    year: int
    paragraphs: list[Paragraph]
    day: date | None = None
    position: int = 0
    started: bool = False
    """Whether a date line or a paper was met; before that, unknown lines are the page's head."""
    lines: list[Paragraph] = field(default_factory=list)
    """Lines since the last prose: the last title among them is the next abstract's."""
    intro_ends: int = 0
    """The first date line's place among the paragraphs; short prose above it is an introduction."""
    head: set[str] = field(default_factory=set)
    """Lines of the page's head, which come again where digests are pasted in one file."""

    def read(self) -> Iterator[Paper | Problem]:
        """Every paper and problem, in the file's order."""
        dates = (i for i, paragraph in enumerate(self.paragraphs) if match_date(paragraph.text))
        self.intro_ends = next(dates, 0)
        i = 0
        while i < len(self.paragraphs):
            paragraph = self.paragraphs[i]
            i += 1
            if paragraph.kind is Kind.PROSE and not self._is_frame(paragraph, i - 1):
                abstract = [paragraph]
                while i < len(self.paragraphs) and _goes_on(self.paragraphs[i]):
                    abstract.append(self.paragraphs[i])
                    i += 1
                yield from self._paper(abstract)
            elif (match := match_date(paragraph.text)) and not self._is_papers_own(i):
                yield from self._section(match, paragraph.line)
            else:
                self.lines.append(paragraph)
        yield from self._leftover(self.lines)

    def _is_frame(self, paragraph: Paragraph, place: int) -> bool:
        """Whether prose belongs to the mail rather than to a paper."""
        is_above = place < self.intro_ends or paragraph.text[0].islower()
        is_intro = not self.started and is_above and not paragraph.is_long
        return is_furniture(paragraph.text) or is_intro

    def _is_papers_own(self, following: int) -> bool:
        """Whether a date stands between a title and its abstract."""
        rest = (p for p in self.paragraphs[following : following + 5] if not is_furniture(p.text))
        below = next(rest, None)
        title = self._title(self.lines)
        if below is None or below.kind is not Kind.PROSE or title is None:
            return False
        return _is_telling(title)

    def _section(self, match: re.Match[str], line: int) -> Iterator[Problem]:
        """A date line: a new digest begins."""
        if self.started:
            yield from self._leftover(self.lines)
        else:
            self.head = {paragraph.text for paragraph in self.lines}
        self.day, self.position, self.started, self.lines = None, 0, True, []
        try:
            self.day = resolve_date(match, self.year)
        except ValueError as error:
            yield Problem(self.name, line, f"{error}: its papers are kept without a date")

    def _paper(self, abstract: list[Paragraph]) -> Iterator[Paper | Problem]:
        """Prose: the abstract of the last title, or a frame's text."""
        lines, self.lines = self.lines, []
        first, last = abstract[0], abstract[-1]
        title = self._title(lines)
        above = lines if title is None else lines[: lines.index(title)]
        if self.started:
            yield from self._leftover(above)
        else:
            self.head = {paragraph.text for paragraph in above}
        length = last.end - first.start
        if length > LONGEST_ABSTRACT:
            reason = f"{length:,} characters in one go are no abstract (limit {LONGEST_ABSTRACT:,})"
            yield Problem(self.name, first.line, reason)
        elif title is None:
            yield Problem(self.name, first.line, "abstract without a title")
        else:
            self.position += 1
            stored = _bare_title(title.text)
            text = self.text[first.start : last.end]
            source = Source(name=self.name, date=self.day, position=self.position)
            id_ = derived_id(stored, text)
            yield Paper(id=id_, title=stored, abstract=text, sources=(source,))
        self.started = True

    def _title(self, lines: list[Paragraph]) -> Paragraph | None:
        """The last line that can be a title; authors stand below one."""
        titles = [line for line in lines if self._can_be_title(line)]
        if len(titles) > 1:
            above, last = titles[-2:]
            is_below = (last.is_attached and is_name(last.text)) or is_authors(last.text)
            if is_below and _is_telling(above):
                return above
        return titles[-1] if titles else None

    def _can_be_title(self, line: Paragraph) -> bool:
        return not (is_furniture(line.text) or line.text in self.head or match_date(line.text))

    def _leftover(self, lines: list[Paragraph]) -> Iterator[Problem]:
        """The lines that read as titles though no abstract follows them."""
        for line in lines:
            if is_footer(line.text):
                return
            if self._can_be_title(line) and _is_telling(line) and not is_authors(line.text):
                yield Problem(self.name, line.line, "title without an abstract")


def _goes_on(paragraph: Paragraph) -> bool:
    """Whether it is one more paragraph of the abstract before it."""
    if is_furniture(paragraph.text):
        return False
    return paragraph.kind is Kind.PROSE or (paragraph.opens_sentence and _is_listed(paragraph))


def _is_listed(paragraph: Paragraph) -> bool:
    """Whether a line inside an abstract announces or continues a list."""
    return paragraph.text.rstrip().endswith((":", ";", ","))


def _is_telling(line: Paragraph) -> bool:
    """Whether a line has enough words to be a title rather than a heading or a button."""
    text = _bare_title(line.text)
    return len(text.split()) >= 3 and not text[0].islower() and not text.endswith(("!", "…", "..."))


def _bare_title(text: str) -> str:
    """A title without the marks of a list, a heading or bold type around it."""
    text = _TITLE_LABEL.sub("", text, count=1) if _TITLE_LABEL.match(text) else text
    bold = _BOLD.fullmatch(text.strip())
    return bold["inside"].strip() if bold else text.strip()
