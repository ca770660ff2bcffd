"""Strengths from results of pairs: the model of Bradley & Terry 1952.

"Rank analysis of incomplete block designs": with strengths πᵢ, i beats j with probability
πᵢ / (πᵢ + πⱼ).
"""

import numpy as np

from eval.statistics import Floats

_STEPS = 100
_SMALL = 1e-9
_LONGEST_STEP = 1.0


def strengths(won: Floats, prior_won: Floats | float = 0.5, prior: float = 1.0) -> Floats:
    """Natural logarithms of the strengths under which these results are likeliest.

    Newton's method on the logistic likelihood, which is concave, for a batch of results at once.

    Args:
        won: How often i beat j at [..., i, j]; halves for ties.
        prior_won: The share of its prior battle that each won, in (0, 1), shape [..., i].
        prior: Battles of each against an average opponent, whose logarithm is 0; above 0.
    """
    met = won + won.swapaxes(-1, -2)
    total = won.sum(axis=-1) + prior * prior_won
    found = np.zeros(won.shape[:-1])
    own = np.eye(won.shape[-1])
    for _ in range(_STEPS):
        chance = _logistic(found[..., :, None] - found[..., None, :])
        alone = _logistic(found)
        gradient = total - (met * chance).sum(axis=-1) - prior * alone
        between = met * chance * (1 - chance)
        curvature = own * (between.sum(axis=-1) + prior * alone * (1 - alone))[..., None] - between
        step = np.linalg.solve(curvature, gradient[..., None])[..., 0]
        # Far from the maximum a whole step may overshoot it.
        length = np.abs(step).max(axis=-1, keepdims=True)
        found = found + step * np.minimum(1.0, _LONGEST_STEP / np.maximum(length, _SMALL))
        if length.max() < _SMALL:
            break
    return found


def _logistic(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-x)))
