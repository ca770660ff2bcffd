"""What each paragraph of a digest is for, and which lines are its titles.

A paragraph gets its role by how it reads and by what is around it. Titles are chosen together,
since a file has them in like places.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise, zip_longest
from statistics import mode

from index.readers import cues
from index.readers.pages import LOWEST, Page
from index.readers.paragraphs import Paragraph, Role, paragraphs
from index.readers.values import is_date

_NOTE = re.compile(r"\[(?P<number>\d{1,3})\]:?\s+(?P<address>https?://\S+)\s*")
"""A line that says where a link leads: "[4] https://arxiv.org/abs/…"."""
_AFFILIATED = re.compile(
    r"universi|institut|college|school|laborator|department|academy|hospital|\blabs?\b|\binc\b",
    re.IGNORECASE,
)
_SUMMARY = re.compile(
    r"[\s*_#]*(?:(?P<head>(?:(?:ai[- ]generated |ai )?summary|tl;?dr|in short"
    r"|key (?:points|findings))[:.]?[\s*_#]*$)"
    r"|(?:ai[- ]generated summary|tl;?dr)\s*[:：]\W*|tl;?dr\s+(?=.{60}))",
    re.IGNORECASE,
)
"""What opens a summary that is no abstract, or stands above it."""

_LOWER = 0.9
"""What a line above another one of a gap has to read better, to be the title."""
_USUAL_PLACE = 1.2
"""What a line gains where most gaps have their title."""
_LEAST = -1.5
"""How much a line must read as a title to be one where nothing better is."""


def read_roles(page: Page) -> list[Paragraph]:
    """The paragraphs of a page with their roles; a label and the text behind it are two."""
    found = paragraphs(page.text, page.listed)
    buttons = _recurring(found)
    labels = Counter(label for each in found if (label := cues.label_of(each.text)))
    often = {label for label, count in labels.items() if count > 1}
    notes = {note["number"]: note["address"] for each in found if (note := _NOTE.match(each.text))}
    read: list[Paragraph] = []
    for each, below in zip_longest(found, found[1:]):
        links = page.links.get(each.line, [])
        if noted := re.search(r"\[(\d{1,3})\]\s*$", each.text):
            links = [*links, *filter(None, [notes.get(noted[1])])]
        level = page.headings.get(each.line, 0) or each.level
        is_over_prose = below is not None and below.role is Role.PROSE
        known = replace(each, level=level, links=tuple(links))
        if each.level:  # it was parted from its abstract
            read.append(known)
        else:
            read += _by_itself(known, buttons, often, is_over_prose=is_over_prose)
    return _resolved(read)


def _recurring(found: Sequence[Paragraph]) -> Collection[str]:
    """Lines that stand before three or more different paragraphs, as "Read more" does."""
    followers: Mapping[str, list[str]] = defaultdict(list)
    for paragraph, following in zip_longest(found, found[1:]):
        is_line = paragraph.role is Role.LINE and not paragraph.level
        if is_line and not is_date(paragraph.text):
            followers[paragraph.text].append(following.text if following else "")
    return {text for text, texts in followers.items() if len(texts) >= 3 and len(set(texts)) > 1}


def _by_itself(
    paragraph: Paragraph, buttons: Collection[str], often: Collection[str], *, is_over_prose: bool
) -> Iterator[Paragraph]:
    """A paragraph with its role, as far as it tells it itself; a label and its text are two.

    Args:
        paragraph: What is read.
        buttons: Lines that come again and again.
        often: Labels that come more than once.
        is_over_prose: Whether prose comes next: a title stands there.
    """
    text = paragraph.text.strip()
    is_often = cues.label_of(paragraph.text) in often

    def parted(role: Role, at: int) -> Iterator[Paragraph]:
        yield replace(paragraph, role=role)
        start = paragraph.start + at
        yield replace(paragraph, role=Role.PROSE, start=start, text=text[at:])

    if head := _head_of(text):
        yield replace(paragraph, role=head)
        return
    if summary := _SUMMARY.match(text):
        yield from parted(Role.SUMMARY, summary.end())
        return
    name, at = cues.field_of(text) or ("", 0)
    value = text[at:].strip(" *_")
    if name == "abstract" and value:
        yield from parted(Role.ABSTRACT, at)
        return
    role = _labelled(name, value, is_often=is_often, is_over_prose=is_over_prose)
    if role is None and is_often and not is_over_prose and paragraph.role is not Role.PROSE:
        role = Role.NOISE
    if role is None:
        role, name, value = _unlabelled(paragraph, recurs=paragraph.text in buttons)
    elif role is Role.NOISE:
        name, value = name if name == "header" else "", ""
    yield replace(paragraph, role=role, field=name, value=value)


def _labelled(name: str, value: str, *, is_often: bool, is_over_prose: bool) -> Role | None:
    """The role of a paragraph that begins with the label of a field; None if it may have none."""
    if name == "title" and value:
        return Role.TITLE
    if name == "header":
        return Role.NOISE
    if name in ("abstract", "other", "id"):
        return Role.NOISE if is_often or not is_over_prose else None
    return Role.FIELD if name and (is_often or cues.is_plausible(name, value)) else None


def _head_of(text: str) -> Role | None:
    """The role of a line that is the heading of an abstract, a summary or a section."""
    bare = text.strip(" *_:.#-").casefold()
    if bare == "abstract":
        return Role.ABSTRACT
    summary = _SUMMARY.match(text)
    if bare != "summary" and summary and summary["head"]:
        return Role.SUMMARY
    return Role.SECTION if cues.is_section(text) else None


def _unlabelled(paragraph: Paragraph, *, recurs: bool) -> tuple[Role, str, str]:
    """The role of a paragraph without a label, the field that it fills, and its value."""
    text = paragraph.text.strip()
    if is_date(text):
        return Role.DATE, "", ""
    if _NOTE.fullmatch(text) or re.fullmatch(r"[-=_*]{3,}.*[-=_*]{3,}", text):
        return Role.NOISE, "", ""
    if recurs and not cues.is_authors(text):
        return Role.SUMMARY if len(text.split()) < 5 else Role.NOISE, "", ""
    if paragraph.role is Role.PROSE:
        return Role.NOISE if cues.is_furniture(text) else Role.PROSE, "", ""
    if known := cues.id_of(text):
        return Role.FIELD, *known
    by = re.sub(r"^by:?\s+", "", text, flags=re.IGNORECASE)
    if by != text and (cues.is_authors(cues.without_more(by)) or cues.is_name(by)):
        return Role.FIELD, "authors", by
    if cues.is_furniture(text):
        return Role.NOISE, "", ""
    names = cues.without_more(text)
    if cues.is_authors(names) or (names != text and cues.is_name(names)):
        return Role.FIELD, "authors", names
    if _AFFILIATED.search(names) and "," in names:
        first = names.split(",")[0]
        is_known = cues.is_name(first) and not _AFFILIATED.search(first)
        return (Role.FIELD, "authors", first) if is_known else (Role.NOISE, "", "")
    if cues.is_byline(text):
        return Role.FIELD, "byline", text
    is_item = re.match(r"[-*•‣]\s+[a-z]", text) is not None
    return Role.SENTENCE if is_item else paragraph.role, "", ""


def _resolved(read: Sequence[Paragraph]) -> list[Paragraph]:
    """Sentences by themselves as titles or as prose, and names below titles as authors."""
    pairs = pairwise([each.role for each in read if each.role is not Role.NOISE])
    over = [a for a, b in pairs if b is Role.PROSE and a in (Role.LINE, Role.SENTENCE)]
    titles_end_in_stops = over.count(Role.SENTENCE) * 2 > len(over)
    names_authors = any(each.field == "authors" for each in read)
    resolved: list[Paragraph] = []
    has_title = False
    for at, each in enumerate(read):
        found, below = each, read[at + 1] if at + 1 < len(read) else None
        above = next((one for one in reversed(resolved) if one.role is not Role.NOISE), None)
        if each.role is Role.SENTENCE:
            is_free = titles_end_in_stops or not has_title
            is_title = is_free and _is_title(each, resolved[-1] if resolved else None, below)
            found = replace(each, role=Role.LINE if is_title else Role.PROSE)
        elif _may_be_title(each, read[at + 1 :]) and not _has_title_above(resolved):
            found = replace(each, role=Role.LINE)
        is_below_title = names_authors and found.role is Role.LINE and _is_below(above, below)
        if is_below_title and cues.is_name(each.text):
            found = replace(each, role=Role.FIELD, field="authors", value=each.text)
        resolved.append(found)
        if found.role not in (Role.NOISE, Role.FIELD):
            has_title = found.role in (Role.LINE, Role.TITLE, Role.ABSTRACT, Role.SECTION)
    return resolved


def likely_title(paragraph: Paragraph) -> float:
    """How much a paragraph reads as a title: `index.readers.cues.title_like`."""
    if paragraph.role is Role.TITLE:
        return cues.SURELY
    return cues.title_like(paragraph.text, is_heading=paragraph.level > 0)


def _may_be_title(paragraph: Paragraph, below: Sequence[Paragraph]) -> bool:
    """Whether a line reads as authors ("Read, Look, Sing") or as a label's, but may be a title."""
    if paragraph.field in ("authors", "byline"):
        return not cues.label_of(paragraph.text)
    labelled = cues.field_of(paragraph.text) if paragraph.role is Role.NOISE else None
    if labelled is None or labelled[0] != "other":
        return False
    words = paragraph.text[labelled[1] :].split()  # "Code: The Hidden Language"
    role = next((each.role for each in below if each.role is not Role.FIELD), None)
    return len(words) >= 3 and words[0][0].isupper() and role in (Role.PROSE, Role.ABSTRACT)


