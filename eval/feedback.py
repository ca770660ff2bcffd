"""Votes from the page: on answers, which become questions, and in the arena, which become scores.

A vote is a line of a file that any number of processes append to. It has the question and the
answer, not the voter. A later vote with the same id replaces the earlier one, and may withdraw it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, Field, model_validator
from scipy import stats
from scipy.special import expit

from eval import datasets
from eval.datasets import Evidence, Identified, IdentifiedRecord, Message, Question
from eval.statistics import CONFIDENCE, Floats
from index.errors import InputError
from index.text import clean_text
from rag.citations import unescape
from rag.schema import Answer, Filters, Mode, Options, Status

FILE, VOTES = "feedback.jsonl", "votes.jsonl"
"""The files in the data folder: votes on answers, and votes of the arena."""
MIDDLE, SCALE = 1_000.0, 400.0
"""The mean score; the difference in points at which the odds are 10 : 1, as in Elo's scale."""

Winner = Literal["left", "right", "tie", "both bad"]


class Cited(BaseModel, frozen=True):
    """A cited paper, and its cited sentences word for word."""

    id: str
    title: str
    quotes: tuple[str, ...]


class Feedback(Identified, frozen=True):
    """A vote on one answer, without the voter."""

    id: str = Field(min_length=1, description="Of the turn, so that a later vote replaces this.")
    asked: datetime = Field(description="When, in UTC.")
    question: str = Field(min_length=1)
    history: tuple[Message, ...] = Field(default=(), description="Plain text, oldest first.")
    standalone_question: str
    filters: Filters = Filters()
    mode: Mode = "auto"
    options: Options = Options()
    status: Status
    text: str = Field(description="Plain text with its markers, or why there is no answer.")
    cited: tuple[Cited, ...] = Field(default=(), description="Number 1 first.")
    index: str = Field(description="Id of the index that answered.")
    vote: Literal["up", "down"] | None = Field(description="None: it was withdrawn.")
    reason: str | None = None

    @classmethod
    def on(cls, answer: Answer, **given: object) -> "Feedback":
        """Make a vote on an answer; `given` are the fields that the answer does not have."""
        known = {
            **answer.model_dump(include={"question", "standalone_question", "status"}),
            "text": unescape(answer.text) or answer.reason or "",
            "cited": [
                Cited(id=r.paper.id, title=r.paper.title, quotes=tuple(p.text for p in r.passages))
                for r in answer.references
            ],
            "index": answer.index.id,
        }
        return cls.model_validate({**known, **given})


def append(path: Path, vote: "Feedback | Vote") -> None:
    """Keep a vote, on disk before this returns; raise InputError if it cannot be written."""
    try:
        with datasets.open_to_append(path) as file:
            datasets.append_line(file, vote.model_dump(mode="json"))
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error


def load(folder: Path) -> list[Feedback]:
    """Read the votes on answers that count, oldest first; an InputError names a broken line."""
    return [each for each in _last(Feedback, folder / FILE) if each.vote is not None]


def read_votes(path: Path) -> list["Vote"]:
    """Read the votes of the arena that count; see `load`."""
    return [each for each in _last(Vote, path) if each.winner is not None]


def _last(model: type[IdentifiedRecord], path: Path) -> list[IdentifiedRecord]:
    """Read the last vote of each id."""
    last: dict[str, IdentifiedRecord] = {}
    for _, vote in datasets.records(model, path) if path.exists() else ():
        last.pop(vote.id, None)
        last[vote.id] = vote
    return list(last.values())


def is_case(feedback: Feedback) -> bool:
    """Return whether a vote can be a question: a refusal under filters cannot, as none has them."""
    return feedback.status == "answered" or feedback.filters == Filters()


def case(feedback: Feedback) -> Question:
    """Turn a vote into a question to measure with.

    Voted up: the citations are right, or the refusal is; facts are what `_facts` finds. Voted down:
    nobody said what is right, so there is no gold; a refusal should have been an answer.
    """
    right = feedback.vote == "up"
    cited = feedback.cited if right else ()
    quotes = [Evidence(paper=each.title, quote=quote) for each in cited for quote in each.quotes]
    facts = dict.fromkeys(_facts(each.quote, feedback.question) for each in quotes)
    return Question(
        id=f"feedback-{feedback.id}",
        type="upvoted" if right else "downvoted",
        question=feedback.question,
        history=feedback.history,
        answerable=not right or feedback.status == "answered",
        papers=tuple(each.title for each in cited),
        evidence=tuple(quotes),
        nuggets=tuple(filter(None, facts)),
        note=feedback.model_dump_json(
            include={"asked", "index", "filters", "status", "vote", "reason", "cited"},
            exclude_defaults=True,
        ),
    )


