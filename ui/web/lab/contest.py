"""Who can meet in the arena, and two of them answering one question at the same time."""

import asyncio
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING

from index.errors import InputError
from rag.schema import Answer, AnswerMode, Options

if TYPE_CHECKING:
    from rag import Assistant

MOST_MODELS = 20
"""Of those that an endpoint lists; some list hundreds."""
PAIRS_TRIED = 4
"""Pairs that are drawn until two answers differ."""


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
    for place, model in enumerate(assistant.chat_models()[:MOST_MODELS]):
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
    for first, second in _chance.sample(pairs, min(len(pairs), PAIRS_TRIED)):
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
