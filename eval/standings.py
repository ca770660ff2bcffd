"""Votes for one of two answers to the same question, and what they say of who is better.

A vote is given blind: whoever votes sees two answers and not which configuration gave them.
Votes are lines of one file, only ever added to, by any number of processes. `scores` turns them
into a strength of each configuration.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from scipy import stats
from scipy.special import expit

from eval.datasets import json_lines, parse
from eval.feedback import appending
from eval.statistics import CONFIDENCE, Floats
from index.errors import InputError

VOTES = "votes.jsonl"
"""The file's name in the folder of what people leave on the page."""

MIDDLE, SCALE = 1_000.0, 400.0
"""The mean score of all; points at which the odds of winning are 10 : 1, as Elo has it."""
PRECISION, ROUNDS = 1e-9, 200
"""Of a strength's logarithm, and how often it is made better at most."""

Winner = Literal["left", "right", "tie", "both bad"]


class Vote(BaseModel):
    """What someone thought of two answers to one question; `left` and `right` name who gave them.

    Its id is the battle's: one battle has one vote.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(min_length=1)
    at: datetime
    question: str
    left: str = Field(min_length=1)
    right: str = Field(min_length=1)
    winner: Winner
    index: str = Field(description="Id of the index that both answered from.")


@dataclass(frozen=True, slots=True)
class Standing:
    """How strong a configuration is, by the votes."""

    name: str
    score: float
    """Points: `MIDDLE` is the mean of all, `SCALE` more wins ten times as often as it loses."""
    low: float
    high: float
    battles: int
    wins: int
    ties: int
    """"Both bad" among them."""

    @property
    def losses(self) -> int:
        """Battles that the other one won."""
        return self.battles - self.wins - self.ties


def read_votes(path: Path) -> tuple[Vote, ...]:
    """The votes that stand, oldest first; none if there is no file.

    Raises:
        InputError: the file cannot be read, or a line is no vote; the message names file and line.
    """
    if not path.exists():
        return ()
    standing: dict[str, Vote] = {}
    for number, line in json_lines(path):
        if "withdrawn" in line:  # votes of earlier versions could be taken back
            standing.pop(str(line["withdrawn"]), None)
            continue
        vote = parse(Vote, line, path, number)
        if vote.id in standing:
            raise InputError(f"{path}:{number}: vote {vote.id!r} stands twice; delete one line")
        if vote.left == vote.right:
            raise InputError(f"{path}:{number}: {vote.left!r} against itself; delete the line")
        standing[vote.id] = vote
    return tuple(standing.values())


def add_vote(path: Path, vote: Vote) -> None:
    """Keep a vote, on disk before this returns.

    Raises:
        InputError: the battle has a vote already, or the file cannot be read or written.
    """
    with appending(path) as write:
        if any(vote.id == other.id for other in read_votes(path)):
            raise InputError("this battle has been voted on")
        write(vote.model_dump(mode="json"))


def scores(votes: Sequence[Vote]) -> tuple[Standing, ...]:
    """Say who is how strong, the strongest first; nobody without votes.

    The model is that of Bradley & Terry 1952, "Rank analysis of incomplete block designs": with
    strengths πᵢ, i beats j with probability πᵢ / (πᵢ + πⱼ). A score is MIDDLE + 400 · log₁₀ πᵢ with
    the mean score at MIDDLE. A tie and "both bad" count as half a win of each.

    Each is given one drawn battle against an average opponent, a weak prior, or the likelihood had
    no maximum where someone never lost (Hunter 2004, "MM algorithms for generalized Bradley-Terry
    models"). Scores of those that no chain of battles joins rest on it alone. Intervals are Wald's.
    """
    names = sorted({name for vote in votes for name in (vote.left, vote.right)})
    if not names:
        return ()
    won, tied = _results(votes, names)
    found, covariance = strengths(won + tied / 2)
    centred = np.eye(len(names)) - 1 / len(names)
    points = SCALE / np.log(10)
    score = MIDDLE + points * (found - found.mean())
    spread = points * np.sqrt(np.diag(centred @ covariance @ centred))
    margin = stats.norm.ppf((1 + CONFIDENCE) / 2) * spread
    battles = (won + won.T + tied).sum(axis=1)
    standings = [
        Standing(
            name=name,
            score=float(score[at]),
            low=float(score[at] - margin[at]),
            high=float(score[at] + margin[at]),
            battles=int(battles[at]),
            wins=int(won[at].sum()),
            ties=int(tied[at].sum()),
        )
        for at, name in enumerate(names)
    ]
    return tuple(sorted(standings, key=lambda standing: (-standing.score, standing.name)))


def strengths(won: Floats, prior: float = 1.0) -> tuple[Floats, Floats]:
    """Natural logarithms of the strengths under which these results are likeliest.

    Args:
        won: How often i beat j, at [i, j]; halves for ties.
        prior: Drawn battles of each against an average opponent, whose logarithm is 0; above 0.

    Returns:
        The logarithms, shape [i], and their covariance, shape [i, i].
    """
    met, total = won + won.T, won.sum(axis=1) + prior / 2
    found = np.zeros(len(won))
    for _ in range(ROUNDS):  # Newton's method; the likelihood is concave
        chance, average = expit(found[:, None] - found), expit(found)
        slope = total - (met * chance).sum(axis=1) - prior * average
        between = met * chance * (1 - chance)
        own = between.sum(axis=1) + prior * average * (1 - average)
        covariance = np.linalg.inv(np.diag(own) - between)
        step = covariance @ slope
        if np.abs(step).max() < PRECISION:
            break
        found = found + np.clip(step, -1, 1)  # further it may overshoot
    return found, np.asarray(covariance, dtype=np.float64)


def _results(votes: Iterable[Vote], names: Sequence[str]) -> Floats:
    """How often i beat j, and how often i tied with j (symmetric), at [0 or 1, i, j]."""
    place = {name: at for at, name in enumerate(names)}
    results = np.zeros((2, len(names), len(names)))
    for vote in votes:
        left, right = place[vote.left], place[vote.right]
        results[0, left, right] += vote.winner == "left"
        results[0, right, left] += vote.winner == "right"
        results[1, [left, right], [right, left]] += vote.winner in ("tie", "both bad")
    return results
