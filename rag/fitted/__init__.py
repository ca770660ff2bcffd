"""Fitted coefficients stored as data: one record per encoder, written by `abstractqa eval fit`.

A record holds only linear models, each with the names of its features, so that people can read it.
An encoder without a record uses the bundled encoder's, whose figures do not hold for it.
"""

import json
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index import minilm

Floats = NDArray[np.float32]
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

    def score(self, rows: Floats) -> Floats:
        """Return the scores of a model with one score, shape (n,), for `rows` of shape (n, F)."""
        return np.asarray(self.scores(rows)[:, 0], dtype=np.float32)

    def shares(self, row: Floats) -> dict[str, float]:
        """Return the probability of each class (softmax) for features of shape (F,)."""
        scores = self.scores(row[None, :])[0]
        powers = np.exp(scores - scores.max())
        return dict(zip(self.classes, (powers / powers.sum()).tolist(), strict=True))


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


def _linear(data: dict[str, Any]) -> Linear:
    return Linear(
        tuple(data["features"]),
        tuple(data["classes"]),
        np.asarray(data["weights"], dtype=np.float32),
        np.asarray(data["bias"], dtype=np.float32),
    )


@lru_cache(maxsize=4)
def record(encoder: str = minilm.NAME) -> Record:
    """Load the record of the encoder with this name, or the bundled encoder's if it has none."""
    path = FOLDER / f"{encoder.replace('/', '--')}.json"
    if not path.is_file():
        path = FOLDER / f"{minilm.NAME}.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    models = {name: _linear(model) for name, model in data["models"].items()}
    return Record(models, tuple(data["vocabulary"]), data["thresholds"])
