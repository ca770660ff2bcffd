"""Answers and conversations as JSON that other programs read: the schema is `Record`."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from rag.schema import Answer, Filters, Mode, Options
from ui.archive.models import Conversation, Turn, Vote


class RecordedTurn(BaseModel):
    """A question and what came of it; `answer` is what the Python API returns."""

    model_config = ConfigDict(frozen=True)

    asked: datetime = Field(description="When, in UTC.")
    question: str
    filters: Filters
    mode: Mode
    options: Options
    answer: Answer | None
    problem: str | None = Field(description="Why there is no answer.")
    partial: str | None = Field(description="The text so far of an answer that was stopped.")
    vote: Vote | None
    vote_reason: str | None


class Record(BaseModel):
    """A conversation, or one turn of it; the ids by which the page knows them are left out."""

    model_config = ConfigDict(frozen=True)

    format: Literal["abstractqa-conversation"] = "abstractqa-conversation"
    version: Literal[1] = 1
    title: str
    turns: tuple[RecordedTurn, ...] = Field(description="Oldest first.")


def answer_json(turn: Turn) -> str:
    """One question with its answer: a `Record` of one turn."""
    return _written(turn.question, (turn,))


def conversation_json(conversation: Conversation) -> str:
    """A conversation as a `Record`."""
    return _written(conversation.title, conversation.turns)


def _written(title: str, turns: tuple[Turn, ...]) -> str:
    recorded = tuple(
        RecordedTurn.model_validate(
            {name: getattr(turn, name) for name in RecordedTurn.model_fields}
        )
        for turn in turns
    )
    return Record(title=title, turns=recorded).model_dump_json(indent=2) + "\n"
