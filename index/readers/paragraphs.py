"""Split a pasted text into paragraphs; assign roles to them by their wording and neighbours."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import groupby, pairwise, takewhile, zip_longest
from typing import NamedTuple

from index.passages import sentence_spans
from index.readers import cues
from index.readers.pages import LOWEST, Page
from index.readers.values import is_date

_SURELY_PROSE = 200  # characters; real titles are shorter, real abstracts are longer
_NARROWEST = 40  # characters; no mail is wrapped narrower than this
NEAR = 20  # paragraphs after a title within which its text is searched
_NOTE = re.compile(r"\[(?P<number>\d{1,3})\]:?\s+(?P<address>https?://\S+)\s*")
"""A line with the address of a numbered link: "[4] https://arxiv.org/abs/…"."""
_SUMMARY = re.compile(
    r"(?i)[\s*_#]*(?:(?:(?:ai[- ]generated |ai )?summary|tl;?dr|in short|key (?:points|findings))"
    r"[:.]?[\s*_#]*$|(?:ai[- ]generated summary|tl;?dr)\s*[:：]\W*|tl;?dr\s+(?=.{60}))"
)
"""The beginning of a summary that is no abstract, or the heading above it."""
_OPENS_SENTENCE = re.compile(
    r"(?:We|Our|This|These|Those|It|Its|However|Moreover|Furthermore|Additionally|Finally|Here"
    r"|To this end|In (?:this|our|addition|contrast|summary)|Thus|Hence|Therefore)\b"
    r"|\(?(?:\d{1,2}|[ivx]{1,4}|[a-z])\)\s+|[-*•‣]\s+[a-z]"
)
"""How prose begins and titles do not, or a list item within prose."""
_NEVER_LAST = "a an and as at by for from in into is of on or the to using via with".split()
_MARK = r"(?:(?:\(?\d{1,3}[.)]{1,2}|[-*•‣▪–])\s+)"
_ENTRIES = tuple(
    re.compile(
        rf"{_MARK}?(?P<title>[^\W_a-z](?:(?!\.\s+\w).){{2,250}}?){sign}"
        r"(?P<text>\S.{30,}?[.!?])(?P<links>\s*[(\[][\w ,/|·-]{3,60}[)\]])?",
        re.DOTALL,
    )
    for sign in (r"\s+[-–—]\s+", r":\s+")
)
"""A list item with a title and a text, separated by a dash or a colon, and links after them."""


class Role(Enum):
    """The role of a paragraph."""

    PROSE = "prose"  # an abstract or a part of one
    SENTENCE = "sentence"  # part of an abstract, a short abstract, or a title with a full stop
    LINE = "line"  # a title, unless there is a better one nearby
    TITLE = "title"  # a title that is marked as one
    SECTION = "section"  # a heading inside an abstract
    ABSTRACT = "abstract"  # the heading of an abstract
    SUMMARY = "summary"  # the heading of a summary or other text that is no abstract
    DATE = "date"
    FIELD = "field"  # metadata of a paper: authors, ids, links, its publication date
    NOISE = "noise"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A stretch of the text that is one title, one other line, or prose.

    `start` and `end` are code point offsets into the text, `end` exclusive; `line` counts from 1.
    """

    role: Role  # at first PROSE, SENTENCE or LINE; `read_roles` assigns the others
    start: int
    end: int
    line: int
    text: str  # its lines joined by single spaces
    field: str = ""
    value: str = ""
    level: int = 0  # of a heading, from 1: smaller than the levels inside its section; 0 if none
    links: tuple[str, ...] = ()
    is_entry: bool = False  # whether it is the title of a list item, split from its abstract

    @property
    def title_score(self) -> float:
        """How much it reads as a title: `index.readers.cues.title_like`."""
        return cues.title_like(self.text, is_heading=self.level > 0)

    @property
    def is_long(self) -> bool:
        """Whether it is as long as abstracts are."""
        return len(self.text) >= _SURELY_PROSE


class _Line(NamedTuple):
    text: str  # without white space at its end
    start: int
    number: int


