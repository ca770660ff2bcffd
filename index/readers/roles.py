"""Assign a role to each paragraph of a digest, and choose the lines that are its titles.

The role of a paragraph depends on its wording and on its neighbours. Titles are chosen together: a
file has them at similar places, and a title shares words with the text below it.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest

from index.readers import cues
from index.readers.pages import Page
from index.readers.paragraphs import Paragraph, Role, paragraphs
from index.readers.values import is_date

_NOTE = re.compile(r"\[(?P<number>\d{1,3})\]:?\s+(?P<address>https?://\S+)\s*")
"""A line with the address of a numbered link: "[4] https://arxiv.org/abs/…"."""
_SUMMARY = re.compile(
    r"[\s*_#]*(?:(?:(?:ai[- ]generated |ai )?summary|tl;?dr|in short|key (?:points|findings))"
    r"[:.]?[\s*_#]*$|(?:ai[- ]generated summary|tl;?dr)\s*[:：]\W*|tl;?dr\s+(?=.{60}))",
    re.IGNORECASE,
)
"""The beginning of a summary that is no abstract, or the heading above it."""
_SHARED_WEIGHT = 5.0
"""What `index.readers.cues.title_like` gains for a line whose words all occur in the text below."""
_OPENS_SENTENCE = re.compile(
    r"(?:We|Our|This|These|Those|It|Its|However|Moreover|Furthermore|Additionally|Finally|Here"
    r"|To this end|In (?:this|our|addition|contrast|summary)|Thus|Hence|Therefore)\b"
    r"|\(?(?:\d{1,2}|[ivx]{1,4}|[a-z])\)\s+|[-*•‣]\s+[a-z]"
)
"""How prose begins and titles do not, or a list item within prose."""
_NEAR = 20
"""The number of paragraphs after a title within which its text is searched."""
_TEXTS = (Role.PROSE, Role.ABSTRACT, Role.SUMMARY)


def read_roles(page: Page) -> list[Paragraph]:
    """Return the paragraphs of a page with their roles; split a label from the text after it."""
    found = paragraphs(page.text, page.listed)
    buttons = _recurring(found)
    labels = Counter(cues.label_of(each.text) for each in found)
    notes = {note["number"]: note["address"] for each in found if (note := _NOTE.match(each.text))}
    read: list[Paragraph] = []
    for one, below in zip_longest(found, found[1:]):
        text = one.text.strip()
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
        label = cues.label_of(one.text)
        role, name, value = _role_of(
            replace(each, text=text, field=name, value=value),
            recurs=_folded(one.text) in buttons,
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
    """Return whether a single sentence is a title with a full stop.

    It is one if there is no other title, or if it shares more words with the text below than with
    that above, and no other line shares many.
    """
    known = (each for each in below if not cues.is_frame(each.text))
    following = next((each.role for each in known), None)
    if following in (None, Role.LINE, Role.TITLE, Role.DATE) or _OPENS_SENTENCE.match(
        sentence.text
    ):
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
    if share >= 0.5 and share > cues.shared(sentence.text, before):
        return all(cues.shared(line, text) < 0.25 for line in gap)
    is_summary = bool(above) and above[-1].role is Role.SUMMARY and not above[-1].field
    return (sentence.level > 0 or not gap) and not is_summary and likely_title(sentence) > 0


def likely_title(paragraph: Paragraph) -> float:
    """Score how much a single paragraph reads as a title: `index.readers.cues.title_like`."""
    return cues.title_like(paragraph.text, is_heading=paragraph.level > 0)


class Layout:
    """The arrangement of the paragraphs of a file; positions count from 0."""

    def __init__(self, found: Sequence[Paragraph]) -> None:
        """Choose the titles."""
        self._found = found
        self._first_date = next((at for at, i in enumerate(found) if i.role is Role.DATE), 0)
        long = (at for at, i in enumerate(found) if i.role is Role.PROSE and i.is_long)
        self._first_long = next(long, len(found))
        labelled = {at for at, each in enumerate(found) if each.role is Role.TITLE}
        self.titles: Collection[int] = labelled if len(labelled) > 1 else self._choose()
        """The positions of the titles."""

    def is_intro(self, at: int) -> bool:
        """Return whether short prose introduces a mail, above its first date and abstract."""
        each = self._found[at]
        is_above = at < self._first_date or each.text[0].islower()
        return at < self._first_long and not each.is_long and is_above

    def is_above_prose(self, at: int) -> bool:
        """Return whether only fields and noise are between a line and an abstract below it."""
        roles = (each.role for each in self._found[at + 1 : at + 7])
        ends = (role for role in roles if role in (*_TEXTS, Role.LINE, Role.TITLE, Role.DATE))
        return next(ends, None) in _TEXTS

    def _gaps(self) -> Iterator[list[int]]:
        """Yield the positions of the lines above each run of prose, one of which is its title.

        If there is none, yield those of lines that may be one, such as names ("Read, Look, Sing").
        """
        lines: list[int] = []
        spare: list[int] = []
        in_run = False
        for at, each in enumerate(self._found):
            if each.role is Role.LINE and in_run and self._continues_prose(at):
                continue
            if each.role is Role.LINE and not each.level and cues.is_frame(each.text):
                spare.append(at)
            elif each.role in (Role.LINE, Role.TITLE):
                if lines and self._found[lines[-1]].role is Role.TITLE:
                    yield lines
                    lines = []
                lines.append(at)
            elif each.field in ("authors", "byline") and not cues.label_of(each.text):
                spare.append(at)
            elif each.role is Role.NOISE and each.field == "other" and each.value[:1].isupper():
                spare.append(at)  # "Code: The Art"
            elif each.role is Role.PROSE and not self.is_intro(at):
                if lines or spare:
                    yield lines or spare
                lines, spare = [], []
            elif each.role is Role.DATE and not (lines and self.is_above_prose(at)):
                lines, spare = [], []
            in_run = each.role in (Role.PROSE, Role.SECTION)
        if lines and self._found[lines[-1]].role is Role.TITLE:
            yield lines

    def _continues_prose(self, at: int) -> bool:
        """Return whether a line after prose continues it, as part of its block, a list or code."""
        line, below = self._found[at], self._found[at + 1 : at + 2]
        if line.level or not below or below[0].role is not Role.PROSE:
            return False
        score = likely_title(line) + _SHARED_WEIGHT * cues.shared(line.text, below[0].text)
        return score < 0 and not cues.bare_title(line.text)[:1].isupper()

    def _choose(self) -> set[int]:
        """Return the best line of each gap; prefer the place where most gaps have theirs.

        The place of a line is the number of lines below it in its gap; each lowers its score.
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
                scores.append((score + _SHARED_WEIGHT * cues.shared(line.text, text), at))
                likely[place] += max(-2.0, min(score, 3.0))
            scored.append(scores)
        usual = max(likely, key=lambda place: (likely[place], -place), default=0)
        best = (
            max((score + 1.2 * (place == usual), at) for place, (score, at) in enumerate(gap))
            for gap in scored
        )
        return {title for score, title in best if score > -1.5}
