"""Datasets as they lie on disk: BEIR folders and question files, checked line by line."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from index.errors import InputError
from index.papers import Paper

_Record = TypeVar("_Record", bound=BaseModel)
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_IdWithoutSpace = Annotated[str, StringConstraints(pattern=r"^\S+$")]


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


@dataclass(frozen=True, slots=True)
class Beir:
    """A retrieval benchmark.

    `qrels[query id][paper id]` is how relevant the paper is; above 0 is relevant.
    """

    papers: list[Paper]
    queries: dict[str, str]
    qrels: dict[str, dict[str, int]]


class _Document(BaseModel):
    id: _IdWithoutSpace = Field(alias="_id")
    title: str = ""
    text: str = ""


class _Query(BaseModel):
    id: _IdWithoutSpace = Field(alias="_id")
    text: Words


def load_questions(path: Path) -> list[Question]:
    """Read a questions file: JSON Lines, one `Question` an object; other fields are ignored.

    Raises:
        InputError: no such file, no questions in it, or a line that is not a question or
            repeats an id; the message names file and line.
    """
    questions: dict[str, Question] = {}
    for number, record in _json_lines(path):
        question = _parse(Question, record, path, number)
        if question.id in questions:
            raise InputError(f"{path}:{number}: id {question.id!r} stands twice; ids must differ")
        questions[question.id] = question
    if not questions:
        raise InputError(f"{path} holds no questions; write one JSON object a line")
    return list(questions.values())


def load_beir(folder: Path) -> Beir:
    """Read `corpus.jsonl`, `queries.jsonl` and `qrels/test.tsv` of a BEIR folder.

    A document's `_id` becomes the paper's id, its `text` the abstract (which may be empty).
    Authors, year, venue, doi and url are taken from the record or its `metadata` if they are
    there. The format: https://github.com/beir-cellar/beir/wiki/Load-your-custom-dataset.

    Raises:
        InputError: a file is missing or empty, a line is broken or repeats an id, or a
            judgement names a query or a relevant document that is not in the dataset; the
            message names file and line.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; give one with corpus.jsonl, queries.jsonl")
    papers: dict[str, Paper] = {}
    corpus = folder / "corpus.jsonl"
    for number, record in _json_lines(corpus):
        document = _parse(_Document, record, corpus, number)
        if document.id in papers:
            raise InputError(
                f"{corpus}:{number}: _id {document.id!r} stands twice; ids must differ"
            )
        papers[document.id] = _paper(document, record)
    queries: dict[str, str] = {}
    queries_path = folder / "queries.jsonl"
    for number, record in _json_lines(queries_path):
        query = _parse(_Query, record, queries_path, number)
        if query.id in queries:
            raise InputError(f"{queries_path}:{number}: _id {query.id!r} stands twice")
        queries[query.id] = query.text
    return Beir(
        list(papers.values()), queries, _qrels(folder / "qrels" / "test.tsv", queries, papers)
    )


def _qrels(
    path: Path, queries: Mapping[str, str], papers: Mapping[str, Paper]
) -> dict[str, dict[str, int]]:
    qrels: dict[str, dict[str, int]] = {}
    for number, line in _lines(path):
        fields = line.split()
        if number == 1 and fields[-1:] == ["score"]:
            continue
        if len(fields) != 3 or not re.fullmatch("-?[0-9]{1,9}", fields[2]):
            raise InputError(f"{path}:{number}: expected query-id, corpus-id and a whole score")
        query, paper, score = fields[0], fields[1], int(fields[2])
        if query not in queries:
            raise InputError(f"{path}:{number}: query {query!r} is not in queries.jsonl")
        if score > 0 and paper not in papers:
            raise InputError(f"{path}:{number}: document {paper!r} is not in corpus.jsonl")
        qrels.setdefault(query, {})[paper] = score
    if not qrels:
        raise InputError(f"{path} holds no judgements; write query-id, corpus-id, score a line")
    return qrels


def _paper(document: _Document, record: Mapping[str, object]) -> Paper:
    metadata = record.get("metadata")
    known = {**metadata, **record} if isinstance(metadata, dict) else record
    year = _text(known.get("year"))
    return Paper(
        id=document.id,
        title=document.title,
        abstract=document.text,
        authors=_texts(known.get("authors")),
        year=int(year) if year and re.fullmatch("[0-9]{1,4}", year) else None,
        venue=", ".join(_texts(known.get("venue"))) or None,
        url=_text(known.get("url")),
        doi=_text(known.get("doi")),
    )


def _text(value: object) -> str | None:
    return str(value).strip() or None if isinstance(value, str | int) else None


def _texts(value: object) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    return tuple(text for item in items if (text := _text(item)))


def _parse(model: type[_Record], record: object, path: Path, number: int) -> _Record:
    try:
        return model.model_validate(record)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{path}:{number}: field {field}: {first['msg']}") from error


def _json_lines(path: Path) -> Iterator[tuple[int, dict[str, object]]]:
    for number, line in _lines(path):
        try:
            record = json.loads(line)
            json.dumps(record, ensure_ascii=False).encode()  # half a surrogate pair is no text
        except (ValueError, RecursionError) as error:  # a number or a nesting beyond any record
            raise InputError(
                f"{path}:{number}: not JSON ({error}); write one object a line"
            ) from error
        if not isinstance(record, dict):
            raise InputError(f"{path}:{number}: not a JSON object; write one object a line")
        yield number, record


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a file that are not blank, with their numbers from 1."""
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(file, start=1):
                try:
                    line = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
                except UnicodeDecodeError as error:
                    raise InputError(
                        f"{path}:{number}: not UTF-8 text; save it as UTF-8"
                    ) from error
                if line:
                    yield number, line
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
