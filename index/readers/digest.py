"""Digests as people paste them from mails and pages: titles and abstracts, and what is around them.

Nothing marks a title or an abstract for sure, so every paragraph gets a role by how it reads, and
the titles of a file are chosen together: what stands where the titles of its other papers stand is
more likely one. A line that is only a date begins a digest; a file may hold several.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from index.papers import arxiv_id
from index.readers.lines import (
    BYLINE,
    bare_title,
    is_footer,
    is_frame,
    is_sponsored,
    label_of,
    without_more,
)
from index.readers.pages import Page
from index.readers.records import LONGEST_ABSTRACT, Heading, How, Problem, Raw
from index.readers.roles import Item, Layout, Role, read_items
from index.readers.values import Dated, date_of, read_date

_QUOTED = re.compile(r"^(?:>[ \t]?)+", re.MULTILINE)
_WROTE = re.compile(
    r"(?:on|am|le|el|il)\b(?P<when>.{6,80}?)(?:wrote|schrieb|a écrit|escribió|ha scritto)\s*:", re.I
)
_LINKS_BEHIND = re.compile(
    r"(?<=[.!?])\s*[(\[](?:(?:[a-z][a-z -]{0,20}[|·/]\s*)+[a-z][a-z -]{0,20}"
    r"|paper|pdf|link|abs|html|code|arxiv)[)\]]$",
    re.IGNORECASE,
)
"""Words behind an abstract that were links, as "(paper | tweet)" and "[pdf]"."""
_CHAT = re.compile(
    r"^\[?\d{1,4}[/.-]\d{1,2}[/.-]\d{2,4},? \d{1,2}:\d\d(?::\d\d)?(?:\s?[ap]m)?\]?(?: -)? "
    r"[^:\n]{1,40}: ",
    re.IGNORECASE | re.MULTILINE,
)
"""What a chat puts before each message."""
_SUMMARISES = 2
"""The rank of a run of prose below a word that says it is a summary."""
_LONGEST_HEAD = 120
"""Characters of a line above all papers that may say their date."""


@dataclass
class _Entry:
    """A title, or none, and all that follows it up to the next."""

    title: Item | None
    items: list[Item] = field(default_factory=list)
    listed: Dated | None = None
    position: int = 0
    is_head: bool = False
    """Whether it is what stands above the first title or date of the file."""


def read_digest(page: Page, name: str, how: How) -> Iterator[Raw | Problem]:
    r"""The papers of a digest, in order, and what could not be read.

    Args:
        page: The digest, with `\n` line ends.
        name: What the papers' sources are called.
        how: The year of its dates, and the date of the mail that it came in.
    """
    text = _CHAT.sub(lambda chat: "\n" * chat[0].count("\n"), _unquoted(page.text))
    if how.listed is None and (wrote := _WROTE.search(text[:2000])):
        how = replace(how, listed=_first_date(wrote["when"]))
        text = text[: wrote.start()] + " " * (wrote.end() - wrote.start()) + text[wrote.end() :]
    items = read_items(replace(page, text=text))
    digest = _Digest(text, name, how, items)
    for entry in digest.entries():
        yield from [entry] if isinstance(entry, Problem) else digest.papers(entry)


def _unquoted(text: str) -> str:
    """A text without the signs of a quoted mail, if most of it is quoted; its lines stay."""
    lines = [line for line in text.split("\n") if line.strip()]
    quoted = sum(line.startswith(">") for line in lines)
    return _QUOTED.sub("", text) if quoted * 2 > len(lines) else text


def _first_date(text: str) -> Dated | None:
    words = text.replace(",", " ").split()
    for start in range(len(words)):
        for end in range(min(len(words), start + 4), start, -1):
            found = date_of(" ".join(words[start:end]))
            if found and found.precision == "day":
                return found
    return None


class _Digest:
    """One pass over the items of a file."""

    def __init__(self, text: str, name: str, how: How, items: Sequence[Item]) -> None:
        self._text, self._name, self._how = text, name, how
        self._items, self._layout = items, Layout(items)
        self._places = {item.paragraph.start: at for at, item in enumerate(items)}
        usual = how.listed.day.year if how.listed else how.usual_year
        self._year = how.year or self._stated_year() or usual

    def entries(self) -> Iterator[_Entry | Problem]:
        """The parts of the file, in order, and dates that are none."""
        entry = _Entry(None, listed=self._how.listed, is_head=True)
        position = 0
        for at, item in enumerate(self._items):
            if at in self._layout.titles:
                carried = self._above(at)
                entry.items = entry.items[: len(entry.items) - len(carried)]
                yield entry
                position += 1
                entry = _Entry(item, carried, entry.listed, position)
            elif item.role is Role.DATE and not self._is_papers_own(at, entry):
                yield entry
                entry, position = _Entry(None), 0
                try:
                    entry.listed = read_date(item.text, self._year)
                except ValueError as error:
                    reason = f"{error}: its papers are kept without a date"
                    yield Problem(self._name, item.paragraph.line, reason)
                if entry.listed and self._how.year is None:
                    self._year = entry.listed.day.year
            elif item.field == "date" and self._is_header(at):  # a mail in the mail
                yield entry
                entry = _Entry(None, listed=self._said(item.value), is_head=entry.is_head)
                position = 0
            else:
                if entry.is_head:
                    entry.listed = self._date_of_head(item, entry.listed)
                entry.items.append(item)
        yield entry

    def _date_of_head(self, item: Item, listed: Dated | None) -> Dated | None:
        """The date of a digest as its head says it, or else as it was known before."""
        if item.field == "date":
            return self._said(item.value) or listed
        is_short = item.role in (Role.NOISE, Role.LINE) and len(item.text) < _LONGEST_HEAD
        return listed or (_first_date(item.text) if is_short else None)

    def _is_header(self, at: int) -> bool:
        """Whether an item stands in the head of a mail, beside its sender or subject."""
        return any(each.field == "header" for each in self._items[max(0, at - 1) : at + 2])

    def _said(self, text: str) -> Dated | None:
        """The date of a field, in the year of the file if it has none."""
        with suppress(ValueError):
            return read_date(text, self._year) or date_of(text)
        return None

    def _stated_year(self) -> int | None:
        """The year of the first date line that has one; else the latest of papers' dates and ids.

        A digest is not older than its papers.
        """
        for item in self._items:
            with suppress(ValueError):
                if item.role is Role.DATE and (stated := read_date(item.text)):
                    return stated.day.year
        fields = [item for item in self._items if item.role is Role.FIELD]
        dates = [date_of(item.value) for item in fields if item.field == "date"]
        years = [each.day.year for each in dates if each and each.precision != "year"]
        ids = [item.value for item in fields if item.field == "arxiv"]
        ids += [arxiv_id(link) or "" for item in self._items for link in item.links]
        years += [2000 + int(known[:2]) for known in ids if known[:4].isdigit()]
        return max(years, default=None)

    def _is_papers_own(self, at: int, entry: _Entry) -> bool:
        """Whether a date stands between a title and its abstract."""
        has_prose = any(each.role is Role.PROSE for each in entry.items)
        return entry.title is not None and not has_prose and self._layout.is_above_prose(at)

    def _above(self, at: int) -> list[Item]:
        """The fields right above a title, where the first title of the file has some, too."""

        def above(title: int) -> list[Item]:
            start = title
            while start and self._items[start - 1].role is Role.FIELD:
                start -= 1
            return [*self._items[start:title]]

        first = above(min(self._layout.titles))
        is_usual = any(each.field in ("arxiv", "doi") for each in first)
        is_usual = is_usual or (bool(first) and self._items[at].role is Role.TITLE)
        return above(at) if is_usual else []

    def papers(self, entry: _Entry) -> Iterator[Raw | Problem]:
        """What an entry holds: the abstract of its title, or what it lacks."""
        runs = self._runs(entry)
        title = entry.title
        if title is not None and (is_sponsored(title.text) or self._is_below_sponsor(title)):
            return
        if title is None or not runs:
            if title is not None:
                yield from self._lone(title)
            yield from self._leftover(entry, runs, None)
            return
        _, abstract = runs[0]
        first, last = abstract[0].paragraph, abstract[-1].paragraph
        text = self._text[first.start : last.end].strip()
        text = _LINKS_BEHIND.sub("", re.sub(r"^(?:[\s:：—–-]|>(?=\s?[A-Za-z]))+", "", text))
        if (size := len(text)) > LONGEST_ABSTRACT:
            reason = f"{size:,} characters in one go are no abstract (limit {LONGEST_ABSTRACT:,})"
            yield Problem(self._name, first.line, reason)
            return
        is_cut = re.search(r"(?:…|\.\.\.)\s*$", text) is not None
        yield Raw(
            title.paragraph.line,
            {
                "title": bare_title(title.value or title.text),
                "abstract": text,
                **self._fields(entry),
            },
            entry.listed,
            entry.position,
            is_digest=True,
            warnings=("the abstract is cut off: it ends with …",) if is_cut else (),
        )
        yield from self._leftover(entry, runs[1:], abstract[-1])

    def _tells(self, item: Item) -> bool:
        """Whether a line reads as a title by itself."""
        if item.role is Role.TITLE:
            return True
        is_around = item.text in self._layout.head or is_frame(item.text)
        return item.role is Role.LINE and item.title_like > 1 and not is_around

    def _lone(self, item: Item) -> Iterator[Problem]:
        """A title without an abstract, unless it is rather a heading over papers."""
        if self._tells(item):
            kind = Heading if self._layout.is_section(item) else Problem
            yield kind(self._name, item.paragraph.line, "title without an abstract")

    def _is_below_sponsor(self, title: Item) -> bool:
        """Whether the line above says that an advertisement comes; above all papers it does not."""
        at = self._places[title.paragraph.start]
        return at > min(self._layout.titles) and is_sponsored(self._items[at - 1].text)

    def _leftover(
        self, entry: _Entry, runs: Sequence[tuple[int, list[Item]]], after: Item | None
    ) -> Iterator[Problem]:
        """Lines after an abstract that read as titles of nothing, and text without a title."""
        for item in entry.items[entry.items.index(after) + 1 if after else 0 :]:
            if is_footer(item.text):
                break
            if not entry.is_head and item.role is Role.LINE:
                yield from self._lone(item)
        for rank, run in runs:
            first = run[0].paragraph
            is_lost = first.is_long or entry.title is None
            if (
                rank != _SUMMARISES
                and is_lost
                and not self._layout.is_intro(self._places[first.start])
            ):
                yield Problem(self._name, first.line, "abstract without a title")
                return

    def _runs(self, entry: _Entry) -> list[tuple[int, list[Item]]]:
        """The runs of prose of an entry with their ranks, the one that is the abstract first."""
        runs: list[tuple[int, list[Item]]] = []
        rank, run, headed = 1, list[Item](), list[Item]()
        for item in entry.items:
            if item.role is Role.PROSE:
                run += [*headed, item]
                headed = []
            elif item.role is Role.SECTION or (item.role is Role.LINE and run):
                headed.append(item)
            else:
                if run:
                    runs.append((rank, run))
                    rank = 3
                run, headed = [], []
                rank = {Role.ABSTRACT: 0, Role.SUMMARY: _SUMMARISES}.get(item.role, rank)
        if run:
            runs.append((rank, run))
        return sorted(runs, key=lambda each: each[0])

    def _fields(self, entry: _Entry) -> dict[str, object]:
        """What is known of a paper beside its text."""
        found: dict[str, object] = {}
        authors: list[str] = []
        links = [*(entry.title.links if entry.title else ())]
        is_below = False
        for item in entry.items:
            is_below = is_below or item.role is Role.PROSE
            if is_below and item.field == "authors" and not label_of(item.text):
                continue  # a signature, an editor
            links += item.links
            if item.role is Role.DATE or item.field == "date":
                said = item.value or item.text
                dated = self._said(said)
                found.setdefault("date", dated.iso if dated else said)
                continue
            if item.role is not Role.FIELD:
                continue
            if item.field == "authors":
                authors += filter(None, [item.value])
            elif by := BYLINE.fullmatch(item.text):
                authors = authors or [without_more(by["names"])]
                found.setdefault("year", re.findall(r"\b(?:19|20)\d\d\b", by["where"])[-1])
                links.insert(0, by["where"])
            else:
                links += [item.value] if item.field == "url" else []
                found.setdefault(item.field, item.value)
        for link in links:
            if known := arxiv_id(link):
                found.setdefault("arxiv", known)
            if link.startswith("http"):
                found.setdefault("url", link)
        return {**found, "authors": authors} if authors else found
