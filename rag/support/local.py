"""The check of a citation without a model to ask, by a small fitted network.

`rag.support.alignment` gives the probability that what is cited supports a sentence. Where it is
high enough the sentence is supported, where it is low enough it is not; between the check cannot
tell, and says so. A number that is not in what is cited, and does not follow from two numbers
there, is never supported.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import replace

from index.encoder import Encoder
from index.passages import sentence_spans
from index.text import clean_text
from rag.support.alignment import Network, inputs
from rag.support.named import missing_names
from rag.support.numbers import missing_numbers
from rag.support.reading import Reader
from rag.support.verbatim import same_words
from rag.support.verdict import UNCHECKED, Verdict

_ITEM = re.compile(r"^\s*(?:\(?\d{1,2}[.)]|[-*•–])\s+")
_SAYS = re.compile(r"[^\W_]")
_WORD = re.compile(r"[^\W\d_]{2,}")
_FEWEST_WORDS = 3


class LocalChecker:
    """Checks by the bundled encoder, in milliseconds; safe to use from several threads."""

    name = "local"

    def __init__(self, encoder: Encoder, network: Network | None = None) -> None:
        """Check with the bundled encoder, whichever one the index has.

        Raises:
            EncoderError: the bundled encoder is missing or damaged.
        """
        self._reader = Reader(encoder)
        self._network = network or Network.load()

    def check(self, sentence: str, cited: Sequence[str]) -> Verdict:
        """Check one sentence of an answer, or several at once, against the stored text it cites.

        Args:
            sentence: Plain text, without markers. Several sentences, lines or list items are
                checked one by one, and all have to be supported.
            cited: Stretches of stored abstracts, read together; `UNCHECKED` if empty.

        Returns:
            The verdict on the worst sentence, "supported" and "unsupported" where its score is
            high and low enough, "unchecked" between, with a reason; the score in [0, 1] of
            several is the product of theirs. What is word for word a
            whole sentence of one of the texts has score 1.
        """
        texts = [each for text in cited for each in sentences(clean_text(text))]
        if not texts:
            return UNCHECKED
        under_titles = [text.partition("\n")[2] for text in cited]
        if same_words(sentence, [*cited, *texts, *under_titles]):
            return Verdict("supported", 1.0)
        claims = statements(sentence)
        if not claims:
            return Verdict("unsupported", 0.0, "there is nothing to compare")
        found = [self._check(claim, texts) for claim in claims]
        worst = min(found, key=lambda each: each.score or 0.0)
        return replace(worst, score=math.prod(each.score or 0.0 for each in found))

    def _check(self, claim: str, texts: Sequence[str]) -> Verdict:
        readings = [each for text in texts if (each := self._reader.read(text)).words]
        reading = self._reader.read(claim)
        if not readings or not reading.words:
            return Verdict("unsupported", 0.0, "there is nothing to compare")
        probability = self._network.probability(inputs(reading, readings))
        if absent := missing_numbers(claim, texts):
            reason = f"{_listed(absent)} not in what it cites"
            return Verdict("unsupported", min(probability, self._network.unsupported), reason)
        if probability >= self._network.supported:
            return Verdict("supported", probability)
        if probability > self._network.unsupported:
            return Verdict("unchecked", probability, "the local check cannot tell")
        reason = "what it cites does not say this"
        if absent := missing_names(claim, texts):
            reason = f"{_listed(absent)} not named in what it cites"
        return Verdict("unsupported", probability, reason)


def sentences(text: str) -> list[str]:
    """The sentences of a cleaned text that say something."""
    return [text[start:end] for start, end in sentence_spans(text) if _SAYS.search(text[start:end])]


def statements(text: str) -> list[str]:
    """The sentences of a text that can be true or false.

    List marks are taken off; what only opens a list ("There are two ways:") and scraps of a word
    or two are left out, unless there is nothing else.
    """
    lines = (_ITEM.sub("", line) for line in text.splitlines())
    every = [sentence for line in lines for sentence in sentences(clean_text(line))]
    telling = [
        each
        for each in every
        if not each.endswith(":") and len(_WORD.findall(each)) >= _FEWEST_WORDS
    ]
    return telling or every


def _listed(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last} are" if others else f"{last} is"
