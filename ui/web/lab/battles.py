"""Battles of the arena: who can meet, two who answer one question, and who may vote on it, once."""

import asyncio
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from eval.arena import Vote, Winner, add_vote, withdraw_vote
from index.errors import InputError
from rag.schema import Answer, AnswerMode, Options

if TYPE_CHECKING:
    from rag import Assistant


@dataclass(frozen=True, slots=True)
class Configuration:
    """One way of answering, under the name that its votes are counted by."""

    name: str
    mode: AnswerMode
    options: Options = field(default_factory=Options)
    is_drawn: bool = True
    """Whether it meets others by chance; other models of the endpoint only when they are chosen,
    since an endpoint may list what cannot chat, or costs more."""


Pair = tuple[Configuration, Configuration]

QUOTES = (
    Configuration("Quotes", "extractive"),
    Configuration("Quotes, strict", "extractive", Options(strictness="strict")),
    Configuration("Quotes, lenient", "extractive", Options(strictness="lenient")),
    Configuration("Quotes, 1 source", "extractive", Options(sources=1)),
    Configuration("Quotes, 3 sources", "extractive", Options(sources=3)),
)

_chance = secrets.SystemRandom()


def configurations(assistant: "Assistant") -> dict[str, Configuration]:
    """The configurations by name: quotes, then what each model of the endpoint writes."""
    found = {each.name: each for each in QUOTES}
    for place, model in enumerate(assistant.chat_models()[:20]):  # some list hundreds
        strict = Options(model=model, strictness="strict")
        for name, options in ((model, Options(model=model)), (f"{model}, strict", strict)):
            found[name] = Configuration(name, "generative", options, is_drawn=place == 0)
    return found


async def contest(
    assistant: "Assistant",
    question: str,
    known: Iterable[Configuration],
    chosen: Sequence[Configuration] = (),
) -> tuple[Pair, tuple[Answer, Answer]]:
    """A pair, left and right by chance, and what each of the two answered.

    Two that were both chosen meet. Else pairs are drawn until their answers differ: two that are
    the same leave nothing to vote on. Cancelling it closes what chat models were still sending.

    Args:
        assistant: Who answers.
        question: What both are asked.
        known: What pairs are drawn from.
        chosen: At most two that have to be in the pair.

    Raises:
        InputError: the question cannot be asked, one of the two could not answer as it should, or
            all answers are the same.
    """
    if len(chosen) == 2 and chosen[0] == chosen[1]:
        raise InputError("choose two different configurations, or leave one to chance")
    answers: dict[str, Answer] = {}
    for pair in _pairs([each for each in known if each.is_drawn], chosen):
        await _answer(assistant, question, pair, answers)
        left, right = (answers[each.name] for each in pair)
        if _visible(left) != _visible(right):
            return pair, (left, right)
    who = "both" if len(chosen) == 2 else f"all {len(answers)} configurations drawn"
    raise InputError(f"{who} gave the same answer, so there is nothing to vote on: ask another")


def _pairs(drawn: Sequence[Configuration], chosen: Sequence[Configuration]) -> Iterator[Pair]:
    if len(chosen) == 2:
        pairs = [(chosen[0], chosen[1])]
    elif chosen:
        pairs = [(chosen[0], other) for other in drawn if other != chosen[0]]
    else:
        pairs = list(combinations(drawn, 2))
    for first, second in _chance.sample(pairs, min(len(pairs), 4)):
        yield (first, second) if _chance.random() < 0.5 else (second, first)


async def _answer(
    assistant: "Assistant", question: str, pair: Pair, answers: dict[str, Answer]
) -> None:
    """Have those of the pair answer that have not, at the same time."""
    missing = [each for each in pair if each.name not in answers]
    tasks = [
        asyncio.create_task(assistant.aask(question, mode=each.mode, options=each.options))
        for each in missing
    ]
    try:
        found = await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
    for configuration, answer in zip(missing, found, strict=True):
        if answer.status == "answered" and answer.mode != configuration.mode:
            raise InputError(f"{configuration.name} could not answer: {answer.notice}")
        answers[configuration.name] = answer


def _visible(answer: Answer) -> tuple[object, ...]:
    """What a reader sees of an answer."""
    return answer.status, answer.text, answer.reason, answer.references


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

    KEPT = 500
    """Battles of all visitors; the oldest make room."""
    KEPT_OF_ONE = 5
    """Battles of one visitor."""

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
            for id_ in (*same[: -self.KEPT_OF_ONE], *list(self._battles)[: -self.KEPT]):
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
