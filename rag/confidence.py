"""Estimate how likely the evidence answers a question, as fitted probabilities.

Three logistic regressions estimate that the question is on the topic of the collection, that the
first paper is the one asked about, and that its evidence states what is asked. Their features, the
signs, come from retrieval and the sentence scorer; names and numbers are features like others, so
none of them can veto an answer. `abstractqa eval fit` fits them on questions of several
collections and on unanswerable twins: the same question without the paper that answers it, without
the answering sentences of its abstract, or asked of another collection.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from index.lexical import token_set
from index.store import Index
from rag.evidence import Evidence, PaperEvidence, measure
from rag.fitted import Floats, sigmoids
from rag.query import Query
from rag.retrieval import Ranking, chance, covered, paper_tokens, passage_rows
from rag.wording import Kind


@dataclass(frozen=True)
class Chances:
    """The probabilities that an answer is right, and for which reasons.

    `topic`: the question is on the topic of the collection. `paper`: the first paper is the one
    asked about. `stating`: the evidence states what is asked, if the paper is the right one.
    """

    topic: float
    paper: float
    stating: float
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

    def probability(name: str) -> float:
        return float(sigmoids(query.fitted.models[name].score(signs))[0])

    if fit is not None:  # no single paper may have the words of a question about many
        topic = max(fit, probability("topic"))
        return Chances(topic, 1.0, topic, fit=fit)
    return Chances(probability("topic"), probability("paper"), probability("stating"))


def read_signs(
    index: Index, query: Query, ranking: Ranking, evidence: Evidence
) -> dict[str, float]:
    """Return the signs of the evidence by name; at least one paper must be allowed."""
    rows = {at.paper for at in evidence.papers}
    lacking = [name for name in query.proper if not rows & set(name.mentioned)]
    return {
        **_place(ranking, evidence),
        **_words(index, query, evidence),
        "a paper is named": float(bool(rows & {*query.named, *query.about})),
        "names that it lacks": float(bool(lacking)),
        "names that all lack": float(any(not name.mentioned for name in lacking)),
        **_sentences(index, query, ranking, evidence.papers[0]),
        **query.wording.asks,
    }


def _place(ranking: Ranking, evidence: Evidence) -> dict[str, float]:
    """Measure how near the question is to the collection and how far the first paper leads.

    Z-scores are compared with what chance gives: the maximum of n draws from a standard normal
    distribution grows as √(2 ln n).
    """
    scores, cosines = ranking.scores[ranking.rows], ranking.passages
    first = float(scores[0])
    spread = float(ranking.scores.std()) or 1.0
    count = min(20, max(3, len(cosines) // 50), len(cosines))  # 2 % of a small index
    top = np.partition(cosines, len(cosines) - count)[-count:]
    mean, deviation = float(cosines.mean()), max(float(cosines.std()), 1e-6)
    by_chance = chance(len(cosines))
    row = evidence.papers[0].paper

    def normalised(part: Floats) -> float:
        return float(part[row] - part.mean()) / (float(part.std()) or 1.0) - chance(len(part))

    return {
        "nearest sentence": float(top.max()),
        "nearest sentences, normalised": (float(top.mean()) - mean) / deviation - by_chance,
        "nearest sentence, normalised": (float(top.max()) - mean) / deviation - by_chance,
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


def _sentences(
    index: Index, query: Query, ranking: Ranking, found: PaperEvidence
) -> dict[str, float]:
    """Measure how well the best sentence answers, on its own and compared with its abstract.

    The aspect is the question without the paper's names.
    """
    rows = passage_rows(index, found.paper)
    aspect, about = query.aspect(found.paper), index.paper_vectors[found.paper]
    sentences = index.passage_vectors[rows.start : rows.stop]
    aspect_rest = aspect - (aspect @ about) * about
    rests = sentences - np.outer(sentences @ about, about)
    lengths = np.linalg.norm(rests, axis=1) * np.linalg.norm(aspect_rest)
    near = rests @ aspect_rest / np.maximum(lengths, 1e-6)
    below = (sentences @ aspect).max() - (index.passage_vectors @ aspect).max()
    measured = measure(index, query, ranking, found.paper)
    scores = query.fitted.models["sentences"].score(measured)
    at = found.best - rows.start
    has_number = float(measured["number"][at])
    asked = query.wording.asks["number"]
    return {
        "best cosine": float(measured["cosine"][at]),
        "best overlap": float(measured["overlap"][at]),
        "best score": float(scores[at]),
        "best score over the mean": float(scores[at] - scores.mean()),
        "aspect and nearest sentence, without what the paper is about": float(near.max()),
        "aspect, below the nearest sentence of all": float(below),
        "evidence has a number": has_number,
        "a number of a number asked": has_number * asked,
        "no number of a number asked": (1 - has_number) * asked,
    }
