"""Which papers are the rows of a table."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

import numpy as np
from numpy.typing import NDArray

from index.encoder import Encoder
from index.errors import InputError
from index.papers import Paper, letters
from index.store import Index
from rag.catalogue import is_about_digests
from rag.conversation import Standalone
from rag.digests import Digest, allowed, find_digests, list_digests, name_all
from rag.evidence import Selector
from rag.names import subjects, title_name
from rag.parts import EVERY_PART, Parts
from rag.question import Kind, analyse
from rag.retrieval import Ranking, rank
from rag.schema import Filters
from rag.scope import Scope, describe_limits, read_scope
from rag.sufficiency import insufficient, nothing_left

_CLOSE_TITLE = 0.6
_SHORT = 6
"""Words of a subject."""


@dataclass(frozen=True)
class Rows:
    """The papers of a table, the nearest first, or why there is none."""

    papers: tuple[int, ...]
    """Rows of the index."""
    scores: tuple[float, ...]
    reason: str | None = None


def find_paper(wanted: str, papers: Sequence[Paper]) -> int:
    """The row of the paper of this id or title.

    A title may be written in any case and spacing, without its LaTeX, by the name before its
    colon, or by a part that no other title has.

    Raises:
        InputError: there is none, or several.
    """
    for row, paper in enumerate(papers):
        if paper.id == wanted.strip():
            return row
    if not wanted.strip():
        raise InputError("a paper to compare is empty: give its title or id")
    key = letters(wanted)
    titles = [letters(paper.title) for paper in papers]
    heads = [letters(title_name(paper) or "") for paper in papers]
    for fits in (
        [row for row, title in enumerate(titles) if key and title == key],
        [row for row, head in enumerate(heads) if key and head == key],
        [row for row, title in enumerate(titles) if key and key in title],
    ):
        if len(fits) == 1:
            return fits[0]
        if fits:
            named = ", ".join(f"{papers[row].display_title!r}" for row in fits[:2])
            raise InputError(
                f"{len(fits)} papers fit {wanted!r}, such as {named}: give more of the title,"
                " or the id"
            )
    near = get_close_matches(key, [*titles, *heads], 1, _CLOSE_TITLE) if key else []
    found = [*titles, *heads].index(near[0]) % len(papers) if near else None
    hint = "" if found is None else f"; the nearest title is {papers[found].display_title!r}"
    raise InputError(f"no paper in the index is called {wanted!r}{hint}")


def choose_rows(
    index: Index,
    encoder: Encoder,
    question: str,
    papers: Sequence[str] = (),
    filters: Filters | None = None,
    parts: Parts = EVERY_PART,
) -> Rows:
    """The papers a question is about.

    Papers that are named by title or id come as they are named; without any, the papers that
    the question names or compares, those of the digest it names, or those about its subject, as
    for an answer.

    Raises:
        InputError: a paper named is unknown, or a filter cannot be used.
    """
    if isinstance(papers, str):
        raise InputError(f"papers must be a list of titles or ids, such as [{papers!r}]")
    mask = allowed(index.papers, filters or Filters())
    if papers:
        rows = tuple(dict.fromkeys(find_paper(wanted, index.papers) for wanted in papers))
        left_out = [index.papers[row].display_title for row in rows if not mask[row]]
        if left_out:
            raise InputError(f"the paper {left_out[0]!r} does not pass the filters")
        return _scored(rows, rank(index, encoder, question, None, parts))
    digests = list_digests(index.papers)
    scope = read_scope(question, digests) if parts.digest_scopes else Scope(question, Filters())
    if scope.unknown:
        there = name_all(digests)
        return Rows((), (), f"There is no digest of {scope.unknown}; there is: {there}.")
    mask = mask & allowed(index.papers, scope.filters)
    if scope.without:
        mask = mask & ~allowed(index.papers, Filters(digests=scope.without))
    ranking = rank(index, encoder, scope.text or question, mask, parts)
    if not len(ranking.rows):
        limits = describe_limits(filters or Filters(), scope, digests)
        return Rows((), (), nothing_left(limits))
    if is_about_digests(Standalone(question), scope):
        return _scored(_in_order(index, mask, digests, scope), ranking)
    return _about(index, encoder, question, scope, ranking, parts)


def _scored(rows: Sequence[int], ranking: Ranking) -> Rows:
    return Rows(tuple(rows), tuple(float(ranking.scores[row]) for row in rows))


def _in_order(
    index: Index, mask: NDArray[np.bool_], digests: Sequence[Digest], scope: Scope
) -> list[int]:
    """The papers that pass, in the order of the digest that is asked for."""
    wanted = [found for name in scope.filters.digests for found in find_digests(name, digests)]
    keys = {(digest.name, digest.date) for digest in wanted or digests}

    def place(row: int) -> tuple[str, int]:
        sources = index.papers[row].sources
        own = [(s.name, s.position) for s in sources if (s.name, s.date) in keys]
        return min(own, default=("", 0))

    return sorted(map(int, np.flatnonzero(mask)), key=place)


def _about(
    index: Index,
    encoder: Encoder,
    question: str,
    scope: Scope,
    ranking: Ranking,
    parts: Parts,
) -> Rows:
    """The papers that a question names, compares or is about.

    A table is of several papers, so what would be answered from one paper ("GUI agents") is read
    as a list of those about it first.
    """
    asked = analyse(question, scope.text)
    evidence = Selector(index, encoder, asked, ranking, (), parts).select()
    lack = insufficient(index, asked, ranking, evidence)
    if evidence.kind is Kind.FACT and not subjects(asked.text, index.papers, index.lexical):
        listed = replace(asked, kind=Kind.LIST)
        several = Selector(index, encoder, listed, ranking, (), parts).select()
        why = insufficient(index, listed, ranking, several)
        # Half of a short subject is easily found in a sentence; that is no paper about it.
        if not why or len(asked.subjects[0].split()) <= _SHORT:
            evidence, lack = several, why
    if lack:
        return Rows((), (), lack.reason)
    rows = dict.fromkeys(found.paper for found in evidence.papers)
    return _scored(sorted(rows, key=lambda row: -ranking.scores[row]), ranking)
