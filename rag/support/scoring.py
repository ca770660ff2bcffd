"""From what was found on sentences to a verdict: a fitted score, and what has force beyond it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rag.support.features import Features, Findings
from rag.support.verdict import Verdict

_COVERED = 0.4
"""An opposite counts where what it is said of is the same: that share of the words."""


@dataclass(frozen=True, slots=True)
class Model:
    """A logistic regression on `Features`, and where its score is enough."""

    bias: float
    weights: Mapping[str, float]
    """By the names of the features."""
    shift: float
    """Added to the bias for each of several sentences: most sentences of an answer are right."""
    supported: float
    """The least score that is "supported", in (0, 1)."""
    partly: float
    """The least score that is "partly", less than that."""

    def probability(self, features: Features, *, several: bool) -> float:
        """σ(bias + Σ weight · feature), how likely one sentence is supported, in (0, 1)."""
        logit = self.bias + several * self.shift
        logit += sum(weight * getattr(features, name) for name, weight in self.weights.items())
        return float(1 / (1 + np.exp(-logit)))


def refuted(found: Findings) -> str | None:
    """What makes a sentence wrong whatever its score, as a clause; None if nothing does."""
    if found.missing_numbers:
        return f"{_listed(found.missing_numbers)} not in what it cites"
    if found.denies:
        return "it denies what the abstract says"
    if found.is_denied:
        return "the abstract says it does not"
    if found.contrary and found.features.coverage >= _COVERED:
        return "it says “{}” where the abstract says “{}”".format(*found.contrary)
    if found.swapped:
        return f"the abstract compares {' and '.join(found.swapped)} the other way round"
    return found.exchanged


def verdict_on(found: Sequence[Findings], model: Model) -> Verdict:
    """The verdict on one sentence, or on several that all have to be supported.

    The score of several is the product of theirs, and the reason that of the worst.

    Args:
        found: On each sentence, at least one.
        model: Gives the score and the thresholds.
    """
    scores = [_score(each, model, several=len(found) > 1) for each in found]
    score = float(np.prod(scores))
    worst = found[int(np.argmin(scores))]
    lacks = _lacks_name(worst)
    if score >= model.supported:
        return Verdict("supported", score)
    if score >= model.partly:
        reason = _reason(worst) or "what it cites does not say all of it"
        return Verdict("partly", score, reason, lacks)
    reason = _reason(worst) or "what it cites says something else"
    return Verdict("unsupported", score, reason, lacks)


def _score(found: Findings, model: Model, *, several: bool) -> float:
    """The probability, cut so far that what is visibly wrong cannot pass."""
    probability = model.probability(found.features, several=several)
    if refuted(found):
        return probability * model.partly
    return probability * model.supported if found.missing_names or found.unsure else probability


def _reason(found: Findings) -> str | None:
    if _lacks_name(found):
        return f"{_listed(found.missing_names)} not named in what it cites"
    return refuted(found) or found.unsure


def _lacks_name(found: Findings) -> bool:
    # In another language any noun may be capitalised: then that is not the reason to give.
    return bool(found.missing_names) and not refuted(found) and not found.foreign


def _listed(said: Sequence[str]) -> str:
    *others, last = said
    return f"{', '.join(others)} and {last} are" if others else f"{last} is"
