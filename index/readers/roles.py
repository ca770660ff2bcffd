"""What each paragraph of a digest is for, and which lines are its titles.

A paragraph gets its role by how it reads and by what is around it. Titles are chosen together,
since a file has them in like places.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import pairwise, zip_longest
from statistics import mode

from index.readers.lines import (
    SURELY,
    bare_title,
    field_of,
    id_of,
    is_authors,
    is_byline,
    is_furniture,
    is_name,
    is_plausible,
    is_section,
    label_of,
    title_like,
    without_more,
)
from index.readers.pages import LOWEST, Page
from index.readers.paragraphs import Kind, Paragraph, paragraphs
from index.readers.values import is_date

_NOTE = re.compile(r"\[(?P<number>\d{1,3})\]:?\s+(?P<address>https?://\S+)\s*")
"""A line that says where a link leads: "[4] https://arxiv.org/abs/…"."""
_NOTED = re.compile(r"\[(?P<number>\d{1,3})\]\s*$")
_AFFILIATED = re.compile(
    r"universi|institut|college|school|laborator|department|academy|hospital|\blabs?\b|\binc\b",
    re.I,
)
_SUMMARY = re.compile(
    r"(?:(?:ai[- ]generated |ai )?summary|tl;?dr|in short|key (?:points|findings))[:.]?", re.I
)
_SUMMARISED = re.compile(
    r"[\s*_]*(?:(?:ai[- ]generated summary|tl;?dr)\s*[:：]\W*|tl;?dr\s+(?=.{60}))", re.I
)
_OFTEN = 3
_LOWER = 0.9
"""What a line above another one of a gap has to read better, to be the title."""
_USUAL_PLACE = 1.2
"""What a line gains where most gaps have their title."""
_LEAST = -1.5
"""How much a line must read as a title to be one where nothing better is."""


class Role(Enum):
    """What a paragraph is for."""

    PROSE = "prose"
    SENTENCE = "sentence"
    """A sentence by itself: a part of an abstract, or a title with a stop."""
    LINE = "line"
    """A title, unless a better one is near."""
    TITLE = "title"
    """A title that is marked as one."""
    SECTION = "section"
    """A heading inside an abstract."""
    ABSTRACT = "abstract"
    """The word above an abstract."""
    SUMMARY = "summary"
    """A word above what is no abstract."""
    DATE = "date"
    FIELD = "field"
    """What is known of a paper: authors, ids, links, its own date."""
    NOISE = "noise"


@dataclass(frozen=True, slots=True)
class Item:
    """A paragraph with its role."""

    role: Role
    paragraph: Paragraph
    field: str = ""
    value: str = ""
    level: int = 0
    """Of a heading, 1 and up: that of a section is smaller than those inside it; 0 is none."""
    links: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Its lines in one."""
        return self.paragraph.text

    @property
    def title_like(self) -> float:
        """How much it reads as a title: `index.readers.lines.title_like`."""
        if self.role is Role.TITLE:
            return SURELY
        return title_like(self.text, is_heading=self.level > 0)


def read_items(page: Page) -> list[Item]:
    """The paragraphs with their roles, each seen with those around it."""
    found = paragraphs(page.text, page.listed)
    recurring = _recurring(found)
    labels = Counter(label for each in found if (label := label_of(each.text)))
    often = {label for label, count in labels.items() if count > 1}
    notes = {note["number"]: note["address"] for each in found if (note := _NOTE.match(each.text))}
    items: list[Item] = []
    for each, below in zip_longest(found, found[1:]):
        links = tuple(page.links.get(each.line, ()))
        if noted := _NOTED.search(each.text):
            links += tuple(filter(None, [notes.get(noted["number"])]))
        over_prose = below is not None and below.kind is Kind.PROSE
        is_often = label_of(each.text) in often
        recurs = each.text in recurring
        read = _roles(each, recurs=recurs, is_often=is_often, over_prose=over_prose)
        level = page.headings.get(each.line, 0) or LOWEST * (each.kind is Kind.TITLE)
        items += [replace(item, level=level, links=links) for item in read]
    return _resolved(items)


