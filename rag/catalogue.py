"""Answer questions about the collection itself from the index: how many, which, where, who, when.

A fitted model decides which fact is asked for (`Wording.facts`). Such an answer cites nothing,
since no sentence of an abstract supports it.
"""

import re
from collections.abc import Sequence
from datetime import date

import numpy as np

from index.catalog import Sightings
from index.papers import Paper, Source
from index.readers.values import date_of
from index.store import Index
from rag.citations import Block, Claim, quote
from rag.digests import NAMED, Digest, find_digests, label
from rag.evidence import leading
from rag.listing import listed
from rag.query import Query
from rag.retrieval import Ranking
from rag.wording import most_probable

SHOWN = 20
"""Maximum number of papers listed, for example of a whole digest."""
_FIRST = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth"
    " fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth"
).split()
_ORDINALS = {word: place for place, word in enumerate(_FIRST, 1)}
"""The number of each ordinal word, from 1 to 99; two words are joined by a space."""
for _ten, _stem in enumerate("twent thirt fort fift sixt sevent eight ninet".split(), 2):
    _ORDINALS[f"{_stem}ieth"] = 10 * _ten
    _ORDINALS |= {f"{_stem}y {word}": 10 * _ten + one for one, word in enumerate(_FIRST[:9], 1)}
_WORD = "|".join(_ORDINALS).replace(" ", "[- ]")
_POSITION = re.compile(
    rf"\b(?:(?P<word>{_WORD})|(?P<last>last)|(?P<digits>\d+)(?:st|nd|rd|th)?)\b", re.I
)


def read_off(
    index: Index, query: Query, ranking: Ranking, digests: Sequence[Digest]
) -> list[Block]:
    """Answer a question from the index; return [] if the index has no such fact."""
    wanted = most_probable(query.wording.facts)
    known = query.named if query.chosen and wanted == "list" else query.known
    papers = [index.papers[row] for row in known]
    if wanted in ("where", "list") and papers and digests:
        return [_where(query, paper, digests) for paper in papers]
    if wanted == "credits" and papers:
        return [credits_of(paper) for paper in papers]
    if query.about and not query.chosen:
        return []
    rows = [int(row) for row in np.flatnonzero(query.allowed)]
    if wanted == "author":
        return _by_author(index, query, rows)
    if query.has_subject and wanted in ("list", "count", "where", "credits"):
        return []
    chosen = [d for name in query.scope.filters.digests for d in find_digests(name, digests)]
    if wanted == "digests":
        return _say(f"The index holds {_count(len(digests), 'digest')}: {_sizes(digests)}.")
    if wanted == "order":
        suffix = ""
        if query.has_subject:
            shares = listed(index, query, ranking)
            if shares[0][1] < query.fitted.thresholds["papers"]:
                return []  # no paper is on this subject
            suffix, rows = " on this subject", [row for row, _ in shares]
        oldest = re.search(r"\b(?:oldest|earliest|first|far back)\b", query.request.asked, re.I)
        return _by_date(index, rows, suffix, oldest=bool(oldest))
    position = _POSITION.search(query.scope.text)
    if wanted == "place" and position and len(chosen or digests) == 1:
        return _at(index, rows, (chosen or list(digests))[0], position)
    size = _say(_size(query, rows, chosen, digests))
    if wanted == "count":
        return size
    if chosen:
        rows.sort(key=lambda row: _position(index.papers[row], chosen[0]))
    return size + _write_list(index, rows, min(SHOWN, query.request.options.sources or SHOWN))


def _where(query: Query, paper: Paper, digests: Sequence[Digest]) -> Block:
    """Say in which digests a paper is, after a yes or no if the question asks for one."""
    scope = query.scope
    within = {(source.name, source.date) for source in paper.sources}

    def has(names: Sequence[str]) -> list[bool]:
        groups = [find_digests(name, digests) for name in names]
        return [any((d.name, d.date) in within for d in group) for group in groups]

    places = _join([_place(source) for source in paper.sources])
    inside, outside = has(scope.filters.digests), has(scope.without)
    text = f"In {places}."
    if (inside or outside) and re.match(
        r"(?:was|is|were|are|did|does|do|has|have|isn[’']t|wasn[’']t)\b", query.request.asked, re.I
    ):
        every = scope.filters.every_digest
        yes = (not inside or (all(inside) if every else any(inside))) and not any(outside)
        text = f"{'Yes' if yes else 'No'}: it is in {places}."
    return Block((Claim(text, ()),), paper.display_title)


def _place(source: Source) -> str:
    digest = label(source.name, source.date, source.dated)
    return f"the digest of {digest} (number {source.position})"


def credits_of(paper: Paper) -> Block:
    """Say who wrote a paper, when and where it appeared, and which of this the index lacks."""
    dated = date_of(paper.published)
    when = label("", dated.day, dated.precision) if dated else str(paper.year or "")
    known = {
        "authors": f"By {_join(paper.authors)}." if paper.authors else "",
        "venue": f"In {paper.venue}{f', {when}' if when else ''}." if paper.venue else "",
        "date": f"From {when}." if when else "",
        "link": f"DOI {paper.doi}." if paper.doi else paper.url or "",
    }
    parts = [text for name, text in known.items() if text and not (name == "date" and paper.venue)]
    if lacking := [name for name, text in known.items() if not text]:
        parts.append(f"The index lacks its {_join(lacking)}.")
    if places := [_place(source) for source in paper.sources if source.date]:
        parts.append(f"It was listed in {_join(places)}.")
    return Block((Claim(" ".join(parts), ()),), paper.display_title)


