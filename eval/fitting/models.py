"""Fit the models that choose sentences and papers and tell how likely an answer is right."""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from eval.fitting import collections
from eval.fitting.collections import ANSWERED, EVERYDAY, LISTS, Asked
from eval.fitting.wordings import filled as own_turns
from index.encoder import Encoder
from index.store import Index
from rag import confidence, conversation, evidence, listing
from rag.evidence import Evidence
from rag.fitted import Columns, Floats, Linear, Record, sigmoids, stacked
from rag.query import Query, rank_for
from rag.retrieval import Probe, Ranking, passage_rows, rank
from rag.selection import from_paper
from rag.wording import Kind, Reader

WEIGHTS = {"of evidence": 0.3, "unanswerable": 3.0, "elsewhere": 0.5, "nothing": 0.3}
"""Weights of examples, where a question on its own collection weighs 1: a question of a public
evidence set, an unanswerable one, one put to another collection, a list without its papers."""
RIDGE = 1e-2
"""The ridge penalty of models that are not in `RIDGES`."""
RIDGES = {"sentences": 1e-3, "papers": 3e-2, "answering": 1e-1, "stating": 1e-1}
MOST_OFF_TOPIC, MOST_REFUSED = 0.03, 0.05
LIKELY_PAPER = 0.5
"""The probability from which on a paper is taken for the one that the question asks about."""

Bools = NDArray[np.bool_]
Asking = Sequence[tuple[Asked, Query]]
"""Questions, and how the product reads them."""
Rows = tuple[Columns, Bools, Floats]
"""Features by name, labels of shape (n,), and weights of shape (n,)."""
Group = tuple[Columns, Bools, float]
"""Rows that compete with each other, as the sentences of a text do; the gold ones; a weight."""


def fit_listwise(groups: Sequence[Group], ridge: float) -> Linear:
    """Maximise the probability that the softmax over each group gives to its gold rows."""
    parts, golds, each_weight = zip(*groups, strict=True)
    rows, mean, spread = _standardised(stacked(_joined(parts)))
    sizes = [len(gold) for gold in golds]
    starts = np.cumsum([0, *sizes])[:-1]
    owner = np.repeat(np.arange(len(groups)), sizes)
    gold, weights = np.concatenate(golds).astype(np.float64), np.array(each_weight)

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
    return _linear(tuple(parts[0]), found.x / spread, -float((mean / spread) @ found.x))


