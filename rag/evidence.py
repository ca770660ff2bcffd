"""Select the sentences of a paper that answer a question, with one fitted scorer of sentences.

The features compare a sentence with the question and with the other sentences of its abstract;
the weight of its place and its form depends on what is asked for (`rag.wording.ASKS`). The scorer
is a listwise logistic regression (Cao et al., 2007), fitted by `abstractqa eval fit`.
"""

import re
from dataclasses import dataclass, replace

import numpy as np

from index.lexical import token_set
from index.store import Index
from rag.query import Query
from rag.retrieval import Floats, Ranking, passage_rows
from rag.wording import ASKS, Kind

WORDS = 100
"""Approximate maximum of words of evidence from one paper."""
ENOUGH = 0.8
"""Add sentences until the right one is among them with this probability."""
ON_SUBJECT = 0.5
"""Minimum probability that a paper is on a subject."""
WORTH = 0.15
"""Minimum probability of a further sentence, as a share of that of the best one."""

# Demonstratives, pronouns and conclusions: the sentence needs the previous one to be understood.
_ANAPHOR = re.compile(r"(?:This|These|Those|Such|Its?|They|Their|Then|Thus|Therefore|Hence|Here)\b")
_MEASURES = ("cosine", "overlap", "share of overlap")
_AROUND = ("cosine before", "cosine after", "overlap before", "overlap after")
_FORM = ("place", "first", "last", "length", "number", "percent", "proper", "leans")
# How authors state what they do, as opposed to what others did before.
_CONTRIBUTION = re.compile(
    r"\b(?:we|here|(?:this|our) (?:paper|work|article|study|survey|review|report|thesis))"
    r"\b[^.;]{0,40}?\b(?:propos|introduc|present|develop|describ|investigat|stud(?:y|ied)|explor"
    r"|examin|analy[sz]|design|buil[dt]|creat|implement|establish|provid|show|demonstrat|report|discover"
    r"|identif|find|found)",
    re.IGNORECASE,
)
FEATURES = (
    *_MEASURES,
    *(f"{name} below the best" for name in _MEASURES),
    *_AROUND,
    "nearest",
    "rank",
    "place squared",
    *_FORM,
    *(f"{form} × {asks}" for asks in ASKS for form in _FORM),
)


@dataclass(frozen=True)
class PaperEvidence:
    """The sentences of one paper that answer the question, as rows of the index's passages."""

    paper: int
    passages: tuple[int, ...]
    """In the order in which they are quoted."""
    best: int
    """The row of the sentence that answers best; -1 without an abstract."""
    score: float
    """The score of the best sentence: comparable between the papers of one question."""


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


def measure(index: Index, query: Query, ranking: Ranking, paper: int) -> Floats:
    """Return the `FEATURES` of each sentence of a paper, shape (sentences, F)."""
    rows = passage_rows(index, paper)
    texts = [index.passages[row].text for row in rows]
    own = query.own_tokens(paper)
    weights = {token: index.lexical.idf(token) for token in query.probe.tokens if token not in own}
    cosines = ranking.passages[rows.start : rows.stop].astype(np.float32)
    return features(texts, cosines, weights, query.wording.asks)


def features(texts: list[str], cosines: Floats, weights: dict[str, float], asks: Floats) -> Floats:
    """Return the `FEATURES` of each sentence of one text, shape (n, F).

    Args:
        texts: n sentences, in order.
        cosines: The cosine of each sentence and the question, shape (n,).
        weights: The rarity (IDF) of each token of the question except the paper's names.
        asks: The probability of each of `ASKS`, shape (len(ASKS),).
    """
    count, total = len(texts), sum(weights.values()) or 1.0
    tokens = [weights.keys() & token_set(text) for text in texts]
    seen = {token: sum(token in present for present in tokens) for token in weights}
    overlap = np.array([sum(weights[t] for t in present) for present in tokens]) / total
    share = np.array([sum(weights[t] / seen[t] for t in present) for present in tokens]) / total
    measures = np.stack((cosines, overlap, share), axis=1)
    padded = np.pad(measures[:, :2], ((1, 1), (0, 0)))
    around = np.stack((padded[:-2, 0], padded[2:, 0], padded[:-2, 1], padded[2:, 1]), axis=1)
    place = np.arange(count) / max(1, count - 1)
    form = np.stack(
        (
            place,
            np.arange(count) == 0,
            np.arange(count) == count - 1,
            [np.log1p(len(text.split())) for text in texts],
            [bool(re.search(r"(?<![\w.-])\d", text)) for text in texts],
            ["%" in text for text in texts],
            [np.log1p(len(re.findall(r"(?<=[a-z,;] )[A-Z]", text))) for text in texts],
            [bool(_ANAPHOR.match(text)) for text in texts],
        ),
        axis=1,
    )
    ranks = np.argsort(np.argsort(-cosines, kind="stable")) / count
    columns = (
        measures,
        measures - measures.max(axis=0),
        around,
        (cosines == cosines.max())[:, None],
        ranks[:, None],
        place[:, None] ** 2,
        form,
        *(form * each for each in asks),
    )
    return np.concatenate(columns, axis=1).astype(np.float32)


def of_paper(
    index: Index, query: Query, ranking: Ranking, paper: int, words: int = WORDS
) -> PaperEvidence:
    """Select the sentences of a paper that answer a question, as few as are likely to suffice.

    Args:
        index: The index to search.
        query: The question.
        ranking: The cosine of the question and each passage.
        paper: The row of the paper.
        words: Approximate maximum of words; the best sentence is kept whatever its length.
    """
    rows = passage_rows(index, paper)
    if not rows:
        return PaperEvidence(paper, (), -1, -np.inf)
    scores = query.fitted.models["sentences"].score(measure(index, query, ranking, paper))
    shares = np.exp(scores - scores.max())
    shares /= shares.sum()
    order = [int(at) for at in np.argsort(-scores, kind="stable")]
    chosen, spent, reached = [order[0]], _words(index, rows[order[0]]), float(shares[order[0]])
    for at in order[1:]:
        if reached >= ENOUGH or shares[at] < WORTH * shares[order[0]]:
            break
        length = _words(index, rows[at])
        if spent + length <= words:
            chosen.append(at)
            spent += length
            reached += float(shares[at])
    passages = tuple(rows[at] for at in sorted(chosen))
    return PaperEvidence(paper, passages, rows[order[0]], float(scores[order[0]]))


def summary(
    index: Index, query: Query, ranking: Ranking, paper: int, words: int = 110
) -> PaperEvidence:
    """Select the leading sentence of a paper, then others that answer best, up to about `words`.

    Skip the background before the first sentence in which authors say what they do.
    """
    lead = leading(index, paper)
    if lead is None:
        return PaperEvidence(paper, (), -1, -np.inf)
    rows = passage_rows(index, paper)
    scores = query.fitted.models["sentences"].score(measure(index, query, ranking, paper))
    begins = next((row for row in rows if _says_contribution(index, row)), rows[0])
    chosen, spent = [], _words(index, lead)
    for at in map(int, np.argsort(-scores, kind="stable")):
        length = _words(index, rows[at])
        if rows[at] >= begins and rows[at] != lead and spent + length <= words:
            chosen.append(rows[at])
            spent += length
    return PaperEvidence(paper, (lead, *sorted(chosen)), lead, float(scores.max()))


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
