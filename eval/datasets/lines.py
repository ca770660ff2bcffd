"""Files of records, one a line, checked line by line: what every dataset is read with."""

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, Field, StringConstraints, ValidationError

from index.errors import InputError

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_PLAINER = ("match pattern '^\\S+$'", "have no space")
"""What pydantic says of an id, and what people understand."""
IdWithoutSpace = Annotated[str, Field(pattern=r"^\S+$", coerce_numbers_to_str=True)]


class Identified(BaseModel):
    """A record with an id of its own."""

    id: str


Record = TypeVar("Record", bound=BaseModel)
IdentifiedRecord = TypeVar("IdentifiedRecord", bound=Identified)


def parse(model: type[Record], record: object, path: Path, number: int) -> Record:
    """The record of line `number` as a `model`.

    Raises:
        InputError: a field is missing or wrong; the message names file, line and field.
    """
    try:
        return model.model_validate(record)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        where = f"field {field}: " if field else ""
        said = first["msg"].replace("a valid tuple", "a list").replace(*_PLAINER)
        raise InputError(f"{path}:{number}: {where}{said}") from error


def identified(model: type[IdentifiedRecord], path: Path) -> Iterator[tuple[int, IdentifiedRecord]]:
    """The records of a JSON Lines file, each with its line number; no two share an id.

    Raises:
        InputError: the file cannot be read or holds no records, or a line is not a `model` or
            repeats an id; the message names file and line.
    """
    seen: set[str] = set()
    for number, found in json_lines(path):
        record = parse(model, found, path, number)
        if record.id in seen:
            raise InputError(f"{path}:{number}: id {record.id!r} stands twice; ids must differ")
        seen.add(record.id)
        yield number, record
    if not seen:
        raise InputError(f"{path} holds no records; write one JSON object a line")


def json_lines(path: Path) -> Iterator[tuple[int, dict[str, object]]]:
    """The objects of a JSON Lines file with their line numbers from 1; blank lines are left out.

    Raises:
        InputError: the file cannot be read, or a line is not a JSON object; the message names
            file and line.
    """
    for number, line in read_lines(path):
        try:
            record = json.loads(line)
            if "\\ud" in line or "\\uD" in line:
                json.dumps(record, ensure_ascii=False).encode()  # half a pair is no text
        except (ValueError, RecursionError) as error:  # a number or a nesting beyond any record
            raise InputError(
                f"{path}:{number}: not JSON ({error}); write one object a line"
            ) from error
        if not isinstance(record, dict):
            raise InputError(f"{path}:{number}: not a JSON object; write one object a line")
        yield number, record


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a file that are not blank, with their numbers from 1; `.gz` is unpacked.

    Raises:
        InputError: the file cannot be read or unpacked, or a line is not UTF-8.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            for number, raw in enumerate(file, start=1):
                try:
                    line = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
                except UnicodeDecodeError as error:
                    raise InputError(
                        f"{path}:{number}: not UTF-8 text; save it as UTF-8"
                    ) from error
                if line:
                    yield number, line
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"cannot unpack {path} ({error}); download it again") from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def write_json_lines(path: Path, records: Iterable[BaseModel]) -> None:
    """Write records one a line, without the fields that are None, whole or not at all.

    Raises:
        InputError: the file cannot be written.
    """
    half = path.with_name(path.name + ".tmp")
    try:
        with half.open("w", encoding="utf-8") as file:
            for record in records:
                file.write(record.model_dump_json(exclude_none=True) + "\n")
        half.replace(path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error
    finally:
        half.unlink(missing_ok=True)
