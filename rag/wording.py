"""Read from a question's wording what it asks for, and which of its words are the subject.

The models are linear, fitted by `abstractqa eval fit` on wordings with random subjects
(`eval/fitting`), so they learn how a question is asked, not what it is about. The subject is the
question without the words that only phrase it: "what have you got on [speech recognition],
please?". Layer 3 of the bundled encoder gives the vector of each word in its context. The mean
vector of the words outside the subject is the frame; it and the words decide the question's kind.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

import numpy as np

from index import minilm
from index.lexical import tokenize
from rag.fitted import Floats, Linear, Record, sigmoids

_TITLE = re.compile(r"\"[^\"]+\"|“[^”]+”")
_NAME = re.compile(r"\b\w*(?:[a-z][A-Z]|[A-Z]{2}|\d)[\w+-]*|(?<=[\w,] )[A-Z]\w+")
_TOKEN = re.compile(r"[^\W_]+|\?")
SHAPE = ("three words", "six words", "more than fifteen", "no other word", "one other word")
"""Features of a question's length, and of how many of its words are not in the vocabulary."""
VECTOR_WEIGHT, FRAME_WEIGHT = 3.0, 6.0
"""Lengths of vectors next to word features of 1: chosen on left-out wordings."""
RELATIONS = ("any", "every", "first", "last", "none")
"""How a question refers to the digests it names: papers in any of them, in every one, only in the
first or the last, or in none."""
FRAMED = ("kinds", "facts", "leans", "digests")
"""The models whose features include the frame."""
_MAY, _LIKELY, _WHOLE_COLLECTION = 0.1, 0.5, 0.9
Span = tuple[int, int]
"""The start and the end of a word in code points, the end exclusive."""


class Kind(StrEnum):
    """The kind of answer that a question asks for."""

    ANSWER = "answer"
    PAPERS = "papers"
    ABOUT = "about"
    COMPARE = "compare"
    OVERVIEW = "overview"
    SIMILAR = "similar"
    CHOOSE = "choose"
    CATALOGUE = "catalogue"
    CHAT = "chat"


LISTS = frozenset({Kind.PAPERS, Kind.OVERVIEW, Kind.SIMILAR, Kind.CHOOSE})
ASKS = ("number", "reason", "manner", "name", "meaning", "whether", "finding", "other")
"""What a sentence has to state to answer the question."""


def grams(text: str) -> list[str]:
    """Return the lower-case words of a question, and pairs of neighbours; names are masked."""
    masked = _NAME.sub("namex", _TITLE.sub("namex", text)).lower()
    words = _TOKEN.findall(masked)
    return words + [f"{one} {two}" for one, two in pairwise(words)]


def features(text: str, vector: Floats, vocabulary: Mapping[str, int]) -> Floats:
    """Return the features of a wording, shape (F,): words and pairs, `SHAPE`, vector.

    `vector` is the text's by the bundled encoder, shape (384,); `vocabulary` gives the column of
    each word and pair that is a feature.
    """
    found = np.zeros(len(vocabulary) + len(SHAPE), dtype=np.float32)
    all_grams = grams(text)
    found[[vocabulary[gram] for gram in all_grams if gram in vocabulary]] = 1
    others = sum(gram not in vocabulary for gram in all_grams if " " not in gram)
    size = len(text.split())
    found[len(vocabulary) :] = (size <= 3, size <= 6, size > 15, others == 0, others == 1)
    return np.concatenate((found, vector * np.float32(VECTOR_WEIGHT)))


@dataclass(frozen=True, eq=False)
class Wording:
    """The probabilities of what a wording asks for."""

    kinds: Mapping[str, float]
    asks: Mapping[str, float]
    """The probability of each of `ASKS`, if abstracts answer the question."""
    facts: Mapping[str, float]
    """The probability of each fact of the index, if the index answers it (`rag.catalogue`)."""
    leans: float
    """The probability that it cannot be understood without the previous turn."""

    @property
    def kind(self) -> Kind:
        """The most probable kind."""
        return Kind(most_probable(self.kinds))

    @property
    def asks_most(self) -> str:
        """The most probable of `ASKS`."""
        return most_probable(self.asks)

    @property
    def asks_how_many(self) -> bool:
        """Whether it may ask how many papers there are."""
        may_ask = self.kind is Kind.PAPERS or self.kinds[Kind.CATALOGUE] > _MAY
        return may_ask and self.facts["count"] > _LIKELY

    @property
    def may_ask_credits(self) -> bool:
        """Whether it may ask who wrote a paper, or when and where it appeared."""
        share = self.kinds[Kind.CATALOGUE]
        is_credits = most_probable(self.facts) == "credits"
        return is_credits and share > max(_MAY, self.kinds[Kind.ANSWER])


