"""A claim laid against what it cites, word by word: a small network over the words of both.

Each word of the claim is aligned with the cited word nearest in meaning, and each cited word near
what was aligned with its nearest in the claim; the pairs are compared, and what the comparisons
say is pooled (decomposable attention, Parikh et al., EMNLP 2016, over the contextual vectors of
the bundled encoder). Fitted by `abstractqa eval fit-check`; the weights are data.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rag.fitted import FOLDER
from rag.support.named import missing_names
from rag.support.numbers import missing_numbers
from rag.support.polarity import denied
from rag.support.reading import Floats, Reading

WEIGHTS = FOLDER / "check.npz"
SCALARS = 9
"""Figures of each pair of words, beside their vectors."""
GLOBALS = 9
"""Figures of a claim and what it cites as a whole."""
_NEAR = 0.55
_WINDOW = 3
MOST_WORDS = 400
"""Cited words that are looked at."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """n words of one text, each with the word of another that it is aligned with."""

    own: Floats
    """Shape (n, 384)."""
    other: Floats
    """Shape (n, 384)."""
    scalars: Floats
    """Shape (n, SCALARS)."""
    weights: Floats
    """How much each counts: its rarity, and a little for the rest; shape (n,)."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the network sees of a claim and what it cites."""

    claim: Pairs
    cited: Pairs
    whole: Floats
    """Shape (GLOBALS,)."""


def inputs(claim: Reading, cited: Sequence[Reading]) -> Inputs:
    """Align a claim with the sentences that it cites, at least one with a word."""
    meanings = np.concatenate([each.meanings for each in cited])[:MOST_WORDS]
    stems = tuple(stem for each in cited for stem in each.stems)[:MOST_WORDS]
    rarity = np.concatenate([each.rarity for each in cited])[:MOST_WORDS]
    cosines = claim.meanings @ meanings.T
    forward = _pairs(claim.meanings, claim.stems, claim.rarity, meanings, stems, cosines)
    aligned = cosines.argmax(axis=1)[cosines.max(axis=1) > _NEAR]
    near = np.zeros(len(stems), dtype=bool)
    for at in aligned.tolist():
        near[max(0, at - _WINDOW) : at + _WINDOW + 1] = True
    rows = np.flatnonzero(near) if near.any() else np.arange(len(stems))
    back = _pairs(
        meanings[rows],
        [stems[row] for row in rows.tolist()],
        rarity[rows],
        claim.meanings,
        claim.stems,
        cosines.T[rows],
    )
    return Inputs(forward, back, _whole(claim, cited, forward))


def _pairs(
    own: Floats,
    own_stems: Sequence[str],
    rarity: Floats,
    other: Floats,
    other_stems: Sequence[str],
    cosines: Floats,
) -> Pairs:
    nearest = cosines.argmax(axis=1)
    best = cosines.max(axis=1)
    rest = cosines.copy()
    rest[np.arange(len(rest)), nearest] = -1
    there = frozenset(other_stems)
    step = np.diff(nearest, prepend=nearest[:1])
    scalars = np.stack(
        (
            best,
            rest.max(axis=1) if cosines.shape[1] > 1 else np.zeros_like(best),
            [stem in there for stem in own_stems],
            [stem == other_stems[at] for stem, at in zip(own_stems, nearest.tolist(), strict=True)],
            rarity,
            [any(map(str.isdigit, stem)) for stem in own_stems],
            np.abs(step - 1) <= 1,
            np.append(np.abs(step[1:] - 1) <= 1, True),
            best * rarity,
        ),
        axis=1,
    ).astype(np.float32)
    return Pairs(own, other[nearest], scalars, rarity + np.float32(0.1))


def _whole(claim: Reading, cited: Sequence[Reading], pairs: Pairs) -> Floats:
    texts = [each.text for each in cited]
    norm = float(np.linalg.norm(claim.total)) or 1.0
    cosines = [
        float(claim.total @ each.total / (norm * (np.linalg.norm(each.total) or 1.0)))
        for each in cited
    ]
    nearest = cited[int(np.argmax(cosines))]
    numbers, missing = missing_numbers(claim.text, texts), missing_names(claim.text, texts)
    covered = float(pairs.scalars[:, 2] @ claim.rarity / claim.rarity.sum())
    return np.array(
        [
            max(cosines),
            covered,
            float(pairs.weights @ pairs.scalars[:, 0] / pairs.weights.sum()),
            bool(numbers),
            min(2, len(missing)),
            len(denied(claim.text)) - len(denied(nearest.text)),
            np.log1p(len(claim.words)) / 3,
            np.log1p(len(cited)),
            float(pairs.scalars[:, 0].min()),
        ],
        dtype=np.float32,
    )


class Network:
    """The fitted network: from `Inputs` to a probability."""

    def __init__(self, weights: Mapping[str, Floats]) -> None:
        """Take the weights by name, as `eval.fitting.support` writes them."""
        self._weights = {name: np.asarray(w, dtype=np.float32) for name, w in weights.items()}

    @classmethod
    def load(cls, path: Path = WEIGHTS) -> "Network":
        """The network that ships with the product."""
        with np.load(path) as stored:
            return cls({name: stored[name] for name in stored.files})

    @property
    def supported(self) -> float:
        """The least probability that is "supported"."""
        return float(self._weights["supported"])

    @property
    def unsupported(self) -> float:
        """The greatest probability that is "unsupported"; what is between is not decided."""
        return float(self._weights["unsupported"])

    def probability(self, seen: Inputs) -> float:
        """How likely what is cited supports all of the claim, in (0, 1)."""
        pooled = [self._pool(seen.claim, "claim"), self._pool(seen.cited, "cited"), seen.whole]
        hidden = np.maximum(self._layer(np.concatenate(pooled), "mix"), 0)
        logit = float(self._layer(hidden, "out")[0])
        return 1 / (1 + float(np.exp(-np.clip(logit, -30, 30))))

    def _pool(self, pairs: Pairs, side: str) -> Floats:
        own, other = (self._layer(v, f"{side}.project") for v in (pairs.own, pairs.other))
        compared = (own, other, own * other, np.abs(own - other), pairs.scalars)
        hidden = np.maximum(self._layer(np.concatenate(compared, axis=1), f"{side}.first"), 0)
        found = np.maximum(self._layer(hidden, f"{side}.second"), 0)
        weighted = pairs.weights @ found / pairs.weights.sum()
        return np.concatenate((weighted, found.max(axis=0), found.mean(axis=0)))

    def _layer(self, values: Floats, name: str) -> Floats:
        result: Floats = values @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        return result