def fit_logistic(rows: Columns, right: Bools, weights: Floats, ridge: float) -> Linear:
    """Fit a logistic regression on standardised features with a ridge penalty."""
    values, mean, spread = _standardised(stacked(rows))
    values = np.c_[values, np.ones(len(values))]
    signs, total = np.where(right, 1.0, -1.0), float(weights.sum())
    penalty = np.r_[np.full(len(rows), ridge), 0.0]

    def loss(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margins = signs * (values @ w)
        value = float((weights * np.logaddexp(0, -margins)).sum()) / total
        slope = values.T @ (-weights * signs / (1 + np.exp(margins))) / total
        return value + float(penalty @ (w * w)) / 2, slope + penalty * w

    w = minimize(loss, np.zeros(values.shape[1]), jac=True, method="L-BFGS-B").x
    return _linear(tuple(rows), w[:-1] / spread, float(w[-1] - (mean / spread) @ w[:-1]))


def _standardised(rows: Floats) -> tuple[NDArray[np.float64], ...]:
    """Return the standardised features with their means and standard deviations."""
    values = rows.astype(np.float64)
    mean, spread = values.mean(axis=0), values.std(axis=0) + 1e-6
    return (values - mean) / spread, mean, spread


def _joined(parts: Iterable[Columns]) -> Columns:
    """Return the rows of all parts, which have the same features."""
    found = list(parts)
    return {name: np.hstack([part[name] for part in found]) for name in found[0]}


def _linear(names: Sequence[str], weights: NDArray[np.float64], bias: float) -> Linear:
    column = weights.astype(np.float32)[:, None]
    return Linear(tuple(names), (), column, np.array([bias], dtype=np.float32))


def with_models(record: Record, models: Mapping[str, Linear]) -> Record:
    """Return the record with some models replaced."""
    return replace(record, models={**record.models, **models})


def sentence_groups(questions: Asking) -> Iterator[Group]:
    """Yield the sentences of each gold paper of the questions that papers answer."""
    for each, query in questions:
        if each.row["type"] not in (*ANSWERED, "compare", "followup"):
            continue
        ranking = rank_for(each.index, query)
        for paper, gold in each.sentences.items():
            rows = passage_rows(each.index, paper)
            measured = evidence.measure(each.index, query, ranking, paper)
            weight = 1.0 if "papers" in each.row else WEIGHTS["of evidence"]
            yield measured, np.isin(np.arange(rows.start, rows.stop), gold), weight


def answering_groups(questions: Asking) -> Iterator[Group]:
    """Yield the first papers for each question that one paper answers."""
    for each, query in questions:
        if each.row["type"] in ANSWERED and each.gold and query.allowed.any():
            ranking = collections.ranked(each, query)
            papers, rows = listing.measure(each.index, query, ranking, listing.ANSWERING)
            if (gold := np.isin(papers, list(each.accepted))).any():
                yield rows, gold, 1.0


@dataclass(frozen=True, eq=False)
class Candidates:
    """The first papers for a list, or for its twin that no paper fits."""

    index: Index
    papers: Sequence[int]
    measured: Columns
    right: Bools
    weight: float


def candidates(questions: Asking) -> Iterator[Candidates]:
    """Yield the candidates of each list, of its twin, and of lists that no paper fits."""
    for each, query in questions:
        kind = each.row["type"]
        fits_none = kind == "near-miss" and query.kind is Kind.PAPERS
        if not (fits_none or (kind in LISTS and each.gold)) or not query.allowed.any():
            continue
        for gone in ((), sorted(each.accepted)) if each.gold else ((),):
            ranking = collections.ranked(each, query, gone)
            if len(ranking.rows):
                by_subject = ranking.by_subject or ranking
                papers, measured = listing.measure(each.index, query, by_subject)
                right = np.isin(papers, list(each.accepted))
                weight = (WEIGHTS["nothing"] if gone else 1.0) / len(papers)
                yield Candidates(each.index, papers, measured, right, weight)


def fit_papers(lists: Sequence[Candidates]) -> dict[str, Linear]:
    """Fit the two models of `rag.listing` that tell which papers are on a subject."""
    right = np.concatenate([each.right for each in lists])
    weights = np.concatenate([np.full(len(each.papers), each.weight) for each in lists])
    rows = _joined(each.measured for each in lists)
    first = fit_logistic(rows, right, weights, RIDGES["papers"])
    rows = _joined(again(each, first) for each in lists)
    second = fit_logistic(rows, right, weights, RIDGES["papers"])
    return {"papers": first, "papers, again": second}


def again(each: Candidates, first: Linear) -> Columns:
    """Return the features of candidates extended by the scores of the first model."""
    scores = first.score(each.measured)
    return listing.measure_again(each.index, each.papers, each.measured, scores)


def several_rows(questions: Asking) -> Rows:
    """Return the rows of questions that ask for papers, or for what one paper says."""
    found = []
    for each, query in questions:
        is_list = each.row["type"] in LISTS
        if (is_list or each.row["type"] in ANSWERED) and query.allowed.any():
            row = listing.measure_several(each.index, query, collections.ranked(each, query))
            found.append((row, is_list, 2.0 if is_list else 1.0))
    return _rows(found)


def _rows(found: Iterable[tuple[Columns, bool, float]]) -> Rows:
    rows, right, weights = zip(*found, strict=True)
    return _joined(rows), np.asarray(right), np.asarray(weights, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Try:
    """The signs of one answer with their labels; a label is None where it is not to be learnt.

    The labels: the question is on the topic of the collection; the first paper answers; the
    evidence does, given the right paper.
    """

    signs: Mapping[str, float]
    is_topic: bool
    is_paper: bool | None
    states: bool | None
    weight: float
    source: str


def tries(questions: Asking) -> Iterator[Try]:
    """Yield answers to the questions of sets, and to their unanswerable twins."""
    for each, query in questions:
        kind = each.row["type"]
        if kind in ("collection", *LISTS) or not query.allowed.any():
            continue
        asks_one = query.as_kind(Kind.ANSWER)
        signs, found = _signs_of(each.index, asks_one, collections.ranked(each, query))
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
        gone = collections.ranked(each, query, sorted(each.accepted))
        if len(gone.rows) and not query.about:
            elsewhere = from_paper(each.index, replace(asks_one, names=()), gone)
            signs = confidence.read_signs(each.index, asks_one, gone, elsewhere)
            yield Try(signs, True, False, None, 0.5, "paper gone")
        if wanted and kind in ANSWERED:
            kept = ~np.isin(np.arange(len(each.index.passages)), sorted(wanted))
            index = collections.only_passages(each.index, kept)
            cut = rank_for(index, query)
            rest = from_paper(index, asks_one, cut)
            # A paper may have no sentence left.
            if rest.papers[0].passages and rest.papers[0].paper in each.gold:
                signs = confidence.read_signs(index, asks_one, cut, rest)
                yield Try(signs, True, True, False, 0.2, "sentences gone")


def _signs_of(index: Index, query: Query, ranking: Ranking) -> tuple[Mapping[str, float], Evidence]:
    found = from_paper(index, query, ranking)
    return confidence.read_signs(index, query, ranking, found), found


def foreign_tries(
    questions: Sequence[Asked], index: Index, encoder: Encoder, fitted: Record
) -> Iterator[Try]:
    """Yield a collection's answers to questions of other collections."""
    for each in questions:
        query = collections.query_of(each, encoder, fitted, index).as_kind(Kind.ANSWER)
        if query.allowed.any() and not query.request.turns:
            signs, _ = _signs_of(index, query, rank(index, query.probe, query.allowed))
            weight = 1.0 if each.group == EVERYDAY else WEIGHTS["elsewhere"]
            yield Try(signs, False, False, None, weight, each.group)


def fit_confidence(answers: Sequence[Try]) -> dict[str, Linear]:
    """Fit the models of `rag.confidence`."""
    fits = {}
    for name, label in (("topic", "is_topic"), ("paper", "is_paper"), ("stating", "states")):
        kept = [each for each in answers if getattr(each, label) is not None]
        if name == "topic":  # twins would repeat what their questions teach
            kept = [each for each in kept if not each.source.endswith("gone")]
        right = np.asarray([bool(getattr(each, label)) for each in kept])
        weights = np.asarray([each.weight for each in kept], dtype=np.float32)
        ridge = RIDGES.get(name, RIDGE)
        fits[name] = fit_logistic(_joined(each.signs for each in kept), right, weights, ridge)
    return fits


def thresholds(
    answers: Mapping[str, Sequence[Try]], lists: Sequence[Candidates], record: Record
) -> dict[str, float]:
    """Choose the probabilities from which on to answer (`rag.confidence.Chances.suffice`).

    Answers are by collection, and judged by models of confidence that were fitted on the others;
    their signs come from models that were fitted on all. `MOST_OFF_TOPIC` of the questions on other
    subjects may pass, `MOST_REFUSED` of the right answers may be refused. `lists` are those that
    the record's models of papers were fitted on.
    """
    off: list[float] = []
    stated: dict[bool, list[float]] = {True: [], False: []}  # by whether the paper is known
    for home, found in answers.items():
        fits = fit_confidence([one for other in answers if other != home for one in answers[other]])
        judged = {
            name: sigmoids(model.score(_joined(one.signs for one in found)))
            for name, model in fits.items()
        }
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


def follow_rows(questions: Sequence[Asked], encoder: Encoder, fitted: Record) -> Rows:
    """Return rows of questions that are about the paper of the turn before, or are not.

    They are follow-ups of the sets, our own after random questions, and standalone questions after
    random others; the seed is fixed.
    """
    chance = random.Random(0)  # noqa: S311 - it draws examples
    texts = [turn for turn in own_turns() if turn.leans == "yes"]
    found: list[tuple[Columns, bool, float]] = []
    reader = Reader(fitted, encoder.encode_query)

    def add(text: str, about: Asked, weight: float, *, leans: bool) -> None:
        wording = reader.wording(text)
        row = conversation.measure(text, [about.gold[0]], about.index, encoder, wording)
        found.append((row, leans, weight))

    for each in questions:
        if not each.gold:
            continue
        others = [o for o in questions if o.group == each.group and o.gold and o is not each]
        text = each.row["question"]
        if each.row.get("history"):
            ranking = rank(each.index, Probe.of(text, each.index, encoder))
            leans = int(ranking.rows[0]) not in each.gold or len(ranking.probe.tokens) <= 4
            add(text, each if leans else chance.choice(others), 3.0, leans=leans)
            continue
        add(text, chance.choice(others), 1.0, leans=False)
        if each.row["type"] not in ("collection", *LISTS):
            add(chance.choice(texts).text, each, 0.5, leans=True)
    return _rows(found)
