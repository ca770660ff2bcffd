"""Estimate how likely the evidence answers a question, as fitted probabilities.

Three logistic regressions estimate that the question is on the topic of the collection, that the
first paper is the one asked about, and that its evidence states what is asked. Their features
(`SIGNS`) come from retrieval and the sentence scorer; names and numbers are features like others,
so none of them can veto an answer. `abstractqa eval fit` fits them on questions of several
collections and on unanswerable twins: the same question without the paper that answers it, without
the answering sentences of its abstract, or asked of another collection.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from index.lexical import token_set
from index.store import Index
from rag.evidence import FEATURES as SENTENCE_FEATURES
from rag.evidence import Evidence, PaperEvidence, measure
from rag.fitted import Floats, sigmoids
from rag.query import Query
from rag.retrieval import Ranking, chance, covered, paper_tokens, passage_rows
from rag.wording import ASKS, Kind

COUNTED = 1.0
"""Confidence in what is counted or read off the index: it is exact."""
_NUMBER_AT = SENTENCE_FEATURES.index("number")
SIGNS = (
    "nearest sentence",
    "nearest sentences, normalised",
    "nearest sentence, normalised",
    "share of the first paper",
    "lead",
    "lead over the fifth",
    "first by meaning, normalised",
    "first by words, normalised",
    "coverage of the first paper",
    "coverage of the evidence",
    "coverage beside names",
    "rarest word missing",
    "rarest word missing everywhere",
    "unknown words",
    "words",
    "a paper is named",
    "names that it lacks",
    "names that all lack",
    "best cosine",
    "best overlap",
    "best score",
    "best score over the mean",
    "aspect and nearest sentence, without what the paper is about",
    "aspect, below the nearest sentence of all",
    "evidence has a number",
    "a number of a number asked",
    "no number of a number asked",
    *ASKS,
)
"""The names of the features of each of the three models, in their order."""


@dataclass(frozen=True)
class Chances:
    """The probabilities that an answer is right, and for which reasons."""

    topic: float
    """Probability that the question is on the topic of the collection."""
    paper: float
    """Probability that the first paper is the one asked about."""
    stating: float
    """Probability that the evidence states what is asked, if the paper is the right one; equal to
    `topic` for a question about many papers."""
    of_papers: bool = False
    """Whether papers on a subject are asked for: then `topic` is that of the best of them."""
    fit: float = 0.0
    """Probability that the best paper is on the subject, for a question about many papers."""

    @property
    def answer(self) -> float:
        """Probability that the evidence answers the question."""
        return self.topic if self.of_papers else self.paper * self.stating

    def suffice(self, least: Mapping[str, float]) -> bool:
        """Return whether to answer: `least` has the thresholds of the probabilities.

        If the paper is uncertain, so is what it states, hence another threshold of `stating`.
        """
        if self.of_papers:
            return self.topic >= least["papers"]
        if self.fit >= least["papers"]:
            return True
        is_known = self.paper >= least["paper"]
        stating = least["stating" if is_known else "stating, unknown paper"]
        return self.topic >= least["topic"] and self.stating >= stating


def chances(index: Index, query: Query, ranking: Ranking, evidence: Evidence) -> Chances:
    """Return the probabilities that the evidence answers a question."""
    fit = evidence.fit
    if fit is not None and query.kind is Kind.PAPERS:
        return Chances(fit, 1.0, 1.0, of_papers=True)
    signs = read_signs(index, query, ranking, evidence)
    row = np.asarray([[signs[sign] for sign in SIGNS]], dtype=np.float32)

    def probability(name: str) -> float:
        return float(sigmoids(query.fitted.models[name].score(row))[0])

    if fit is not None:  # no single paper may have the words of a question about many
        topic = max(fit, probability("topic"))
        return Chances(topic, 1.0, topic, fit=fit)
    return Chances(probability("topic"), probability("paper"), probability("stating"))


def read_signs(
    index: Index, query: Query, ranking: Ranking, evidence: Evidence
) -> dict[str, float]:
    """Return the `SIGNS` of the evidence by name; at least one paper must be allowed."""
    return {
        **_place(ranking, evidence),
        **_words(index, query, evidence),
        **_names(query, [at.paper for at in evidence.papers]),
        **_sentences(index, query, ranking, evidence.papers[0]),
        **dict(zip(ASKS, query.wording.asks.tolist(), strict=True)),
    }


def topicality(cosines: Floats) -> tuple[float, float, float]:
    """Measure how near a question is to the nearest sentences of an index, compared with all.

    Returns:
        The highest cosine; the mean of the 20 highest (2 % of a small index) and the highest as
        z-scores against all sentences, minus what chance gives: the maximum of n draws from a
        standard normal distribution grows as √(2 ln n).
    """
    count = min(20, max(3, len(cosines) // 50), len(cosines))
    top = np.partition(cosines, len(cosines) - count)[-count:]
    mean, spread = float(cosines.mean()), max(float(cosines.std()), 1e-6)
    by_chance = chance(len(cosines))
    return (
        float(top.max()),
        (float(top.mean()) - mean) / spread - by_chance,
        (float(top.max()) - mean) / spread - by_chance,
    )


def _place(ranking: Ranking, evidence: Evidence) -> dict[str, float]:
    """Measure how near the question is to the collection and how far the first paper leads."""
    scores = ranking.scores[ranking.rows]
    first = float(scores[0])
    spread = float(ranking.scores.std()) or 1.0
    best, nearest, highest = topicality(ranking.passages)
    row = evidence.papers[0].paper

    def normalised(part: Floats) -> float:
        return float(part[row] - part.mean()) / (float(part.std()) or 1.0) - chance(len(part))

    return {
        "nearest sentence": best,
        "nearest sentences, normalised": nearest,
        "nearest sentence, normalised": highest,
        "share of the first paper": evidence.share,
        "lead": (first - float(scores[min(1, len(scores) - 1)])) / spread,
        "lead over the fifth": (first - float(scores[min(4, len(scores) - 1)])) / spread,
        "first by meaning, normalised": normalised(ranking.dense),
        "first by words, normalised": normalised(ranking.lexical),
    }


def _words(index: Index, query: Query, evidence: Evidence) -> dict[str, float]:
    """Measure how many of the question's words, by rarity, the papers and the evidence have."""
    lexical = index.lexical
    weights = {token: lexical.idf(token) for token in query.probe.tokens}
    rows = [found.paper for found in evidence.papers]
    name_tokens = frozenset[str]().union(*(query.own_tokens(row) for row in rows))
    rest = {token: weight for token, weight in weights.items() if token not in name_tokens}
    paper = set[str]().union(*(paper_tokens(index, row) for row in rows))
    quoted = (at for found in evidence.papers for at in found.passages)
    stated = set[str]().union(*(token_set(index.passages[at].text) for at in quoted))
    highest = lexical.idf("\x00")
    missing = [weight for token, weight in rest.items() if token not in paper]
    unknown = [w for token, w in weights.items() if token not in lexical.document_frequency]
    return {
        "coverage of the first paper": covered(weights, paper),
        "coverage of the evidence": covered(weights, stated | name_tokens),
        "coverage beside names": covered(rest, stated),
        "rarest word missing": max(missing, default=0.0) / highest,
        "rarest word missing everywhere": max(unknown, default=0.0) / highest,
        "unknown words": sum(unknown) / (sum(weights.values()) or 1.0),
        "words": float(np.log1p(len(weights))),
    }


