"""Hybrid retrieval: which papers a question is about.

A paper's score is a sum of z-scores over all papers of the index, per query:

    z(whole) + 0.7 · z(sentences) + 0.7 · z(BM25)

`whole` is the cosine of the query and the whole abstract, `sentences` the mean cosine of the
paper's three nearest sentences (the encoder reads 256 tokens, so a long abstract's tail lives
in its sentences alone). Z-scores make the three comparable whatever the query's length;
weights were chosen on two sets, see docs/evaluation.md.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from index.encoder import Encoder
from index.lexical import token_set, tokenize
from index.naming import mend
from index.store import Index
from rag.schema import Found, Hit, Passage

Floats = NDArray[np.float32]

SENTENCE_WEIGHT = 0.7
LEXICAL_WEIGHT = 0.7
NEAREST_SENTENCES = 3
PASSAGES_PER_HIT = 3
CANDIDATES, READ = 40, 10
"""Papers found by their words that are encoded when they are asked for, whole and by sentences."""
FOUND_AMONG = 20
"""A part of the ranking found a paper that stands among so many of the first by it alone."""


class QueryEncoder(Protocol):
    """What makes the vector of a question: an encoder, or what keeps its vectors."""

    def encode_query(self, text: str) -> Floats: ...  # noqa: D102 - the protocol says it


@dataclass(frozen=True, eq=False)
class Probe:
    """A text as it is searched for, analysed once."""

    text: str
    tokens: tuple[str, ...]
    """Without repeats."""
    vector: Floats
    """A unit vector, shape (d,)."""
    mends: tuple[tuple[str, str], ...] = ()
    """The typing errors that were mended in it."""

    @classmethod
    def of(
        cls,
        text: str,
        index: Index,
        encoder: QueryEncoder,
        *,
        mended: bool = True,
        within: Sequence[tuple[int, int]] | None = None,
    ) -> Self:
        """Analyse a text.

        Args:
            text: A question, or a part of one.
            index: The index to be searched.
            encoder: Its encoder.
            mended: Whether typing errors are mended by the words of the index.
            within: Where they are, code points of `text`; everywhere by default.
        """
        right, mends = mend(text, index.lexical, index.names, within) if mended else (text, ())
        return cls(right, tuple(dict.fromkeys(tokenize(right))), encoder.encode_query(right), mends)


@dataclass(frozen=True, eq=False)
class Ranking:
    """Papers for one query, best first, and how each passage of the index compares to it."""

    probe: Probe
    """The query."""
    rows: NDArray[np.intp]
    """Rows of the allowed papers in `index.papers`, best first."""
    scores: Floats
    """The score of each paper of the index, shape (P,)."""
    passages: Floats
    """The cosine of the query and each passage, shape (S,)."""
    whole: Floats
    """The cosine of the query and each whole abstract, shape (P,)."""
    dense: Floats
    """The part of each score that comes from vectors, shape (P,)."""
    lexical: Floats
    """BM25 of each paper, shape (P,); 0 where it shares no word with the query."""

    def found_by(self, row: int) -> Found:
        """What found a paper: that by which it is among the first, or else stands higher."""
        by_meaning, by_words = self._places
        dense = bool(by_meaning[row] < FOUND_AMONG)
        lexical = bool(by_words[row] < FOUND_AMONG and self.lexical[row] > 0)
        if dense == lexical:
            # In neither list: the words count only where they are the better reason.
            ahead = by_words[row] < by_meaning[row] and self.lexical[row] > 0
            return "both" if dense else "lexical" if ahead else "dense"
        return "dense" if dense else "lexical"

    @cached_property
    def _places(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The place of each paper by its vectors and by its words, from 0, each shape (P,).

        Papers that may not answer are behind those that may.
        """
        return self._places_by(self.dense), self._places_by(self.lexical)

    def _places_by(self, part: Floats) -> NDArray[np.intp]:
        may = np.zeros(len(part), dtype=np.bool_)
        may[self.rows] = True
        places = np.empty(len(part), dtype=np.intp)
        places[np.lexsort((-part, ~may))] = np.arange(len(part))
        return places


def chance(count: int) -> float:
    """What the highest of n draws from a normal distribution is about, in standard deviations.

    It grows as √(2 ln n): taken off, the z-score of a best one compares between collections.
    """
    return float(np.sqrt(2 * np.log(max(2, count))))


def _z(values: Floats) -> Floats:
    spread = float(values.std()) if len(values) else 0.0
    return (values - values.mean()) / spread if spread > 0 else np.zeros_like(values)


def _nearest_mean(cosines: Floats, owner: NDArray[np.int64], papers: int) -> Floats:
    """The mean of each paper's `NEAREST_SENTENCES` highest passage cosines, shape (papers,)."""
    counts = np.bincount(owner, minlength=papers)
    has = np.flatnonzero(counts)
    firsts = np.cumsum(counts)[has] - counts[has]
    left, sums = cosines.copy(), np.zeros(papers, dtype=np.float64)
    for place in range(NEAREST_SENTENCES):
        some = counts[has] > place
        if not some.any():
            break
        highest = np.maximum.reduceat(left, firsts)
        sums[has[some]] += highest[some]
        # One passage of each paper is taken away, should several be equally near.
        at = np.flatnonzero(left == np.repeat(highest, counts[has]))
        left[at[np.unique(owner[at], return_index=True)[1]]] = -np.inf
    return (sums / np.maximum(np.minimum(counts, NEAREST_SENTENCES), 1)).astype(np.float32)


