"""Questions about the digests themselves, answered from the index: how many, which, where."""

import re
import sys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from index.lexical import tokenize
from index.papers import Paper, Source
from index.store import Index
from rag.citations import Block, Claim
from rag.conversation import Standalone
from rag.digests import NAMED, Digest, find_digests, label
from rag.evidence import naming_sentence
from rag.names import subjects
from rag.question import ASKS_VENUE, ASKS_WHO
from rag.scope import Scope
from rag.synthesis.extractive import quote

SHOWN = 20
"""Papers shown when a whole digest is asked for."""

_INDEX_WORDS = re.compile(
    r"\b(?:papers?|digests?|abstracts?|index|collection|corpus)\b", re.IGNORECASE
)
_COUNTS = re.compile(r"\b(?:how many|number of|count)\b", re.IGNORECASE)
_LISTS = re.compile(r"\b(?:list|show|name|which|what are|what papers)\b", re.IGNORECASE)
_DIGESTS = re.compile(
    r"\b(?:how many|what|which|list|name) (?:(?:the|all|of) )*(?:digests|newsletters)\b",
    re.IGNORECASE,
)
_SIZES = re.compile(
    r"\b(?:larger|bigger|longer|smaller|shorter|more|fewer|each|size|compare)\b", re.IGNORECASE
)
_WHERE = re.compile(
    r"\b(?:which|what)(?: of the)? (?:digests?|newsletters?)\b"
    r"|^(?:was|is|were|are|did|does|do)\b.*\b(?:digests?|newsletters?)\b"
    r"|^(?:was|is|were|are)\b.*\bin both\W*$",
    re.IGNORECASE,
)
_YES_OR_NO = re.compile(r"(?:was|is|were|are|did|does|do)\b", re.IGNORECASE)
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
_POSITION = re.compile(
    rf"\b(?P<word>{'|'.join(_ORDINALS)}|last)\b|\b(?P<digits>\d+)(?:st|nd|rd|th)\b"
    r"|\bnumber (?P<number>\d+)\b",
    re.IGNORECASE,
)
_SUBJECTLESS = frozenset(
    stemmed
    for word in """digest issue newsletter list listed lists include included includes contain
    contains overlap shared appear appears appeared present come came total altogether index
    abstract abstracts entry entries article articles title titles common everything count number
    available indexed collection corpus read both same different item items date dates
    papers paper there many way new larger bigger longer smaller shorter size last
    summarise summarize summary overview describe highlights"""
    .split() + list(_ORDINALS)
    for stemmed in tokenize(word)
)  # fmt: skip


def asks_where(alone: Standalone, index: Index, mask: NDArray[np.bool_]) -> list[Paper]:
    """The papers whose digests are asked for: "Was WebArena in both?"; empty if none is."""
    return _asked_about(alone, index, mask) if _WHERE.search(alone.asked) else []


def write_credits(alone: Standalone, index: Index, mask: NDArray[np.bool_]) -> list[Block]:
    """Authors or venue of the papers asked about, as far as the index has them."""
    asks_who, asks_venue = ASKS_WHO.search(alone.asked), ASKS_VENUE.search(alone.asked)
    if not asks_who and not asks_venue:
        return []
    blocks: list[Block] = []
    for paper in _asked_about(alone, index, mask):
        said = []
        if asks_who and paper.authors:
            said.append(f"By {_join(paper.authors)}.")
        if asks_venue and paper.venue:
            said.append(f"In {paper.venue}{f', {paper.year}' if paper.year else ''}.")
        if said:
            blocks.append(Block((Claim(" ".join(said), ()),), paper.display_title))
    return blocks


def _asked_about(alone: Standalone, index: Index, mask: NDArray[np.bool_]) -> list[Paper]:
    found = subjects(alone.asked, index.papers, index.lexical) or list(alone.about)
    passing = {index.papers[int(row)].id for row in np.flatnonzero(mask)}
    return [paper for paper in found if paper.id in passing]


def is_about_digests(alone: Standalone, scope: Scope) -> bool:
    """Whether the digests are asked about and no subject: how many papers, which are in both."""
    says = bool(scope.filters.digests) or bool(_INDEX_WORDS.search(alone.asked))
    words = set(tokenize(_POSITION.sub(" ", scope.text)))
    return says and not alone.about and not words - _SUBJECTLESS


def write_where(
    alone: Standalone, papers: Sequence[Paper], digests: Sequence[Digest], scope: Scope
) -> list[Block]:
    """In which digests papers are, after a yes or no if the question wants one."""
    filters = scope.filters
    groups = [
        {(found.name, found.date) for found in find_digests(wanted, digests)}
        for wanted in filters.digests
    ]
    blocks: list[Block] = []
    for paper in papers:
        within = {(source.name, source.date) for source in paper.sources}
        hits = [bool(group & within) for group in groups]
        said = _join([_place(source) for source in paper.sources])
        if groups and _YES_OR_NO.match(alone.asked):
            yes = all(hits) if filters.every_digest else any(hits)
            said = f"{'Yes' if yes else 'No'}: it is in {said}."
        else:
            said = f"In {said}."
        blocks.append(Block((Claim(said, ()),), paper.display_title))
    return blocks


