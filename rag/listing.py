"""Rerank the first papers of a ranking: which one answers, and which are on the subject.

The models are fitted by `abstractqa eval fit`. A listwise logistic regression (Cao et al., 2007)
gives the probability that a paper is the one that answers. A logistic regression gives the
probability that a paper is on the subject; a second one also uses how near a paper is to the best
papers of the first (pseudo relevance feedback). A list is cut where its expected F-measure is
highest (Lewis, SIGIR 1995).
"""

from collections.abc import Sequence

import numpy as np

from index.lexical import token_set
from index.store import Index
from rag.fitted import Floats, sigmoids
from rag.query import Query
from rag.retrieval import Ranking, chance, covered, passage_rows, z_scores

MOST = 20
"""Maximum number of papers in a list."""
ANSWERING = 10
"""Number of papers of the ranking among which the one that answers is sought."""
FEATURES = (
    "score",
    "score, as a share of the best",
    "below the best",
    "by meaning",
    "by words",
    "place",
    "whole abstract and subject",
    "nearest sentence and subject",
    "nearest sentence, as a share of the best",
    "second sentence and subject",
    "subject's words in the title",
    "subject's words in the paper",
    "subject's words in one sentence",
    "words of the subject",
    "names of the question that it has",
    "names of the question that it lacks",
    "all words in the paper, short subject",
    "by meaning, normalised over the first papers",
    "is named",
)
FEATURES_AGAIN = (
    *FEATURES,
    "log-odds",
    "nearness to the best",
    "nearness to the best, normalised",
    "mean nearness to papers that fit",
    "papers that fit",
    "log-odds of the best",
)


def measure(
    index: Index, query: Query, ranking: Ranking, count: int = 60
) -> tuple[list[int], Floats]:
    """Return the rows of the first n papers of a ranking, and their `FEATURES`, shape (n, F)."""
    rows = [int(row) for row in ranking.rows[:count]]
    passages = [passage_rows(index, row) for row in rows]
    scores = ranking.scores[rows]
    spread, by_chance = float(ranking.scores.std()) or 1.0, chance(len(ranking.scores))
    dense, lexical = (z_scores(part)[rows] for part in (ranking.dense, ranking.lexical))
    columns = (
        scores / spread - by_chance,
        scores / scores[0] if scores[0] > 0 else np.zeros(len(rows)),
        (scores[0] - scores) / spread,
        dense - by_chance,
        lexical - by_chance,
        np.log1p(np.arange(len(rows))),
        index.paper_vectors[rows] @ query.subject.vector,
        *_by_meaning(index, query, passages),
        *_by_words(index, query, rows, passages),
        z_scores(dense),
        np.isin(rows, query.named),
    )
    return rows, np.stack(columns, axis=1).astype(np.float32)


def _by_meaning(index: Index, query: Query, passages: Sequence[range]) -> Floats:
    """Measure how near sentences are to the subject: nearest, its share of the best, second."""
    near = index.passage_vectors @ query.subject.vector
    cosines = [np.sort(near[at.start : at.stop])[::-1] if at else np.zeros(1) for at in passages]
    first = np.asarray([each[0] for each in cosines], dtype=np.float32)
    second = np.asarray([each[min(1, len(each) - 1)] for each in cosines], dtype=np.float32)
    return np.stack((first, first / (float(first.max()) or 1.0), second))


def _by_words(index: Index, query: Query, rows: Sequence[int], passages: Sequence[range]) -> Floats:
    """Measure how many words of the subject and names of the question each paper has."""
    weights = {token: index.lexical.idf(token) for token in query.subject.tokens}
    names = [name.mentioned for name in query.names if name.mentioned]
    measured = []
    for row, at in zip(rows, passages, strict=True):
        title = token_set(index.papers[row].display_title)
        sentences = [token_set(index.passages[place].text) for place in at]
        share = covered(weights, title.union(*sentences))
        having = sum(row in mentioned for mentioned in names)
        measured.append(
            (
                covered(weights, title),
                share,
                max((covered(weights, each) for each in sentences), default=0.0),
                np.log1p(len(weights)),
                having / len(names) if names else 0.0,
                1 - having / len(names) if names else 0.0,
                float(share > 0.99 and len(weights) <= 3),
            )
        )
    return np.asarray(measured, dtype=np.float32).T


