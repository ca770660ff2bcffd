"""Which papers are the rows of a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np

from index.encoder import Encoder
from index.errors import InputError
from index.papers import Paper, letters
from index.store import Index
from rag.digests import allowed, list_digests
from rag.query import Request
from rag.refusal import nothing_left
from rag.retrieval import Probe, Ranking, rank
from rag.schema import Filters, Options
from rag.scope import describe_limits
from rag.selection import from_papers, sides
from rag.understanding import understand
from rag.wording import Kind

_CLOSE_TITLE = 0.6


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
    key = letters(wanted)
    if not wanted.strip():
        raise InputError("a paper to compare is empty: give its title or id")
    titles = [letters(paper.title) for paper in papers]
    heads = [letters(paper.head or "") for paper in papers]
    for fits in (
        [row for row, paper in enumerate(papers) if paper.id == wanted.strip()],
        [row for row, title in enumerate(titles) if title == key],
        [row for row, head in enumerate(heads) if head == key],
        [row for row, title in enumerate(titles) if key and key in title],
    ):
        if len(fits) == 1:
            return fits[0]
        if fits and key:
            such = ", ".join(repr(papers[row].display_title) for row in fits[:2])
            raise InputError(
                f"{len(fits)} papers fit {wanted!r}, such as {such}: give more of the title, or"
                " the id"
            )
    near = get_close_matches(key, [*titles, *heads], 1, _CLOSE_TITLE)
    at = [*titles, *heads].index(near[0]) % len(papers) if near else None
    hint = "" if at is None else f"; the nearest title is {papers[at].display_title!r}"
    raise InputError(f"no paper in the index is called {wanted!r}{hint}")


def choose_rows(
    index: Index,
    encoder: Encoder,
    question: str,
    papers: Sequence[str] = (),
    filters: Filters | None = None,
) -> Rows:
    """The papers named by title or id; else those the question names, compares or is about.

    Raises:
        InputError: a paper named is unknown, or a filter cannot be used.
    """
    if isinstance(papers, str):
        raise InputError(f"papers must be a list of titles or ids, such as [{papers!r}]")
    filters = filters or Filters()
    mask = allowed(index.papers, filters)
    if papers:
        rows = tuple(dict.fromkeys(find_paper(wanted, index.papers) for wanted in papers))
        left_out = [index.papers[row].display_title for row in rows if not mask[row]]
        if left_out:
            raise InputError(f"the paper {left_out[0]!r} does not pass the filters")
        return _scored(rows, rank(index, Probe.of(question, index, encoder)))
    digests = list_digests(index.papers)
    request = Request(question, (), filters, Options(), mask)
    query = understand(request, index, encoder, digests)
    if query.scope.unknown:
        there = ", ".join(digest.label for digest in digests) or "none"
        return Rows((), (), f"There is no digest of {query.scope.unknown}; there is: {there}.")
    ranking = rank(index, query.probe, query.allowed)
    if not len(ranking.rows):
        return Rows((), (), nothing_left(describe_limits(filters, query.scope, digests)).reason)
    if not query.has_subject and not query.names:
        return _scored([int(row) for row in np.flatnonzero(query.allowed)], ranking)
    if query.kind is Kind.COMPARE or query.named:
        rows = tuple(sides(index, query, ranking))
    else:
        found = from_papers(index, query, ranking)
        if (found.fit or 0) < query.fitted.thresholds["papers"]:
            return Rows((), (), "None of the abstracts is about this.")
        rows = tuple(each.paper for each in found.papers)
    return _scored(sorted(rows, key=lambda row: -ranking.scores[row]), ranking)


def _scored(rows: Sequence[int], ranking: Ranking) -> Rows:
    return Rows(tuple(rows), tuple(float(ranking.scores[row]) for row in rows))
