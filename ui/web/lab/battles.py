"""The battles that visitors have been shown: who may vote on which, and once."""

import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

from eval.arena import Vote, Winner, add_vote, withdraw_vote
from index.errors import InputError
from rag.schema import Answer
from ui.web.lab.contest import Pair

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
        battle = Battle(secrets.token_urlsafe(16), visitor, question, pair, answers)
        with self._lock:
            self._battles[battle.id] = battle
            same = [id_ for id_, each in self._battles.items() if each.visitor == visitor]
            for id_ in (*same[:-KEPT_OF_ONE], *list(self._battles)[:-KEPT]):
                self._battles.pop(id_, None)
        return battle

    def vote(self, visitor: str, id_: str, winner: Winner) -> Battle:
        """Keep the vote of `visitor` on a battle of theirs.

        Raises:
            InputError: there is no such battle of this visitor, it has a vote, or the vote cannot
                be written.
        """
        with self._lock:
            battle = self._of(visitor, id_)
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
            self._battles[id_] = replace(battle, winner=winner)
            return self._battles[id_]

    def undo(self, visitor: str, id_: str) -> Battle:
        """Take the vote of `visitor` on a battle of theirs back.

        Raises:
            InputError: there is no such battle of this visitor, it has no vote, or that cannot be
                written.
        """
        with self._lock:
            battle = self._of(visitor, id_)
            if not battle.winner:
                raise InputError("there is no vote to take back")
            withdraw_vote(self.path, battle.id, datetime.now(UTC))
            self._battles[id_] = replace(battle, winner=None)
            return self._battles[id_]

    def _of(self, visitor: str, id_: str) -> Battle:
        battle = self._battles.get(id_)
        if battle is None or battle.visitor != visitor:
            raise InputError("this battle is over: ask again to see another one")
        return battle
