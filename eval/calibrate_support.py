"""Fitting the check of citations (`rag.support.local`), and how well it then does.

    P(claim) = Π σ(bias + Σ weight · feature),        over the sentences of the claim

A logistic regression for a claim of one sentence. Of a claim of several only the whole is labelled,
so the weights are those under which the product of its sentences' probabilities fits best
(`eval.noisy_and`); one number, the shift, says how much likelier a sentence of several is to be
right. Every claim has the same weight. Sentences that were edited (`eval.edits`) are not fitted on,
only measured and used for the thresholds.

The coefficients it finds are written into `rag.support.fitted` by hand, to two digits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eval.calibrate import auroc
from eval.datasets import Claim, load_claims, load_questions
from eval.noisy_and import fit_noisy_and
from eval.statistics import bootstrap_auroc
from eval.support_calibration import Calibration, Operating, Passed, SetFigures
from eval.support_examples import Example, look_at_claims, look_at_edits
from index.encoder import Encoder
from index.errors import InputError
from rag.support.features import NAMES
from rag.support.fitted import FITTED
from rag.support.local import LocalChecker
from rag.support.scoring import Model, verdict_on
from rag.support.verdict import Verdict

FOLDS = 5
SEED = 0
SUPPORTED_PRECISION = 0.9
PARTLY_PRECISION = 2 / 3
"""Of what a threshold lets pass, on claims of one sentence and edits; the least such is taken."""
_ONLY_MEASURED = frozenset({"another paper"})
"""Kinds of edits that the thresholds are not set by: no feature sees whose name stands there, so
a threshold that kept them out would pay for it with as many true sentences."""
_PENALTY = 3.0
_STEP = 0.01
_VERBATIM = Verdict("supported", 1.0)

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


def run(claims: Sequence[Path], questions: Path | None, encoder: Encoder) -> Calibration:
    """Fit on files of claims, and on the evidence of a file of questions if there is one.

    Raises:
        InputError: a file cannot be read, or has claims of one label only.
    """
    sentences: list[str] = []
    if questions is not None:
        every = (each.quote for one in load_questions(questions) for each in one.evidence)
        sentences = list(dict.fromkeys(every))
    return calibrate_support({path.stem: load_claims(path) for path in claims}, sentences, encoder)


def calibrate_support(
    claims: Mapping[str, Sequence[Claim]],
    sentences: Sequence[str],
    encoder: Encoder,
    folds: int = FOLDS,
    seed: int = SEED,
) -> Calibration:
    """Fit the coefficients, and measure them where they were not fitted.

    Args:
        claims: Each set with both labels.
        sentences: To be edited; may be none.
        encoder: The index's; the bundled one is asked.
        folds: How many; claims that share a claim or an evidence text are in the same.
        seed: Of the folds.

    Raises:
        InputError: a set has claims of one label only, or fewer claims apart than folds.
    """
    checker = LocalChecker(encoder)
    sets = {name: look_at_claims(each, checker) for name, each in claims.items()}
    edits = look_at_edits(sentences, checker)
    for name, examples in sets.items():
        if len({each.supported for each in examples}) < 2:
            raise InputError(f"{name}: claims of both labels are needed, and it has one")
        if len({each.group for each in examples}) < folds:
            raise InputError(f"{name}: {folds} claims or more are needed that share no text")
    every = fit([each for examples in sets.values() for each in examples])
    apart = held_out(sets, folds, seed)
    deciding = [each for each in edits if each.kind not in _ONLY_MEASURED]
    scores, labels = _single(every, sets, apart, deciding)
    supported = _threshold(scores, labels, SUPPORTED_PRECISION)
    partly = _threshold(scores, labels, PARTLY_PRECISION)
    model = replace(every, supported=supported.threshold, partly=partly.threshold)
    measured = {
        name: _measure(examples, apart[name], [each for n, each in sets.items() if n != name])
        for name, examples in sets.items()
    }
    return Calibration(model, measured, supported, partly, _passed(edits, model))


def fit(examples: Sequence[Example]) -> Model:
    """The model that fits examples best, with the product's own thresholds.

    Examples that stand word for word in their evidence have no score and are left out.
    """
    scored = [each for each in examples if each.found]
    found = fit_noisy_and(
        [_rows(each) for each in scored], [each.supported for each in scored], penalty=_PENALTY
    )
    weights = dict(zip(NAMES, found.weights, strict=True))
    return replace(FITTED, bias=found.bias, shift=found.shift, weights=weights)


def held_out(
    sets: Mapping[str, Sequence[Example]], folds: int = FOLDS, seed: int = SEED
) -> dict[str, list[Verdict]]:
    """The verdict on every example by a model fitted on the other folds of every set."""
    draw = np.random.default_rng(seed)
    of = {name: _folds(examples, folds, draw) for name, examples in sets.items()}
    found: dict[str, list[Verdict]] = {name: [_VERBATIM] * len(sets[name]) for name in sets}
    for fold in range(folds):
        model = fit(
            [
                each
                for name, examples in sets.items()
                for each, its in zip(examples, of[name], strict=True)
                if its != fold
            ]
        )
        for name, examples in sets.items():
            for row in np.flatnonzero(of[name] == fold).tolist():
                found[name][row] = judged(examples[row], model)
    return found


def judged(example: Example, model: Model) -> Verdict:
    """The verdict of a model on an example."""
    return verdict_on(example.found, model) if example.found else _VERBATIM


def _rows(example: Example) -> Floats:
    return np.array([[getattr(each.features, name) for name in NAMES] for each in example.found])


def _folds(examples: Sequence[Example], folds: int, draw: np.random.Generator) -> Rows:
    groups = np.array([each.group for each in examples])
    return np.asarray((draw.permutation(int(groups.max()) + 1) % folds)[groups])


def _scores(verdicts: Sequence[Verdict]) -> Floats:
    return np.array([each.score or 0.0 for each in verdicts])


def _labels(examples: Sequence[Example]) -> Floats:
    return np.array([each.supported for each in examples], np.float64)


def _measure(
    examples: Sequence[Example], apart: Sequence[Verdict], others: Sequence[Sequence[Example]]
) -> SetFigures:
    labels = _labels(examples)
    folds = bootstrap_auroc(_scores(apart).tolist(), [each.supported for each in examples])
    assert folds is not None  # noqa: S101 - both labels occur, or the caller has raised
    unseen = None
    if others:
        model = fit([each for other in others for each in other])
        unseen = auroc(_scores([judged(each, model) for each in examples]), labels)
    now = auroc(_scores([judged(each, FITTED) for each in examples]), labels)
    return SetFigures(len(examples), int(labels.sum()), folds, now, unseen)


def _single(
    model: Model,
    sets: Mapping[str, Sequence[Example]],
    apart: Mapping[str, Sequence[Verdict]],
    edits: Sequence[Example],
) -> tuple[Floats, Floats]:
    """Scores and labels of the held-out claims of one sentence, and of the edits."""
    claims = [
        (verdict, example)
        for name, examples in sets.items()
        for verdict, example in zip(apart[name], examples, strict=True)
        if len(example.found) < 2
    ]
    both = claims + [(judged(each, model), each) for each in edits]
    return _scores([verdict for verdict, _ in both]), _labels([each for _, each in both])


def _threshold(scores: Floats, labels: Floats, precision: float) -> Operating:
    """The least score at which what passes is precise enough, or else the most precise."""
    best = Operating(1.0, 0.0, 0.0)
    for threshold in np.arange(_STEP, 1, _STEP):
        passed = scores >= threshold
        if not passed.any():
            break
        reached = float(labels[passed].mean())
        if reached > best.precision:
            recall = float(labels[passed].sum() / max(labels.sum(), 1))
            best = Operating(round(float(threshold), 2), reached, recall)
        if reached >= precision:
            break
    return best


def _passed(edits: Sequence[Example], model: Model) -> tuple[Passed, ...]:
    found: list[Passed] = []
    for kind in dict.fromkeys(each.kind for each in edits):
        its = [each for each in edits if each.kind == kind]
        said = [judged(each, model).support for each in its]
        shares = (said.count("supported") / len(said), said.count("partly") / len(said))
        found.append(Passed(kind, its[0].supported, len(its), *shares))
    return tuple(found)
