"""What readers yield: raw records as a file has them, and what could not be read of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from index.readers.dates import Dated

LONGEST_ABSTRACT = 20_000
"""Characters; the longest of 60,000 real abstracts has 12,694."""

LONGEST_TITLE = 1_000
"""Characters; the longest of 60,000 real titles has 512."""


@dataclass(frozen=True, slots=True)
class How:
    """What is known of a file beside its text."""

    year: int | None = None
    """The year of dates that have none, if a user gave it."""
    usual_year: int = 2000
    """Their year if nothing else says one."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Field → heading of its column in a table."""
    listed: Dated | None = None
    """The date of the mail that it came in."""


@dataclass(frozen=True, slots=True)
class Raw:
    """One record before `index.readers.normalise` makes a paper of it: fields in any shape.

    `fields` has the names that the file gives them, or names of `index.readers.normalise.FIELDS`.
    """

    line: int | None
    """Where it begins, from 1."""
    fields: Mapping[str, object]
    listed: Dated | None = None
    """The date of the digest or mail that lists it; a record of its own has none."""
    position: int | None = None
    """Its place in that digest, from 1; None: its place in the file."""
    is_digest: bool = False
    """Whether it stands in a digest, which is of the day it came if it has no date."""
    warnings: tuple[str, ...] = field(default=())
    """What is odd about it, though it is read."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing in the input that was left out or is odd, and why; the rest was read."""

    file: str
    """The file as `Source.name` names it."""
    line: int | None
    """From 1; None if the whole file is meant."""
    reason: str
    is_damage: bool = False
    """Whether a file of a machine format is broken here; a pasted digest's oddities are not."""
    is_warning: bool = False
    """Whether the record was read all the same."""

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.reason}"


class Heading(Problem):
    """A line that is told no one: a title without an abstract, or rather a heading over papers.

    Many of them say that a text is no digest.
    """


class ReadError(Exception):
    """A file, or the rest of it, cannot be read; the message is one line."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(" ".join(reason.split()))
        self.line = line
