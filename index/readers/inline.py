"""Paragraphs that hold two things on one line: an entry of a list, a title with its authors."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from index.readers.furniture import is_authors, is_name
from index.readers.labels import field_of, is_section, without_more
from index.readers.paragraphs import Kind, Paragraph

_MARK = r"(?:(?:\(?\d{1,3}[.)]{1,2}|[-*•‣▪–])\s+)"
_ENTRIES = tuple(
    re.compile(
        _MARK
        + r"?(?P<title>[^\W_a-z](?:(?!\.\s).){2,150}?)"
        + sign
        + r"(?P<text>\S.{30,}?[.!?])(?P<links>\s*[(\[][\w ,/|·-]{3,60}[)\]])?",
        re.DOTALL,
    )
    for sign in (r"\s+[-–—]\s+", r":\s+")
)
"""An item of a list with title and text, told apart by a dash or a colon, and links behind it."""
_SIGNED = re.compile(r"(?P<title>\S.{8,}\S)\s+[|｜]\s+(?P<names>[^|｜]+)", re.DOTALL)
_ITEM = range(60, 20_000)
"""Characters of an item that could be an entry."""
_LONGEST_LINE = 1_000
_LONGEST_NAME = 3
"""Words of a name that stands alone."""
_MOST = 0.8
"""Share of the items of a list of papers that are entries."""


def parted(text: str, found: Sequence[Paragraph], listed: Collection[int]) -> Iterator[Paragraph]:
    """The paragraphs of a text, those that hold two things as two.

    Args:
        text: The text that they are of.
        found: Its paragraphs.
        listed: The lines that are items of a list, though no mark says so.
    """
    whole = [text[each.start : each.end] for each in found]
    parts = {**_signed(found, whole), **_entries(found, whole, listed)}
    for at, paragraph in enumerate(found):
        if at not in parts:
            yield paragraph
            continue
        match, second = parts[at], "text" if "text" in parts[at].groupdict() else "names"
        kinds = (Kind.TITLE, Kind.PROSE) if second == "text" else (Kind.LINE, Kind.LINE)
        for name, kind in zip(("title", second), kinds, strict=True):
            part = " ".join(match[name].split())
            yield replace(
                paragraph,
                kind=kind,
                start=paragraph.start + match.start(name),
                end=paragraph.start + match.end(name),
                line=paragraph.line + whole[at].count("\n", 0, match.start(name)),
                text=part,
                is_attached=paragraph.is_attached or name != "title",
            )


def _entries(
    found: Sequence[Paragraph], whole: Sequence[str], listed: Collection[int]
) -> dict[int, re.Match[str]]:
    """The items that hold a title and a text, if the list is one of papers and no part of a text.

    It is one where nearly all its items do, most of them as long as abstracts or with links behind,
    and where no longer text stands above it.
    """
    items = [
        at for at, each in enumerate(found)
        if len(whole[at]) in _ITEM and (each.line in listed or re.match(_MARK, whole[at]))
    ]  # fmt: skip
    first_long = next((at for at, each in enumerate(found) if each.is_long), None)
    for shape in _ENTRIES:
        entries = {at: match for at in items if (match := shape.fullmatch(whole[at]))}
        if len(entries) < max(2, _MOST * len(items)) or first_long not in (None, *entries):
            continue
        sure = [at for at, match in entries.items() if match["links"] or found[at].is_long]
        are_fields = any(
            is_section(e["title"]) or field_of(f"{e['title']}:") for e in entries.values()
        )
        if len(sure) >= _MOST * len(entries) and not are_fields:
            return entries
    return {}


def _signed(found: Sequence[Paragraph], whole: Sequence[str]) -> dict[int, re.Match[str]]:
    """The lines that hold a title and its authors: one name only where others have several."""
    matches = {
        at: match for at, each in enumerate(found)
        if each.kind is not Kind.PROSE and len(whole[at]) < _LONGEST_LINE
        and (match := _SIGNED.fullmatch(whole[at]))
        and not _are_names(match["title"])
    }  # fmt: skip
    names = {at: without_more(match["names"]) for at, match in matches.items()}
    if not any(map(is_authors, names.values())):
        return {}
    return {at: matches[at] for at, each in names.items() if is_authors(each) or is_name(each)}


def _are_names(text: str) -> bool:
    """Whether it is names rather than a title; a title may read as one long name."""
    return is_authors(text) or (is_name(text) and len(text.split()) <= _LONGEST_NAME)
