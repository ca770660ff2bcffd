"""Select the sentences of a paper that answer a question, with one fitted scorer of sentences.

The features compare a sentence with the question and with the other sentences of its abstract;
the weight of its place and its form depends on what is asked for (`rag.wording.ASKS`). The scorer
is a listwise logistic regression (Cao et al., 2007), fitted by `abstractqa eval fit`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from index.lexical import token_set
from index.store import Index
from rag.fitted import Column, Floats, softmax
from rag.query import Query
from rag.retrieval import Ranking, passage_rows
from rag.wording import ASKS, Kind

WORDS = 100
"""Approximate maximum of words of evidence from one paper."""
ON_SUBJECT = 0.5
"""Minimum probability that a paper is on a subject."""

# Demonstratives, pronouns and conclusions: the sentence needs the previous one to be understood.
_ANAPHOR = re.compile(r"(?:This|These|Those|Such|Its?|They|Their|Then|Thus|Therefore|Hence|Here)\b")
# How authors state what they do, as opposed to what others did before.
_CONTRIBUTION = re.compile(
    r"\b(?:we|here|(?:this|our) (?:paper|work|article|study|survey|review|report|thesis))"
    r"\b[^.;]{0,40}?\b(?:propos|introduc|present|develop|describ|investigat|stud(?:y|ied)|explor"
    r"|examin|analy[sz]|design|buil[dt]|creat|implement|establish|provid|show|demonstrat|report|discover"
    r"|identif|find|found)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class PaperEvidence:
    """The sentences of one paper that answer the question, as rows of the index's passages."""

    paper: int
    passages: tuple[int, ...] = ()
    """In the order in which they are quoted."""
    best: int = -1
    """The row of the sentence that answers best; -1 without an abstract."""


@dataclass(frozen=True)
class Evidence:
    """What an answer may quote, paper by paper, in the order of the answer."""

    kind: Kind
    papers: tuple[PaperEvidence, ...]
    groups: tuple[tuple[str, int], ...] = ()
    """Headings, each with the number of papers under it, in the order of `papers`; () for none."""
    count: int | None = None
    """How many papers are on the subject, shown or not; None if that was not counted."""
    counted: bool = False
    """Whether the question asks how many papers there are."""
    share: float = 1.0
    """Probability that the first paper is the one that answers, if one does."""
    fit: float | None = None
    """Probability that the best paper is on the subject; None unless papers on one are sought."""


def measure(index: Index, query: Query, ranking: Ranking, paper: int) -> dict[str, Column]:
    """Return the features of each sentence of a paper."""
    rows = passage_rows(index, paper)
    texts = [index.passages[row].text for row in rows]
    own = query.own_tokens(paper)
    weights = {token: index.lexical.idf(token) for token in query.probe.tokens if token not in own}
    cosines = ranking.passages[rows.start : rows.stop]
    return features(texts, cosines, weights, query.wording.asks)


def features(
    texts: list[str], cosines: Floats, weights: dict[str, float], asks: Mapping[str, float]
) -> dict[str, Column]:
    """Return the features of each of n sentences of one text, given in order.

    `cosines` with the question have shape (n,); `weights` are the rarities (IDF) of the question's
    tokens except the paper's names; `asks` has the probability of each of `ASKS`.
    """
    total = sum(weights.values()) or 1.0
    tokens = [weights.keys() & token_set(text) for text in texts]
    seen = {token: sum(token in present for present in tokens) for token in weights}
    overlap = np.array([sum(weights[t] for t in present) for present in tokens]) / total
    share = np.array([sum(weights[t] / seen[t] for t in present) for present in tokens]) / total
    measures: dict[str, Column] = {"cosine": cosines, "overlap": overlap, "share of overlap": share}
    form = _form(texts)
    return {
        **measures,
        **{f"{name} below the best": values - values.max() for name, values in measures.items()},
        "cosine before": np.append(0, cosines[:-1]),
        "cosine after": np.append(cosines[1:], 0),
        "overlap before": np.append(0, overlap[:-1]),
        "overlap after": np.append(overlap[1:], 0),
        "nearest": cosines == cosines.max(),
        "rank": np.argsort(np.argsort(-cosines, kind="stable")) / len(texts),
        "place squared": form["place"] ** 2,
        **form,
        **{f"{name} × {what}": form[name] * asks[what] for what in ASKS for name in form},
    }