def _recurring(found: Sequence[Paragraph]) -> set[str]:
    """Lines that stand before several different paragraphs, as "Read more" does."""
    followers: dict[str, list[str]] = defaultdict(list)
    for paragraph, following in zip_longest(found, found[1:]):
        if paragraph.kind is Kind.LINE and not is_date(paragraph.text):
            followers[paragraph.text].append(following.text if following else "")
    return {
        text for text, texts in followers.items() if len(texts) >= _OFTEN and len(set(texts)) > 1
    }


def _roles(paragraph: Paragraph, *, recurs: bool, is_often: bool, over_prose: bool) -> list[Item]:
    """A paragraph with its role, as far as it tells it itself; a label and its value are two.

    Args:
        paragraph: What is read.
        recurs: Whether the line comes again and again.
        is_often: Whether it opens with a label that comes more than once.
        over_prose: Whether prose comes next: a title stands there.
    """
    text = paragraph.text.strip()

    def prose_from(at: int) -> Item:
        of = replace(paragraph, kind=Kind.PROSE, start=paragraph.start + at, text=text[at:])
        return Item(Role.PROSE, of)

    if paragraph.kind is Kind.TITLE:
        return [Item(Role.LINE, paragraph)]
    if head := _head_of(text):
        return [Item(head, paragraph)]
    if summarised := _SUMMARISED.match(text):
        return [Item(Role.SUMMARY, paragraph), prose_from(summarised.end())]
    if labelled := field_of(text):
        name, at = labelled
        value = text[at:].strip(" *_")
        if name == "abstract" and value:
            return [Item(Role.ABSTRACT, paragraph), prose_from(at)]
        if name == "title" and value:
            return [Item(Role.TITLE, paragraph, "title", value)]
        if name == "header":
            return [Item(Role.NOISE, paragraph, name)]
        if name in ("abstract", "other", "id"):
            if is_often or not over_prose:
                return [Item(Role.NOISE, paragraph)]
        elif is_often or is_plausible(name, value):
            return [Item(Role.FIELD, paragraph, name, value)]
    if is_often and not over_prose and paragraph.kind is not Kind.PROSE:
        return [Item(Role.NOISE, paragraph)]
    role, name, value = _role(paragraph, recurs=recurs)
    return [Item(role, paragraph, name, value)]


def _head_of(text: str) -> Role | None:
    """The role of a line that is the heading of an abstract, a summary or a section."""
    bare = text.strip(" *_:.#-").casefold()
    if bare == "abstract":
        return Role.ABSTRACT
    if bare != "summary" and _SUMMARY.fullmatch(text.strip(" *_#")):
        return Role.SUMMARY
    return Role.SECTION if is_section(text) else None


def _role(paragraph: Paragraph, *, recurs: bool) -> tuple[Role, str, str]:
    """The role of a paragraph without a label, and the field that it fills."""
    text = paragraph.text.strip()
    if is_date(text):
        return Role.DATE, "", ""
    if _NOTE.fullmatch(text) or re.fullmatch(r"[-=_*]{3,}.*[-=_*]{3,}", text):
        return Role.NOISE, "", ""
    if recurs and not is_authors(text):
        return Role.SUMMARY if len(text.split()) < 5 else Role.NOISE, "", ""
    if paragraph.kind is Kind.PROSE:
        return Role.NOISE if is_furniture(text) else Role.PROSE, "", ""
    if known := id_of(text):
        return Role.FIELD, *known
    by = re.sub(r"^by:?\s+", "", text, flags=re.IGNORECASE)
    if by != text and (is_authors(without_more(by)) or is_name(by)):
        return Role.FIELD, "authors", by
    if is_furniture(text):
        return Role.NOISE, "", ""
    names = without_more(text)
    if is_authors(names) or (names != text and is_name(names)):
        return Role.FIELD, "authors", names
    if _AFFILIATED.search(names) and "," in names:
        first = names.split(",")[0]
        is_known = is_name(first) and not _AFFILIATED.search(first)
        return (Role.FIELD, "authors", first) if is_known else (Role.NOISE, "", "")
    if is_byline(text):
        return Role.FIELD, "byline", text
    is_item = re.fullmatch(r"\s*[-*•‣]\s+[a-z].*", text)
    return Role.SENTENCE if paragraph.kind is Kind.SENTENCE or is_item else Role.LINE, "", ""


