"""The check of a citation without a model to ask: words, meanings, numbers, names, denials.

    score = σ(bias + Σ weight · feature),      of several sentences Π σ(... + shift)

The features are in `rag.support.features`, the weights in `rag.support.fitted`. What can be seen
to be wrong has force beyond the score: a sentence with a number that is not in what it cites is
not supported however much of the rest is.
"""

import re
from collections.abc import Sequence

from index.encoder import Encoder
from index.sentences import sentence_spans
from index.text import clean_text
from rag.support.excerpt import excerpt, is_fragment
from rag.support.features import Findings, findings
from rag.support.fitted import FITTED
from rag.support.reading import Reader
from rag.support.scoring import verdict_on
from rag.support.verdict import UNCHECKED, Verdict

_ITEM = re.compile(r"^\s*(?:\(?\d{1,2}[.)]|[-*•–])\s+")
_FRAME = re.compile(
    r"^(?:based on|according to) (?:the )?(?:given |provided |cited )?(?:passages?|abstracts?"
    r"|papers?|context|information|text|sources?)(?: \d+)?, ",
    re.IGNORECASE,
)
_SAYS = re.compile(r"[^\W_]")
_WORD = re.compile(r"[^\W\d_]{2,}")
_FEWEST_WORDS = 3


class LocalChecker:
    """Checks by the bundled encoder, in milliseconds; safe to use from several threads."""

    name = "local"

    def __init__(self, encoder: Encoder) -> None:
        """Check with the bundled encoder, whichever one the index has.

        Raises:
            EncoderError: the bundled encoder is missing or damaged.
        """
        self._reader = Reader(encoder)

    def check(self, sentence: str, cited: Sequence[str]) -> Verdict:
        """Check one sentence of an answer, or several at once, against the stored text it cites.

        Args:
            sentence: Plain text, without markers. Several sentences, lines or list items are
                checked one by one, and all have to be supported.
            cited: Stretches of stored abstracts, read together; `UNCHECKED` if empty.

        Returns:
            A score in [0, 1] that is at least `FITTED.supported` where the support is
            "supported" and less than `FITTED.partly` where it is "unsupported". What is word for
            word a whole sentence or clause of one of the texts, in which nothing denies or
            restricts it, has score 1.
        """
        if not any(map(str.strip, cited)):
            return UNCHECKED
        if stands_there(sentence, cited):
            return Verdict("supported", 1.0)
        found = self.look(sentence, cited)
        if not found:
            return Verdict("unsupported", 0.0, "there is nothing to compare")
        return verdict_on(found, FITTED)

    def look(self, sentence: str, cited: Sequence[str]) -> list[Findings]:
        """What is found on each sentence of `sentence` that says something, in order."""
        passages = [clean_text(text) for text in cited]
        texts = [each for text in passages for each in _sentences(text)]
        readings = [self._reader.read(text) for text in texts]
        if not readings:
            return []
        return [
            findings(self._reader.read(said), readings, passages) for said in statements(sentence)
        ]


def stands_there(sentence: str, cited: Sequence[str]) -> bool:
    """Whether a text says word for word what a sentence says, and all that it says of it."""
    return excerpt(sentence, cited) == "whole" and not is_fragment(sentence)


def statements(text: str) -> list[str]:
    """The sentences of a text that can be true or false.

    List marks and "According to the abstracts," are taken off; what only opens a list ("There
    are two ways:") and scraps of a word or two are left out, unless there is nothing else.
    """
    every = [
        _FRAME.sub("", _ITEM.sub("", sentence))
        for line in text.splitlines()
        for sentence in _sentences(clean_text(_ITEM.sub("", line)))
    ]
    every = [each for each in every if _SAYS.search(each)]
    telling = [
        each
        for each in every
        if not each.endswith(":") and len(_WORD.findall(each)) >= _FEWEST_WORDS
    ]
    return telling or every


def _sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text) if _SAYS.search(text[start:end])]
