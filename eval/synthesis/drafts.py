"""A question before anyone has checked it, and what was wrong with those that were dropped."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Draft:
    """A question that one paper of an index should answer."""

    paper: int
    """The paper's row in `index.papers`."""
    type: str
    """`cloze`, or `synthetic` if a model wrote it."""
    question: str
    quote: str
    """What answers it, word for word as the stored abstract has it."""
    nugget: tuple[str, ...]
    """The answer in every wording that counts, the wording of the abstract first."""


class Reason(StrEnum):
    """Why a draft was dropped."""

    UNREADABLE = "the reply names no question, answer and sentence"
    NO_QUESTION = "not a question"
    LENGTH = "the question or the answer is too short or too long"
    COPIES_TITLE = "the question copies the title"
    GIVES_ANSWER = "the question gives the answer away"
    NO_SUBJECT = "the question does not say what it is about"
    SENTENCE_NOT_FOUND = "the sentence is not in the abstract"
    ANSWER_NOT_FOUND = "the answer is not in the sentence"
    NOT_FOUND_AGAIN = "retrieval does not find the paper again"
    DUPLICATE = "too like a question that was kept"