def _resolved(items: Sequence[Item]) -> list[Item]:
    """Sentences by themselves as titles or as prose, by what stands around them."""
    pairs = pairwise([each.role for each in items if each.role is not Role.NOISE])
    over = [a for a, b in pairs if b is Role.PROSE and a in (Role.LINE, Role.SENTENCE)]
    titles_end_in_stops = over.count(Role.SENTENCE) * 2 > len(over)
    names_authors = any(each.field == "authors" for each in items)
    resolved: list[Item] = []
    has_title = False
    for read, below in zip_longest(items, items[1:]):
        item = read
        above = next((each for each in reversed(resolved) if each.role is not Role.NOISE), None)
        if item.role is Role.SENTENCE:
            is_free = titles_end_in_stops or not has_title
            is_title = is_free and _is_title(item, resolved[-1] if resolved else None, below)
            item = replace(item, role=Role.LINE if is_title else Role.PROSE)
        elif _may_be_title(item, items[len(resolved) + 1 :]) and not _has_title_above(resolved):
            item = replace(item, role=Role.LINE)
        may_be_name = names_authors and item.role is Role.LINE and _is_below_title(above, below)
        if may_be_name and is_name(item.text):
            item = replace(item, role=Role.FIELD, field="authors", value=item.text)
        resolved.append(item)
        if item.role not in (Role.NOISE, Role.FIELD):
            has_title = item.role in (Role.LINE, Role.TITLE, Role.ABSTRACT, Role.SECTION)
    return resolved


def _may_be_title(item: Item, below: Sequence[Item]) -> bool:
    """Whether a line reads as authors ("Read, Look, Sing") or as a label's, but may be a title."""
    if item.role is Role.FIELD and item.field in ("authors", "byline"):
        return not label_of(item.text)
    labelled = field_of(item.text) if item.role is Role.NOISE else None
    if labelled is None or labelled[0] != "other":
        return False
    words = item.text[labelled[1] :].split()  # "Code: The Hidden Language"
    role = next((each.role for each in below if each.role is not Role.FIELD), None)
    return len(words) >= 3 and words[0][0].isupper() and role in (Role.PROSE, Role.ABSTRACT)


def _is_title(item: Item, above: Item | None, below: Item | None) -> bool:
    """Whether a sentence by itself may be a title with a stop."""
    texts = (Role.PROSE, Role.SENTENCE, Role.ABSTRACT, Role.FIELD)
    stands_so = below is not None and below.role in texts
    is_summary = above is not None and above.role is Role.SUMMARY
    return (
        stands_so and not is_summary and not item.paragraph.opens_sentence and item.title_like > 0
    )


def _is_below_title(above: Item | None, below: Item | None) -> bool:
    """Whether a line stands where authors do: below a title or others, not above others alone."""
    if above is None:
        return False
    is_over_authors = below is not None and below.field in ("authors", "byline")
    is_below = above.role in (Role.LINE, Role.TITLE) and not is_over_authors
    return above.field == "authors" or is_below


def _has_title_above(resolved: Sequence[Item]) -> bool:
    """Whether a title stands between the last text and what comes next."""
    ends = (Role.PROSE, Role.DATE, Role.TITLE, Role.LINE)
    last = next((each.role for each in reversed(resolved) if each.role in ends), None)
    return last in (Role.TITLE, Role.LINE)