def _by_author(index: Index, query: Query, rows: Sequence[int]) -> list[Block]:
    """List the papers of an author whose last name occurs in the question."""

    def words(text: str) -> list[str]:
        return re.findall(r"[^\W\d_]+", text.casefold())

    asked = words(query.probe.text)
    authors = ((row, name) for row in rows for name in index.papers[row].authors)
    found = [row for row, name in authors if any(last in asked for last in words(name)[-1:])]
    return _write_list(index, list(dict.fromkeys(found)), SHOWN)


def _by_date(index: Index, rows: Sequence[int], suffix: str, *, oldest: bool) -> list[Block]:
    """List the five oldest or newest papers and others of their dates; `suffix` says of what."""
    dated = [(day, row) for row in rows if (day := _day(index, row))]
    dated.sort(key=lambda each: each[0], reverse=not oldest)
    if not dated:
        return _say(f"No paper{suffix or ' in the index'} has a date.")
    edge = dated[min(5, len(dated)) - 1][0]
    same = [row for day, row in dated if (day <= edge if oldest else day >= edge)]
    first = [row for day, row in dated if day == dated[0][0]]
    shown = first if len(first) >= 5 else same
    days = sorted(day for day, _ in dated)
    span = f"The papers{suffix} are dated from {_name(days[0])} to {_name(days[-1])}."
    return _say(span) + _write_list(index, shown, SHOWN)


def _day(index: Index, row: int) -> date | None:
    found = Sightings.of(index.papers)
    if day := int(found.earliest[row]):
        return date.fromordinal(day)
    return date(int(found.years[row]), 1, 1) if found.years[row] else None


def _name(day: date) -> str:
    return str(day.year) if (day.month, day.day) == (1, 1) else label("", day)


def _size(
    query: Query, rows: Sequence[int], chosen: Sequence[Digest], digests: Sequence[Digest]
) -> str:
    """Say how many papers pass the question's scope and the filters."""
    scope = query.scope
    is_filtered = not query.request.allowed.all()
    if scope.is_empty and not is_filtered:
        sizes = f" ({_sizes(digests)})" if 1 < len(digests) <= NAMED else ""
        once = "; a paper in several digests counts once" if sizes else ""
        return f"The index holds {_count(len(rows), 'paper')}{sizes}{once}."
    names = [f"the digest of {digest.label}" for digest in chosen]
    where = f" in {_join(names, every=scope.filters.every_digest)}" if names else " left"
    without = [d.label for name in scope.without for d in find_digests(name, digests)]
    but = f", not in the digest of {_join(without, every=False)}" if without else ""
    among = "Of the papers that pass the filters, " if is_filtered else ""
    count = f"{len(rows):,}" if among else _count(len(rows), "paper")
    return f"{among}{count} {'is' if len(rows) == 1 else 'are'}{where}{but}."


def _sizes(digests: Sequence[Digest]) -> str:
    return "; ".join(
        f"the digest of {d.label} has {_count(d.papers, 'paper')}" for d in digests[-NAMED:]
    )


def _position(paper: Paper, digest: Digest) -> int:
    """Return a paper's place in a digest, counted from 1; after all others if it is not in it."""
    own = (at.position for at in paper.sources if (at.name, at.date) == (digest.name, digest.date))
    return next(own, 10**9)


def _at(index: Index, rows: Sequence[int], digest: Digest, wanted: re.Match[str]) -> list[Block]:
    """List the paper at a place in a digest: "the third paper of the Mar 14 digest"."""
    place = digest.papers if wanted["last"] else 0
    place = place or int(wanted["digits"] or _ORDINALS[wanted["word"].lower().replace("-", " ")])
    found = [row for row in rows if _position(index.papers[row], digest) == place]
    if not found:
        size = _count(digest.papers, "paper")
        return _say(f"The digest of {digest.label} has no such paper: it has {size}.")
    return _write_list(index, found, SHOWN)


def _say(text: str) -> list[Block]:
    return [Block((Claim(text, ()),))]


def _write_list(index: Index, rows: Sequence[int], shown: int) -> list[Block]:
    """List the first `shown` papers as bullets, each with the sentence that says what it is."""
    blocks = [
        Block((quote(index, at),), index.papers[row].display_title, bullet=True)
        for row in rows[:shown]
        if (at := leading(index, row)) is not None
    ]
    if len(rows) > shown:
        more = f"{len(rows) - shown} more not shown: name a subject to narrow the list."
        blocks += _say(more)
    return blocks


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _join(parts: Sequence[str], *, every: bool = True) -> str:
    word = " and " if every else " or "
    return word.join(parts) if len(parts) < 3 else f"{', '.join(parts[:-1])}{word}{parts[-1]}"