def _first_role(text: str) -> Role:
    has_sentence = r"[.!?…。！？।][\"”’')\]]*(?:\s|$)"
    if len(text) >= _SURELY_PROSE and (len(text) > 300 or re.search(has_sentence, text)):
        return Role.PROSE
    ends_sentence = text.rstrip("\"”’')]").endswith((".", "…", "。", "！", "？", "।"))
    if len(text) < 12 or not (ends_sentence or text.endswith(":")):
        return Role.LINE
    if len(text) >= 120 and len(sentence_spans(text)) > 1:
        return Role.PROSE
    return Role.SENTENCE if ends_sentence else Role.LINE


def _paragraphs(text: str, listed: Collection[int]) -> Iterator[Paragraph]:
    r"""Split `text`, whose line ends are `\n`, into paragraphs, and titles from what follows them.

    `listed` are the numbers of lines that are list items without a mark.
    """
    found = list(_join_lines(text))
    whole = [text[each.start : each.end] for each in found]
    entries = _entries(found, whole, listed)
    halves = {**_with_authors(found, whole), **entries}
    for at, each in enumerate(found):
        if (match := halves.get(at)) is None:
            yield each
            continue
        for name in ("title", "text"):
            is_entry = at in entries and name == "title"
            yield Paragraph(
                Role.PROSE if at in entries and name == "text" else Role.LINE,
                each.start + match.start(name),
                each.start + match.end(name),
                each.line + match.string.count("\n", 0, match.start(name)),
                " ".join(match[name].split()),
                level=LOWEST if is_entry else 0,
                is_entry=is_entry,
            )


