"""What each paragraph of a digest is for, told by how it reads and by what is around it."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import pairwise, zip_longest

from index.readers.dates import is_date
from index.readers.furniture import is_authors, is_furniture, is_name
from index.readers.inline import parted
from index.readers.labels import (
    field_of,
    id_of,
    is_byline,
    is_plausible,
    is_section,
    label_of,
    stands,
    without_more,
)
from index.readers.pages import LOWEST, Page
from index.readers.paragraphs import Kind, Paragraph, paragraphs
from index.readers.titles import SURELY, title_like

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
        """How much it reads as a title: `index.readers.titles.title_like`."""
        if self.role is Role.TITLE:
            return SURELY
        return title_like(self.text, is_heading=self.level > 0)


def read_items(page: Page) -> list[Item]:
    """The paragraphs with their roles, each seen with those around it."""
    found = list(parted(page.text, list(paragraphs(page.text, stands)), page.listed))
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
        around = _Around(recurring, often, over_prose)
        items += _roles(each, page.headings.get(each.line, 0), links, around)
    return _resolved(items)


@dataclass(frozen=True, slots=True)
class _Around:
    """What the file says of a paragraph."""

    recurring: set[str]
    """Lines that come again and again."""
    labels: set[str]
    """Labels that come more than once."""
    over_prose: bool
    """Whether prose comes next: a title stands there."""


def _recurring(found: Sequence[Paragraph]) -> set[str]:
    """Lines that stand before several different paragraphs, as "Read more" does."""
    followers: dict[str, list[str]] = {}
    for paragraph, following in zip_longest(found, found[1:]):
        if paragraph.kind is Kind.LINE and not is_date(paragraph.text):
            after = following.text if following else ""
            followers.setdefault(paragraph.text, []).append(after)
    return {
        text for text, texts in followers.items() if len(texts) >= _OFTEN and len(set(texts)) > 1
    }


def _roles(
    paragraph: Paragraph,
    level: int,
    links: tuple[str, ...],
    around: _Around,
) -> list[Item]:
    """A paragraph with its role, as far as it tells it itself; a label and its value are two."""
    text = paragraph.text.strip()

    def item(role: Role, name: str = "", value: str = "", of: Paragraph = paragraph) -> Item:
        return Item(role, of, name, value, level, links)

    def prose_from(at: int) -> Item:
        start = paragraph.start + at
        return item(Role.PROSE, of=replace(paragraph, kind=Kind.PROSE, start=start, text=text[at:]))

    if paragraph.kind is Kind.TITLE:
        return [replace(item(Role.LINE), level=level or LOWEST)]
    if head := _head_of(text):
        return [item(head)]
    if summarised := _SUMMARISED.match(text):
        return [item(Role.SUMMARY), prose_from(summarised.end())]
    is_often = label_of(text) in around.labels
    if labelled := field_of(text):
        name, at = labelled
        value = text[at:].strip(" *_")
        if name == "abstract" and value:
            return [item(Role.ABSTRACT), prose_from(at)]
        if name == "title" and value:
            return [item(Role.TITLE, "title", value)]
        if name == "header":
            return [item(Role.NOISE, name)]
        if name in ("abstract", "other", "id"):
            if is_often or not around.over_prose:
                return [item(Role.NOISE)]
        elif is_often or is_plausible(name, value):
            return [item(Role.FIELD, name, value)]
    if is_often and not around.over_prose and paragraph.kind is not Kind.PROSE:
        return [item(Role.NOISE)]
    return [item(*_role(paragraph, text in around.recurring))]


def _head_of(text: str) -> Role | None:
    """The role of a line that is the heading of an abstract, a summary or a section."""
    bare = text.strip(" *_:.#-").casefold()
    if bare == "abstract":
        return Role.ABSTRACT
    if bare != "summary" and _SUMMARY.fullmatch(text.strip(" *_#")):
        return Role.SUMMARY
    return Role.SECTION if is_section(text) else None


def _role(paragraph: Paragraph, recurs: bool) -> tuple[Role, str, str]:
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
        elif _are_bare_authors(item) and not _has_title_above(resolved):
            item = replace(item, role=Role.LINE)  # "Read, Look, Sing"
        elif (
            item.role is Role.NOISE
            and _is_labelled_title(item.text)
            and _are_over_prose(items[len(resolved) + 1 :])
            and not _has_title_above(resolved)
        ):
            item = replace(item, role=Role.LINE)  # "Code: The Hidden Language"
        may_be_name = names_authors and item.role is Role.LINE and _is_below_title(above, below)
        if may_be_name and is_name(item.text):
            item = replace(item, role=Role.FIELD, field="authors", value=item.text)
        resolved.append(item)
        if item.role not in (Role.NOISE, Role.FIELD):
            has_title = item.role in (Role.LINE, Role.TITLE, Role.ABSTRACT, Role.SECTION)
    return resolved


def _is_labelled_title(text: str) -> bool:
    """Whether a line that opens with a label reads as a title all the same."""
    field = field_of(text)
    words = text[field[1] :].split() if field else []
    return field is not None and field[0] == "other" and len(words) >= 3 and words[0][0].isupper()


def _are_over_prose(items: Sequence[Item]) -> bool:
    """Whether prose comes next, but for what is known of a paper."""
    role = next((each.role for each in items if each.role is not Role.FIELD), None)
    return role in (Role.PROSE, Role.ABSTRACT)


def _are_bare_authors(item: Item) -> bool:
    """Whether an item is taken for authors though no label says so."""
    are_authors = item.role is Role.FIELD and item.field in ("authors", "byline")
    return are_authors and not label_of(item.text)


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
    if above.field == "authors":
        return True
    is_over_authors = below is not None and below.field in ("authors", "byline")
    return above.role in (Role.LINE, Role.TITLE) and not is_over_authors


def _has_title_above(resolved: Sequence[Item]) -> bool:
    """Whether a title stands between the last text and what comes next."""
    for item in reversed(resolved):
        if item.role in (Role.PROSE, Role.DATE):
            return False
        if item.role in (Role.TITLE, Role.LINE):
            return True
    return False
