"""How likely it is that an answer is right, from two signs that retrieval has anyway.

    confidence = σ(-2.2 + 6.8 · lead + 2.6 · coverage)

The coefficients were fitted by `eval.calibrate` on 534 answers to questions of three kinds, each
kind with the same weight in all: a researcher's about two digests, the claims of SciFact, and the
requests of LitSearch among 6,000 abstracts. An answer was right if it cited the right papers, and
for the last two if the first paper cited is relevant. docs/evaluation.md has how well it does.

It ranks the answers that are given and does not stand in for refusing: a question off the subject
that shares a rare word with just one paper would get a high one. Whether the abstracts say what was
asked is for `rag.sufficiency` to decide, before any answer has a confidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp

import numpy as np

from index.store import Index
from rag.names import paper_tokens
from rag.retrieval import Ranking
from rag.sentence_score import share

BIAS = -2.2
LEAD_WEIGHT = 6.8
COVERAGE_WEIGHT = 2.6
COUNTED = 1.0
"""Of what is counted or read off the index, not found: it is exact."""


@dataclass(frozen=True)
class Signs:
    """What speaks for the papers that an answer cites."""

    lead: float
    """How far the first paper cited is ahead of the best one not cited, as a share of the best
    score of all: from -1 to 1, below 0 where a better one was passed over for it."""
    coverage: float
    """The share of the question's words, weighted by rarity, that the first paper cited has."""


def read_signs(index: Index, ranking: Ranking, cited: Sequence[int]) -> Signs:
    """The signs of an answer.

    Args:
        index: The index that answers.
        ranking: The papers for the question.
        cited: The rows of the papers cited, at least one, in the order of the answer.
    """
    return Signs(_lead(ranking, cited), coverage(index, ranking, cited[0]))


def _lead(ranking: Ranking, cited: Sequence[int]) -> float:
    others = ranking.rows[~np.isin(ranking.rows, cited)]
    if not len(others):
        return 1.0
    best = float(ranking.scores[ranking.rows[0]])
    ahead = float(ranking.scores[cited[0]] - ranking.scores[others[0]])
    return min(1.0, max(-1.0, ahead / best)) if best > 0 else 0.0


def coverage(index: Index, ranking: Ranking, paper: int) -> float:
    """The share of the question's words, weighted by rarity, that a paper has, from 0 to 1."""
    weights = {token: index.lexical.idf(token) for token in ranking.tokens}
    return share(weights, paper_tokens(index.papers[paper]))


def confidence(signs: Signs) -> float:
    """How likely the answer is right, in (0, 1)."""
    logit = BIAS + LEAD_WEIGHT * signs.lead + COVERAGE_WEIGHT * signs.coverage
    return 1 / (1 + exp(-logit))
