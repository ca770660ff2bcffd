"""What readers leave on the page: votes on answers, which become questions, and votes of the arena.

Each vote is a line of a file that is only ever added to, by any number of processes; it holds what
was asked and answered, and not by whom. A later vote with the same id takes the place of the
earlier one, and may withdraw it. In the arena a vote is for one of two answers, of which whoever
votes does not see who gave them; `scores` turns these into a strength of each configuration.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator
from scipy import stats
from scipy.special import expit

from eval.datasets import (
    Evidence,
    Identified,
    IdentifiedRecord,
    Message,
    Question,
    append_line,
    open_to_append,
    records,
)
from eval.statistics import CONFIDENCE, Floats
from index.errors import InputError
from index.text import clean_text
from rag.citations import unescape
from rag.schema import Answer, Filters, Mode, Options, Status

FILE, VOTES = "feedback.jsonl", "votes.jsonl"
"""The files' names in the folder of what people leave on the page."""
NOTED = {"asked", "index", "filters", "status", "vote", "reason", "cited"}
"""What the note of a case has of its vote."""
MIDDLE, SCALE = 1_000.0, 400.0
"""The mean score of all; points at which the odds of winning are 10 : 1, as Elo has it."""

Winner = Literal["left", "right", "tie", "both bad"]


class Cited(BaseModel):
    """A paper that the answer cites, and the sentences of it, word for word."""

    model_config = ConfigDict(frozen=True)

    id: str
    title: str
    quotes: tuple[str, ...]


class Feedback(Identified):
    """A vote on one answer. Who gave it is not in it."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(min_length=1, description="Of the turn, so that a later vote replaces this.")
    asked: datetime = Field(description="When, in UTC.")
    question: str = Field(min_length=1)
    history: tuple[Message, ...] = Field(default=(), description="Plain text, oldest first.")
    standalone_question: str
    filters: Filters = Filters()
    mode: Mode = "auto"
    options: Options = Options()
    status: Status
    text: str = Field(
        description="The answer in plain text with its markers, or why there is none."
    )
    cited: tuple[Cited, ...] = Field(default=(), description="Number 1 first.")
    index: str = Field(description="Id of the index that answered.")
    vote: Literal["up", "down"] | None = Field(description="None: it was withdrawn.")
    reason: str | None = None

    @classmethod
    def on(cls, answer: Answer, **given: object) -> "Feedback":
        """A vote on an answer; `given` are the fields that the answer does not have."""
        said = {
            "question": answer.question,
            "standalone_question": answer.standalone_question,
            "status": answer.status,
            "text": unescape(answer.text) or answer.reason or "",
            "cited": [
                Cited(id=r.paper.id, title=r.paper.title, quotes=tuple(p.text for p in r.passages))
                for r in answer.references
            ],
            "index": answer.index.id,
        }
        return cls.model_validate({**said, **given})


def append(path: Path, vote: "Feedback | Vote") -> None:
    """Keep a vote, on disk before this returns.

    Raises:
        InputError: it cannot be written.
    """
    try:
        with open_to_append(path) as file:
            append_line(file, vote.model_dump(mode="json"))
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error


def load(folder: Path) -> list[Feedback]:
    """The votes on answers that stand, the last given last; none if there is no file.

    Raises:
        InputError: the file cannot be read, or a line is no vote; the message names file and line.
    """
    return [each for each in _last(Feedback, folder / FILE) if each.vote is not None]


def read_votes(path: Path) -> list["Vote"]:
    """The votes of the arena that stand; see `load`."""
    return [each for each in _last(Vote, path) if each.winner is not None]


def _last(model: type[IdentifiedRecord], path: Path) -> list[IdentifiedRecord]:
    """The last vote of each id."""
    last: dict[str, IdentifiedRecord] = {}
    for vote in records(model, path) if path.exists() else ():
        last.pop(vote.id, None)
        last[vote.id] = vote
    return list(last.values())


def is_case(feedback: Feedback) -> bool:
    """Whether a vote can be a question: none has filters, so a refusal with filters cannot."""
    return feedback.status == "answered" or feedback.filters == Filters()


def case(feedback: Feedback) -> Question:
    """A vote as a question to measure by.

    Up: what the answer cites is right, and a refusal was. Its facts are the numbers and the names
    in each sentence cited, without what the question says itself. Down: nobody said what is right,
    so no gold is given; a refusal should have been an answer.
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
        note=feedback.model_dump_json(include=NOTED, exclude_defaults=True),
    )