def _cosines(index: Index, probe: Probe) -> tuple[Floats, Floats]:
    """The cosine of a question and each passage and paper, shapes (S,) and (P,).

    Where only candidates are compared, the first 100 papers by their words are compared, too.
    """
    passages = index.passage_vectors @ probe.vector
    whole = index.paper_vectors @ probe.vector
    if index.is_searched:
        rows = np.argsort(-index.lexical.scores(probe.tokens), kind="stable")[:100]
        whole[rows] = index.paper_vectors[rows] @ probe.vector
        own = np.flatnonzero(np.isin(index.owner, rows))
        passages[own] = index.passage_vectors[own] @ probe.vector
    return passages, whole


def rank(
    index: Index,
    probe: Probe,
    allowed: NDArray[np.bool_] | None = None,
) -> Ranking:
    """Rank the papers of `index` for a question.

    Args:
        index: The index to search, with P papers.
        probe: The question, standing alone, by the encoder of the index.
        allowed: Which papers may appear, shape (P,); all of them by default. Scores are
            computed over all papers, so a filter does not change them.
    """
    if allowed is not None:
        index = index.within(allowed)
    passages, whole = _cosines(index, probe)
    nearest = _nearest_mean(passages, index.owner, len(index.papers))
    lexical = index.lexical.scores(probe.tokens)
    dense = _z(whole) + SENTENCE_WEIGHT * _z(nearest)
    scores = dense + LEXICAL_WEIGHT * _z(lexical)
    rows = np.arange(len(scores)) if allowed is None else np.flatnonzero(allowed)
    order = np.argsort(-scores[rows], kind="stable")
    return Ranking(probe, rows[order], scores, passages, whole, dense, lexical)


def encode_candidates(
    index: Index, probe: Probe, encoder: Encoder, allowed: NDArray[np.bool_] | None = None
) -> Index:
    """The index with vectors of the papers that are likeliest to answer, if they have none yet.

    The first papers by their words are encoded whole; of those that are then the first, the
    sentences. So an index can be asked before it is encoded.

    Args:
        index: An index that is not encoded wholly.
        probe: The question.
        encoder: That of the index.
        allowed: The papers that may answer, shape (P,); all by default.
    """
    lexical = index.lexical.scores(probe.tokens)
    lexical = lexical if allowed is None else np.where(allowed, lexical, 0)
    first = np.argsort(-lexical, kind="stable")[:CANDIDATES]
    has_none = ~np.asarray(index.paper_vectors[first]).any(axis=1)
    index = index.encoded(first[(lexical[first] > 0) & has_none].tolist(), (), encoder)
    rows = [
        at for paper in rank(index, probe, allowed).rows[:READ] for at in passage_rows(index, paper)
    ]
    lacks = ~np.asarray(index.passage_vectors[rows]).any(axis=1)
    return index.encoded((), np.asarray(rows, dtype=np.int64)[lacks].tolist(), encoder)


def passage_rows(index: Index, paper: int) -> range:
    """The rows of a paper's passages."""
    first, last = np.searchsorted(index.owner, (paper, paper + 1))
    return range(int(first), int(last))


def covered(weights: Mapping[str, float], tokens: Set[str]) -> float:
    """The share of the weights of words that are among `tokens`."""
    total = sum(weights.values())
    return sum(w for token, w in weights.items() if token in tokens) / total if total else 0.0


def paper_tokens(index: Index, paper: int) -> set[str]:
    """The tokens of a paper's title and abstract."""
    texts = (index.passages[row].text for row in passage_rows(index, paper))
    return set().union(*map(token_set, (index.papers[paper].display_title, *texts)))


def cite(index: Index, row: int) -> Passage:
    """A passage of the index as the public schema has it: the stored text at its offsets."""
    passage = index.passages[row]
    paper = index.papers[int(index.owner[row])]
    text = paper.abstract[passage.start : passage.end]
    return Passage(start=passage.start, end=passage.end, text=text)


def best_passages(index: Index, ranking: Ranking, paper: int) -> list[int]:
    """The rows of the passages of a paper that are nearest to the query, best first."""
    rows = passage_rows(index, paper)
    return sorted(rows, key=lambda row: -ranking.passages[row])[:PASSAGES_PER_HIT]


def nearest_to(
    index: Index, vector: Floats, allowed: NDArray[np.bool_], without: Sequence[int] = ()
) -> list[tuple[int, float]]:
    """The allowed papers by the cosine of their whole abstracts and a vector, the nearest first."""
    cosines = index.paper_vectors @ vector
    may = allowed.copy()
    may[list(without)] = False
    order = np.argsort(-cosines, kind="stable")
    return [(int(row), float(cosines[row])) for row in order if may[row]]


def similar_hits(index: Index, paper: int, limit: int) -> Iterator[Hit]:
    """The `limit` papers nearest to one, with the passages nearest to it."""
    vector, every = index.paper_vectors[paper], np.ones(len(index.papers), dtype=np.bool_)
    for row, cosine in nearest_to(index, vector, every, [paper])[:limit]:
        rows = passage_rows(index, row)
        near = index.passage_vectors[rows.start : rows.stop] @ vector
        best = np.argsort(-near, kind="stable")[:PASSAGES_PER_HIT]
        yield Hit(
            paper=index.papers[row],
            score=cosine,
            passages=tuple(cite(index, rows[int(at)]) for at in best),
            found="dense",
        )


def hits(index: Index, ranking: Ranking, limit: int) -> tuple[Hit, ...]:
    """The first `limit` papers with their nearest passages."""
    return tuple(
        Hit(
            paper=index.papers[row],
            score=float(ranking.scores[row]),
            passages=tuple(cite(index, at) for at in best_passages(index, ranking, row)),
            found=ranking.found_by(int(row)),
        )
        for row in ranking.rows[:limit]
    )
