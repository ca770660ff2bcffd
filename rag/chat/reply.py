"""What goes to a chat model and what comes back: messages, and a reply that was read with care."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypedDict

from pydantic import BaseModel, Field, ValidationError

from rag.chat.errors import ChatError, ReplyError

_CHARACTERS_PER_TOKEN = 4
"""Of English text; used where the endpoint counts nothing."""


class Message(TypedDict):
    """One turn of what the model reads."""

    role: Literal["system", "user", "assistant"]
    content: str


Complete = Callable[[list[Message]], str]
"""All that most callers need of a chat model: its reply to a conversation."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a chat model said, never empty, and what it took.

    Tokens are the endpoint's own count; with `estimated`, a quarter of the characters. `seconds`
    are wall-clock, with every request that was tried again.
    """

    text: str
    prompt_tokens: int
    completion_tokens: int
    estimated: bool
    seconds: float


# What we need of a completion, and nothing else: endpoints differ in the rest.
class _Said(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Said
    finish_reason: str | None = None


class _Usage(BaseModel):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Completion(BaseModel):
    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage | None = None


def read_reply(body: bytes, asked: list[Message], seconds: float, where: str) -> Reply:
    """Read the JSON body of a chat completion.

    Args:
        body: As it came.
        asked: The messages it answers, for an estimate of their tokens.
        seconds: What it took.
        where: The model and its host, as messages begin.

    Raises:
        ReplyError: it is a refusal, or empty.
        ChatError: it is no chat completion.
    """
    try:
        completion = _Completion.model_validate_json(body)
    except ValidationError:
        raise ChatError(f"{where} sent a reply that is not of OpenAI's chat protocol") from None
    choice, usage = completion.choices[0], completion.usage or _Usage()
    if choice.message.refusal or choice.finish_reason == "content_filter":
        why = " ".join((choice.message.refusal or "its content filter stopped it").split())
        raise ReplyError(f"{where} refused to answer: {why[:200]}")
    text = choice.message.content or ""
    if not text.strip():
        raise ReplyError(f"{where} gave an empty reply (finish reason: {choice.finish_reason})")
    prompt, completed = usage.prompt_tokens, usage.completion_tokens
    return Reply(
        text=text,
        prompt_tokens=_tokens(*(message["content"] for message in asked))
        if prompt is None
        else prompt,
        completion_tokens=_tokens(text) if completed is None else completed,
        estimated=prompt is None or completed is None,
        seconds=seconds,
    )


def _tokens(*texts: str) -> int:
    return -(-sum(map(len, texts)) // _CHARACTERS_PER_TOKEN)
