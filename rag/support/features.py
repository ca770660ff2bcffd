"""What speaks for and against a sentence, as figures: what the fitted score is made of."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from rag.support.direction import sides
from rag.support.named import missing_names
from rag.support.numbers import missing_numbers
from rag.support.order import disagree
from rag.support.polarity import denied, denies, is_denied
from rag.support.reading import Floats, Reading

NEAREST = 3
"""Of what is cited, so many sentences are looked at for opposites and denials."""


@dataclass(frozen=True, slots=True)
class Features:
    """Of one sentence against the sentences that it cites; all in [0, 1] unless said."""

    cosine: float
    """With the nearest one or two read as one, in [-1, 1]."""
    coverage: float
    """The share of its words, weighted by rarity, whose stem stands in what it cites."""
    opposed: float
    """How much nearer in meaning the opposite of a word is than any that goes the same way."""
    agreed: float
    """How much nearer what goes the same way is, of the word for which that is the most."""
    directed: float
    """1 if it says that something goes up or down, else 0."""
    denial_differs: float
    """1 if just one of it and the nearest sentence denies something, else 0."""
    length: float
    """ln of the number of its words + 1, at least 0."""


NAMES = tuple(field.name for field in fields(Features))


@dataclass(frozen=True, slots=True)
class Findings:
    """The features of a sentence, and what was found to be wrong with it in words."""

    features: Features
    missing_numbers: tuple[str, ...]
    missing_names: tuple[str, ...]
    denies: bool
    """It denies what the cited text says."""
    is_denied: bool
    """The cited text denies what it says."""
    swapped: tuple[str, str] | None
    """Two names that a comparison has the other way round in the cited text."""
    contrary: tuple[str, str] | None
    """One of its words, and the one in the cited text that says the opposite of the same thing."""


def findings(sentence: Reading, cited: Sequence[Reading]) -> Findings:
    """Compare a sentence with the sentences that it cites, at least one."""
    nearness = [_cosine(sentence.total, each.total) + _coverage(sentence, [each]) for each in cited]
    order = np.argsort(-np.array(nearness), kind="stable")
    near = [cited[row] for row in order[:NEAREST]]
    texts, near_texts = [each.text for each in cited], [each.text for each in near]
    turned = sides(sentence, near)
    opposed = [each.opposite - each.same for each in turned]
    features = Features(
        cosine=_nearest_cosine(sentence, near),
        coverage=_coverage(sentence, cited),
        opposed=max(0.0, *opposed, 0.0),
        agreed=max(0.0, *(-each for each in opposed), 0.0),
        directed=float(bool(turned)),
        denial_differs=float(bool(denied(sentence.text)) != bool(denied(near_texts[0]))),
        length=float(np.log1p(len(sentence.words))),
    )
    return Findings(
        features,
        missing_numbers(sentence.text, texts),
        missing_names(sentence.text, texts),
        denies(sentence.text, near_texts),
        is_denied(sentence.text, near_texts),
        disagree(sentence.text, near_texts),
        next(((each.word, each.contrary) for each in turned if each.contrary), None),
    )


def _cosine(one: Floats, other: Floats) -> float:
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))


def _nearest_cosine(sentence: Reading, near: Sequence[Reading]) -> float:
    totals = [each.total for each in near]
    totals += [a.total + b.total for at, a in enumerate(near) for b in near[:at]]
    return max(_cosine(sentence.total, total) for total in totals)


def _coverage(sentence: Reading, cited: Sequence[Reading]) -> float:
    there = {stem for each in cited for stem in each.stems}
    has = np.array([stem in there for stem in sentence.stems])
    return float(sentence.rarity @ has / sentence.rarity.sum())
