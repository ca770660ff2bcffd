"""Logistic regression where only whole bags of rows are labelled, true if every row of them is.

    P(bag) = Π σ(bias + several · shift + weights · row)

`several` is 1 in a bag of more than one row. For bags of one row it is logistic regression.
Source: noisy-or turned round, as in Maron and Lozano-Pérez 1998, "A framework for
multiple-instance learning".
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

_NEVER_CERTAIN = -1e-9

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fit:
    """What was fitted."""

    bias: float
    shift: float
    weights: tuple[float, ...]
    """One a column."""


def fit_noisy_and(bags: Sequence[Floats], labels: Sequence[bool], *, penalty: float) -> Fit:
    """Fit by maximum likelihood, L2-penalised on standardised columns.

    Args:
        bags: Rows of each bag, shape (rows ≥ 1, columns).
        labels: Whether each bag is true.
        penalty: On half the sum of the squared weights, in bags; bias and shift are free.
    """
    rows = np.concatenate(bags)
    sizes = np.array([len(bag) for bag in bags])
    bag = np.repeat(np.arange(len(bags)), sizes)
    several = (sizes[bag] > 1).astype(np.float64)
    true = np.array(labels, dtype=np.float64)
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    spread[spread == 0] = 1
    z = (rows - mean) / spread

    def loss(at: Floats) -> tuple[float, Floats]:
        logit = at[0] + several * at[1] + z @ at[2:]
        log_p = np.bincount(bag, -np.logaddexp(0, -logit), len(bags))
        log_p = np.minimum(log_p, _NEVER_CERTAIN)
        q = -np.expm1(log_p)
        likelihood = true @ log_p + (1 - true) @ np.log(q)
        by_bag = true - (1 - true) * (1 - q) / q
        by_row = -by_bag[bag] * expit(-logit)
        gradient = np.concatenate(
            ([by_row.sum(), by_row @ several], z.T @ by_row + penalty * at[2:])
        )
        return float(-likelihood + penalty / 2 * at[2:] @ at[2:]), gradient

    found: Floats = minimize(loss, np.zeros(rows.shape[1] + 2), jac=True, method="L-BFGS-B").x
    weights = found[2:] / spread
    return Fit(float(found[0] - weights @ mean), float(found[1]), tuple(weights.tolist()))
