"""Votes for one of two answers to the same question, and what they say of who is better.

A vote is given blind: whoever votes sees two answers and not which configuration gave them.
Votes are lines of one file, only ever added to, by any number of processes; taking one back adds
a line too. `scores` turns them into a strength of each configuration.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from eval.bradley_terry import strengths
from eval.datasets.lines import json_lines, parse
from eval.statistics import CONFIDENCE, SEED, Floats
from index.errors import InputError

VOTES = "votes.jsonl"
"""The file's name in the folder of what people leave on the page."""

RESAMPLES = 2_000
MIDDLE = 1_000.0
"""The mean score of all configurations."""
SCALE = 400.0
"""Points at which the odds of winning are 10 : 1, as Elo has it."""

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


class Withdrawn(BaseModel):
    """A vote that was taken back: a line that comes after the vote's own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    withdrawn: str
    at: datetime


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
        if "withdrawn" in line:
            standing.pop(parse(Withdrawn, line, path, number).withdrawn, None)
            continue
        vote = parse(Vote, line, path, number)
        if vote.id in standing:
            raise InputError(f"{path}:{number}: vote {vote.id!r} stands twice; delete one line")
        if vote.left == vote.right:
            raise InputError(f"{path}:{number}: {vote.left!r} against itself; delete the line")
        standing[vote.id] = vote
    return tuple(standing.values())


def add_vote(path: Path, vote: Vote) -> None:
    """Keep a vote, on disk before this returns; the folder is made if need be.

    Raises:
        InputError: the battle has a vote already, a line of the file is no vote, or it cannot be
            written.
    """
    with _added_to(path) as file:
        if any(vote.id == other.id for other in read_votes(path)):
            raise InputError("this battle has been voted on: take the vote back first")
        _write(file, vote)


def withdraw_vote(path: Path, id_: str, at: datetime) -> None:
    """Take a vote back.

    Raises:
        InputError: there is no such vote, a line of the file is no vote, or it cannot be written.
    """
    with _added_to(path) as file:
        if all(id_ != vote.id for vote in read_votes(path)):
            raise InputError("there is no such vote to take back")
        _write(file, Withdrawn(withdrawn=id_, at=at))


@contextmanager
def _added_to(path: Path) -> Iterator[BinaryIO]:
    """The file, open to be added to by this process alone."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "a+b", opener=_own) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error


def _own(path: str, flags: int) -> int:
    """Open a file that, if it is made, nobody else can read: it holds what people ask."""
    return os.open(path, flags, 0o600)


def _write(file: BinaryIO, record: BaseModel) -> None:
    line = record.model_dump_json().encode() + b"\n"
    if file.seek(0, os.SEEK_END):
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b"\n":  # someone edited it
            line = b"\n" + line
    file.write(line)
    file.flush()
    os.fsync(file.fileno())


def scores(
    votes: Sequence[Vote],
    *,
    seed: int = SEED,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
) -> tuple[Standing, ...]:
    """Who is how strong, the strongest first; nobody without votes.

    The model is that of Bradley & Terry 1952, "Rank analysis of incomplete block designs": with
    strengths πᵢ, i beats j with probability πᵢ / (πᵢ + πⱼ). A score is MIDDLE + 400 · log₁₀ πᵢ with
    the mean score at MIDDLE. A tie counts as half a win of each, and so does "both bad": neither
    was preferred.

    The likelihood alone has no maximum where someone never lost, or where no chain of battles joins
    two (Hunter 2004, "MM algorithms for generalized Bradley-Terry models"). So each is given,
    beside its votes, one drawn battle against an average opponent: a weak prior that a few votes
    outweigh. Scores of those that no chain of battles joins (`groups`) rest on it alone.

    The intervals are bootstrap percentile intervals. Each vote counts as often as a Poisson draw of
    mean 1 says (Chamandy et al. 2012, "Estimating uncertainty for massive data streams"), and the
    result of each prior battle is drawn anew, anything from lost to won: so one vote, or a handful
    that all agree, is known to be little.

    Args:
        votes: In any order; the order changes nothing.
        seed: Of the resampling.
        resamples: How many.
        confidence: In (0, 1).
    """
    names = sorted({name for vote in votes for name in (vote.left, vote.right)})
    if not names:
        return ()
    ties, won = _counts(votes, names)
    found = _points(strengths(won + ties / 2))
    rng = np.random.default_rng(seed)
    cells = np.concatenate([won.ravel(), np.triu(ties).ravel()])
    drawn = rng.poisson(cells, size=(resamples, len(cells)))
    wins, draws = drawn.reshape(resamples, 2, len(names), len(names)).transpose(1, 0, 2, 3)
    of_prior = rng.random((resamples, len(names)))
    resampled = _points(strengths(wins + (draws + draws.swapaxes(1, 2)) / 2, of_prior))
    tail = (1 - confidence) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail], axis=0)
    standings = [
        Standing(
            name=name,
            score=float(found[i]),
            low=float(min(low[i], found[i])),
            high=float(max(high[i], found[i])),
            battles=int(won[i].sum() + won[:, i].sum() + ties[i].sum()),
            wins=int(won[i].sum()),
            ties=int(ties[i].sum()),
        )
        for i, name in enumerate(names)
    ]
    return tuple(sorted(standings, key=lambda standing: (-standing.score, standing.name)))


def groups(votes: Iterable[Vote]) -> tuple[frozenset[str], ...]:
    """Those that battles join, directly or through others; scores compare within one only."""
    found: list[frozenset[str]] = []
    for vote in votes:
        pair = frozenset({vote.left, vote.right})
        joined = [group for group in found if group & pair]
        found = [group for group in found if not group & pair]
        found.append(pair.union(*joined))
    return tuple(sorted(found, key=sorted))


def _counts(
    votes: Iterable[Vote], names: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How often i tied with j (symmetric), and how often i beat j, at [i, j]."""
    at = {name: i for i, name in enumerate(names)}
    ties, won = np.zeros((2, len(names), len(names)), dtype=np.int64)
    for vote in votes:
        left, right = at[vote.left], at[vote.right]
        if vote.winner == "left":
            won[left, right] += 1
        elif vote.winner == "right":
            won[right, left] += 1
        else:
            ties[left, right] += 1
            ties[right, left] += 1
    return ties, won


def _points(logarithms: Floats) -> Floats:
    centred = logarithms - logarithms.mean(axis=-1, keepdims=True)
    return np.asarray(MIDDLE + SCALE / np.log(10) * centred)
