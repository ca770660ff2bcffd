"""Question files, and files of records in general: JSON Lines, checked line by line."""

import fcntl
import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import nsmallest
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from index.errors import InputError

HALF = ".tmp"
"""What the name of a file ends with while it is written."""

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Identified(BaseModel):
    """A record with an id of its own."""

    id: str


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
        InputError: there is no question in it, or a line is none; see `identified`.
    """
    return identified(Question, path)


def sample_by_type(questions: Sequence[Question], size: int) -> list[Question]:
    """Draw questions of every type, each type by its share of the file and at least once.

    Of a type those with the lowest SHA-256 of their id are drawn, in the order of the file.

    Raises:
        InputError: there are fewer questions than `size`, or more types.
    """
    types: dict[str, list[str]] = {}
    for question in questions:
        types.setdefault(question.type, []).append(question.id)
    if not len(types) <= size <= len(questions):
        raise InputError(
            f"a sample of {size} of {len(questions)} questions of {len(types)} types: "
            f"give a number from {len(types)} to {len(questions)}"
        )
    order = [
        (place / len(ids), id_)
        for ids in types.values()
        for place, id_ in enumerate(lowest_hashes(ids, len(ids)))
    ]
    drawn = {id_ for _, id_ in sorted(order)[:size]}
    return [question for question in questions if question.id in drawn]


def lowest_hashes(ids: Iterable[str], size: int) -> list[str]:
    """Draw the ids with the lowest SHA-256: the same for everyone, whatever their order."""
    return nsmallest(size, ids, key=lambda id_: hashlib.sha256(id_.encode()).hexdigest())


Record = TypeVar("Record", bound=BaseModel)
IdentifiedRecord = TypeVar("IdentifiedRecord", bound=Identified)


def parse(model: type[Record], record: object, path: Path, number: int) -> Record:
    """Check the record of a line; an InputError names file, line and field."""
    try:
        return model.model_validate(record)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        where = f"field {field}: " if field else ""
        raise InputError(f"{path}:{number}: {where}{first['msg']}") from error


def records(model: type[Record], path: Path) -> Iterator[Record]:
    """Read the records of a JSON Lines file; an InputError names file and line."""
    return (parse(model, line, path, number) for number, line in json_lines(path))


def identified(model: type[IdentifiedRecord], path: Path) -> list[IdentifiedRecord]:
    """Read the records of a JSON Lines file, of which there are some, and no two share an id.

    Raises:
        InputError: it is otherwise, or a line is not a `model`; the message names file and line.
    """
    found: dict[str, IdentifiedRecord] = {}
    for number, line in json_lines(path):
        record = parse(model, line, path, number)
        if record.id in found:
            raise InputError(f"{path}:{number}: id {record.id!r} stands twice; ids must differ")
        found[record.id] = record
    if not found:
        raise InputError(f"{path} holds no records; write one JSON object a line")
    return list(found.values())


def json_lines(path: Path) -> Iterator[tuple[int, dict[str, object]]]:
    """Read the objects of a JSON Lines file with their line numbers from 1.

    Raises:
        InputError: the file cannot be read, or a line is no object; the message says which.
    """
    for number, line in read_lines(path):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:  # a number or a nesting beyond any record
            raise InputError(
                f"{path}:{number}: not JSON ({error}); write one object a line"
            ) from error
        if not isinstance(record, dict):
            raise InputError(f"{path}:{number}: not a JSON object; write one object a line")
        yield number, record


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Read the objects of a JSON Lines file; see `json_lines`."""
    return [row for _, row in json_lines(path)]


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Read the lines of a file that are not blank, with their numbers from 1; unpack `.gz`.

    Raises:
        InputError: the file cannot be read or unpacked, or a line is not UTF-8.
    """
    number = 0
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            for number, raw in enumerate(file, start=1):
                if line := raw.decode("utf-8-sig" if number == 1 else "utf-8").strip():
                    yield number, line
    except UnicodeDecodeError as error:
        raise InputError(f"{path}:{number}: not UTF-8 text; save it as UTF-8") from error
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"cannot read {path}: {reason}") from error


def write_questions(path: Path, questions: Iterable[Question]) -> None:
    """Write a questions file that `load_questions` reads back; see `write_text`."""
    write_json_lines(path, (each.model_dump(mode="json", exclude_none=True) for each in questions))


def write_json_lines(path: Path, records: Iterable[Mapping[str, object]]) -> None:
    """Write objects one a line; see `write_text`."""
    write_text(path, "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in records))


def write_text(path: Path, text: str) -> None:
    """Write a file, whole or not at all.

    Raises:
        InputError: the file cannot be written.
    """
    half = path.with_name(path.name + HALF)
    try:
        half.write_text(text, encoding="utf-8")
        half.replace(path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error
    finally:
        half.unlink(missing_ok=True)


def open_to_append(path: Path, *, wait: bool = True) -> BinaryIO:
    """Open a file of JSON Lines to add to, held by this process alone until it is closed.

    It is made if it is missing, readable by its owner alone. Half a line, as a kill in the middle
    of a write leaves it, is cut off; a whole one without a line break is ended.

    Raises:
        BlockingIOError: another process holds it, and `wait` is false.
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = open(path, "a+b", opener=lambda at, flags: os.open(at, flags, 0o600))  # noqa: SIM115 - returned open, or closed below
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        file.seek(0)
        content = file.read()
        last = content.rpartition(b"\n")[2]
        try:
            json.loads(last)
        except ValueError:
            file.truncate(len(content) - len(last))
        else:
            file.write(b"\n")
    except OSError:
        file.close()
        raise
    return file


def append_line(file: BinaryIO, record: Mapping[str, object]) -> None:
    """Add a line, on disk before this returns."""
    file.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
    file.flush()
    os.fsync(file.fileno())
