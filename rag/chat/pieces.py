"""The JSON of OpenAI's chat protocol: a whole completion, or one chunk of it."""

from dataclasses import dataclass

from pydantic import BaseModel, Field, ValidationError


class Counted(BaseModel):
    """The tokens as an endpoint counts them, where it does."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """What one chunk adds to a reply, or all of it.

    `text` belongs to the answer, `thought` to what comes before it. `failed` is what the endpoint
    says of a failure; nothing else counts then.
    """

    text: str = ""
    thought: str = ""
    refusal: str = ""
    finish: str | None = None
    counted: Counted | None = None
    failed: str | None = None


# What we need of them, and nothing else: endpoints differ in the rest.
class _Said(BaseModel):
    content: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None


class _Choice(BaseModel):
    message: _Said
    finish_reason: str | None = None


class _Completion(BaseModel):
    choices: list[_Choice] = Field(min_length=1)
    usage: Counted | None = None


class _ChunkChoice(BaseModel):
    delta: _Said | None = None
    finish_reason: str | None = None


class _Chunk(BaseModel):
    choices: list[_ChunkChoice]
    usage: Counted | None = None


class _Failure(BaseModel):
    message: str = ""


class _Failed(BaseModel):
    error: _Failure | str


def read_completion(body: bytes) -> Piece | None:
    """What the body of a chat completion says; None if it is none."""
    try:
        completion = _Completion.model_validate_json(body)
    except ValidationError:
        return None
    choice = completion.choices[0]
    return _piece(choice.message, choice.finish_reason, completion.usage)


def read_chunk(data: bytes) -> Piece | None:
    """What the data of one event say; None if they are no chunk of a chat completion."""
    try:
        chunk = _Chunk.model_validate_json(data)
    except ValidationError:
        return _read_failure(data)
    if not chunk.choices:  # that of the tokens, or of a filter's findings
        return Piece(counted=chunk.usage)
    choice = chunk.choices[0]
    return _piece(choice.delta or _Said(), choice.finish_reason, chunk.usage)


def _piece(said: _Said, finish: str | None, counted: Counted | None) -> Piece:
    return Piece(
        text=said.content or "",
        thought=said.reasoning_content or said.reasoning or "",
        refusal=said.refusal or "",
        finish=finish,
        counted=counted,
    )


def _read_failure(data: bytes) -> Piece | None:
    try:
        error = _Failed.model_validate_json(data).error
    except ValidationError:
        return None
    return Piece(failed=error if isinstance(error, str) else error.message)
