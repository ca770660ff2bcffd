"""What each paragraph of a digest is for, and which lines are its titles.

A paragraph gets its role by how it reads and by what is around it. Titles are chosen together: a
file has them in like places, and what a title speaks of is what the text below it speaks of.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from statistics import mode

from index.readers import cues
from index.readers.pages import LOWEST, Page
from index.readers.paragraphs import Paragraph, Role, paragraphs
from index.readers.values import is_date

_NOTE = re.compile(r"\[(?P<number>\d{1,3})\]:?\s+(?P<address>https?://\S+)\s*")
"""A line that says where a link leads: "[4] https://arxiv.org/abs/…"."""
_SUMMARY = re.compile(
    r"[\s*_#]*(?:(?:(?:ai[- ]generated |ai )?summary|tl;?dr|in short|key (?:points|findings))"
    r"[:.]?[\s*_#]*$|(?:ai[- ]generated summary|tl;?dr)\s*[:：]\W*|tl;?dr\s+(?=.{60}))",
    re.IGNORECASE,
)
"""What opens a summary that is no abstract, or stands above it."""
_ABOUT = 0.5
"""The share of its words from which a sentence is the title of a text below it."""
_SHARED = 5.0
"""What sharing all words with the text below adds to `index.readers.cues.title_like`."""
_NEAR = 20
"""Paragraphs within which a title has its text."""
_TEXTS = (Role.PROSE, Role.ABSTRACT, Role.SUMMARY)


def read_roles(page: Page) -> list[Paragraph]:
    """The paragraphs of a page with their roles; a label and the text behind it are two."""
    found = paragraphs(page.text, page.listed)
    buttons = _recurring(found)
    labels = Counter(cues.label_of(each.text) for each in found)
    notes = {note["number"]: note["address"] for each in found if (note := _NOTE.match(each.text))}
    read: list[Paragraph] = []
    for each, below in zip_longest(found, found[1:]):
        noted = re.search(r"\[(\d{1,3})\]\s*$", each.text)
        address = notes.get(noted[1]) if noted else None
        links = (*page.links.get(each.line, []), *filter(None, [address]))
        label = cues.label_of(each.text)
        read += _parts(
            replace(each, level=page.headings.get(each.line, 0) or each.level, links=links),
            recurs=_folded(each.text) in buttons,
            is_often=label is not None and labels[label] > 1,
            is_over_prose=below is not None and below.role is Role.PROSE,
        )
    return _settled(read)


def _folded(text: str) -> str:
    """A short line without its numbers, so that "41 upvotes" comes again as "42 upvotes"."""
    return re.sub(r"\d+", "0", text) if len(text) < 40 else text


def _recurring(found: Sequence[Paragraph]) -> Collection[str]:
    """Lines that stand before three or more different paragraphs, as "Read more" does."""
    followers: Mapping[str, list[tuple[str, str]]] = defaultdict(list)
    for each, below in zip_longest(found, found[1:]):
        if each.role is Role.LINE and not each.level and not is_date(each.text):
            followers[_folded(each.text)].append((each.text, below.text if below else ""))
    return {text for text, pairs in followers.items() if len(pairs) >= 3 and len(set(pairs)) > 1}


def _parts(
    each: Paragraph, *, recurs: bool, is_often: bool, is_over_prose: bool
) -> Iterator[Paragraph]:
    """A paragraph with its role, as far as it tells it itself; a label and its text are two.

    Its line may come again and again, its label more than once, and prose next, as below a title.
    """
    text = each.text.strip()
    name, at = cues.field_of(text) or ("", 0)
    value = text[at:].strip(" *_")
    summary = _SUMMARY.match(text) if not re.fullmatch(r"\W*summary\W*", text, re.I) else None
    if summary or (name == "abstract" and value):
        at = summary.end() if summary else at
        yield replace(each, role=Role.SUMMARY if summary else Role.ABSTRACT)
        if text[at:]:
            yield replace(each, role=Role.PROSE, start=each.start + at, text=text[at:])
        return
    role = _labelled(name, value, is_often=is_often, is_over_prose=is_over_prose)
    if role is None and is_often and not is_over_prose and each.role is not Role.PROSE:
        role = Role.NOISE
    if role is None:
        role, name, value = _unlabelled(each, recurs=recurs)
    yield replace(each, role=role, field=name, value=value)


def _labelled(name: str, value: str, *, is_often: bool, is_over_prose: bool) -> Role | None:
    """The role of a paragraph that begins with the label of a field; None if it may have none."""
    if name == "title" and value:
        return Role.TITLE
    if name == "header" or (name == "authors" and not value):
        return Role.NOISE
    if name == "abstract":
        return Role.ABSTRACT
    if name in ("other", "id"):
        return Role.NOISE if is_often or not is_over_prose else None
    return Role.FIELD if name and (is_often or cues.is_plausible(name, value)) else None


def _unlabelled(each: Paragraph, *, recurs: bool) -> tuple[Role, str, str]:
    """The role of a paragraph without a label, the field that it fills, and its value."""
    text = each.text.strip()
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


def _settled(read: Sequence[Paragraph]) -> list[Paragraph]:
    """Sentences by themselves as titles or as prose, and names below titles as authors."""
    names_authors = any(each.field == "authors" for each in read)
    settled: list[Paragraph] = []
    for at, each in enumerate(read):
        role, name, value = each.role, each.field, each.value
        if role is Role.SENTENCE:
            role = Role.LINE if _is_title(each, settled, read[at + 1 : at + _NEAR]) else Role.PROSE
        elif role is Role.LINE and names_authors and cues.is_name(each.text):
            above = next((one for one in reversed(settled) if one.role is not Role.NOISE), None)
            is_over_authors = at + 1 < len(read) and read[at + 1].field in ("authors", "byline")
            is_below = above is not None and above.role in (Role.LINE, Role.TITLE)
            if (is_below and not is_over_authors) or (above and above.field == "authors"):
                role, name, value = Role.FIELD, "authors", each.text
        settled.append(replace(each, role=role, field=name, value=value))
    return settled


def _is_title(sentence: Paragraph, above: Sequence[Paragraph], below: Sequence[Paragraph]) -> bool:
    """Whether a sentence by itself is a title with a stop.

    It is one where there is no other, and where it speaks of the text below rather than of that
    above, and no other line does.
    """
    known = (each for each in below if not cues.is_frame(each.text))
    following = next((each.role for each in known), None)
    if following in (None, Role.LINE, Role.TITLE, Role.DATE) or sentence.opens_sentence:
        return False
    gap: list[str] = []
    before = ""
    for each in reversed(above):
        if each.role in (Role.PROSE, Role.DATE):
            before = each.text
            break
        gap += [each.text] if each.role not in (Role.NOISE, Role.FIELD, Role.SUMMARY) else []
    text = next((each.text for each in below if each.role is Role.PROSE), "")
    share = cues.shared(sentence.text, text)
    if share >= _ABOUT and share > cues.shared(sentence.text, before):
        return all(cues.shared(line, text) < _ABOUT / 2 for line in gap)
    is_summary = bool(above) and above[-1].role is Role.SUMMARY and not above[-1].field
    return (sentence.level > 0 or not gap) and not is_summary and likely_title(sentence) > 0


def likely_title(paragraph: Paragraph) -> float:
    """How much a paragraph reads as a title by itself: `index.readers.cues.title_like`."""
    return cues.title_like(paragraph.text, is_heading=paragraph.level > 0)


class Layout:
    """What stands where among the paragraphs of a file; places count from 0."""

    def __init__(self, found: Sequence[Paragraph]) -> None:
        """Choose the titles."""
        self._found = found
        self._first_date = next((at for at, i in enumerate(found) if i.role is Role.DATE), 0)
        long = (at for at, i in enumerate(found) if i.role is Role.PROSE and i.is_long)
        self._first_long = next(long, len(found))
        labelled = {at for at, each in enumerate(found) if each.role is Role.TITLE}
        self.titles: Collection[int] = labelled if len(labelled) > 1 else self._chosen()
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
        return 0 < line.level < self._usual_level or (line.text.isupper() and not self._are_loud)

    def is_above_prose(self, at: int) -> bool:
        """Whether nothing stands between a line and the abstract below it but what is known."""
        roles = (each.role for each in self._found[at + 1 : at + 7])
        ends = (role for role in roles if role in (*_TEXTS, Role.LINE, Role.TITLE, Role.DATE))
        return next(ends, None) in _TEXTS

    def _gaps(self) -> Iterator[list[int]]:
        """The lines above each run of prose, one of which is its title.

        Where there is none, names that may be a title ("Read, Look, Sing"), or the last label.
        """
        lines: list[int] = []
        spare: list[int] = []
        in_run = False
        for at, each in enumerate(self._found):
            if each.role is Role.LINE and in_run and self._goes_on(at):
                continue
            if each.role is Role.LINE and not each.level and cues.is_frame(each.text):
                spare.append(at)
            elif each.role in (Role.LINE, Role.TITLE):
                if lines and self._found[lines[-1]].role is Role.TITLE:
                    yield lines
                    lines = []
                lines.append(at)
            elif self._may_be_title(each):
                spare.append(at)
            elif each.role is Role.PROSE and not self.is_intro(at):
                if lines or spare:
                    yield lines or spare
                lines, spare = [], []
            elif each.role is Role.DATE and not (lines and self.is_above_prose(at)):
                lines, spare = [], []
            in_run = each.role in (Role.PROSE, Role.SECTION)
        if lines and self._found[lines[-1]].role is Role.TITLE:
            yield lines

    def _may_be_title(self, each: Paragraph) -> bool:
        """Whether a line that reads as authors, or as a label ("Code: The Art"), may be a title."""
        if each.field in ("authors", "byline"):
            return not cues.label_of(each.text)
        return each.role is Role.NOISE and each.field == "other" and each.value[:1].isupper()

    def _goes_on(self, at: int) -> bool:
        """Whether a line after prose is a part of it: of its block, a list's, or a program's."""
        line, below = self._found[at], self._found[at + 1 : at + 2]
        if line.level or not below or below[0].role is not Role.PROSE:
            return False
        score = likely_title(line) + _SHARED * cues.shared(line.text, below[0].text)
        return score < 0 and not cues.bare_title(line.text)[:1].isupper()

    def _chosen(self) -> set[int]:
        """The best line of each gap, those at the place where most gaps have theirs preferred.

        The place of a line is how many lines of its gap stand below it: each takes a little.
        """
        likely: defaultdict[int, float] = defaultdict(float)
        scored: list[list[tuple[float, int]]] = []
        for gap in self._gaps():
            below = self._found[gap[-1] : gap[-1] + _NEAR]
            text = next((each.text for each in below if each.role is Role.PROSE), "")
            scores: list[tuple[float, int]] = []
            for place, at in enumerate(reversed(gap)):
                line = self._found[at]
                score = likely_title(line) + 20 * (line.role is Role.TITLE) - 0.9 * place
                scores.append((score + _SHARED * cues.shared(line.text, text), at))
                likely[place] += max(-2.0, min(score, 3.0))
            scored.append(scores)
        usual = max(likely, key=lambda place: (likely[place], -place), default=0)
        best = (
            max((score + 1.2 * (place == usual), at) for place, (score, at) in enumerate(gap))
            for gap in scored
        )
        return {title for score, title in best if score > -1.5}