def _form(texts: list[str]) -> dict[str, Column]:
    """Measure the place and the form of each sentence of one text."""
    places = np.arange(len(texts))
    form = {
        "place": places / max(1, len(texts) - 1),
        "first": places == 0,
        "last": places == len(texts) - 1,
        "length": [np.log1p(len(text.split())) for text in texts],
        "number": [bool(re.search(r"(?<![\w.-])\d", text)) for text in texts],
        "percent": ["%" in text for text in texts],
        "proper": [np.log1p(len(re.findall(r"(?<=[a-z,;] )[A-Z]", text))) for text in texts],
        "leans": [bool(_ANAPHOR.match(text)) for text in texts],
    }
    return {name: np.asarray(values, dtype=np.float64) for name, values in form.items()}


def of_paper(
    index: Index, query: Query, ranking: Ranking, paper: int, words: int = WORDS
) -> PaperEvidence:
    """Select the sentences of a paper that answer a question, as few as are likely to suffice.

    They have at most about `words` words; the best one is kept whatever its length.
    """
    rows = passage_rows(index, paper)
    if not rows:
        return PaperEvidence(paper)
    scores = query.fitted.models["sentences"].score(measure(index, query, ranking, paper))
    shares = softmax(scores)
    best, *others = (int(at) for at in np.argsort(-scores, kind="stable"))
    chosen, spent, reached = [rows[best]], _words(index, rows[best]), float(shares[best])
    for at in others:
        if reached >= 0.8 or shares[at] < 0.15 * shares[best]:
            break  # the right one is likely among them, or this one is much less likely
        if spent + _words(index, rows[at]) <= words:
            chosen.append(rows[at])
            spent += _words(index, rows[at])
            reached += float(shares[at])
    return PaperEvidence(paper, tuple(sorted(chosen)), rows[best])


def summary(
    index: Index, query: Query, ranking: Ranking, paper: int, words: int = 110
) -> PaperEvidence:
    """Select the leading sentence of a paper, then others that answer best, up to about `words`.

    Skip the background before the first sentence in which authors say what they do.
    """
    lead = leading(index, paper)
    if lead is None:
        return PaperEvidence(paper)
    rows = passage_rows(index, paper)
    scores = query.fitted.models["sentences"].score(measure(index, query, ranking, paper))
    begins = next((row for row in rows if _says_contribution(index, row)), rows[0])
    chosen, spent = [], _words(index, lead)
    for row in (rows[at] for at in np.argsort(-scores, kind="stable")):
        if row >= begins and row != lead and spent + _words(index, row) <= words:
            chosen.append(row)
            spent += _words(index, row)
    return PaperEvidence(paper, (lead, *sorted(chosen)), lead)


def _words(index: Index, row: int) -> int:
    return len(index.passages[row].text.split())


def leading(index: Index, paper: int) -> int | None:
    """Return the row of the sentence that says what a paper is, None without an abstract.

    Prefer sentences that say what the authors do and contain the name the paper gives itself,
    then either of both, then none; among equals, take the nearest to the whole abstract.
    """
    rows = passage_rows(index, paper)
    if not rows:
        return None
    cosines = index.passage_vectors[rows.start : rows.stop] @ index.paper_vectors[paper]
    name = index.names.called(paper)
    signs = [
        _says_contribution(index, row) + bool(name and name in index.passages[row].text)
        for row in rows
    ]
    return rows[int(np.argmax(cosines + signs))]


def _says_contribution(index: Index, row: int) -> bool:
    return bool(_CONTRIBUTION.search(index.passages[row].text))


def within(evidence: Evidence, sources: int | None) -> tuple[Evidence, str | None]:
    """Return the evidence of the first `sources` papers, and a notice if others are left out."""
    count = len(evidence.papers)
    if sources is None or count <= sources:
        return evidence, None
    shown = replace(evidence, papers=evidence.papers[:sources], groups=(), count=None)
    verb = "is" if sources == 1 else "are"
    limit = f"since the number of sources is set to {sources}"
    return shown, f"Only {sources} of the {count} papers that fit {verb} cited, {limit}."
