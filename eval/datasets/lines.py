"""Files of records, one a line, checked line by line: what every dataset is read with."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, StringConstraints, ValidationError

from index.errors import InputError

Record = TypeVar("Record", bound=BaseModel)
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
IdWithoutSpace = Annotated[str, StringConstraints(pattern=r"^\S+$")]


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
        raise InputError(f"{path}:{number}: field {field}: {first['msg']}") from error


def json_lines(path: Path) -> Iterator[tuple[int, dict[str, object]]]:
    """The objects of a JSON Lines file with their line numbers from 1; blank lines are left out.

    Raises:
        InputError: the file cannot be read, or a line is not a JSON object; the message names
            file and line.
    """
    for number, line in read_lines(path):
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


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
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
