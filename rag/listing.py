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
from rag.fitted import Columns, Floats, sigmoids, softmax
from rag.query import Query
from rag.retrieval import Ranking, chance, covered, passage_rows, z_scores

ANSWERING = 10
"""Number of papers of the ranking among which the one that answers is sought."""


def measure(
    index: Index, query: Query, ranking: Ranking, count: int = 60
) -> tuple[list[int], Columns]:
    """Return the rows of the first n papers of a ranking, and their features."""
    rows = [int(row) for row in ranking.rows[:count]]
    passages = [passage_rows(index, row) for row in rows]
    scores = ranking.scores[rows]
    spread, by_chance = float(ranking.scores.std()) or 1.0, chance(len(ranking.scores))
    dense, lexical = (z_scores(part)[rows] for part in (ranking.dense, ranking.lexical))
    near = index.passage_vectors @ query.subject.vector
    cosines = [np.sort(near[at.start : at.stop])[::-1] if at else np.zeros(1) for at in passages]
    first = np.asarray([each[0] for each in cosines], dtype=np.float32)
    second = np.asarray([each[min(1, len(each) - 1)] for each in cosines], dtype=np.float32)
    return rows, {
        "score": scores / spread - by_chance,
        "score, as a share of the best": scores / scores[0] if scores[0] > 0 else 0 * scores,
        "below the best": (scores[0] - scores) / spread,
        "by meaning": dense - by_chance,
        "by words": lexical - by_chance,
        "place": np.log1p(np.arange(len(rows))),
        "whole abstract and subject": index.paper_vectors[rows] @ query.subject.vector,
        "nearest sentence and subject": first,
        "nearest sentence, as a share of the best": first / (float(first.max()) or 1.0),
        "second sentence and subject": second,
        **_by_words(index, query, rows, passages),
        "by meaning, normalised over the first papers": z_scores(dense),
        "is named": np.isin(rows, query.named),
    }


def _by_words(
    index: Index, query: Query, rows: Sequence[int], passages: Sequence[range]
) -> Columns:
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
            {
                "subject's words in the title": covered(weights, title),
                "subject's words in the paper": share,
                "subject's words in one sentence": max(
                    (covered(weights, each) for each in sentences), default=0.0
                ),
                "words of the subject": np.log1p(len(weights)),
                "names of the question that it has": having / len(names) if names else 0,
                "names of the question that it lacks": 1 - having / len(names) if names else 0,
                "all words in the paper, short subject": share > 0.99 and len(weights) <= 3,
            }
        )
    return {name: [each[name] for each in measured] for name in measured[0]}


def measure_again(index: Index, rows: Sequence[int], measured: Columns, scores: Floats) -> Columns:
    """Return the features of papers, with the results of the first model added.

    `measured` are those of the first model, `scores` its log-odds for each paper, shape (n,).
    """
    shares = sigmoids(scores)
    vectors = index.paper_vectors[list(rows)]
    best = np.argsort(-scores, kind="stable")[:3]
    centre = (shares[best, None] * vectors[best]).sum(axis=0)
    near = vectors @ (centre / max(float(np.linalg.norm(centre)), 1e-6))
    cosines = vectors @ vectors.T
    mean = (cosines @ shares - np.diag(cosines) * shares) / float(shares.sum())
    ones = np.ones(len(rows))
    return {
        **measured,
        "log-odds": scores,
        "nearness to the best": near,
        "nearness to the best, normalised": z_scores(near),
        "mean nearness to papers that fit": mean,
        "papers that fit": ones * shares.sum(),
        "log-odds of the best": ones * scores.max(),
    }


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
    shares = softmax(scores)
    return [(rows[at], float(shares[at])) for at in np.argsort(-shares, kind="stable")]


def listed(index: Index, query: Query, ranking: Ranking) -> list[tuple[int, float]]:
    """Return the papers on a subject with their probabilities, best first; one must be allowed."""
    rows, shares = _shares(index, query, ranking)
    order = np.argsort(-shares, kind="stable")
    # The expected F-measure of the first k is about 2 Σ(first k) / (k + Σ(all)).
    sums = np.cumsum(shares[order])
    expected = 2 * sums / (np.arange(1, len(order) + 1) + sums[-1])
    return [(rows[at], float(shares[at])) for at in order[: int(np.argmax(expected)) + 1]]


def measure_several(index: Index, query: Query, ranking: Ranking) -> Columns:
    """Return the features that tell whether papers are asked for."""
    shares = np.sort(_shares(index, query, ranking)[1])[::-1]
    kinds = {name: max(share, 1e-3) for name, share in query.wording.kinds.items()}
    scores = ranking.scores[ranking.rows]
    ahead = float(scores[0] - scores[min(1, len(scores) - 1)]) / (float(ranking.scores.std()) or 1)
    return {
        "papers are asked for, by the wording": np.log(kinds["papers"] / kinds["answer"]),
        "many papers are asked about, by the wording": np.log(kinds["overview"] / kinds["answer"]),
        "expected papers": np.log(float(shares.sum()) + 0.1),
        "first paper fits": shares[0],
        "third paper fits": shares[min(2, len(shares) - 1)],
        "first paper ahead": ahead,
        "a paper is named": bool(query.named),
    }


def asks_for_several(index: Index, query: Query, ranking: Ranking) -> bool:
    """Return whether a question asks for papers, not for what one says, by wording and ranking."""
    measured = measure_several(index, query, ranking)
    return bool(query.fitted.models["several"].score(measured)[0] > 0)