def _facts(quote: str, question: str) -> tuple[str, ...]:
    """What tells that an answer states a sentence: its numbers and names, not the question's.

    A number has two signs or more, a name a capital inside: what another wording says, too.
    """
    words = (word.strip(".,;:!?()[]\"'“”") for word in clean_text(quote).split())
    telling = [
        word
        for word in words
        if any(map(str.isupper, word[1:])) or (len(word) > 1 and any(map(str.isdigit, word)))
    ]
    return tuple(dict.fromkeys(w for w in telling if w.casefold() not in question.casefold()))


class Vote(Identified):
    """What someone thought of two answers to one question; `left` and `right` name who gave them.

    Its id is the battle's: of each battle the last vote counts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(min_length=1)
    at: datetime
    question: str
    left: str = Field(min_length=1)
    right: str = Field(min_length=1)
    winner: Winner | None = Field(description="None: it was taken back.")
    index: str = Field(description="Id of the index that both answered from.")

    @model_validator(mode="before")
    @classmethod
    def _of_earlier_versions(cls, line: object) -> object:
        """Read how earlier versions took a vote back: `{"withdrawn": ID, "at": …}`."""
        if isinstance(line, dict) and "withdrawn" in line:
            nothing = {"question": "", "left": "-", "right": "-", "winner": None, "index": ""}
            return {"id": line["withdrawn"], "at": line.get("at"), **nothing}
        return line


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


def scores(votes: Sequence[Vote]) -> tuple[Standing, ...]:
    """Say who is how strong, the strongest first; nobody without votes.

    Bradley & Terry 1952, "Rank analysis of incomplete block designs": with strengths πᵢ, i beats j
    with probability πᵢ / (πᵢ + πⱼ). A score is MIDDLE + 400 · log₁₀ πᵢ with the mean score at
    MIDDLE. A tie and "both bad" count as half a win of each.

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


def strengths(won: Floats) -> tuple[Floats, Floats]:
    """Natural logarithms of the strengths under which these results are likeliest.

    Each has one drawn battle against an average opponent, whose logarithm is 0.

    Args:
        won: How often i beat j, at [i, j]; halves for ties.

    Returns:
        The logarithms, shape [i], and their covariance, shape [i, i].
    """
    met, total = won + won.T, won.sum(axis=1) + 0.5
    found = np.zeros(len(won))
    for _ in range(200):  # Newton's method; the likelihood is concave
        chance, average = expit(found[:, None] - found), expit(found)
        between = met * chance * (1 - chance)
        own = between.sum(axis=1) + average * (1 - average)
        covariance = np.linalg.inv(np.diag(own) - between)
        step = covariance @ (total - (met * chance).sum(axis=1) - average)
        if np.abs(step).max() < 1e-9:
            break
        found = found + np.clip(step, -1, 1)  # further it may overshoot
    return found, np.asarray(covariance, dtype=np.float64)


def _results(votes: Iterable[Vote], names: Sequence[str]) -> Floats:
    """How often i beat j, and how often i tied with j (symmetric), at [0 or 1, i, j]."""
    place = {name: at for at, name in enumerate(names)}
    results = np.zeros((2, len(names), len(names)))
    for vote in votes:
        left, right = place[vote.left], place[vote.right]
        if vote.winner in ("left", "right"):
            results[0, *((left, right) if vote.winner == "left" else (right, left))] += 1
        else:
            results[1, [left, right], [right, left]] += 1
    return results