def _place(source: Source) -> str:
    return f"the digest of {label(source.name, source.date)} (number {source.position})"


def describe(
    index: Index,
    digests: Sequence[Digest],
    asked: str,
    scope: Scope,
    mask: NDArray[np.bool_],
    *,
    filtered: bool,
    shown: int = SHOWN,
) -> list[Block]:
    """How many papers pass `mask`, and which, in the order of their digest.

    `filtered` says that the mask holds filters beside what the question says; at most `shown`
    papers are listed.

    What is counted rests on no sentence of an abstract, so it cites nothing.
    """
    rows = [int(row) for row in np.flatnonzero(mask)]
    chosen = [found for name in scope.filters.digests for found in find_digests(name, digests)]
    if not chosen and _DIGESTS.search(asked):
        return _say(f"The index holds {len(digests)} digests: {_sizes(digests)}.")
    if not chosen:
        if filtered:
            count = _say(f"{_papers(len(rows))} pass the filters.")
        else:
            detail = f" ({_sizes(digests)})" if 1 < len(digests) <= NAMED else ""
            once = "; a paper in several digests counts once" if detail else ""
            count = _say(f"The index holds {_papers(len(rows))}{detail}{once}.")
        return count + (_write_list(index, rows, shown) if _lists(asked) else [])
    if len(chosen) > 1 and not scope.filters.every_digest and _SIZES.search(asked):
        return _say(f"T{_sizes(chosen)[1:]}.")
    rows = sorted(rows, key=lambda row: _position(index.papers[row], chosen[0]))
    wanted = _POSITION.search(scope.text)
    if wanted and len(chosen) == 1:
        return _at(index, rows, chosen[0], wanted)
    among = "Of the papers that pass the filters, " if filtered else ""
    where = _join(
        [f"the digest of {digest.label}" for digest in chosen], every=scope.filters.every_digest
    )
    left_out = [found.label for name in scope.without for found in find_digests(name, digests)]
    but = f" but not in the digest of {_join(left_out)}" if left_out else ""
    verb = "is" if len(rows) == 1 else "are"
    count = _say(f"{among}{len(rows) if among else _papers(len(rows))} {verb} in {where}{but}.")
    return count if _COUNTS.search(asked) else count + _write_list(index, rows, shown)


def _say(text: str) -> list[Block]:
    return [Block((Claim(text, ()),))]


def _lists(asked: str) -> bool:
    return bool(_LISTS.search(asked)) and not _COUNTS.search(asked)


def _sizes(digests: Sequence[Digest]) -> str:
    return "; ".join(f"the digest of {d.label} has {_papers(d.papers)}" for d in digests)


def _position(paper: Paper, digest: Digest) -> int:
    """A paper's place in a digest, counted from 1; after all others if it is not there."""
    own = [at.position for at in paper.sources if (at.name, at.date) == (digest.name, digest.date)]
    return own[0] if own else sys.maxsize


def _at(index: Index, rows: Sequence[int], digest: Digest, wanted: re.Match[str]) -> list[Block]:
    """The paper at a place of a digest: "the third paper of the Mar 14 digest"."""
    word = (wanted["word"] or "").lower()
    if word == "last":
        found = list(rows[-1:])
    else:
        place = int(wanted["digits"] or wanted["number"] or 0) or _ORDINALS.index(word) + 1
        found = [row for row in rows if _position(index.papers[row], digest) == place]
    if not found:
        return _say(f"The digest of {digest.label} has no such paper: it has {digest.papers}.")
    return _write_list(index, found, SHOWN)


def _write_list(index: Index, rows: Sequence[int], shown: int) -> list[Block]:
    """Papers as bullets, each with the sentence that says what it is; the first `shown`."""
    sentences = ((row, naming_sentence(index, row)) for row in rows[:shown])
    blocks = [
        Block((quote(index, at),), index.papers[row].display_title, bullet=True)
        for row, at in sentences
        if at is not None
    ]
    if len(rows) > shown:
        more = f"{len(rows) - shown} more are not shown: name a subject to narrow the list."
        blocks.append(Block((Claim(more, ()),)))
    return blocks


def _papers(count: int) -> str:
    return f"{count:,} {'paper' if count == 1 else 'papers'}"


def _join(parts: Sequence[str], *, every: bool = True) -> str:
    word = " and " if every else " or "
    return word.join(parts) if len(parts) < 3 else f"{', '.join(parts[:-1])}{word}{parts[-1]}"
