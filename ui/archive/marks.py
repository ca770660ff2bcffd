"""The marks that a visitor puts on papers: a star, read, a note, tags."""

from collections.abc import Container, Mapping, Sequence
from contextlib import suppress
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from index.errors import InputError
from ui.archive.database import Database, hashed

LONGEST_TAG = 40
MOST_TAGS = 12
LONGEST_NOTE = 2_000
"""The most code points of a tag, tags of a paper, and code points of a note."""
MOST_MARKED = 2_000


def _split_tags(given: object) -> object:
    """Split a text at its commas into distinct tags; join the tags of a list by commas first."""
    if isinstance(given, list | tuple) and all(isinstance(tag, str) for tag in given):
        given = ",".join(given)
    if not isinstance(given, str):
        return given
    return tuple(dict.fromkeys(filter(None, (" ".join(tag.split()) for tag in given.split(",")))))


class Mark(BaseModel, frozen=True, extra="forbid"):
    """The marks of one paper."""

    starred: bool = False  # whether it is on the reading list
    read: bool = False
    note: str = Field(default="", max_length=LONGEST_NOTE)
    tags: Annotated[
        tuple[Annotated[str, Field(max_length=LONGEST_TAG)], ...],
        BeforeValidator(_split_tags),
        Field(max_length=MOST_TAGS),
    ] = ()

    def changed(self, change: Mapping[str, object]) -> Self:
        """Return these marks with changes; raise an `InputError` if one is unknown or too long."""
        try:
            return type(self).model_validate(self.model_dump() | dict(change))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            what = " ".join(map(str, first["loc"][:1])) or "mark"
            raise InputError(f"the {what} cannot be saved: {first['msg']}") from error


class Marks:
    """The marks of all visitors, stored by a hash of their ids; each sees only their own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, visitor: str) -> dict[str, Mark]:
        """Return the visitor's marks by paper id, without those that cannot be read."""
        query = "SELECT paper, starred, read, note, tags FROM marks WHERE visitor = ?"
        with self._database.reading() as rows:
            found = rows.execute(query, (hashed(visitor),)).fetchall()
        marks = {}
        for row in found:
            with suppress(ValidationError):
                marks[row["paper"]] = Mark(**{name: row[name] for name in row.keys()[1:]})
        return marks

    def change(
        self,
        visitor: str,
        papers: Sequence[str],
        change: Mapping[str, object],
        *,
        there: Container[str] | None = None,
    ) -> None:
        """Change the marks of papers, by their ids; remove the rows that have no marks left.

        At most `MOST_MARKED` papers may be marked, counting only those in `there`, if given. Raise
        an `InputError` for a mark that cannot be kept, or one too many.
        """
        before, who = self.of(visitor), hashed(visitor)
        after = {paper: before.get(paper, Mark()).changed(change) for paper in papers}
        if sum(there is None or paper in there for paper in before | after) > MOST_MARKED:
            raise InputError(f"at most {MOST_MARKED:,} papers can be marked")
        with self._database.writing() as rows:
            for paper, mark in after.items():
                values = (who, paper, mark.starred, mark.read, mark.note, ",".join(mark.tags))
                rows.execute("INSERT OR REPLACE INTO marks VALUES (?, ?, ?, ?, ?, ?)", values)
            rows.execute(
                "DELETE FROM marks WHERE visitor = ? AND NOT (starred OR read OR note <> ''"
                " OR tags <> '')",
                (who,),
            )
