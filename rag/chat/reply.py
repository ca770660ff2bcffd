"""What goes to a chat model and what comes back."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypedDict

CHARACTERS_PER_TOKEN = 4
"""Of English text; used where the endpoint counts nothing."""


class Message(TypedDict):
    """One turn of what the model reads."""

    role: Literal["system", "user", "assistant"]
    content: str


Complete = Callable[[list[Message]], str]
"""All that most callers need of a chat model: its reply to a conversation."""


def tokens_of(text: str) -> int:
    """How many tokens a text has, about: a quarter of its characters."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


@dataclass(frozen=True, slots=True)
class Spent:
    """The tokens that were read and written, and whether any of them are estimates."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    estimated: bool = False

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.estimated or other.estimated,
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """What a chat model said, never empty and without what it thought, and what it took.

    Tokens are the endpoint's own count; with `estimated`, some are a quarter of the characters.
    They and `seconds` (wall-clock) take in every request that was tried again.
    """

    text: str
    prompt_tokens: int
    completion_tokens: int
    estimated: bool
    seconds: float
    cut: bool = False
    """Whether its limit of tokens ended it."""
    model: str = ""
    """The model that the endpoint says has answered; empty if it does not say."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a call may take, in seconds."""

    whole: float
    first_word: float | None = None
