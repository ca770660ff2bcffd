"""Hybrid retrieval: rank the papers of an index for a question.

A paper's score is a sum of z-scores over all papers of the index, per query:

    z(whole) + 0.7 · z(sentences) + 0.7 · z(BM25)

`whole` is the cosine of the query and the whole abstract, `sentences` the mean cosine of the
paper's three nearest sentences (the encoder reads 256 tokens, so only the sentence vectors cover
the end of a long abstract). Z-scores make the three comparable whatever the query's length; the
weights were chosen on two sets, see docs/evaluation.md.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from index.encoder import Encoder
from index.lexical import token_set, tokenize
from index.naming import mend
from index.store import Index
from rag.fitted import Floats
from rag.schema import Found, Hit, Passage

NEAREST_SENTENCES = 3
PASSAGES_PER_HIT = 3
FOUND_AMONG = 20
"""A signal (vectors or words) has found a paper if it ranks the paper among its first so many."""


@dataclass(frozen=True, eq=False)
class Probe:
    """A text to search for, with its tokens and its vector."""

    text: str
    vector: Floats
    """A unit vector, shape (d,)."""
    mends: tuple[tuple[str, str], ...] = ()
    """The typing errors that were corrected: each as it was written and as it is now."""

    @cached_property
    def tokens(self) -> tuple[str, ...]:
        """The tokens of the text, without repeats."""
        return tuple(dict.fromkeys(tokenize(self.text)))

    @classmethod
    def of(cls, text: str, index: Index, encoder: Encoder, *, mended: bool = True) -> Self:
        """Analyse a text by the encoder of the index; correct typing errors if `mended`."""
        right, mends = mend(text, index.lexical, index.names) if mended else (text, ())
        return cls(right, encoder.encode_query(right), mends)


@dataclass(frozen=True, eq=False)
class Ranking:
    """The papers ranked for one query, with the scores of all P papers and S passages."""

    probe: Probe
    rows: NDArray[np.intp]
    """Rows of the allowed papers in `index.papers`, best first."""
    scores: Floats
    """The score of each paper of the index, shape (P,)."""
    passages: Floats
    """The cosine of the query and each passage, shape (S,)."""
    dense: Floats
    """The part of each score that comes from vectors, shape (P,)."""
    lexical: Floats
    """BM25 of each paper, shape (P,); 0 where it shares no word with the query."""
    by_subject: "Ranking | None" = None
    """The ranking for the subject of a question, if it has other words: lists hang less on them."""

    def found_by(self, row: int) -> Found:
        """Return the signal that ranks a paper among its first, or else ranks it higher."""
        by_meaning, by_words = self._ranks
        dense = bool(by_meaning[row] < FOUND_AMONG)
        has_words = bool(self.lexical[row] > 0)
        lexical = has_words and bool(by_words[row] < FOUND_AMONG)
        if dense == lexical:
            # Both or neither; if neither, words count only where they rank the paper higher.
            ahead = has_words and by_words[row] < by_meaning[row]
            return "both" if dense else "lexical" if ahead else "dense"
        return "dense" if dense else "lexical"

    @cached_property
    def _ranks(self) -> NDArray[np.intp]:
        """The ranks of papers by vectors and by words, from 0, shape (2, P); excluded ones last."""
        excluded = np.ones(len(self.scores), dtype=np.bool_)
        excluded[self.rows] = False
        orders = [np.lexsort((-part, excluded)) for part in (self.dense, self.lexical)]
        return np.argsort(orders, axis=1)


def chance(count: int) -> float:
    """Return roughly the highest of `count` draws from a standard normal distribution: √(2 ln n).

    Subtract it from the z-score of the best paper or sentence to compare collections of any size.
    """
    return float(np.sqrt(2 * np.log(max(2, count))))


def z_scores(values: Floats) -> Floats:
    """Return values less their mean, in standard deviations; zeros if they are all equal."""
    spread = float(values.std()) if len(values) else 0.0
    return (values - values.mean()) / spread if spread > 0 else np.zeros_like(values)


def _nearest_mean(cosines: Floats, owner: NDArray[np.int64], papers: int) -> Floats:
    """Return the mean of each paper's `NEAREST_SENTENCES` highest cosines, shape (papers,)."""
    counts = np.bincount(owner, minlength=papers)
    nonempty = np.flatnonzero(counts)
    firsts = np.cumsum(counts)[nonempty] - counts[nonempty]
    remaining, sums = cosines.copy(), np.zeros(papers, dtype=np.float64)
    for place in range(NEAREST_SENTENCES):
        has_more = counts[nonempty] > place
        if not has_more.any():
            break
        highest = np.maximum.reduceat(remaining, firsts)
        sums[nonempty[has_more]] += highest[has_more]
        # Remove only one passage of each paper, even if several are equally near.
        at = np.flatnonzero(remaining == np.repeat(highest, counts[nonempty]))
        remaining[at[np.unique(owner[at], return_index=True)[1]]] = -np.inf
    return (sums / np.maximum(np.minimum(counts, NEAREST_SENTENCES), 1)).astype(np.float32)


