"""Which papers an answer is made of, by what is asked, and what each of them says."""

import re
from collections.abc import Sequence

import numpy as np

from index.lexical import tokenize
from index.store import Index
from rag.evidence import WORDS, Evidence, of_paper, summary
from rag.listing import MOST, likely, listed
from rag.query import Query
from rag.retrieval import Probe, Ranking, rank
from rag.wording import Kind

WORDS_OF_SIDE = 60
"""Words of evidence at most, about, from each side of a comparison."""
NEAREST_PAPERS = 4
"""Papers whose best sentences are quoted where no single paper is likely enough to answer."""
CHOSEN = 3
"""Papers that are recommended."""
_SIDES = 4
_CANDIDATES = 10
_MOST_CUTS = 4
_CUT = re.compile(r"[.?!,;:]\s|\b(?:and|or|versus|vs\.?|than|while|with|to|from)\b", re.IGNORECASE)
"""Where a question may be cut into what it compares."""


def from_paper(index: Index, query: Query, ranking: Ranking) -> Evidence:
    """What the one paper that a question is about says; or each of several that it names."""
    known = answering(query)
    row, share = (known[0], 1.0) if known else likely(index, query, ranking)[0]
    rows = known or (row,)
    if query.kind is Kind.ABOUT:
        found = tuple(summary(index, query, ranking, row) for row in rows)
    else:
        words = WORDS if len(rows) == 1 else WORDS_OF_SIDE
        found = tuple(of_paper(index, query, ranking, row, words) for row in rows)
    return Evidence(query.kind, found, share=share)


def answering(query: Query) -> Sequence[int]:
    """The rows of the papers that a question says it is to be answered from.

    Those of the turns before if it is about them, else those that it names.
    """
    known = query.about or tuple(row for row in query.named if query.allowed[row])
    return known if query.about else known[:_SIDES]


def nearest(index: Index, query: Query, ranking: Ranking) -> Evidence:
    """What the papers say one of which may answer, where no single one is likely enough.

    Two of them, if it is one of these more likely than not; else the best sentence of each of four.
    """
    first = likely(index, query, ranking)[:NEAREST_PAPERS]
    rows = [row for row, _ in first]
    if sum(share for _, share in first[:2]) >= query.fitted.thresholds["two papers"]:
        found = (of_paper(index, query, ranking, row, WORDS_OF_SIDE) for row in rows[:2])
        return Evidence(query.kind, tuple(found))
    return Evidence(Kind.PAPERS, tuple(of_paper(index, query, ranking, row, 1) for row in rows))


def from_papers(index: Index, query: Query, ranking: Ranking, limit: int = MOST) -> Evidence:
    """Every paper on the subject, each with the sentence that says what it does for it."""
    fitting = listed(index, query, ranking)
    rows = [row for row, _ in fitting[:limit]]
    found = tuple(of_paper(index, query, ranking, row, 1) for row in rows)
    kept = tuple(each for each in found if each.passages)
    counted = query.wording.asks_how_many
    return Evidence(query.kind, kept, count=len(fitting), fit=fitting[0][1], counted=counted)


def compared(index: Index, query: Query, ranking: Ranking) -> Evidence:
    """The sides of a comparison, each with what it says of what is compared."""
    rows = sides(index, query, ranking)
    words = WORDS_OF_SIDE if len(rows) > 1 else WORDS
    found = tuple(of_paper(index, query, ranking, row, words) for row in rows)
    is_known = bool(query.about or query.named)
    share = 1.0 if is_known else likely(index, query, ranking)[0][1]
    return Evidence(query.kind, found, share=share)


def sides(index: Index, query: Query, ranking: Ranking) -> Sequence[int]:
    """The papers that are compared: named or spoken of, else found for the parts of the question.

    Without names, the question is cut in two where it may be; of the pairs of papers that two
    parts find, and the first two of the whole, the pair with the highest scores in all is taken.
    """
    known = list(dict.fromkeys((*query.about, *(r for r in query.named if query.allowed[r]))))
    if len(known) > 1:
        return known[:_SIDES]
    first = [int(row) for row in ranking.rows[:2]]
    if known or len(first) < 2:
        return known or first
    whole = query.probe.text
    halves = [(whole[: cut.start()], whole[cut.end() :]) for cut in _CUT.finditer(whole)]
    best = (float(ranking.scores[first].sum()), first)
    for half in halves[:_MOST_CUTS]:
        if all(tokenize(text) for text in half):
            probes = [Probe.of(text, index, query.encoder, mended=False) for text in half]
            best = max(best, _pair(index, ranking, probes))
    return best[1]


def _pair(index: Index, ranking: Ranking, probes: Sequence[Probe]) -> tuple[float, list[int]]:
    """The best papers of two parts among the first of the whole, and their scores in all."""
    allowed = np.zeros(len(index.papers), dtype=np.bool_)
    allowed[ranking.rows[:_CANDIDATES]] = True
    found = [rank(index, probe, allowed) for probe in probes]
    rows = [int(each.rows[0]) for each in found]
    if rows[0] == rows[1]:
        return (-np.inf, rows)
    return float(sum(each.scores[row] for each, row in zip(found, rows, strict=True))), rows
