"""What is kept of a conversation: its turns, each with what was asked and what came back."""

import secrets
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from rag.schema import Answer, Filters, Mode, Options

Vote = Literal["up", "down"]

_ID_BYTES = 16


def new_id() -> str:
    """An id that nobody guesses: 22 letters, digits, `-` and `_`, 128 random bits."""
    return secrets.token_urlsafe(_ID_BYTES)


def now() -> datetime:
    """This moment in UTC."""
    return datetime.now(UTC)


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]


class _Frozen(BaseModel):
    # A field that a newer version wrote beside those known here is no reason to refuse the rest.
    model_config = ConfigDict(frozen=True, extra="ignore")


class Turn(_Frozen):
    """One question, and what came of it.

    Once it is over there is an `answer`, or a `problem`, or the `partial` text of an answer that
    was stopped.
    """

    id: str = Field(default_factory=new_id)
    asked: Moment = Field(default_factory=now, description="When, in UTC.")
    question: str
    filters: Filters = Filters()
    mode: Mode = "auto"
    options: Options = Options()
    answer: Answer | None = None
    problem: str | None = Field(default=None, description="Why there is no answer, in one line.")
    partial: str | None = Field(default=None, description="The text so far, if it was stopped.")
    followups: tuple[str, ...] = ()
    vote: Vote | None = None
    vote_reason: str | None = None


class Conversation(_Frozen):
    """Questions that follow one another; each may refer to those before it."""

    id: str
    title: str
    created: Moment
    updated: Moment
    turns: tuple[Turn, ...] = Field(default=(), description="Oldest first.")

    def turn(self, id: str) -> Turn | None:  # noqa: A002 - what it is called everywhere
        """The turn with this id, if there is one."""
        return next((turn for turn in self.turns if turn.id == id), None)


class Summary(_Frozen):
    """A conversation as a list shows it."""

    id: str
    title: str
    updated: Moment
    turns: int = Field(ge=0, description="How many.")