def rank(index: Index, probe: Probe, allowed: NDArray[np.bool_] | None = None) -> Ranking:
    """Rank the P papers of `index` for a question.

    `allowed` is the mask of the papers that may appear, shape (P,); all of them by default. Scores
    are computed over all papers, so a filter does not change them.
    """
    if allowed is not None:
        index = index.within(allowed)
    passages = index.passage_vectors @ probe.vector
    whole = index.paper_vectors @ probe.vector
    lexical = index.lexical.scores(probe.tokens)
    if index.is_searched:  # a vector server supplies candidates: add the first 100 by words
        near = np.argsort(-lexical, kind="stable")[:100]
        whole[near] = index.paper_vectors[near] @ probe.vector
        of_near = np.flatnonzero(np.isin(index.owner, near))
        passages[of_near] = index.passage_vectors[of_near] @ probe.vector
    nearest = _nearest_mean(passages, index.owner, len(index.papers))
    dense = z_scores(whole) + 0.7 * z_scores(nearest)
    scores = dense + 0.7 * z_scores(lexical)
    rows = np.arange(len(scores)) if allowed is None else np.flatnonzero(allowed)
    order = np.argsort(-scores[rows], kind="stable")
    return Ranking(probe, rows[order], scores, passages, dense, lexical)


def encode_candidates(
    index: Index, probe: Probe, encoder: Encoder, allowed: NDArray[np.bool_] | None = None
) -> Index:
    """Return the index with vectors for the likeliest papers, so that it can be asked right away.

    Encode the whole abstracts of the first 40 papers by their words, then rank, then encode the
    sentences of the first ten. What has a vector is not encoded again. `allowed` is
    the mask of the papers that may answer, shape (P,); all by default.
    """
    lexical = index.lexical.scores(probe.tokens)
    lexical = lexical if allowed is None else np.where(allowed, lexical, 0)
    first = np.argsort(-lexical, kind="stable")[:40]
    lacks_vector = ~np.asarray(index.paper_vectors[first]).any(axis=1)
    index = index.encoded(first[(lexical[first] > 0) & lacks_vector].tolist(), (), encoder)
    rows = [
        at for paper in rank(index, probe, allowed).rows[:10] for at in passage_rows(index, paper)
    ]
    lacks_vector = ~np.asarray(index.passage_vectors[rows]).any(axis=1)
    return index.encoded((), np.asarray(rows, dtype=np.int64)[lacks_vector].tolist(), encoder)


def passage_rows(index: Index, paper: int) -> range:
    """Return the rows of a paper's passages."""
    first, last = np.searchsorted(index.owner, (paper, paper + 1))
    return range(int(first), int(last))


def covered(weights: Mapping[str, float], tokens: Set[str]) -> float:
    """Return the share of the total weight that is on the words among `tokens`, from 0 to 1."""
    total = sum(weights.values())
    return sum(w for token, w in weights.items() if token in tokens) / total if total else 0.0


def paper_tokens(index: Index, paper: int) -> set[str]:
    """Return the tokens of a paper's title and abstract."""
    texts = (index.passages[row].text for row in passage_rows(index, paper))
    return set().union(*map(token_set, (index.papers[paper].display_title, *texts)))


def best_passages(index: Index, ranking: Ranking, paper: int) -> list[int]:
    """Return the rows of a paper's `PASSAGES_PER_HIT` passages nearest to the query, best first."""
    rows = passage_rows(index, paper)
    return sorted(rows, key=lambda row: -ranking.passages[row])[:PASSAGES_PER_HIT]


def nearest_to(
    index: Index, vector: Floats, allowed: NDArray[np.bool_], without: Sequence[int]
) -> list[tuple[int, float]]:
    """Return (row, cosine with `vector`) of each allowed paper not in `without`, nearest first."""
    cosines = index.paper_vectors @ vector
    may = allowed.copy()
    may[list(without)] = False
    order = np.argsort(-cosines, kind="stable")
    return [(int(row), float(cosines[row])) for row in order if may[row]]


def nearest_passages(index: Index, paper: int, vector: Floats) -> list[int]:
    """Return the rows of a paper's `PASSAGES_PER_HIT` passages nearest to a vector, best first."""
    rows = passage_rows(index, paper)
    near = index.passage_vectors[rows.start : rows.stop] @ vector
    return [rows[at] for at in np.argsort(-near, kind="stable")[:PASSAGES_PER_HIT]]


def similar_hits(index: Index, paper: int, limit: int) -> list[Hit]:
    """Return the `limit` papers nearest to a paper, each with its passages nearest to that one."""
    vector, every = index.paper_vectors[paper], np.ones(len(index.papers), dtype=np.bool_)
    return [
        _hit(index, row, cosine, nearest_passages(index, row, vector), "dense")
        for row, cosine in nearest_to(index, vector, every, [paper])[:limit]
    ]


def hits(index: Index, ranking: Ranking, limit: int) -> tuple[Hit, ...]:
    """Return the first `limit` papers of a ranking, each with its nearest passages."""
    return tuple(
        _hit(
            index,
            row,
            ranking.scores[row],
            best_passages(index, ranking, row),
            ranking.found_by(row),
        )
        for row in ranking.rows[:limit].tolist()
    )


def _hit(index: Index, row: int, score: float, best: Sequence[int], found: Found) -> Hit:
    paper, passages = index.papers[row], [index.passages[at] for at in best]
    cited = (
        Passage(start=at.start, end=at.end, text=paper.abstract[at.start : at.end])
        for at in passages
    )
    return Hit(paper=paper, score=float(score), passages=tuple(cited), found=found)