def _join_lines(text: str) -> Iterator[Paragraph]:
    """Yield the paragraphs of each block, which is what empty lines separate."""
    at, lines = 0, list[_Line]()
    for number, line in enumerate(text.split("\n"), start=1):
        lines.append(_Line(line.rstrip(), at, number))
        at += len(line) + 1
    groups = groupby(lines, key=lambda line: bool(line.text))
    blocks = [list(block) for is_text, block in groups if is_text]
    # The width at which lines were wrapped is measured on those that run on in the next; a few of
    # them, long titles, may be wider.
    pairs = (pair for block in blocks for pair in pairwise(block))
    wrapped = (len(line.text) for line, following in pairs if _runs_on(line, following))
    widths = sorted(width for width in wrapped if width < _SURELY_PROSE)
    width = widths[len(widths) * 9 // 10] if widths else 0
    below_title = False
    for block in blocks:
        for group in _groups(block, width, below_title=below_title):
            joined = " ".join(line.text.strip() for line in group)
            role = _first_role(joined)
            first, last = group[0], group[-1]
            start = first.start + len(first.text) - len(first.text.lstrip())
            yield Paragraph(role, start, last.start + len(last.text), first.number, joined)
            below_title = role is not Role.PROSE and not cues.is_frame(joined)


def _groups(block: list[_Line], width: int, *, below_title: bool) -> Iterator[list[_Line]]:
    """Cut a block into the lines of each paragraph: a long line, or lines wrapped at one width.

    If there is no title above the block, its first line is the title, even if it happens to fill
    the width, or all lines above a line of names are. A field begins a paragraph, but not inside a
    wrapped text, where a line after a full one may begin like a field by chance.
    """
    has_title = not below_title and len(block) > 2 and not _runs_on(block[0], block[1])
    below_names = next((at for at, line in enumerate(block[:4]) if cues.is_authors(line.text)), 0)
    group = block[:1]
    for i, (above, line) in enumerate(pairwise(block), start=1):
        if i >= below_names or len(above.text) < _NARROWEST:
            is_below_title = i == 1 and has_title and _flows(line, block[2], width)
            is_alone = cues.stands_alone(line.text) or cues.stands_alone(above.text)
            is_field = is_alone or cues.field_of(line.text)
            is_inside = len(group) > 1 and _fills(above, line, width)
            is_apart = is_below_title or (is_field and not is_inside)
            if is_apart or not _flows(above, line, width):
                yield group
                group = []
        group.append(line)
    yield group


def _flows(line: _Line, following: _Line, width: int) -> bool:
    """Return whether two lines are in one paragraph: the first runs on, or it was full."""
    is_cut = "\t" in following.text.strip() or line.text.endswith(("…", "..."))
    if is_cut or max(len(line.text), len(following.text)) >= _SURELY_PROSE:
        return False
    return _runs_on(line, following) or _fills(line, following, width)


def _fills(line: _Line, following: _Line, width: int) -> bool:
    """Return whether a line had no room for the first word of the next."""
    needed = len(line.text) + 1 + len(following.text.split(maxsplit=1)[0])
    return len(line.text) <= width + 2 and needed > width - 2 > 0


def _runs_on(line: _Line, following: _Line) -> bool:
    """Return whether the wording shows that a sentence or title continues in the next line."""
    is_open = line.text.endswith((":", ",", "&", "–", "—", "-"))
    is_open = is_open or line.text.split()[-1].casefold() in _NEVER_LAST
    is_open = is_open or following.text.lstrip()[0].islower()
    return is_open and len(line.text) >= _NARROWEST


def _entries(
    found: Sequence[Paragraph], whole: Sequence[str], listed: Collection[int]
) -> Mapping[int, re.Match[str]]:
    """Return the items with a title and a text, if they list papers and are no part of a text.

    Nearly all have both, most are long or end in links, and no long text comes before them.
    """
    items = [
        at for at, each in enumerate(found)
        if 60 <= len(whole[at]) < 20_000 and (each.line in listed or re.match(_MARK, whole[at]))
    ]  # fmt: skip
    first_long = next((at for at, each in enumerate(found) if each.is_long), None)
    for shape in _ENTRIES:
        entries = {at: match for at in items if (match := shape.fullmatch(whole[at]))}
        if len(entries) < max(2, 0.8 * len(items)) or first_long not in (None, *entries):
            continue
        likely = [at for at, match in entries.items() if match["links"] or found[at].is_long]
        titles = (match["title"] for match in entries.values())
        are_fields = any(cues.is_section(title) or cues.field_of(f"{title}:") for title in titles)
        if len(likely) >= 0.8 * len(entries) and not are_fields:
            return entries
    return {}


def _with_authors(found: Sequence[Paragraph], whole: Sequence[str]) -> Mapping[int, re.Match[str]]:
    """Return the lines with a title and its authors: a single one only if others have several."""
    shape = r"(?s)(?P<title>\S.{8,}\S)\s+[|｜]\s+(?P<text>[^|｜]+)"
    matches = {
        at: match for at, each in enumerate(found)
        if each.role is not Role.PROSE and len(whole[at]) < 1_000
        and (match := re.fullmatch(shape, whole[at])) and not cues.is_authors(match["title"])
    }  # fmt: skip
    if not any(cues.is_authors(match["text"]) for match in matches.values()):
        return {}
    return {at: match for at, match in matches.items() if cues.is_authors(match["text"], 1)}


def read_roles(page: Page) -> list[Paragraph]:
    """Return the paragraphs of a page with their roles; split a label from the text after it."""
    found = list(_paragraphs(page.text, page.listed))
    buttons = _recurring(found)
    labels = Counter(cues.label_of(each.text) for each in found)
    notes = {note["number"]: note["address"] for each in found if (note := _NOTE.match(each.text))}
    read: list[Paragraph] = []
    for one, below in zip_longest(found, found[1:]):
        text = one.text
        noted = re.search(r"\[(\d{1,3})\]$", text)
        address = [notes[noted[1]]] if noted and noted[1] in notes else []
        level = page.headings.get(one.line, 0) or one.level
        each = replace(one, level=level, links=(*page.links.get(one.line, []), *address))
        name, at = cues.field_of(text) or ("", 0)
        value = text[at:].strip(" *_")
        summary = None if re.fullmatch(r"\W*summary\W*", text, re.I) else _SUMMARY.match(text)
        if summary or (name == "abstract" and value):
            at = summary.end() if summary else at
            read.append(replace(each, role=Role.SUMMARY if summary else Role.ABSTRACT))
            if text[at:]:
                read.append(replace(each, role=Role.PROSE, start=each.start + at, text=text[at:]))
            continue
        label = cues.label_of(text)
        role, name, value = _role_of(
            replace(each, field=name, value=value),
            recurs=_folded(text) in buttons,
            is_often=label is not None and labels[label] > 1,
            is_over_prose=below is not None and below.role is Role.PROSE,
        )
        read.append(replace(each, role=role, field=name, value=value))
    return _settle(read)


def _folded(text: str) -> str:
    """Mask the numbers in a short line, so that "41 upvotes" and "42 upvotes" are equal."""
    return re.sub(r"\d+", "0", text) if len(text) < 40 else text


def _recurring(found: Sequence[Paragraph]) -> Collection[str]:
    """Return lines such as "Read more", which precede three or more paragraphs, not all alike."""
    followers: Mapping[str, list[tuple[str, str]]] = defaultdict(list)
    for each, below in zip_longest(found, found[1:]):
        if each.role is Role.LINE and not each.level and not is_date(each.text):
            followers[_folded(each.text)].append((each.text, below.text if below else ""))
    return {text for text, pairs in followers.items() if len(pairs) >= 3 and len(set(pairs)) > 1}


def _role_of(
    each: Paragraph, *, recurs: bool, is_often: bool, is_over_prose: bool
) -> tuple[Role, str, str]:
    """Return a paragraph's role, as far as its text decides it, the field it gives, and its value.

    `recurs`: its line repeats; `is_often`: its label does; `is_over_prose`: prose comes next.
    """
    text, name, value = each.text, each.field, each.value
    if name == "abstract" or (name == "title" and value):
        return Role(name), name, value
    if name == "header" or (name == "authors" and not value):
        return Role.NOISE, name, value
    is_ignored = name in ("other", "id")
    if name and not is_ignored and (is_often or cues.is_plausible(name, value)):
        return Role.FIELD, name, value
    is_label = is_often and (is_ignored or (each.role is not Role.PROSE and not is_over_prose))
    if is_label or (is_ignored and not is_over_prose):
        return Role.NOISE, name, value
    if is_date(text):
        return Role.DATE, "", ""
    if _NOTE.fullmatch(text) or cues.is_footer(text) or not any(map(str.isalnum, text)):
        return Role.NOISE, "", ""
    if cues.is_section(text):
        return Role.SECTION, "", ""
    if known := cues.id_of(text):
        return Role.FIELD, *known
    if each.role is Role.PROSE or each.is_entry:
        return each.role, "", ""
    if recurs and not cues.is_authors(text):
        return Role.SUMMARY if len(text.split()) < 5 else Role.NOISE, "button", ""
    if names := cues.authors_of(text):
        return Role.FIELD, "authors", names
    if cues.is_byline(text):
        return Role.FIELD, "byline", text
    return Role.LINE if each.level else each.role, "", ""


def _settle(read: Sequence[Paragraph]) -> list[Paragraph]:
    """Decide which single sentences are titles or prose, and which names are authors."""
    names_authors = any(each.field == "authors" for each in read)
    settled: list[Paragraph] = []
    for at, each in enumerate(read):
        role, name, value = each.role, each.field, each.value
        if role is Role.SENTENCE:
            role = Role.LINE if _is_title(each, settled, read[at + 1 : at + NEAR]) else Role.PROSE
        elif role is Role.LINE and names_authors and cues.is_name(each.text):
            above = next((one for one in reversed(settled) if one.role is not Role.NOISE), None)
            is_over_authors = at + 1 < len(read) and read[at + 1].field in ("authors", "byline")
            is_below = above is not None and above.role in (Role.LINE, Role.TITLE)
            if (is_below and not is_over_authors) or (above and above.field == "authors"):
                role, name, value = Role.FIELD, "authors", each.text
        settled.append(replace(each, role=role, field=name, value=value))
    return settled


def _is_title(sentence: Paragraph, above: Sequence[Paragraph], below: Sequence[Paragraph]) -> bool:
    """Return whether a single sentence is a title with a full stop.

    It is one if there is no other title, or if it shares more words with the text below than with
    that above, and no other line shares many.
    """
    following = next((each.role for each in below if not cues.is_frame(each.text)), Role.LINE)
    is_over_line = following in (Role.LINE, Role.TITLE, Role.DATE)
    if is_over_line or _OPENS_SENTENCE.match(sentence.text):
        return False
    since = [*takewhile(lambda one: one.role not in (Role.PROSE, Role.DATE), reversed(above))]
    before = above[-1 - len(since)].text if len(since) < len(above) else ""
    gap = [one.text for one in since if one.role not in (Role.NOISE, Role.FIELD, Role.SUMMARY)]
    text = next((each.text for each in below if each.role is Role.PROSE), "")
    share = cues.shared(sentence.text, text)
    if share >= 0.5 and share > cues.shared(sentence.text, before):
        return all(cues.shared(line, text) < 0.25 for line in gap)
    is_summary = bool(above) and above[-1].role is Role.SUMMARY and not above[-1].field
    return (sentence.level > 0 or not gap) and not is_summary and sentence.title_score > 0
