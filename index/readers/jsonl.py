"""JSON lines: one object a line with `title`, `abstract` and what else is known of the paper."""

import json
import re
import unicodedata
from collections.abc import Iterator
from datetime import date, datetime

from index.papers import Paper, Source, derived_id, letters
from index.readers.problems import LONGEST_ABSTRACT, LONGEST_TITLE, Problem

_LONGEST_ID = 200
_DOI_ADDRESS = re.compile(r"^(?:https?://(?:dx\.)?doi\.org/|doi:\s*)", re.IGNORECASE)
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


class _FieldError(ValueError):
    """A field that cannot be used; the message names it."""


def read_jsonl(text: str, name: str) -> Iterator[Paper | Problem]:
    r"""The papers of a JSONL text, in order, and the lines that could not be read.

    A program wrote the file, so a line that is no record is damage (`Problem.is_damage`).

    Required are `title` and `abstract`; known beside them are `id` (a string or a number, kept as
    it is), `authors` (a list of strings or of `{"name": …}`, or one string with ";" or " and "
    between them), `year`, `date` (ISO), `url`, `doi` and `venue`. Null is absent, other keys are
    ignored. BEIR's `_id` and `text` stand for `id` and `abstract`.

    Args:
        text: The file's text, with `\n` line ends.
        name: What the papers' sources are called.
    """
    if re.match(r"\s*(?:\[|\{\s*\n)", text):
        reason = "a JSON list, or an object over several lines; write one object a line"
        yield Problem(name, 1, reason, is_damage=True)
        return
    titles: dict[str, tuple[str, int]] = {}
    position = 0
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            paper = _paper(_record(line), name, position + 1)
            key = letters(paper.title)
            known, where = titles.setdefault(paper.id, (key, number))
            if known != key:
                raise _FieldError(f"id: {paper.id!r} is that of another title in line {where}")
        except _FieldError as error:
            yield Problem(name, number, str(error), is_damage=True)
            continue
        position += 1
        yield paper


def _record(line: str) -> dict[str, object]:
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        what = error.msg.removesuffix(" at")
        raise _FieldError(f"broken JSON: {what} at character {error.colno}") from error
    except RecursionError as error:
        raise _FieldError("broken JSON: nested too deep") from error
    except ValueError as error:  # beyond sys.get_int_max_str_digits()
        raise _FieldError("broken JSON: a number of too many digits") from error
    if not isinstance(record, dict):
        raise _FieldError("not a JSON object")
    return record


def _paper(record: dict[str, object], name: str, position: int) -> Paper:
    title = _required(record, LONGEST_TITLE, "title")
    abstract = _required(record, LONGEST_ABSTRACT, "abstract", "text")
    return Paper(
        id=_id(record) or derived_id(title, abstract),
        title=title,
        abstract=abstract,
        authors=_authors(record.get("authors")),
        year=_year(record.get("year")),
        venue=_text(record, "venue"),
        url=_text(record, "url"),
        doi=_DOI_ADDRESS.sub("", _text(record, "doi") or "") or None,
        sources=(Source(name=name, date=_date(record.get("date")), position=position),),
    )


def _text(record: dict[str, object], *keys: str) -> str | None:
    """The first of `keys` that is there, as a string that any encoder takes."""
    key = next((key for key in keys if record.get(key) is not None), keys[0])
    value = record.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        raise _FieldError(f"{key}: expected a string, not {_named(value)}")
    return _HALF_CHARACTER.sub("\ufffd", value) if value.strip() else None


def _required(record: dict[str, object], longest: int, *keys: str) -> str:
    value = _text(record, *keys)
    if value is None or not letters(value):
        raise _FieldError(f"{keys[0]}: missing or empty")
    if len(value) > longest:
        raise _FieldError(f"{keys[0]}: {len(value):,} characters are too many (limit {longest:,})")
    return value


def _id(record: dict[str, object]) -> str | None:
    value = record.get("id", record.get("_id"))
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _FieldError(f"id: expected a string or a number, not {_named(value)}")
    id_ = _HALF_CHARACTER.sub("\ufffd", str(value))
    if not id_.strip():
        raise _FieldError("id: empty; leave it out to have one made")
    if len(id_) > _LONGEST_ID:
        raise _FieldError(f"id: {len(id_):,} characters are too many (limit {_LONGEST_ID})")
    if any(unicodedata.category(character) == "Cc" for character in id_):
        raise _FieldError("id: contains a control character")
    return id_


def _authors(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        value = re.split(r"\s*;\s*|\s+and\s+", value)
    if not isinstance(value, list):
        raise _FieldError(f"authors: expected a list or a string, not {_named(value)}")
    names = [author.get("name") if isinstance(author, dict) else author for author in value]
    found: list[str] = []
    for author in names:
        if not isinstance(author, str):
            raise _FieldError(f"authors: expected names, not {_named(author)}")
        if author.strip():
            found.append(_HALF_CHARACTER.sub("\ufffd", author.strip()))
    return tuple(found)


def _year(value: object) -> int | None:
    if value is None or value == "":
        return None
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    digits = isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,4}\s*", value)
    if isinstance(value, bool) or not (whole or digits):
        raise _FieldError(f"year: expected a year, not {_named(value)}")
    year = int(value)  # type: ignore[call-overload] # a number or digits, as checked above
    if not 1 <= year <= 9999:
        raise _FieldError(f"year: {_named(value)} is not between 1 and 9999")
    return int(year)


def _date(value: object) -> date | None:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value.strip()).date()
        except ValueError:
            pass
    raise _FieldError(f"date: expected YYYY-MM-DD, not {_named(value)}")


def _named(value: object) -> str:
    """A value as a message shows it: short. A list may be nested too deep to be written out."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    text = json.dumps(value)
    return text if len(text) <= 40 else text[:39] + "…"