def most_probable(shares: Mapping[str, float]) -> str:
    """Return the name with the highest probability."""
    return max(shares, key=shares.__getitem__)


@dataclass(frozen=True, eq=False)
class Reader:
    """Reads wordings in the vectors of the bundled encoder, by models that were fitted for it."""

    fitted: Record
    encode: Callable[[str], Floats]
    """Returns the unit vector of a text."""

    def wording(self, text: str) -> Wording:
        """Estimate what a question asks for."""
        row, framed = self._rows(text)
        models = self.fitted.models
        kinds, facts, leans = (models[name].shares(framed) for name in FRAMED[:3])
        return Wording(kinds, models["asks"].shares(row), facts, leans["yes"])

    def relation(self, text: str) -> str:
        """Return the relation to its digests (`RELATIONS`); "any" unless another is likely.

        `text` is a question with `rag.scope.FIRST` and `rag.scope.SECOND` in place of its digests.
        """
        shares = self.fitted.models["digests"].shares(self._rows(text)[1])
        relation = most_probable(shares)
        return relation if shares[relation] > _LIKELY else "any"

    def subject(self, text: str) -> tuple[Span, ...]:
        """Return the spans of the words of a question's subject."""
        return subject_words(text, self.fitted.models["subject"])

    def means_all(self, subject: str) -> bool:
        """Return whether the words of a subject only say that all papers are meant."""
        return self.fitted.models["whole"].shares(self.encode(subject))["yes"] > _WHOLE_COLLECTION

    def _rows(self, text: str) -> tuple[Floats, Floats]:
        """Return the features of a wording, without the frame and with it."""
        row = features(text, self.encode(text), self.fitted.places)
        return row, np.concatenate((row, frame(text, self.fitted.models["subject"])))


@lru_cache(maxsize=64)
def read_words(text: str) -> tuple[list[Span], Floats]:
    """Split a text at white space; return the spans of its words and their vectors in context.

    The vectors have shape (n, 384). A word after the encoder's 256 tokens and a sign are all zeros.
    """
    spans = [match.span() for match in re.finditer(r"\S+", text)]
    vectors = np.zeros((len(spans), minilm.DIMENSION), dtype=np.float32)
    counts = np.zeros(len(spans))
    owner = np.repeat(np.arange(len(spans)), [end - start for start, end in spans])
    place = np.full(len(text), -1)
    place[[at for start, end in spans for at in range(start, end)]] = owner
    tokens = minilm.shared(minilm.bundled_folder()).tokens(text)
    for (start, end), state in zip(tokens.spans, tokens.middle, strict=True):
        if any(map(str.isalnum, text[start:end])):
            vectors[place[start]] += state
            counts[place[start]] += 1
    return spans, vectors / np.maximum(counts, 1).astype(np.float32)[:, None]


def frame(text: str, model: Linear) -> Floats:
    """Return the frame: the mean of the word vectors, weighted against the subject, shape (384,).

    Its length is `FRAME_WEIGHT`, or 0 without words. `model` tells which words are the subject.
    """
    spans, vectors = read_words(text)
    weights = np.square(1 - sigmoids(model.score(vectors)))
    for title in _TITLE.finditer(text):
        weights[[title.start() <= start < title.end() for start, _ in spans]] = 0
    mean = weights @ vectors
    scale = FRAME_WEIGHT / max(float(np.linalg.norm(mean)), 1e-6)
    return np.asarray(mean * scale, dtype=np.float32)


def subject_words(text: str, model: Linear, least: float = 0.0) -> tuple[Span, ...]:
    """Return the spans of the subject's words, and of words that the encoder did not read.

    `model` tells which words are the subject; `least` is the minimum probability of a word, as a
    share of that of the most probable word.
    """
    if not text.strip():
        return ()
    spans, vectors = read_words(text)
    shares = sigmoids(model.score(vectors))
    # A low probability is enough, as a word too many costs little.
    enough = max(0.1, least * float(shares.max()))
    last = max((at for at, vector in enumerate(vectors) if vector.any()), default=-1)
    return tuple(
        (start, end)
        for at, (start, end) in enumerate(spans)
        if shares[at] > enough or (at > last and any(map(str.isalnum, text[start:end])))
    )


def subject_text(text: str, words: tuple[Span, ...]) -> str | None:
    """Return the subject of a question as one text; None if none of its words is searchable."""
    subject = " ".join(text[start:end] for start, end in words).strip(" ?.!,;:-")
    return subject if tokenize(subject) else None