def _facts(quote: str, question: str) -> tuple[str, ...]:
    """Return the numbers and names of a sentence that the question lacks.

    A number has two characters or more, a name a capital inside: other wordings keep them.
    """
    words = (word.strip(".,;:!?()[]\"'“”") for word in clean_text(quote).split())
    new = (word for word in dict.fromkeys(words) if word.casefold() not in question.casefold())
    return tuple(
        word
        for word in new
        if any(map(str.isupper, word[1:])) or (len(word) > 1 and any(map(str.isdigit, word)))
    )


class Vote(Identified, frozen=True, extra="forbid"):
    """A vote on two answers to one question; its id is the battle's, whose last vote counts."""

    id: str = Field(min_length=1)
    at: datetime
    question: str
    left: str = Field(min_length=1, description="A configuration.")
    right: str = Field(min_length=1)
    winner: Winner | None = Field(description="None: it was taken back.")
    index: str = Field(description="Id of the index that both answered from.")

    @model_validator(mode="before")
    @classmethod
    def _of_earlier_versions(cls, line: object) -> object:
        """Read a vote withdrawn by an earlier version: `{"withdrawn": ID, "at": …}`."""
        if isinstance(line, dict) and "withdrawn" in line:
            nothing = {"question": "", "left": "-", "right": "-", "winner": None, "index": ""}
            return {"id": line["withdrawn"], "at": line.get("at"), **nothing}
        return line


@dataclass(frozen=True, slots=True)
class Standing:
    """The strength of a configuration by the votes; "both bad" is a tie."""

    name: str
    score: float
    low: float
    high: float
    battles: int
    wins: int
    ties: int

    @property
    def losses(self) -> int:
        """The number of battles that the other one won."""
        return self.battles - self.wins - self.ties


def scores(votes: Sequence[Vote]) -> tuple[Standing, ...]:
    """Score every configuration that has votes, the strongest first.

    Bradley & Terry 1952, "Rank analysis of incomplete block designs": with strengths πᵢ, i beats j
    with probability πᵢ / (πᵢ + πⱼ). A score is MIDDLE + SCALE · log₁₀ πᵢ with the mean score at
    MIDDLE. A tie and "both bad" count as half a win of each. Intervals are Wald's.

    As a weak prior each has one drawn battle against an average opponent: without it the likelihood
    has no maximum where someone never lost (Hunter 2004, "MM algorithms for generalized
    Bradley-Terry models").
    """
    names = sorted({name for vote in votes for name in (vote.left, vote.right)})
    if not names:
        return ()
    each = dict(zip(names, np.eye(len(names)), strict=True))
    shares = {"left": 1.0, "right": 0.0}
    battles = np.array([*each.values(), *(each[vote.left] - each[vote.right] for vote in votes)])
    won = np.array([0.5] * len(names) + [shares.get(str(vote.winner), 0.5) for vote in votes])
    found, covariance = strengths(battles, won)
    centred = np.eye(len(names)) - 1 / len(names)
    points = SCALE / np.log(10)
    score = MIDDLE + points * (found - found.mean())
    spread = points * np.sqrt(np.diag(centred @ covariance @ centred))
    margin = stats.norm.ppf((1 + CONFIDENCE) / 2) * spread
    standings = []
    for name, middle, around in zip(names, score.tolist(), margin.tolist(), strict=True):
        fought = [vote for vote in votes if name in (vote.left, vote.right)]
        # The winning side is the field with its configuration; a tie is no field.
        winners = Counter(vars(vote).get(str(vote.winner)) for vote in fought)
        ends = middle - around, middle + around
        standings.append(Standing(name, middle, *ends, len(fought), winners[name], winners[None]))
    return tuple(sorted(standings, key=lambda standing: (-standing.score, standing.name)))


def strengths(battles: Floats, won: Floats) -> tuple[Floats, Floats]:
    """Return the most likely logarithms of strengths, shape (k,), and their covariance, (k, k).

    A row of `battles`, shape (n, k), has 1 for the left one and -1 for the right one; `won` is the
    share that the left one won, shape (n,).
    """
    found = np.zeros(battles.shape[1])
    for _ in range(200):  # Newton's method; the likelihood is concave
        chance = expit(battles @ found)
        covariance = np.linalg.inv(battles.T @ (battles * (chance * (1 - chance))[:, None]))
        step = covariance @ (battles.T @ (won - chance))
        if np.abs(step).max() < 1e-9:
            break
        found = found + np.clip(step, -1, 1)  # a longer step may overshoot
    return found, np.asarray(covariance, dtype=np.float64)
