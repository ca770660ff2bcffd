"""What a chat model's tokens cost.

List prices of the makers' own endpoints, without discounts for cached or batched tokens. They
change: a price of one's own goes before them.
"""

import math
import re
from dataclasses import dataclass
from typing import Self

from index.errors import InputError
from rag.chat.reply import Spent

AS_OF = "2025-12"
"""Year and month that the prices below are of; later models have none here."""
_TOKENS = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens, of prompts and of completions (thoughts among them)."""

    prompt: float
    completion: float

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "IN/OUT", as in "0.15/0.60".

        Raises:
            InputError: it is not that.
        """
        try:
            prompt, completion = (float(part) for part in text.split("/"))
        except ValueError:
            prompt = completion = math.nan
        if not (0 <= prompt < math.inf and 0 <= completion < math.inf):
            raise InputError(
                f"price {text[:40]!r} is not like 0.15/0.60: dollars per million tokens of"
                " prompts / of completions (ABSTRACTQA_CHAT_PRICE)"
            )
        return cls(prompt, completion)

    def of(self, spent: Spent) -> float:
        """What these tokens cost, in US dollars."""
        prompts, completions = spent.prompt_tokens, spent.completion_tokens
        return (prompts * self.prompt + completions * self.completion) / _TOKENS


PRICES = {
    "gpt-3.5-turbo": Price(0.5, 1.5),
    "gpt-4": Price(30, 60),
    "gpt-4-turbo": Price(10, 30),
    "gpt-4o": Price(2.5, 10),
    "gpt-4o-2024-05-13": Price(5, 15),
    "gpt-4o-mini": Price(0.15, 0.6),
    "gpt-4.1": Price(2, 8),
    "gpt-4.1-mini": Price(0.4, 1.6),
    "gpt-4.1-nano": Price(0.1, 0.4),
    "o1": Price(15, 60),
    "o3": Price(2, 8),
    "o3-mini": Price(1.1, 4.4),
    "o4-mini": Price(1.1, 4.4),
    "gpt-5": Price(1.25, 10),
    "gpt-5-mini": Price(0.25, 2),
    "gpt-5-nano": Price(0.05, 0.4),
    "gpt-5.1": Price(1.25, 10),
    "gpt-5.2": Price(1.75, 14),
    "claude-haiku-4-5": Price(1, 5),
    "claude-sonnet-4-5": Price(3, 15),
    "claude-opus-4-5": Price(5, 25),
}
_SNAPSHOT = re.compile(r"[-@](\d{4}-\d\d-\d\d|\d{8}|latest)|-\d{3,4}")
"""What follows a name where one state of the model is meant."""


def price_of(model: str, given: str | None = None) -> Price | None:
    """The price of a model's tokens, or None if it is not known, as of one that runs at home.

    Args:
        model: Its name as it is asked for, of a dated snapshot too, a maker's name before a slash.
        given: A price "IN/OUT" that goes before the known one.

    Raises:
        InputError: `given` cannot be read.
    """
    if given:
        return Price.parse(given)
    name = model.lower().rpartition("/")[2]
    known = max((known for known in PRICES if name.startswith(known)), key=len, default="")
    rest = name.removeprefix(known)
    if not known or (rest and not _SNAPSHOT.fullmatch(rest)):
        return None  # another model that has its name from this one
    return PRICES[known]
