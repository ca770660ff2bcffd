"""Fitted coefficients as data: one record an encoder, written by `abstractqa eval fit`.

A record holds linear models alone, each with the names of its features, so that it can be read.
An encoder without a record of its own uses the bundled encoder's, whose figures do not hold for it.
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
    """A linear model of F features with one score, or one for each of C classes."""

    features: tuple[str, ...]
    classes: tuple[str, ...]
    """Empty for a model with one score."""
    weights: Floats
    """Shape (F, max(1, C))."""
    bias: Floats
    """Shape (max(1, C),)."""

    def scores(self, rows: Floats) -> Floats:
        """The score of each row and class, shape (n, max(1, C)), of features of shape (n, F)."""
        return np.asarray(rows @ self.weights + self.bias, dtype=np.float32)

    def score(self, rows: Floats) -> Floats:
        """The one score of each row, shape (n,), of features of shape (n, F)."""
        return np.asarray(self.scores(rows)[:, 0], dtype=np.float32)

    def shares(self, row: Floats) -> dict[str, float]:
        """The probability of each class (softmax) for features of shape (F,)."""
        scores = self.scores(row[None, :])[0]
        powers = np.exp(scores - scores.max())
        return dict(zip(self.classes, (powers / powers.sum()).tolist(), strict=True))


def sigmoids(scores: Floats) -> Floats:
    """The logistic function of each score, from 0 to 1."""
    return np.asarray(1 / (1 + np.exp(-np.clip(scores, -30, 30))), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Record:
    """What is fitted for one encoder."""

    models: dict[str, Linear]
    vocabulary: tuple[str, ...]
    """The words and pairs of words that the models of wordings look for."""
    thresholds: dict[str, float]

    @cached_property
    def places(self) -> dict[str, int]:
        """The place of each word and pair of the vocabulary."""
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
    """The record of an encoder, by its name; the bundled encoder's if it has none."""
    path = FOLDER / f"{encoder.replace('/', '--')}.json"
    if not path.is_file():
        path = FOLDER / f"{minilm.NAME}.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    models = {name: _linear(model) for name, model in data["models"].items()}
    return Record(models, tuple(data["vocabulary"]), data["thresholds"])
