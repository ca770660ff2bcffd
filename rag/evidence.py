"""Which sentences of a paper answer a question: one fitted scorer over what is measured of each.

A sentence is compared with the question and with the other sentences of its abstract; what kind
of thing is asked (`rag.wording.ASKS`) decides what its place and its form count. The scorer is a
listwise logistic regression (Cao et al., 2007), fitted by `abstractqa eval fit`.
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
"""Words of evidence at most, about, from one paper."""
ENOUGH = 0.8
"""Sentences are added until one of them is the right one with this probability."""
ON_SUBJECT = 0.5
"""The probability from which a paper is on a subject."""
WORTH = 0.15
"""A further sentence is at least so probable as this share of the best one."""

# Demonstratives, pronouns and conclusions: the sentence needs the one before it.
_LEANING = re.compile(r"(?:This|These|Those|Such|Its?|They|Their|Then|Thus|Therefore|Hence|Here)\b")
_MEASURES = ("cosine", "overlap", "share of overlap")
_AROUND = ("cosine before", "cosine after", "overlap before", "overlap after")
_FORM = ("place", "first", "last", "length", "number", "percent", "proper", "leans")
# How authors say what their work does, rather than what it starts from.
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
    """The sentences of one paper that answer, as rows of the index's passages."""

    paper: int
    passages: tuple[int, ...]
    """In the order in which they are quoted."""
    best: int
    """The one of them that answers best."""
    score: float
    """The best one's score: comparable between the papers of one question."""


@dataclass(frozen=True)
class Evidence:
    """What the answer may say, paper by paper, in the order to say it."""

    kind: Kind
    papers: tuple[PaperEvidence, ...]
    groups: tuple[tuple[str, int], ...] = ()
    """Headings and how many of the papers, in their order, stand under each; () for none."""
    count: int | None = None
    """How many papers fit, if that was asked or more fit than are shown."""
    counted: bool = False
    """Whether it was asked how many papers fit."""
    share: float = 1.0
    """The probability that the first paper is the one that answers, if one does."""
    fit: float | None = None
    """The probability that the paper that fits best is on the subject, for lists and the like."""


def measure(index: Index, query: Query, ranking: Ranking, paper: int) -> Floats:
    """The features of each sentence of a paper, shape (sentences, F), as `FEATURES` names them."""
    rows = passage_rows(index, paper)
    texts = [index.passages[row].text for row in rows]
    own = query.own_tokens(paper)
    weights = {token: index.lexical.idf(token) for token in query.probe.tokens if token not in own}
    cosines = ranking.passages[rows.start : rows.stop].astype(np.float32)
    return features(texts, cosines, weights, query.wording.asks)


def features(texts: list[str], cosines: Floats, weights: dict[str, float], asks: Floats) -> Floats:
    """The features of the sentences of one text; see `measure`.

    Args:
        texts: n sentences, in order.
        cosines: Of each and the question, shape (n,).
        weights: How rare each token of the question is, those of the paper's own names left out.
        asks: What is asked for, as probabilities, shape (len(ASKS),).
    """
    count, total = len(texts), sum(weights.values()) or 1.0
    tokens = [weights.keys() & token_set(text) for text in texts]
    seen = {token: sum(token in some for some in tokens) for token in weights}
    overlap = np.array([sum(weights[t] for t in some) for some in tokens]) / total
    share = np.array([sum(weights[t] / seen[t] for t in some) for some in tokens]) / total
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
            [bool(_LEANING.match(text)) for text in texts],
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
    """The sentences of a paper that answer, as few as are likely to be enough.

    Args:
        index: The index that is searched.
        query: What is asked.
        ranking: How each passage compares to it.
        paper: The row of the paper.
        words: Words at most, about; the best sentence counts whatever its length.
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
    """What a paper is, first, then what else answers best, in its order, in about so many words.

    What stands before the first sentence of what its authors do is what others did.
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
    """The row of the sentence that says what a paper is, None for one without an abstract.

    The one nearest to the whole paper, of those that say what its authors do and have the name
    that it calls itself, or one of both.
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
    """The evidence of the first `sources` papers, and what a reader is told of those left out."""
    count = len(evidence.papers)
    if sources is None or count <= sources:
        return evidence, None
    shown = replace(evidence, papers=evidence.papers[:sources], groups=(), count=None)
    verb = "is" if sources == 1 else "are"
    limit = f"since the number of sources is set to {sources}"
    return shown, f"Only {sources} of the {count} papers that fit {verb} cited, {limit}."
