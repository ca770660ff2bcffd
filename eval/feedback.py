"""What readers think of answers: a file of votes, which becomes questions to measure by.

Each vote is one line of `feedback.jsonl`, with what was asked and answered but not by whom. A later
vote on the same answer takes the place of the earlier one, and may withdraw it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from eval.datasets import (
    Evidence,
    Message,
    Question,
    append_line,
    open_to_append,
    records,
)
from index.errors import InputError
from index.text import clean_text
from rag.citations import unescape
from rag.schema import Answer, Filters, Mode, Options, Status

FILE = "feedback.jsonl"

# A number of two signs or more, or a word with a capital inside: what another wording of the same
# fact says, too.
_TELLING = re.compile(r"(?<![\w.,])\d[\d.,]*(?:\d%?|%)|\b\w[\w-]*[A-Z][\w-]*")


class Cited(BaseModel):
    """A paper that the answer cites, and the sentences of it, word for word."""

    model_config = ConfigDict(frozen=True)

    id: str
    title: str
    quotes: tuple[str, ...]


class Feedback(BaseModel):
    """A vote on one answer. Who gave it is not in it."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(min_length=1, description="Of the turn, so that a later vote replaces this.")
    asked: datetime = Field(description="When, in UTC.")
    question: str = Field(min_length=1)
    history: tuple[Message, ...] = Field(default=(), description="Plain text, oldest first.")
    standalone_question: str
    filters: Filters = Filters()
    mode: Mode = "auto"
    options: Options = Options()
    status: Status
    text: str = Field(
        description="The answer in plain text with its markers, or why there is none."
    )
    cited: tuple[Cited, ...] = Field(default=(), description="Number 1 first.")
    index: str = Field(description="Id of the index that answered.")
    vote: Literal["up", "down"] | None = Field(description="None: it was withdrawn.")
    reason: str | None = None

    @classmethod
    def on(
        cls,
        answer: Answer,
        vote: Literal["up", "down"] | None,
        reason: str | None = None,
        *,
        id: str,  # noqa: A002 - what it is called everywhere
        asked: datetime,
        history: Sequence[Message] = (),
        filters: Filters | None = None,
        mode: Mode = "auto",
        options: Options | None = None,
    ) -> "Feedback":
        """A vote on an answer; `id` is that of its turn."""
        return cls(
            id=id,
            asked=asked,
            question=answer.question,
            history=tuple(history),
            standalone_question=answer.standalone_question,
            filters=filters or Filters(),
            mode=mode,
            options=options or Options(),
            status=answer.status,
            text=unescape(answer.text) or answer.reason or "",
            cited=tuple(
                Cited(id=r.paper.id, title=r.paper.title, quotes=tuple(p.text for p in r.passages))
                for r in answer.references
            ),
            index=answer.index.id,
            vote=vote,
            reason=reason,
        )


def append(folder: Path, feedback: Feedback) -> None:
    """Keep a vote in `<folder>/feedback.jsonl`, on disk before this returns.

    Raises:
        InputError: it cannot be written.
    """
    with appending(folder / FILE) as write:
        write(feedback.model_dump(mode="json"))


@contextmanager
def appending(path: Path) -> Iterator[Callable[[Mapping[str, object]], None]]:
    """Hold a file of what people leave on the page, to add lines to (`open_to_append`).

    Raises:
        InputError: it cannot be written.
    """
    try:
        with open_to_append(path) as file:
            yield partial(append_line, file)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error


def load(folder: Path) -> list[Feedback]:
    """The votes that stand, the last given last; none if there is no file.

    Raises:
        InputError: the file cannot be read, or a line is no vote; the message names file and line.
    """
    path = folder / FILE
    if not path.exists():
        return []
    last: dict[str, Feedback] = {}
    for feedback in records(Feedback, path):
        last.pop(feedback.id, None)
        last[feedback.id] = feedback
    return [feedback for feedback in last.values() if feedback.vote is not None]


def is_case(feedback: Feedback) -> bool:
    """Whether a vote can be a question: none has filters, so a refusal with filters cannot."""
    return feedback.status == "answered" or feedback.filters == Filters()


def case(feedback: Feedback) -> Question:
    """A vote as a question to measure by.

    Up: what the answer cites is right, and a refusal was. Its facts are the numbers and the names
    in each sentence cited, without what the question says itself. Down: nobody said what is right,
    so no gold is given; a refusal should have been an answer.
    """
    right = feedback.vote == "up"
    cited = feedback.cited if right else ()
    facts = [_facts(quote, feedback.question) for each in cited for quote in each.quotes]
    return Question(
        id=f"feedback-{feedback.id}",
        type="upvoted" if right else "downvoted",
        question=feedback.question,
        history=feedback.history,
        answerable=not right or feedback.status == "answered",
        papers=tuple(each.title for each in cited),
        evidence=tuple(
            Evidence(paper=each.title, quote=quote) for each in cited for quote in each.quotes
        ),
        nuggets=tuple(dict.fromkeys(fact for fact in facts if fact)),
        note=_note(feedback),
    )


def _facts(quote: str, question: str) -> tuple[str, ...]:
    """What tells that an answer states a sentence: its numbers and names, not the question's."""
    known = question.casefold()
    found = (match[0] for match in _TELLING.finditer(clean_text(quote)))
    return tuple(dict.fromkeys(each for each in found if each.casefold() not in known))


def _note(feedback: Feedback) -> str:
    """What else is known of a vote, in one line."""
    filters = feedback.filters.model_dump(mode="json", exclude_defaults=True)
    titles = "; ".join(clean_text(each.title) for each in feedback.cited)
    parts: Iterable[str | None] = (
        f"voted {feedback.vote}",
        feedback.reason and f"because: {feedback.reason}",
        f"asked on {feedback.asked.date()} of index {feedback.index}",
        f"only papers by {filters}" if filters else None,
        f"it cited {titles}" if titles and feedback.vote == "down" else None,
        "it was refused" if feedback.status == "insufficient_evidence" else None,
    )
    return ", ".join(filter(None, parts))
