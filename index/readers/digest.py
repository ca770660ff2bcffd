"""Digests as people paste them from mails and pages: titles and abstracts, and what is around them.

Nothing marks a title or an abstract for sure, so every paragraph gets a role by how it reads, and
the titles of a file are chosen together: what stands where the titles of its other papers stand is
more likely one. A line that is only a date begins a digest; a file may hold several.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from index.papers import arxiv_id
from index.readers.dates import Dated, date_of, is_date, read_date
from index.readers.furniture import is_footer, is_furniture
from index.readers.labels import BYLINE, label_of, without_more
from index.readers.pages import Page
from index.readers.records import LONGEST_ABSTRACT, Problem, Raw
from index.readers.roles import Item, Role, read_items
from index.readers.titles import bare_title

_QUOTED = re.compile(r"^(?:>[ \t]?)+", re.MULTILINE)
_WROTE = re.compile(
    r"(?:on|am|le|el|il)\b(?P<when>.{6,80}?)(?:wrote|schrieb|a écrit|escribió|ha scritto)\s*:", re.I
)
_SPONSORED = re.compile(r"\((?:sponsor(?:ed)?|ad|advertisement|promoted)\)\W*$", re.IGNORECASE)
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
_LOWER = 0.9
"""What a line above another one of a gap has to read better, to be the title."""


@dataclass
class _Entry:
    """A title, or none, and all that follows it up to the next."""

    title: Item | None
    items: list[Item] = field(default_factory=list)
    listed: Dated | None = None
    position: int = 0


def read_digest(
    page: Page, name: str, year: int | None, usual_year: int, listed: Dated | None = None
) -> Iterator[Raw | Problem]:
    r"""The papers of a digest, in order, and what could not be read.

    Args:
        page: The digest, with `\n` line ends.
        name: What the papers' sources are called.
        year: The year of dates that have none, if a user gave it.
        usual_year: Their year if no date of the file says one.
        listed: The date of the mail that it came in.
    """
    text = _CHAT.sub(lambda said: "\n" * said[0].count("\n"), _unquoted(page.text))
    if listed is None and (wrote := _WROTE.search(text[:2000])):
        listed = _first_date(wrote["when"])
        text = text[: wrote.start()] + " " * (wrote.end() - wrote.start()) + text[wrote.end() :]
    items = read_items(Page(text, page.headings, page.links))
    yield from _Digest(text, name, year, usual_year, listed, items).read()


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


@dataclass
class _Digest:
    """One pass over the items of a file."""

    text: str
    name: str
    year: int | None
    usual_year: int
    listed: Dated | None
    items: list[Item]
    first_date: int = 0
    """Where the first date line is among the items."""
    first_long: int = 0
    """Where the first prose as long as abstracts is."""
    places: dict[int, int] = field(default_factory=dict)
    """Where an item is among the items, by where it begins in the text."""
    head: set[str] = field(default_factory=set)
    """Lines of the page's head, which come again where digests are pasted in one file."""

    def read(self) -> Iterator[Raw | Problem]:
        """Every paper and problem, in the file's order."""
        if self.year is None:
            said = (self._dated(item, None) for item in self.items if item.role is Role.DATE)
            stated = next((each.day.year for each in said if each), None)
            stated = stated or self._latest_year()
            self.usual_year = stated or (self.listed.day.year if self.listed else self.usual_year)
        places = {role: [at for at, i in enumerate(self.items) if i.role is role] for role in Role}
        self.first_date = next(iter(places[Role.DATE]), 0)
        self.places = {item.paragraph.start: at for at, item in enumerate(self.items)}
        long = (at for at in places[Role.PROSE] if self.items[at].paragraph.is_long)
        self.first_long = next(long, len(self.items))
        titles = self._titles()
        entry = _Entry(None, listed=self.listed)
        position = 0
        started = False
        for at, item in enumerate(self.items):
            if at in titles:
                carried = self._above(at, titles)
                entry.items = entry.items[: len(entry.items) - len(carried)]
                yield from self._paper(entry, started=started)
                started, position = True, position + 1
                entry = _Entry(item, carried, entry.listed, position)
            elif item.role is Role.DATE and not self._is_papers_own(at, entry):
                yield from self._paper(entry, started=started)
                started, position = True, 0
                entry = _Entry(None, listed=self.listed)
                try:
                    entry.listed = self._dated(item, self.usual_year)
                    if entry.listed and self.year is None:
                        self.usual_year = entry.listed.day.year
                except ValueError as error:
                    reason = f"{error}: its papers are kept without a date"
                    yield Problem(self.name, item.paragraph.line, reason)
                    entry.listed = None
            else:
                is_head = item.role in (Role.NOISE, Role.LINE) and len(item.text) < _LONGEST_HEAD
                if is_head and not started and entry.listed is None:
                    entry.listed = _first_date(item.text)
                if item.field == "date" and self._is_header(at):  # a mail in the mail
                    yield from self._paper(entry, started=started)
                    entry, position = _Entry(None, listed=self._said(item.value)), 0
                    continue
                if item.field == "date" and entry.title is None and not started:
                    entry.listed = self._said(item.value) or entry.listed
                entry.items.append(item)
        yield from self._paper(entry, started=started)

    def _is_header(self, at: int) -> bool:
        """Whether an item stands in the head of a mail, beside its sender or subject."""
        return any(each.field == "header" for each in self.items[max(0, at - 1) : at + 2])

    def _said(self, text: str) -> Dated | None:
        """The date of a field, in the year of the file if it has none."""
        try:
            return read_date(text, self.year or self.usual_year) or date_of(text)
        except ValueError:
            return None

    def _dated(self, item: Item, year: int | None) -> Dated | None:
        if year is None:
            try:
                return read_date(item.text)
            except ValueError:
                return None
        return read_date(item.text, self.year or year)

    def _latest_year(self) -> int | None:
        """The latest year of the papers' own dates and ids: the digest is not older."""
        fields = [item for item in self.items if item.role is Role.FIELD]
        dates = [date_of(item.value) for item in fields if item.field == "date"]
        years = [each.day.year for each in dates if each and each.precision != "year"]
        links = [link for item in self.items for link in item.links]
        ids = [i.value for i in fields if i.field == "arxiv"] + [arxiv_id(each) for each in links]
        years += [2000 + int(known[:2]) for known in ids if known and known[:4].isdigit()]
        return max(years, default=None)

    def _titles(self) -> set[int]:
        """Where the titles are: one line, or none, above each run of prose."""
        labelled = {at for at, item in enumerate(self.items) if item.role is Role.TITLE}
        if len(labelled) > 1:
            return labelled
        gaps: list[tuple[list[int], int]] = []
        lines: list[int] = []
        in_run = False
        for at, item in enumerate(self.items):
            if item.role is Role.LINE and in_run and self._goes_on(at):
                continue
            if item.role in (Role.LINE, Role.TITLE):
                if item.role is Role.TITLE and lines and self.items[lines[-1]].role is Role.TITLE:
                    gaps.append((lines, at))
                    lines = []
                lines.append(at)
            elif item.role is Role.PROSE and not self._is_intro(at):
                if lines:
                    gaps.append((lines, at))
                lines = []
            elif item.role is Role.DATE and not (lines and self._is_above_prose(at)):
                if not gaps:
                    self.head |= {each.text for each in self.items[:at]}
                lines = []
            in_run = item.role in (Role.PROSE, Role.SECTION)
        if lines and self.items[lines[-1]].role is Role.TITLE:
            gaps.append((lines, len(self.items)))
        return self._chosen(gaps)

    def _is_above_prose(self, at: int) -> bool:
        """Whether nothing stands between an item and the abstract below it but what is known."""
        for item in self.items[at + 1 : at + 7]:
            if item.role in (Role.PROSE, Role.ABSTRACT, Role.SUMMARY):
                return True
            if item.role in (Role.LINE, Role.TITLE, Role.DATE):
                return False
        return False

    def _chosen(self, gaps: list[tuple[list[int], int]]) -> set[int]:
        """The best line of each gap, those at the place where most gaps have theirs preferred."""
        usable = [
            ([at for at in lines if self.items[at].text not in self.head], prose)
            for lines, prose in gaps
        ]
        places: Counter[int] = Counter()
        for lines, _ in usable:
            for place, at in enumerate(reversed(lines)):
                likely = max(-2.0, min(self.items[at].title_like, 3.0))
                places[place] += likely - _LOWER * place  # type: ignore[assignment]
        best = max(places, key=lambda place: (places[place], -place)) if places else 0
        titles: set[int] = set()
        for lines, _ in usable:
            scored = [
                (self.items[at].title_like + 1.2 * (place == best) - _LOWER * place, at)
                for place, at in enumerate(reversed(lines))
            ]
            if scored and (found := max(scored))[0] > -1.5:
                titles.add(found[1])
        return titles

    def _is_intro(self, at: int) -> bool:
        """Whether prose is that of a mail to its reader, above its first date or title."""
        item = self.items[at]
        is_above = at < self.first_date or item.text[0].islower()
        return at < self.first_long and not item.paragraph.is_long and is_above

    def _goes_on(self, at: int) -> bool:
        """Whether a line after prose is a part of it: of its block, a list's, or a program's."""
        item, following = self.items[at], self.items[at + 1 : at + 2]
        if item.is_heading:
            return False
        is_list = item.paragraph.opens_sentence and item.text.rstrip().endswith((":", ";", ","))
        if is_list:
            return True
        if not following or following[0].role is not Role.PROSE:
            return item.paragraph.is_attached and item.title_like < 2
        return item.title_like < 0 and not bare_title(item.text)[:1].isupper()

    def _is_papers_own(self, at: int, entry: _Entry) -> bool:
        """Whether a date stands between a title and its abstract."""
        has_prose = any(each.role is Role.PROSE for each in entry.items)
        return entry.title is not None and not has_prose and self._is_above_prose(at)

    def _above(self, at: int, titles: set[int]) -> list[Item]:
        """The fields right above a title, where the first title of the file has some, too."""
        first = self._fields_above(min(titles))
        is_usual = any(each.field in ("arxiv", "doi") for each in first)
        is_usual = is_usual or (bool(first) and self.items[at].role is Role.TITLE)
        return self._fields_above(at) if is_usual else []

    def _fields_above(self, at: int) -> list[Item]:
        start = at
        while start and self.items[start - 1].role is Role.FIELD:
            start -= 1
        return self.items[start:at]

    def _paper(self, entry: _Entry, *, started: bool) -> Iterator[Raw | Problem]:
        """What an entry holds: the abstract of its title, or what it lacks."""
        runs = self._runs(entry)
        title = entry.title
        if title is not None and _SPONSORED.search(title.text):
            return
        if title is None or not runs:
            if title is not None and self._tells(title):
                yield Problem(self.name, title.paragraph.line, "title without an abstract")
            yield from self._leftover(entry, runs, None, started=started)
            return
        _, abstract = runs[0]
        first, last = abstract[0].paragraph, abstract[-1].paragraph
        text = self.text[first.start : last.end].strip()
        text = re.sub(r"^(?:[\s:：—–-]|>(?=\s?[A-Za-z]))+", "", text)
        if len(text) > LONGEST_ABSTRACT:
            reason = (
                f"{len(text):,} characters in one go are no abstract (limit {LONGEST_ABSTRACT:,})"
            )
            yield Problem(self.name, first.line, reason)
            return
        fields: dict[str, object] = {
            "title": bare_title(title.value or title.text),
            "abstract": text,
            **self._fields(entry),
        }
        warnings: tuple[str, ...] = ()
        if re.search(r"(?:…|\.\.\.)\s*$", text):
            warnings = ("the abstract is cut off: it ends with …",)
        yield Raw(title.paragraph.line, fields, entry.listed, entry.position, True, warnings)
        yield from self._leftover(entry, runs[1:], abstract[-1], started=True)

    def _tells(self, item: Item) -> bool:
        """Whether a line reads as a title by itself."""
        if item.role is Role.TITLE:
            return True
        frame = is_furniture(item.text) or item.text in self.head or is_date(item.text)
        return item.role is Role.LINE and item.title_like > 1 and not frame

    def _leftover(
        self,
        entry: _Entry,
        runs: Sequence[tuple[int, list[Item]]],
        after: Item | None,
        *,
        started: bool,
    ) -> Iterator[Problem]:
        """Lines after an abstract that read as titles of nothing, and text without a title."""
        for item in entry.items[entry.items.index(after) + 1 if after else 0 :]:
            if is_footer(item.text):
                break
            if started and item.role is Role.LINE and self._tells(item):
                yield Problem(self.name, item.paragraph.line, "title without an abstract")
        for rank, run in runs:
            first = run[0].paragraph
            is_lost = first.is_long or entry.title is None
            if rank != _SUMMARISES and is_lost and not self._is_intro(self.places[first.start]):
                yield Problem(self.name, first.line, "abstract without a title")
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
        links = [*(entry.title.links if entry.title else ())]
        is_below = False
        for item in entry.items:
            is_below = is_below or item.role is Role.PROSE
            if is_below and item.field == "authors" and not label_of(item.text):
                continue  # a signature, an editor
            links += item.links
            if item.role is Role.DATE or item.field == "date":
                dated = self._said(item.value or item.text)
                found.setdefault("date", dated.iso if dated else item.value or item.text)
            if item.role is not Role.FIELD or item.field == "date":
                continue
            if item.field == "byline" and (by := BYLINE.fullmatch(item.text)):
                found.setdefault("authors", [without_more(by["names"])])
                year = re.findall(r"\b(?:19|20)\d\d\b", by["where"])
                found.setdefault("year", year[-1])
                if known := arxiv_id(by["where"]):
                    found.setdefault("arxiv", known)
                continue
            value = item.value
            if item.field == "url" and (known := arxiv_id(value)):
                found.setdefault("arxiv", known)
            if item.field == "authors":
                found["authors"] = [*found.get("authors", []), *filter(None, [value])]  # type: ignore[misc]
            else:
                found.setdefault(item.field, value)
        for link in links:
            if known := arxiv_id(link):
                found.setdefault("arxiv", known)
            found.setdefault("url", link)
        return found
