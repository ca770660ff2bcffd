"""What speaks for and against a sentence, as figures: what the fitted score is made of."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from rag.support.attribution import borrowed_name
from rag.support.direction import sides
from rag.support.excerpt import excerpt, is_fragment
from rag.support.language import is_foreign
from rag.support.named import missing_names
from rag.support.numbers import missing_numbers
from rag.support.order import agree, disagree
from rag.support.polarity import denied, denies, is_denied
from rag.support.reading import Floats, Reading
from rag.support.roles import exchanged, uncounted

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
    """Two things that a comparison has the other way round in the cited text."""
    contrary: tuple[str, str] | None
    """One of its words, and the one in the cited text that says the opposite of the same thing."""
    exchanged: str | None
    """A clause about a number that the cited text has, but says of something else."""
    unsure: str | None
    """A clause about what keeps it from being supported, though nothing shows it to be wrong."""
    foreign: bool
    """It is in another language than English: how near it is in words and meaning says little."""


def findings(sentence: Reading, cited: Sequence[Reading], passages: Sequence[str] = ()) -> Findings:
    """Compare a sentence with what it cites.

    Args:
        sentence: To be checked.
        cited: The sentences that it cites, at least one.
        passages: The texts that those are from; all of one if left out.
    """
    nearness = [_cosine(sentence.total, each.total) + _coverage(sentence, [each]) for each in cited]
    order = np.argsort(-np.array(nearness), kind="stable")
    near = [cited[row] for row in order[:NEAREST]]
    texts, near_texts = [each.text for each in cited], [each.text for each in near]
    # "A is faster than B" may well be said as "B is slower than A".
    turned = [] if agree(sentence.text, near_texts) else sides(sentence, near)
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
    foreign = is_foreign(sentence, frozenset(stem for each in cited for stem in each.stems))
    cut = excerpt(sentence.text, texts) == "cut"
    return Findings(
        features,
        missing_numbers(sentence.text, texts),
        missing_names(sentence.text, texts),
        denies(sentence.text, near_texts),
        cut or is_denied(sentence.text, near_texts),
        disagree(sentence.text, near_texts),
        next(((each.word, each.contrary) for each in turned if each.contrary), None),
        exchanged(sentence.text, texts),
        _unsure(sentence, texts, passages, foreign=foreign),
        foreign,
    )


def _unsure(
    sentence: Reading, texts: Sequence[str], passages: Sequence[str], *, foreign: bool
) -> str | None:
    if foreign:
        return "it was not checked in its language"
    if is_fragment(sentence.text):
        return "a fragment of a sentence states nothing"
    borrowed = borrowed_name(sentence.text, passages)
    if borrowed:
        return f"what it cites does not say it of {borrowed}"
    return uncounted(sentence.text, texts)


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
