"""What a checker of citations says, and what it is asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rag.schema import Support


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether what a sentence cites supports it."""

    support: Support
    score: float | None
    """How sure, from 0 (not supported) to 1 (supported); None if it was not checked."""
    reason: str | None = None
    """What is wrong, for a person, as a clause: "40 is not in what it cites"."""


UNCHECKED = Verdict("unchecked", None)


class Checker(Protocol):
    """Decides whether texts, read together, support a sentence."""

    @property
    def name(self) -> str:
        """What it is called in a report."""

    def check(self, sentence: str, cited: Sequence[str]) -> Verdict:
        """Check one sentence of an answer against the stored text it cites.

        Args:
            sentence: Plain text, without markers.
            cited: Stretches of stored abstracts, as they are stored; `UNCHECKED` if empty.
        """


class AnswerChecker(Checker, Protocol):
    """Decides for all sentences of an answer at once."""

    def check_all(self, sentences: Sequence[str], cited: Sequence[Sequence[str]]) -> list[Verdict]:
        """Check the sentences of an answer, each against what it cites."""
