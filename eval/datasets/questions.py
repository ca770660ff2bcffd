"""Question files: what is asked, and what a right answer cites and says."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from eval.datasets.lines import Identified, Words, identified, write_json_lines


class Message(BaseModel):
    """One turn of the conversation before a question."""

    model_config = ConfigDict(frozen=True)

    role: Literal["user", "assistant"]
    content: Words


class Evidence(BaseModel):
    """A stretch of a paper's abstract, word for word, that holds (part of) the answer."""

    model_config = ConfigDict(frozen=True)

    paper: Words = Field(description="Exact title.")
    quote: Words


class Question(Identified):
    """A question with what a right answer cites and says.

    `type` is any word that figures are to be told apart by ("fact", "list"). Three have a
    meaning: "followup" and "digest" need the history or the filters that `ask` adds, and
    "false-premise" supposes something that the papers do not say. Such a question is not
    answerable; its nuggets, if it has any, are what corrects it.
    """

    model_config = ConfigDict(frozen=True)

    id: Words
    type: Words
    question: Words
    history: tuple[Message, ...] = Field(default=(), description="Oldest first.")
    answerable: bool
    answer: Literal["yes", "no", "maybe"] | None = Field(
        default=None, description="The right answer to a yes/no question."
    )
    papers: tuple[Words, ...] = Field(default=(), description="Titles of the papers that answer.")
    also: tuple[Words, ...] = Field(default=(), description="Titles that may be cited beside them.")
    least: int | None = Field(
        default=None, ge=1, description="How many of both to cite at least; half of `papers`."
    )
    evidence: tuple[Evidence, ...] = ()
    nuggets: tuple[Annotated[tuple[Words, ...], Field(min_length=1)], ...] = Field(
        default=(), description="Facts of a right answer; each lists the wordings that count."
    )
    note: str | None = None


def load_questions(path: Path) -> list[Question]:
    """Read a questions file: JSON Lines, one `Question` an object; other fields are ignored.

    Raises:
        InputError: no such file, no questions in it, or a line that is not a question or
            repeats an id; the message names file and line.
    """
    return [question for _, question in identified(Question, path)]


def write_questions(path: Path, questions: Iterable[Question]) -> None:
    """Write a questions file that `load_questions` reads back, whole or not at all.

    Raises:
        InputError: the file cannot be written.
    """
    write_json_lines(path, questions)