class Layout:
    """What stands where among the items of a file; places count from 0."""

    def __init__(self, items: Sequence[Item]) -> None:
        """Choose the titles."""
        self._items = items
        self._first_date = next((at for at, i in enumerate(items) if i.role is Role.DATE), 0)
        long = (at for at, i in enumerate(items) if i.role is Role.PROSE and i.paragraph.is_long)
        self._first_long = next(long, len(items))
        self.head: set[str] = set()
        """Lines of the page's head, which come again where digests are pasted in one file."""
        labelled = {at for at, item in enumerate(items) if item.role is Role.TITLE}
        self.titles: Collection[int] = (
            labelled if len(labelled) > 1 else self._chosen(list(self._gaps()))
        )
        """Where the titles are."""
        chosen = [items[at] for at in self.titles]
        self._usual_level = mode(title.level or LOWEST for title in chosen) if chosen else 0
        self._are_loud = sum(title.text.isupper() for title in chosen) * 2 > len(chosen)

    def is_intro(self, at: int) -> bool:
        """Whether prose is that of a mail to its reader, above its first date or title."""
        item = self._items[at]
        is_above = at < self._first_date or item.text[0].islower()
        return at < self._first_long and not item.paragraph.is_long and is_above

    def is_section(self, item: Item) -> bool:
        """Whether a line is a heading over several papers, and no title of one."""
        is_louder = item.text.isupper() and not self._are_loud
        return 0 < item.level < self._usual_level or is_louder

    def is_above_prose(self, at: int) -> bool:
        """Whether nothing stands between an item and the abstract below it but what is known."""
        ends = {Role.PROSE: True, Role.ABSTRACT: True, Role.SUMMARY: True}
        ends |= {Role.LINE: False, Role.TITLE: False, Role.DATE: False}
        below = (ends[i.role] for i in self._items[at + 1 : at + 7] if i.role in ends)
        return next(below, False)

    def _gaps(self) -> Iterator[list[int]]:
        """The lines above each run of prose, one of which is its title."""
        lines: list[int] = []
        in_run = False
        is_first = True
        for at, item in enumerate(self._items):
            if item.role is Role.LINE and in_run and self._goes_on(at):
                continue
            if item.role in (Role.LINE, Role.TITLE):
                if item.role is Role.TITLE and self._is_title(lines):
                    yield lines
                    lines, is_first = [], False
                lines.append(at)
            if item.role is Role.PROSE and not self.is_intro(at):
                if lines:
                    yield lines
                    is_first = False
                lines = []
            elif item.role is Role.DATE and not (lines and self.is_above_prose(at)):
                if is_first:
                    self.head |= {each.text for each in self._items[:at]}
                lines = []
            in_run = item.role in (Role.PROSE, Role.SECTION)
        if self._is_title(lines):
            yield lines

    def _is_title(self, lines: Sequence[int]) -> bool:
        """Whether the last of these lines is marked as a title."""
        return bool(lines) and self._items[lines[-1]].role is Role.TITLE

    def _goes_on(self, at: int) -> bool:
        """Whether a line after prose is a part of it: of its block, a list's, or a program's."""
        item, following = self._items[at], self._items[at + 1 : at + 2]
        if item.level:
            return False
        if item.paragraph.opens_sentence and item.text.rstrip().endswith((":", ";", ",")):
            return True
        if not following or following[0].role is not Role.PROSE:
            return item.paragraph.is_attached and item.title_like < 2
        return item.title_like < 0 and not bare_title(item.text)[:1].isupper()

    def _chosen(self, gaps: Sequence[Sequence[int]]) -> set[int]:
        """The best line of each gap, those at the place where most gaps have theirs preferred.

        The place of a line is how many lines of its gap stand below it.
        """
        usable = [
            [at for at in reversed(gap) if self._items[at].text not in self.head] for gap in gaps
        ]
        likely: defaultdict[int, float] = defaultdict(float)
        for lines in usable:
            for place, at in enumerate(lines):
                likely[place] += max(-2.0, min(self._items[at].title_like, 3.0)) - _LOWER * place
        usual = max(likely, key=lambda place: (likely[place], -place), default=0)
        titles: set[int] = set()
        for lines in filter(None, usable):
            score, title = max(
                (self._items[at].title_like + _USUAL_PLACE * (place == usual) - _LOWER * place, at)
                for place, at in enumerate(lines)
            )
            if score > _LEAST:
                titles.add(title)
        return titles
