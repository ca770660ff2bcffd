"""Does what a sentence cites support it? One small interface; here the check word for word."""

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from index.lexical import fold
from index.text import clean_text
from rag.schema import Support

_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+|[%$€£<>=+~]")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether what a sentence cites supports it."""

    support: Support
    score: float | None
    """How sure, from 0 (not supported) to 1 (supported); None if it was not checked."""
    reason: str | None = None
    """What is wrong, for a person, as a clause: "40 is not in what it cites"."""


UNCHECKED = Verdict("unchecked", None)


class Checker(ABC):
    """Decides whether texts, read together, support a sentence."""

    name: str
    """What it is called in a report."""

    @abstractmethod
    def check(self, sentence: str, cited: Sequence[str]) -> Verdict:
        """Check one sentence of an answer against the stored text it cites.

        Args:
            sentence: Plain text, without markers.
            cited: Stretches of stored abstracts, as they are stored; `UNCHECKED` if empty.
        """

    def check_all(self, sentences: Sequence[str], cited: Sequence[Sequence[str]]) -> list[Verdict]:
        """Check the sentences of an answer, each against what it cites."""
        return [self.check(one, texts) for one, texts in zip(sentences, cited, strict=True)]


def check(sentence: str, cited: Sequence[str]) -> Verdict:
    """Compare a sentence of an answer with the stored text it cites, word for word.

    A sentence whose words, numbers and signs stand in the cited text in the same order without
    a gap (LaTeX, case, spacing and other punctuation aside) is supported, with score 1; one that
    does not is unsupported, with score 0; one that cites nothing is unchecked.
    """
    if not cited:
        return UNCHECKED
    tokens = _tokens(sentence)
    is_there = tokens.strip() and any(tokens in _tokens(text) for text in cited)
    return Verdict("supported", 1.0) if is_there else Verdict("unsupported", 0.0)


def same_words(sentence: str, texts: Sequence[str]) -> bool:
    """Whether a sentence is word for word one of several texts."""
    tokens = _tokens(sentence)
    return bool(tokens.strip()) and any(tokens == _tokens(text) for text in texts)


def _tokens(text: str) -> str:
    return f" {' '.join(_TOKEN.findall(fold(clean_text(text)).casefold()))} "
