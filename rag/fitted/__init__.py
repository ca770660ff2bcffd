"""Fitted coefficients stored as data: one record per encoder, written by `abstractqa eval fit`.

A record holds only linear models, each with the names of its features, so that people can read it.
An encoder without a record uses the bundled encoder's, whose figures do not hold for it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from index import minilm

Floats = NDArray[np.float32]
Column = NDArray[np.floating[Any]]
Columns = Mapping[str, ArrayLike]
"""Features by name: n values each, or one value each of a single row."""
FOLDER = Path(__file__).parent


@dataclass(frozen=True, eq=False)
class Linear:
    """A linear model over F features: one score, or one score for each of C classes."""

    features: tuple[str, ...]
    classes: tuple[str, ...]
    """Empty for a model with one score."""
    weights: Floats
    """Shape (F, max(1, C))."""
    bias: Floats
    """Shape (max(1, C),)."""

    def scores(self, rows: Floats) -> Floats:
        """Return scores of shape (n, max(1, C)) for `rows` of features, shape (n, F)."""
        return np.asarray(rows @ self.weights + self.bias, dtype=np.float32)

    def score(self, rows: Floats | Columns) -> Floats:
        """Return the scores of a model with one score, shape (n,), for features by name or row."""
        rows = stacked(rows, self.features) if isinstance(rows, Mapping) else rows
        return np.asarray(self.scores(rows)[:, 0], dtype=np.float32)

    def shares(self, row: Floats) -> dict[str, float]:
        """Return the probability of each class (softmax) for features of shape (F,)."""
        shares = softmax(self.scores(row[None, :])[0])
        return dict(zip(self.classes, shares.tolist(), strict=True))


def softmax(scores: Floats) -> Floats:
    """Return the probabilities that scores, shape (n,), give to alternatives."""
    powers = np.exp(scores - scores.max())
    return np.asarray(powers / powers.sum(), dtype=np.float32)


def stacked(columns: Columns, names: Sequence[str] = ()) -> Floats:
    """Return features as rows, shape (n, F), in the order of `names`, by default as they are."""
    return np.column_stack([columns[name] for name in names or columns]).astype(np.float32)


def sigmoids(scores: Floats) -> Floats:
    """Map each score to a probability from 0 to 1 by the logistic function."""
    return np.asarray(1 / (1 + np.exp(-np.clip(scores, -30, 30))), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Record:
    """The models, vocabulary and thresholds that were fitted for one encoder."""

    models: dict[str, Linear]
    vocabulary: tuple[str, ...]
    """The words and word pairs that the models of question wordings use as features."""
    thresholds: dict[str, float]

    @cached_property
    def places(self) -> dict[str, int]:
        """The index of each word and word pair in `vocabulary`."""
        return {gram: place for place, gram in enumerate(self.vocabulary)}


@lru_cache(maxsize=4)
def record(encoder: str = minilm.NAME) -> Record:
    """Load the record of the encoder with this name, or the bundled encoder's if it has none."""
    path = FOLDER / f"{encoder.replace('/', '--')}.json"
    if not path.is_file():
        path = FOLDER / f"{minilm.NAME}.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    models = {}
    for name, model in data["models"].items():
        weights, bias = (np.asarray(model[at], dtype=np.float32) for at in ("weights", "bias"))
        models[name] = Linear(tuple(model["features"]), tuple(model["classes"]), weights, bias)
    return Record(models, tuple(data["vocabulary"]), data["thresholds"])
