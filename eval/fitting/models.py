"""Fit the models behind the answers: sentences, papers of a list, the probability of an answer."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from eval.fitting.collections import (
    ANSWERED,
    EVERYDAY,
    LISTS,
    Asked,
    query_of,
    ranked,
    without_sentences,
)
from eval.fitting.wordings import filled as own_turns
from index.encoder import Encoder
from index.store import Index
from rag import confidence, conversation, evidence, listing
from rag.fitted import Floats, Linear, Record, sigmoids
from rag.query import Query, rank_for
from rag.retrieval import Probe, passage_rows, rank
from rag.selection import from_paper
from rag.wording import Kind, read_wording

WEIGHTS = {"of evidence": 0.3, "unanswerable": 3.0, "elsewhere": 0.5, "nothing": 0.3}
"""Of questions, beside 1 of one on a collection: one of a public evidence set, one that cannot be
answered, one that is put to another collection, a list whose papers were taken away."""
RIDGES = {"sentences": 1e-3, "papers": 3e-2, "answering": 1e-1, "stating": 1e-1}
RIDGE = 1e-2
"""The ridge penalty of the other models."""
MOST_OFF_TOPIC, MOST_REFUSED = 0.03, 0.05
LIKELY_PAPER = 0.5
"""The probability from which a paper is known to be the one that is asked about."""


@dataclass(frozen=True, eq=False)
class Group:
    """Rows that are compared with each other: the sentences of one text, for one question."""

    rows: Floats
    gold: NDArray[np.bool_]
    weight: float


def fit_listwise(groups: Sequence[Group], names: Sequence[str], ridge: float) -> Linear:
    """Maximise the probability that the softmax over each group gives to its gold rows."""
    rows = np.concatenate([group.rows for group in groups]).astype(np.float64)
    mean, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    rows = (rows - mean) / spread
    sizes = [len(group.rows) for group in groups]
    starts = np.cumsum([0, *sizes])[:-1]
    owner = np.repeat(np.arange(len(groups)), sizes)
    gold = np.concatenate([group.gold for group in groups]).astype(np.float64)
    weights = np.array([group.weight for group in groups])

    def loss(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scores = rows @ w
        powers = np.exp(scores - np.maximum.reduceat(scores, starts)[owner])
        whole = np.add.reduceat(powers, starts)
        right = np.add.reduceat(powers * gold, starts) + 1e-12
        value = float((weights * (np.log(whole) - np.log(right))).sum())
        slope = rows.T @ ((powers / whole[owner] - powers * gold / right[owner]) * weights[owner])
        total = weights.sum()
        return value / total + ridge * float(w @ w) / 2, slope / total + ridge * w

    found = minimize(loss, np.zeros(rows.shape[1]), jac=True, method="L-BFGS-B")
    return _linear(names, found.x / spread, -float((mean / spread) @ found.x))


def fit_logistic(
    rows: Floats, right: NDArray[np.bool_], weights: Floats, names: Sequence[str], ridge: float
) -> Linear:
    """A logistic regression on standardised features with a ridge penalty."""
    values = rows.astype(np.float64)
    mean, spread = values.mean(axis=0), values.std(axis=0) + 1e-6
    values = np.c_[(values - mean) / spread, np.ones(len(values))]
    signs = np.where(right, 1.0, -1.0)
    total = float(weights.sum())
    penalty = np.r_[np.full(rows.shape[1], ridge), 0.0]

    def loss(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margins = signs * (values @ w)
        value = float((weights * np.logaddexp(0, -margins)).sum()) / total
        slope = values.T @ (-weights * signs / (1 + np.exp(margins))) / total
        return value + float(penalty @ (w * w)) / 2, slope + penalty * w

    w = minimize(loss, np.zeros(values.shape[1]), jac=True, method="L-BFGS-B").x
    return _linear(names, w[:-1] / spread, float(w[-1] - (mean / spread) @ w[:-1]))


def _linear(names: Sequence[str], weights: NDArray[np.float64], bias: float) -> Linear:
    column = weights.astype(np.float32)[:, None]
    return Linear(tuple(names), (), column, np.array([bias], dtype=np.float32))


def with_models(record: Record, models: Mapping[str, Linear]) -> Record:
    """The record with some models replaced."""
    return replace(record, models={**record.models, **models})


def sentence_groups(questions: Sequence[tuple[Asked, Query]]) -> Iterator[Group]:
    """The sentences of each gold paper of questions that are answered from papers."""
    for each, query in questions:
        if each.row["type"] not in (*ANSWERED, "compare", "followup"):
            continue
        ranking = rank_for(each.index, query)
        for paper, gold in each.sentences.items():
            rows = passage_rows(each.index, paper)
            measured = evidence.measure(each.index, query, ranking, paper)
            weight = 1.0 if "papers" in each.row else WEIGHTS["of evidence"]
            yield Group(measured, np.isin(np.arange(rows.start, rows.stop), gold), weight)


def answering_groups(questions: Sequence[tuple[Asked, Query]]) -> Iterator[Group]:
    """The first papers for each question that one paper answers."""
    for each, query in questions:
        if each.row["type"] in ANSWERED and each.gold and query.allowed.any():
            ranking = ranked(each, query)
            papers, rows = listing.measure(each.index, query, ranking, listing.ANSWERING)
            if (gold := np.isin(papers, list(each.accepted))).any():
                yield Group(rows, gold, 1.0)


@dataclass(frozen=True, eq=False)
class Candidates:
    """The first papers for a list, or for its twin that fits nothing."""

    index: Index
    papers: Sequence[int]
    measured: Floats
    right: NDArray[np.bool_]
    weight: float


def candidates(questions: Sequence[tuple[Asked, Query]]) -> Iterator[Candidates]:
    """The candidates of each list: whether there are such papers may be asked in vain, too."""
    for each, query in questions:
        kind = each.row["type"]
        is_vain = kind == "near-miss" and query.kind is Kind.PAPERS
        if not (is_vain or (kind in LISTS and each.gold)) or not query.allowed.any():
            continue
        for gone in ((), sorted(each.accepted)) if each.gold else ((),):
            ranking = ranked(each, query, gone)
            if len(ranking.rows):
                papers, measured = listing.measure(each.index, query, ranking)
                right = np.isin(papers, list(each.accepted))
                weight = WEIGHTS["nothing"] if gone else 1.0
                yield Candidates(each.index, papers, measured, right, weight / len(papers))


def fit_papers(lists: Sequence[Candidates]) -> dict[str, Linear]:
    """The two models of `rag.listing` that tell which papers are on a subject."""
    right = np.concatenate([each.right for each in lists])
    weights = np.concatenate([np.full(len(each.papers), each.weight) for each in lists])
    rows = np.concatenate([each.measured for each in lists])
    first = fit_logistic(rows, right, weights, listing.FEATURES, RIDGES["papers"])
    rows = np.concatenate([again(each, first) for each in lists])
    second = fit_logistic(rows, right, weights, listing.FEATURES_AGAIN, RIDGES["papers"])
    return {"papers": first, "papers, again": second}


def again(each: Candidates, first: Linear) -> Floats:
    """The features of candidates with what the first model says of them."""
    scores = first.score(each.measured)
    return listing.measure_again(each.index, each.papers, each.measured, scores)


def several_rows(
    questions: Sequence[tuple[Asked, Query]],
) -> tuple[Floats, NDArray[np.bool_], Floats]:
    """Whether questions ask for papers or for what one says: features, answers, weights."""
    rows, right, weights = [], [], []
    for each, query in questions:
        kind = each.row["type"]
        if kind in (*LISTS, *ANSWERED) and query.allowed.any():
            rows.append(listing.measure_several(each.index, query, ranked(each, query)))
            right.append(kind in LISTS)
            weights.append(2.0 if kind in LISTS else 1.0)
    return np.stack(rows), np.asarray(right), np.asarray(weights, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Try:
    """The signs of one answer, and what they should say; None where they should say nothing."""

    signs: Mapping[str, float]
    is_topic: bool
    """Whether the question is on the topic of the collection."""
    is_paper: bool | None
    """Whether the first paper is one that answers."""
    states: bool | None
    """Whether the evidence answers, if the paper is the right one."""
    weight: float
    source: str


def tries(questions: Sequence[tuple[Asked, Query]]) -> Iterator[Try]:
    """Answers to the questions of sets, and to twins that cannot be answered."""
    for each, query in questions:
        kind = each.row["type"]
        if kind in ("collection", *LISTS) or not query.allowed.any():
            continue
        asks_one = query.as_kind(Kind.ANSWER)
        ranking = ranked(each, query)
        found = from_paper(each.index, asks_one, ranking)
        signs = confidence.read_signs(each.index, asks_one, ranking, found)
        if kind == "off-topic":
            yield Try(signs, False, False, None, WEIGHTS["unanswerable"], kind)
            continue
        if not each.row["answerable"]:
            yield Try(signs, True, None, False, WEIGHTS["unanswerable"], kind)
            continue
        passages = {row for at in found.papers for row in at.passages}
        wanted = {row for rows in each.sentences.values() for row in rows}
        is_paper = bool({at.paper for at in found.papers} & set(each.gold))
        states = (not wanted or bool(passages & wanted)) if is_paper else None
        yield Try(signs, True, is_paper, states or None, 1.0, kind)
        gone = ranked(each, query, sorted(each.accepted))
        if len(gone.rows) and not query.about:
            elsewhere = from_paper(each.index, replace(asks_one, names=()), gone)
            signs = confidence.read_signs(each.index, asks_one, gone, elsewhere)
            yield Try(signs, True, False, None, 0.5, "paper gone")
        if wanted and kind in ANSWERED:
            index = without_sentences(each.index, sorted(wanted))
            cut = rank_for(index, query)
            rest = from_paper(index, asks_one, cut)
            if rest.papers[0].passages and rest.papers[0].paper in each.gold:
                signs = confidence.read_signs(index, asks_one, cut, rest)
                yield Try(signs, True, True, False, 0.2, "sentences gone")


def foreign_tries(
    questions: Sequence[Asked], index: Index, encoder: Encoder, fitted: Record
) -> Iterator[Try]:
    """Answers of a collection to questions that are put to it from other ones."""
    for each in questions:
        query = query_of(each, encoder, fitted, index).as_kind(Kind.ANSWER)
        if query.allowed.any() and not query.request.turns:
            ranking = rank(index, query.probe, query.allowed)
            found = from_paper(index, query, ranking)
            signs = confidence.read_signs(index, query, ranking, found)
            weight = 1.0 if each.group == EVERYDAY else WEIGHTS["elsewhere"]
            yield Try(signs, False, False, None, weight, each.group)


def fit_confidence(answers: Sequence[Try]) -> dict[str, Linear]:
    """The models of `rag.confidence`."""
    fits = {}
    for name, label in (("topic", "is_topic"), ("paper", "is_paper"), ("stating", "states")):
        kept = [each for each in answers if getattr(each, label) is not None]
        if name == "topic":  # twins are on the topic like their questions, and no news
            kept = [each for each in kept if not each.source.endswith("gone")]
        right = np.asarray([bool(getattr(each, label)) for each in kept])
        weights = np.asarray([each.weight for each in kept], dtype=np.float32)
        ridge = RIDGES.get(name, RIDGE)
        fits[name] = fit_logistic(_signs(kept), right, weights, confidence.SIGNS, ridge)
    return fits


def thresholds(
    answers: Mapping[str, Sequence[Try]], lists: Sequence[Candidates], record: Record
) -> dict[str, float]:
    """The probabilities to answer from (`rag.confidence.Chances.suffice`).

    Each answer is judged by models of confidence that were fitted on the other collections, from
    signs of models that were fitted on all. `MOST_OFF_TOPIC` of the questions of other subjects
    may pass; `MOST_REFUSED` of what is right may be refused.

    Args:
        answers: By collection.
        lists: Those that the models of papers were fitted on.
        record: With these models.
    """
    off: list[float] = []
    stated: dict[bool, list[float]] = {True: [], False: []}  # by whether the paper is known
    for home, found in answers.items():
        fits = fit_confidence([one for other in answers if other != home for one in answers[other]])
        judged = {name: sigmoids(model.score(_signs(found))) for name, model in fits.items()}
        for place, one in enumerate(found):
            if one.source in ("off-topic", EVERYDAY):
                off.append(float(judged["topic"][place]))
            elif one.states:
                is_known = bool(judged["paper"][place] >= LIKELY_PAPER)
                stated[is_known].append(float(judged["stating"][place]))
    first, second = record.models["papers"], record.models["papers, again"]
    right = [each for each in lists if each.right.any()]
    best = [float(sigmoids(second.score(again(each, first))).max()) for each in right]
    return {
        "topic": float(np.quantile(off, 1 - MOST_OFF_TOPIC)),
        "stating": float(np.quantile(stated[True], MOST_REFUSED)),
        "stating, unknown paper": float(np.quantile(stated[False] or stated[True], MOST_REFUSED)),
        "papers": float(np.quantile(best, MOST_REFUSED)),
    }


def _signs(answers: Sequence[Try]) -> Floats:
    rows = [[one.signs[name] for name in confidence.SIGNS] for one in answers]
    return np.asarray(rows, dtype=np.float32)


def follow_rows(
    questions: Sequence[Asked], encoder: Encoder, fitted: Record
) -> tuple[Floats, NDArray[np.bool_], Floats]:
    """Whether questions are about the paper of the turn before: features, answers, weights.

    Follow-ups of the sets, follow-ups in our own words after random questions, and questions that
    stand alone after others, chosen at random but always alike.
    """
    chance = random.Random(0)  # noqa: S311 - it draws examples
    texts = [turn for turn in own_turns() if turn.leans == "yes"]
    rows, right, weights = [], [], []

    def add(text: str, about: Asked, weight: float, *, leans: bool) -> None:
        wording = read_wording(text, encoder.encode_query(text), fitted)
        before = [about.gold[0]]
        rows.append(conversation.measure(text, before, about.index, encoder, wording))
        right.append(leans)
        weights.append(weight)

    for each in questions:
        if not each.gold:
            continue
        others = [o for o in questions if o.group == each.group and o.gold and o is not each]
        if not each.row.get("history"):
            add(each.row["question"], chance.choice(others), 1.0, leans=False)
            if each.row["type"] not in ("collection", *LISTS):
                add(chance.choice(texts).text, each, 0.5, leans=True)
        else:
            ranking = rank(each.index, Probe.of(each.row["question"], each.index, encoder))
            leans = int(ranking.rows[0]) not in each.gold or len(ranking.probe.tokens) <= 4
            about = each if leans else chance.choice(others)
            add(each.row["question"], about, 3.0, leans=leans)
    return np.stack(rows), np.asarray(right), np.asarray(weights, dtype=np.float32)