def _is_title(sentence: Paragraph, above: Paragraph | None, below: Paragraph | None) -> bool:
    """Whether a sentence by itself may be a title with a stop."""
    texts = (Role.PROSE, Role.SENTENCE, Role.ABSTRACT, Role.FIELD)
    is_summary = above is not None and above.role is Role.SUMMARY
    if below is None or below.role not in texts or is_summary:
        return False
    return not sentence.opens_sentence and likely_title(sentence) > 0


def _is_below(above: Paragraph | None, below: Paragraph | None) -> bool:
    """Whether a line stands where authors do: below a title or others, not above others alone."""
    if above is None:
        return False
    is_over_authors = below is not None and below.field in ("authors", "byline")
    is_below_title = above.role in (Role.LINE, Role.TITLE) and not is_over_authors
    return above.field == "authors" or is_below_title


def _has_title_above(resolved: Sequence[Paragraph]) -> bool:
    """Whether a title stands between the last text and what comes next."""
    ends = (Role.PROSE, Role.DATE, Role.TITLE, Role.LINE)
    last = next((each.role for each in reversed(resolved) if each.role in ends), None)
    return last in (Role.TITLE, Role.LINE)


class Layout:
    """What stands where among the paragraphs of a file; places count from 0."""

    def __init__(self, found: Sequence[Paragraph]) -> None:
        """Choose the titles."""
        self._found = found
        self._first_date = next((at for at, i in enumerate(found) if i.role is Role.DATE), 0)
        long = (at for at, i in enumerate(found) if i.role is Role.PROSE and i.is_long)
        self._first_long = next(long, len(found))
        self.head: set[str] = set()
        """Lines of the page's head, which come again where digests are pasted in one file."""
        labelled = {at for at, each in enumerate(found) if each.role is Role.TITLE}
        self.titles: Collection[int] = (
            labelled if len(labelled) > 1 else self._chosen(list(self._gaps()))
        )
        """Where the titles are."""
        chosen = [found[at] for at in self.titles]
        self._usual_level = mode(title.level or LOWEST for title in chosen) if chosen else 0
        self._are_loud = sum(title.text.isupper() for title in chosen) * 2 > len(chosen)

    def is_intro(self, at: int) -> bool:
        """Whether prose is that of a mail to its reader, above its first date or title."""
        each = self._found[at]
        is_above = at < self._first_date or each.text[0].islower()
        return at < self._first_long and not each.is_long and is_above

    def is_section(self, line: Paragraph) -> bool:
        """Whether a line is a heading over several papers, and no title of one."""
        is_louder = line.text.isupper() and not self._are_loud
        return 0 < line.level < self._usual_level or is_louder

    def is_above_prose(self, at: int) -> bool:
        """Whether nothing stands between a line and the abstract below it but what is known."""
        texts = (Role.PROSE, Role.ABSTRACT, Role.SUMMARY)
        roles = (each.role for each in self._found[at + 1 : at + 7])
        ends = (role for role in roles if role in (*texts, Role.LINE, Role.TITLE, Role.DATE))
        return next(ends, None) in texts

    def _gaps(self) -> Iterator[list[int]]:
        """The lines above each run of prose, one of which is its title."""
        lines: list[int] = []
        in_run = False
        is_first = True
        for at, each in enumerate(self._found):
            if each.role is Role.LINE and in_run and self._goes_on(at):
                continue
            if each.role in (Role.LINE, Role.TITLE):
                if each.role is Role.TITLE and self._ends_in_title(lines):
                    yield lines
                    lines, is_first = [], False
                lines.append(at)
            if each.role is Role.PROSE and not self.is_intro(at):
                if lines:
                    yield lines
                    is_first = False
                lines = []
            elif each.role is Role.DATE and not (lines and self.is_above_prose(at)):
                if is_first:
                    self.head |= {above.text for above in self._found[:at]}
                lines = []
            in_run = each.role in (Role.PROSE, Role.SECTION)
        if self._ends_in_title(lines):
            yield lines

    def _ends_in_title(self, lines: Sequence[int]) -> bool:
        """Whether the last of these lines is marked as a title."""
        return bool(lines) and self._found[lines[-1]].role is Role.TITLE

    def _goes_on(self, at: int) -> bool:
        """Whether a line after prose is a part of it: of its block, a list's, or a program's."""
        line, following = self._found[at], self._found[at + 1 : at + 2]
        if line.level:
            return False
        if line.opens_sentence and line.text.rstrip().endswith((":", ";", ",")):
            return True
        if not following or following[0].role is not Role.PROSE:
            return line.is_attached and likely_title(line) < 2
        return likely_title(line) < 0 and not cues.bare_title(line.text)[:1].isupper()

    def _chosen(self, gaps: Sequence[Sequence[int]]) -> set[int]:
        """The best line of each gap, those at the place where most gaps have theirs preferred.

        The place of a line is how many lines of its gap stand below it.
        """
        usable = [
            [at for at in reversed(gap) if self._found[at].text not in self.head] for gap in gaps
        ]
        scores = {at: likely_title(self._found[at]) for lines in usable for at in lines}
        likely: defaultdict[int, float] = defaultdict(float)
        for lines in usable:
            for place, at in enumerate(lines):
                likely[place] += max(-2.0, min(scores[at], 3.0)) - _LOWER * place
        usual = max(likely, key=lambda place: (likely[place], -place), default=0)
        best = (
            max(
                (scores[at] + _USUAL_PLACE * (place == usual) - _LOWER * place, at)
                for place, at in enumerate(lines)
            )
            for lines in filter(None, usable)
        )
        return {title for score, title in best if score > _LEAST}