def _names(query: Query, rows: Sequence[int]) -> dict[str, float]:
    """Tell whether a paper at `rows` is named, and whether these papers, or all, miss a name."""
    lacking = [name for name in query.proper if not set(rows) & set(name.mentioned)]
    absent = [name for name in lacking if not name.mentioned]
    return {
        "a paper is named": float(bool(set(rows) & {*query.named, *query.about})),
        "names that it lacks": float(len(lacking) > 0),
        "names that all lack": float(len(absent) > 0),
    }


def _sentences(
    index: Index, query: Query, ranking: Ranking, found: PaperEvidence
) -> dict[str, float]:
    """Measure how well the best sentence answers, on its own and compared with its abstract."""
    rows = passage_rows(index, found.paper)
    measured = measure(index, query, ranking, found.paper)
    scores = query.fitted.models["sentences"].score(measured)
    at = found.best - rows.start
    has_number = float(bool(measured[:, _NUMBER_AT][at]))
    asked = float(query.wording.asks[ASKS.index("number")])
    return {
        "best cosine": float(measured[at, 0]),
        "best overlap": float(measured[at, 1]),
        "best score": float(scores[at]),
        "best score over the mean": float(scores[at] - scores.mean()),
        **_aspect(index, query, found.paper),
        "evidence has a number": has_number,
        "a number of a number asked": has_number * asked,
        "no number of a number asked": (1 - has_number) * asked,
    }


def _aspect(index: Index, query: Query, paper: int) -> dict[str, float]:
    """Measure how near the question is to a paper's sentences, minus what the paper is about."""
    rows = passage_rows(index, paper)
    aspect, about = query.aspect(paper), index.paper_vectors[paper]
    sentences = index.passage_vectors[rows.start : rows.stop]
    aspect_rest = aspect - (aspect @ about) * about
    sentence_rests = sentences - np.outer(sentences @ about, about)
    lengths = np.linalg.norm(sentence_rests, axis=1) * np.linalg.norm(aspect_rest)
    return {
        "aspect and nearest sentence, without what the paper is about": float(
            np.max(sentence_rests @ aspect_rest / np.maximum(lengths, 1e-6))
        ),
        "aspect, below the nearest sentence of all": float(
            (sentences @ aspect).max() - (index.passage_vectors @ aspect).max()
        ),
    }
