"""Question files: what is asked, and what a right answer cites and says."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from eval.datasets.lines import Words, json_lines, parse
from index.errors import InputError


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


class Question(BaseModel):
    """A question with what a right answer cites and says."""

    model_config = ConfigDict(frozen=True)

    id: Words
    type: Words
    question: Words
    history: tuple[Message, ...] = Field(default=(), description="Oldest first.")
    answerable: bool
    papers: tuple[Words, ...] = Field(default=(), description="Titles of the papers that answer.")
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
    questions: dict[str, Question] = {}
    for number, record in json_lines(path):
        question = parse(Question, record, path, number)
        if question.id in questions:
            raise InputError(f"{path}:{number}: id {question.id!r} stands twice; ids must differ")
        questions[question.id] = question
    if not questions:
        raise InputError(f"{path} holds no questions; write one JSON object a line")
    return list(questions.values())
