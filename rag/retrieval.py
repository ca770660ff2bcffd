"""Hybrid retrieval: which papers a question is about.

A paper's score is a sum of z-scores over all papers of the index, per query:

    z(whole) + 0.7 · z(sentences) + 0.7 · z(BM25)

`whole` is the cosine of the query and the whole abstract, `sentences` the mean cosine of the
paper's three nearest sentences (the encoder reads 256 tokens, so a long abstract's tail lives
in its sentences alone). Z-scores make the three comparable whatever the query's length;
weights were chosen on two sets, see docs/evaluation.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle
from numpy.typing import NDArray

from index.encoder import Encoder
from index.lexical import LexicalIndex, tokenize
from index.store import Index
from rag.expansion import Expansion, hyde_vector, query2doc_scores
from rag.parts import EVERY_PART, Parts
from rag.schema import Found, Hit, Passage

Floats = NDArray[np.float32]

SENTENCE_WEIGHT = 0.7
LEXICAL_WEIGHT = 0.7
NEAREST_SENTENCES = 3
PASSAGES_PER_HIT = 3
FOUND_AMONG = 20
"""A part of the ranking found a paper that stands among so many of the first by it alone."""


@dataclass(frozen=True, eq=False)
class Ranking:
    """Papers for one query, best first, and how each passage of the index compares to it."""

    text: str
    """The query."""
    rows: NDArray[np.intp]
    """Rows of the allowed papers in `index.papers`, best first."""
    scores: Floats
    """The score of each paper of the index, shape (P,)."""
    passages: Floats
    """The cosine of the query and each passage, shape (S,)."""
    tokens: tuple[str, ...]
    """The query's tokens, typing errors mended, without repeats."""
    dense: Floats
    """The part of each score that comes from vectors, shape (P,)."""
    lexical: Floats
    """BM25 of each paper, shape (P,); 0 where it shares no word with the query."""

    @property
    def lead(self) -> float:
        """How far the first paper is ahead of the second, as a share of its score, from 0 to 1."""
        if len(self.rows) < 2:
            return 1.0
        first, second = (float(self.scores[row]) for row in self.rows[:2])
        return min(1.0, (first - second) / first) if first > 0 else 0.0

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


def _z(values: Floats) -> Floats:
    spread = float(values.std())
    return (values - values.mean()) / spread if spread > 0 else np.zeros_like(values)


def _nearest_mean(cosines: Floats, owner: NDArray[np.int64], papers: int) -> Floats:
    """The mean of each paper's `NEAREST_SENTENCES` highest passage cosines, shape (papers,)."""
    order = np.lexsort((-cosines, owner))
    counts = np.bincount(owner, minlength=papers)
    firsts = np.concatenate(([0], np.cumsum(counts)[:-1]))
    place = np.arange(len(order)) - firsts[owner[order]]
    kept = order[place < NEAREST_SENTENCES]
    sums = np.bincount(owner[kept], weights=cosines[kept], minlength=papers)
    return (sums / np.maximum(np.minimum(counts, NEAREST_SENTENCES), 1)).astype(np.float32)


def query_tokens(lexical: LexicalIndex, text: str, parts: Parts = EVERY_PART) -> tuple[str, ...]:
    """The tokens of a question, each typing error mended to a token of the index."""
    tokens = tokenize(text)
    return tuple(dict.fromkeys(map(lexical.correct, tokens) if parts.mending else tokens))


def rank(
    index: Index,
    encoder: Encoder,
    text: str,
    allowed: NDArray[np.bool_] | None = None,
    parts: Parts = EVERY_PART,
    hints: Expansion | None = None,
) -> Ranking:
    """Rank the papers of `index` for a question.

    Args:
        index: The index to search, with P papers.
        encoder: The encoder the index was built with.
        text: The question, standing alone.
        allowed: Which papers may appear, shape (P,); all of them by default. Scores are
            computed over all papers, so a filter does not change them.
        parts: What has a share in the scores.
        hints: A made-up passage that widens the search. What a ranking says of the question
            (`passages`, `tokens`) stays the question's own.
    """
    query = encoder.encode_query(text)
    tokens = query_tokens(index.lexical, text, parts)
    passages = index.passage_vectors @ query
    searched = hyde_vector(query, [hints.vector]) if hints else query
    whole = index.paper_vectors @ searched
    near = index.passage_vectors @ searched if hints else passages
    nearest = _nearest_mean(near, index.owner, len(index.papers))
    lexical = (
        query2doc_scores(index.lexical, tokens, hints.tokens)
        if hints and hints.tokens
        else index.lexical.scores(tokens)
    )
    dense = parts.whole_abstracts * _z(whole) + parts.sentences * SENTENCE_WEIGHT * _z(nearest)
    scores = dense + parts.lexical * LEXICAL_WEIGHT * _z(lexical)
    rows = np.arange(len(scores)) if allowed is None else np.flatnonzero(allowed)
    order = np.argsort(-scores[rows], kind="stable")
    return Ranking(text, rows[order], scores, passages, tokens, dense, lexical)


def reordered(ranking: Ranking, order: Sequence[int]) -> Ranking:
    """The ranking with its first papers in another order; they share out the scores they had.

    Args:
        ranking: The papers for a question.
        order: Places of its first `len(order)` papers, from 0, best first.
    """
    first = ranking.rows[: len(order)]
    scores = ranking.scores.copy()
    moved = first[list(order)]
    scores[moved] = ranking.scores[first]
    rows = np.concatenate((moved, ranking.rows[len(order) :]))
    return replace(ranking, rows=rows, scores=scores)


def passage_rows(index: Index, paper: int) -> range:
    """The rows of a paper's passages."""
    first, last = np.searchsorted(index.owner, (paper, paper + 1))
    return range(int(first), int(last))


def cite(index: Index, row: int) -> Passage:
    """A passage of the index as the public schema has it: the stored text at its offsets."""
    passage = index.passages[row]
    paper = index.papers[int(index.owner[row])]
    text = paper.abstract[passage.start : passage.end]
    return Passage(start=passage.start, end=passage.end, text=text)


def _best_passages(index: Index, ranking: Ranking, paper: int) -> list[int]:
    rows = passage_rows(index, paper)
    return sorted(rows, key=lambda row: -ranking.passages[row])[:PASSAGES_PER_HIT]


def hits(index: Index, ranking: Ranking, limit: int) -> tuple[Hit, ...]:
    """The first `limit` papers with their nearest passages."""
    return tuple(
        Hit(
            paper=index.papers[row],
            score=float(ranking.scores[row]),
            passages=tuple(cite(index, at) for at in _best_passages(index, ranking, row)),
            found=ranking.found_by(int(row)),
        )
        for row in ranking.rows[:limit]
    )


class HybridRetriever(BaseRetriever):
    """The retrieval of this module as a LlamaIndex retriever of sentence nodes.

    The nodes are the nearest passages of the first `limit` papers, papers best first; a node's
    score is its paper's score.
    """

    def __init__(
        self, index: Index, encoder: Encoder, limit: int = 10, parts: Parts = EVERY_PART
    ) -> None:
        super().__init__()
        self._index = index
        self._encoder = encoder
        self._limit = limit
        self._parts = parts

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        ranking = rank(self._index, self._encoder, query_bundle.query_str, parts=self._parts)
        return [
            NodeWithScore(node=self._index.passages[at].node(), score=float(ranking.scores[paper]))
            for paper in ranking.rows[: self._limit]
            for at in _best_passages(self._index, ranking, paper)
        ]
