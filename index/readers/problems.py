"""What a reader could not use, and the limits beyond which text is not an abstract."""

from dataclasses import dataclass

LONGEST_ABSTRACT = 20_000
"""Characters; the longest of 60,000 real abstracts has 12,694."""

LONGEST_TITLE = 1_000
"""Characters; the longest of 60,000 real titles has 512."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing in the input that was left out, and why; the rest was read."""

    file: str
    """The file as `Source.name` names it."""
    line: int | None
    """From 1; None if the whole file is meant."""
    reason: str
    is_damage: bool = False
    """Whether a file of a machine format is broken here; a pasted digest's oddities are not."""

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.reason}"