def measure_again(index: Index, rows: Sequence[int], measured: Floats, scores: Floats) -> Floats:
    """Return the `FEATURES_AGAIN` of papers, which add the results of the first model.

    `measured` has shape (n, len(FEATURES)); `scores` are its log-odds for each paper, shape (n,).
    """
    shares = sigmoids(scores)
    vectors = index.paper_vectors[list(rows)]
    best = np.argsort(-scores, kind="stable")[:3]
    centre = (shares[best, None] * vectors[best]).sum(axis=0)
    near = vectors @ (centre / max(float(np.linalg.norm(centre)), 1e-6))
    cosines = vectors @ vectors.T
    mean = (cosines @ shares - np.diag(cosines) * shares) / float(shares.sum())
    ones = np.ones(len(rows))
    columns = (scores, near, z_scores(near), mean, ones * shares.sum(), ones * scores.max())
    return np.column_stack((measured, *columns)).astype(np.float32)


def _shares(index: Index, query: Query, ranking: Ranking) -> tuple[list[int], Floats]:
    """Return the rows of the first papers, and the probability of each to be on the subject."""
    rows, measured = measure(index, query, ranking.by_subject or ranking)
    models = query.fitted.models
    again = measure_again(index, rows, measured, models["papers"].score(measured))
    return rows, sigmoids(models["papers, again"].score(again))


def likely(index: Index, query: Query, ranking: Ranking) -> list[tuple[int, float]]:
    """Return the papers of which one may answer, each with its probability, best first."""
    rows, measured = measure(index, query, ranking, ANSWERING)
    scores = query.fitted.models["answering"].score(measured)
    shares = np.exp(scores - scores.max())
    shares /= shares.sum()
    return [(rows[at], float(shares[at])) for at in np.argsort(-shares, kind="stable")]


def listed(index: Index, query: Query, ranking: Ranking) -> list[tuple[int, float]]:
    """Return the papers on a subject with their probabilities, best first, at least one.

    At least one paper must be allowed.
    """
    rows, shares = _shares(index, query, ranking)
    order = np.argsort(-shares, kind="stable")
    # The expected F-measure of the first k is about 2 Σ(first k) / (k + Σ(all)).
    sums = np.cumsum(shares[order])
    expected = 2 * sums / (np.arange(1, len(order) + 1) + sums[-1])
    return [(rows[at], float(shares[at])) for at in order[: int(np.argmax(expected)) + 1]]


OF_SEVERAL = (
    "papers are asked for, by the wording",
    "many papers are asked about, by the wording",
    "expected papers",
    "first paper fits",
    "third paper fits",
    "first paper ahead",
    "a paper is named",
)


def measure_several(index: Index, query: Query, ranking: Ranking) -> Floats:
    """Return the features `OF_SEVERAL`, which tell whether papers are asked for, shape (F,)."""
    shares = np.sort(_shares(index, query, ranking)[1])[::-1]
    kinds = {name: max(share, 1e-3) for name, share in query.wording.kinds.items()}
    scores = ranking.scores[ranking.rows]
    ahead = float(scores[0] - scores[min(1, len(scores) - 1)]) / (float(ranking.scores.std()) or 1)
    return np.asarray(
        (
            np.log(kinds["papers"] / kinds["answer"]),
            np.log(kinds["overview"] / kinds["answer"]),
            np.log(float(shares.sum()) + 0.1),
            shares[0],
            shares[min(2, len(shares) - 1)],
            ahead,
            bool(query.named),
        ),
        dtype=np.float32,
    )


def asks_for_several(index: Index, query: Query, ranking: Ranking) -> bool:
    """Return whether a question asks for papers, not for what one says, by wording and ranking."""
    row = measure_several(index, query, ranking)
    return bool(query.fitted.models["several"].score(row[None, :])[0] > 0)
