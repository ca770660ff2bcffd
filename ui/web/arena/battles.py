"""The battles that visitors have been shown: who may vote on which, and once."""

import secrets
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

from eval.arena import Vote, Winner, add_vote, withdraw_vote
from index.errors import InputError
from rag.schema import Answer
from ui.web.arena.contest import Pair

MINUTES_KEPT = 120
"""How long one can vote on a battle, and take a vote back."""
KEPT = 500
"""Battles of all visitors; the oldest make room."""
KEPT_OF_ONE = 5
"""Battles of one visitor."""


@dataclass(frozen=True, slots=True)
class Battle:
    """Two answers that one visitor sees. The page knows its id only; the names stay here."""

    id: str
    visitor: str
    question: str
    pair: Pair
    """Left and right."""
    answers: tuple[Answer, Answer]
    begun_seconds: float
    """Of the machine's monotonic clock."""
    winner: Winner | None = None
    """What its visitor voted, or None before."""


class Battles:
    """Battles in memory, votes in a file. May be used from several threads at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        """The file of the votes."""
        self._battles: dict[str, Battle] = {}
        self._lock = Lock()

    def begin(
        self, visitor: str, question: str, pair: Pair, answers: tuple[Answer, Answer]
    ) -> Battle:
        """Keep a battle that `visitor` is about to see."""
        battle = Battle(
            secrets.token_urlsafe(16), visitor, question, pair, answers, time.monotonic()
        )
        with self._lock:
            own = [id_ for id_, each in self._battles.items() if each.visitor == visitor]
            for id_ in own[: max(0, len(own) - KEPT_OF_ONE + 1)]:
                del self._battles[id_]
            for id_ in list(self._battles)[: max(0, len(self._battles) - KEPT + 1)]:
                del self._battles[id_]
            self._battles[battle.id] = battle
        return battle

    def vote(self, visitor: str, id_: str, winner: Winner) -> Battle:
        """Keep the vote of `visitor` on a battle of theirs.

        Raises:
            InputError: there is no such battle of this visitor, it is too old, it has a vote, or
                the vote cannot be written.
        """
        with self._lock:
            battle = self._own(visitor, id_)
            if battle.winner:
                raise InputError("you have voted on this battle; take the vote back to change it")
            left, right = (each.name for each in battle.pair)
            vote = Vote(
                id=battle.id,
                at=datetime.now(UTC),
                question=battle.question,
                left=left,
                right=right,
                winner=winner,
                index=battle.answers[0].index.id,
            )
            add_vote(self.path, vote)
            return self._keep(replace(battle, winner=winner))

    def undo(self, visitor: str, id_: str) -> Battle:
        """Take the vote of `visitor` on a battle of theirs back.

        Raises:
            InputError: there is no such battle of this visitor, it is too old, it has no vote, or
                that cannot be written.
        """
        with self._lock:
            battle = self._own(visitor, id_)
            if not battle.winner:
                raise InputError("there is no vote to take back")
            withdraw_vote(self.path, battle.id, datetime.now(UTC))
            return self._keep(replace(battle, winner=None))

    def _own(self, visitor: str, id_: str) -> Battle:
        battle = self._battles.get(id_)
        if battle is None or battle.visitor != visitor:
            raise InputError("this battle is over: ask again to see another one")
        if time.monotonic() - battle.begun_seconds > 60 * MINUTES_KEPT:
            del self._battles[id_]
            raise InputError("this battle is too old to vote on: ask again to see another one")
        return battle

    def _keep(self, battle: Battle) -> Battle:
        self._battles[battle.id] = battle
        return battle
