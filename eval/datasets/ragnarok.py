"""Answers in Ragnarök's JSON, which the tools of TREC's RAG track score.

The format: https://trec-rag.github.io/annoucements/2024-track-guidelines (Pradeep et al. 2024,
"Ragnarök", arXiv:2406.16828).
"""

import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, computed_field, model_validator

from eval.datasets.lines import Words, json_lines, parse, write_json_lines
from eval.datasets.questions import Question
from index.errors import InputError
from rag.schema import Answer


class RagnarokSentence(BaseModel):
    """A sentence and the papers it cites, by their places in the answer's `references`."""

    model_config = ConfigDict(frozen=True)

    text: str
    citations: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        default=(), description="Indices into `references`, from 0."
    )


class RagnarokAnswer(BaseModel):
    """The answer to one topic; a refusal has no sentences."""

    model_config = ConfigDict(frozen=True)

    run_id: str = Field(default="", description="Whose run it is; Ragnarök's writer leaves it out.")
    topic_id: Annotated[Words, Field(coerce_numbers_to_str=True)]
    topic: str
    references: tuple[Annotated[str, Field(coerce_numbers_to_str=True)], ...] = Field(
        description="Papers' ids."
    )
    answer: tuple[RagnarokSentence, ...]

    @computed_field  # type: ignore[prop-decorator] # mypy knows no decorated properties
    @property
    def response_length(self) -> int:
        """Words of all sentences, parted by white space after NFKC, as TREC's checker counts."""
        texts = (unicodedata.normalize("NFKC", sentence.text) for sentence in self.answer)
        return sum(len(text.split()) for text in texts)

    @model_validator(mode="after")
    def _cites_what_it_lists(self) -> Self:
        for place, sentence in enumerate(self.answer):
            if max(sentence.citations, default=-1) >= len(self.references):
                raise ValueError(f"sentence {place} cites beyond the {len(self.references)} given")
        return self

    def cited(self, sentence: RagnarokSentence) -> tuple[str, ...]:
        """The ids of the papers that a sentence of this answer cites."""
        return tuple(self.references[place] for place in sentence.citations)


def to_ragnarok(question: Question, answer: Answer, run_id: str) -> RagnarokAnswer:
    """An answer of ours, sentence by sentence, with the papers that each cites.

    A sentence that cites two passages of a paper cites the paper once. The references are the
    papers cited, by number.
    """
    places = {reference.number: place for place, reference in enumerate(answer.references)}
    return RagnarokAnswer(
        run_id=run_id,
        topic_id=question.id,
        topic=question.question,
        references=tuple(reference.paper.id for reference in answer.references),
        answer=tuple(
            RagnarokSentence(
                text=sentence.text,
                citations=tuple(
                    dict.fromkeys(places[citation.reference] for citation in sentence.citations)
                ),
            )
            for sentence in answer.sentences
        ),
    )


def write_ragnarok(path: Path, answers: Iterable[RagnarokAnswer]) -> None:
    """Write answers as JSON Lines, which TREC's checker and `load_ragnarok` read.

    Raises:
        InputError: the file cannot be written.
    """
    write_json_lines(path, answers)


def load_ragnarok(path: Path) -> list[RagnarokAnswer]:
    """Read the answers of any system. `response_length` is counted anew, not believed.

    Raises:
        InputError: the file cannot be read or is empty, a line is not an answer or cites what is
            not among its references, or a topic is answered twice; the message names file and
            line.
    """
    answers: dict[str, RagnarokAnswer] = {}
    for number, record in json_lines(path):
        answer = parse(RagnarokAnswer, record, path, number)
        if answer.topic_id in answers:
            raise InputError(f"{path}:{number}: topic {answer.topic_id!r} is answered twice")
        answers[answer.topic_id] = answer
    if not answers:
        raise InputError(f"{path} holds no answers; write one JSON object a line")
    return list(answers.values())
