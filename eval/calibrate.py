"""Fitting the confidence of an answer (`rag.confidence`), and how well it then does.

The coefficients it finds are written there by hand, to one digit: they belong to the code.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import rankdata
from tqdm.auto import tqdm

from eval.datasets import Question
from eval.datasets.beir import Beir
from eval.metrics.answers import score_answer
from eval.metrics.selective import Outcome, brier, calibration_error, reliability
from index.encoder import Encoder
from index.errors import InputError
from index.store import Index
from rag.confidence import Signs, confidence
from rag.engine import AbstractQueryEngine
from rag.schema import Filters

FOLDS = 5
SEED = 0
_PENALTY = 1.0

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Judged:
    """The signs of an answer, and whether it was right."""

    signs: Signs
    right: bool


def judge_answers(questions: Sequence[Question], store: Path, encoder: Encoder) -> list[Judged]:
    """The answers given to questions; right if it cites the right papers. Refusals are left out.

    What is counted from the index has no signs and is left out too.
    """
    judged: list[Judged] = []
    index = Index.open(store)
    engine, seen = _recording(index, encoder)
    for question in tqdm(questions, desc="answers", unit="question", disable=None):
        history = [turn.model_dump() for turn in question.history]
        answer = engine.answer(engine.request(question.question, history, Filters()))
        right = score_answer(question, answer, index.papers, 0.0).right_papers
        judged += [Judged(signs, right) for signs in seen]
        seen.clear()
    return judged


def judge_benchmark(beir: Beir, store: Path, encoder: Encoder) -> list[Judged]:
    """The answers given to a benchmark's queries; right if the first paper cited is relevant."""
    judged: list[Judged] = []
    engine, seen = _recording(Index.open(store), encoder)
    for query, relevant in tqdm(beir.qrels.items(), desc="answers", unit="query", disable=None):
        answer = engine.answer(engine.request(beir.queries[query], None, Filters()))
        right = any(relevant.get(r.paper.id, 0) > 0 for r in answer.references[:1])
        judged += [Judged(signs, right) for signs in seen]
        seen.clear()
    return judged


def calibrate(sets: Mapping[str, Sequence[Judged]]) -> dict[str, object]:
    """Fit the coefficients, and measure them where they were not fitted.

    A logistic regression on `Signs`, L2-penalised on standardised signs, in which every set has
    the same weight in all, however large. For each set AUROC, ECE and the Brier score
    (`eval.metrics.selective`) of three confidences: `now`, as the product gives it; `folds`,
    fitted on the other four fifths of every set; `unseen`, fitted on the other sets alone.

    Args:
        sets: At least two, each with right and wrong answers.

    Returns:
        `coefficients` {bias, lead, coverage}, and `sets` {name: {answers, right, now, folds,
        unseen}}.

    Raises:
        InputError: a set has no right answer, or no wrong one.
    """
    for name, judged in sets.items():
        if len({each.right for each in judged}) < 2:
            raise InputError(f"{name}: right and wrong answers are needed, and it has one kind")
    names = list(sets)
    signs = {name: _matrix([each.signs for each in sets[name]]) for name in names}
    right = {name: np.array([each.right for each in sets[name]], np.float64) for name in names}
    random = np.random.default_rng(SEED)
    fold = {name: random.permutation(len(right[name])) % FOLDS for name in names}

    def fitted(taken: Mapping[str, NDArray[np.bool_]]) -> Floats:
        return _fit(
            [signs[name][rows] for name, rows in taken.items()],
            [right[name][rows] for name, rows in taken.items()],
        )

    every = {name: np.ones(len(right[name]), np.bool_) for name in names}
    without = [fitted({name: fold[name] != k for name in names}) for k in range(FOLDS)]
    measured: dict[str, object] = {}
    for name in names:
        held_out = [_predict(each, signs[name]) for each in without]
        unseen = fitted({other: rows for other, rows in every.items() if other != name})
        now = np.array([confidence(each.signs) for each in sets[name]])
        measured[name] = {
            "answers": len(right[name]),
            "right": float(right[name].mean()),
            "now": _measure(now, right[name]),
            "folds": _measure(np.choose(fold[name], held_out), right[name]),
            "unseen": _measure(_predict(unseen, signs[name]), right[name]),
        }
    coefficients = dict(zip(("bias", "lead", "coverage"), fitted(every).tolist(), strict=True))
    return {"coefficients": coefficients, "sets": measured}


def auroc(sure: Floats, right: Floats) -> float:
    """The chance that a right answer is surer than a wrong one, ties half (Hanley & McNeil 1982).

    Both kinds must be there; 0.5 is what guessing gets.
    """
    positives = right.sum()
    ranks = rankdata(sure)[right > 0].sum() - positives * (positives + 1) / 2
    return float(ranks / (positives * (len(right) - positives)))


def _recording(index: Index, encoder: Encoder) -> tuple[AbstractQueryEngine, list[Signs]]:
    """An engine, and the list to which it adds the signs of each answer that it gives."""
    seen: list[Signs] = []

    def record(signs: Signs) -> float:
        seen.append(signs)
        return confidence(signs)

    return AbstractQueryEngine(index, encoder, estimate=record), seen


def _matrix(signs: Sequence[Signs]) -> Floats:
    return np.array([(each.lead, each.coverage) for each in signs], np.float64)


def _fit(signs: Sequence[Floats], right: Sequence[Floats]) -> Floats:
    """Bias and weights, shape (3,), of the logistic regression; each set has the same weight."""
    x, y = np.concatenate(signs), np.concatenate(right)
    weight = np.concatenate([np.full(len(each), 1 / len(each)) for each in right])
    weight *= len(y) / weight.sum()
    mean, spread = x.mean(axis=0), x.std(axis=0)
    z = (x - mean) / spread

    def loss(at: Floats) -> tuple[float, Floats]:
        logit = at[0] + z @ at[1:]
        error = weight * (expit(logit) - y)
        likelihood = weight @ (np.logaddexp(0, logit) - y * logit)
        gradient = np.concatenate(([error.sum()], z.T @ error + _PENALTY * at[1:]))
        return float(likelihood + _PENALTY / 2 * at[1:] @ at[1:]), gradient

    found: Floats = minimize(loss, np.zeros(x.shape[1] + 1), jac=True).x
    weights = found[1:] / spread
    return np.concatenate(([found[0] - weights @ mean], weights))


def _predict(coefficients: Floats, signs: Floats) -> Floats:
    return np.asarray(expit(coefficients[0] + signs @ coefficients[1:]))


def _measure(sure: Floats, right: Floats) -> dict[str, float | None]:
    outcomes = [
        Outcome(float(each), refused=False, right=bool(is_right))
        for each, is_right in zip(sure, right, strict=True)
    ]
    return {
        "auroc": auroc(sure, right),
        "ece": calibration_error(reliability(outcomes)),
        "brier": brier(outcomes),
    }
