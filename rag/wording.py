"""What a question's wording asks for, and which of its words are the subject.

Linear models, fitted by `abstractqa eval fit` on wordings with every subject filled in at random
(`eval/fitting`), so what counts is how it is asked, not about what. The subject is the question
without the words that only put it: "what have you got on [speech recognition], please?".
Each word is read in its context, by layer 3 of the bundled encoder; the mean of those that are not
the subject's is the frame, from which, and from its words, the kind of the question is read.
"""

import re
from collections.abc import Mapping
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
"""How long a question is, and how many of its words the vocabulary does not have."""
VECTOR_WEIGHT, FRAME_WEIGHT = 3.0, 6.0
"""What unit vectors are multiplied by, beside words that count 1: chosen on left-out wordings."""
RELATIONS = ("any", "every", "first", "last", "none")
"""Which papers are meant by the digests of a question: of any of them, of each, only of the first
or the last that is named, or of none."""
FRAMED = ("kinds", "facts", "leans", "digests")
"""The models that read the frame, too."""
_MAY, _LIKELY = 0.1, 0.5
_IN_SUBJECT = 0.1
"""The probability from which a word belongs to the subject: a word too many costs little."""
Span = tuple[int, int]
"""Code points of a question, the end exclusive."""


class Kind(StrEnum):
    """The form of answer that a question wants."""

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
"""Kinds whose answers are lists of papers."""
ASKS = ("number", "reason", "manner", "name", "meaning", "whether", "finding", "other")
"""What a sentence has to state to answer."""


def grams(text: str) -> list[str]:
    """The words of a question, lower-case, and its pairs of neighbours; names are masked."""
    masked = _NAME.sub("namex", _TITLE.sub("namex", text)).lower()
    words = _TOKEN.findall(masked)
    return words + [f"{one} {two}" for one, two in pairwise(words)]


def features(text: str, vector: Floats, vocabulary: Mapping[str, int]) -> Floats:
    """The features of a wording: words and pairs of the vocabulary, shape, vector.

    Args:
        text: A question.
        vector: Its unit vector by the bundled encoder, shape (384,).
        vocabulary: The place of each word and pair that counts.
    """
    found = np.zeros(len(vocabulary) + len(SHAPE), dtype=np.float32)
    every = grams(text)
    found[[vocabulary[gram] for gram in every if gram in vocabulary]] = 1
    others = sum(gram not in vocabulary for gram in every if " " not in gram)
    size = len(text.split())
    found[len(vocabulary) :] = (size <= 3, size <= 6, size > 15, others == 0, others == 1)
    return np.concatenate((found, vector * np.float32(VECTOR_WEIGHT)))


@dataclass(frozen=True, eq=False)
class Wording:
    """What a wording asks for, as probabilities."""

    kinds: Mapping[str, float]
    asks: Floats
    """Of each of `ASKS`, if it asks what abstracts answer."""
    facts: Mapping[str, float]
    """Of what is to be read off the index, if it asks that (`rag.catalogue`)."""
    leans: float
    """That it cannot be understood without the turn before."""

    @property
    def asks_how_many(self) -> bool:
        """Whether it may ask how many papers there are."""
        return self.kinds[Kind.CATALOGUE] > _MAY and self.facts["count"] > _LIKELY

    @property
    def may_ask_credits(self) -> bool:
        """Whether it may ask who wrote a paper, or when and where it came out."""
        fact = max(self.facts, key=lambda fact: self.facts[fact])
        share = self.kinds[Kind.CATALOGUE]
        return fact == "credits" and share > max(_MAY, self.kinds[Kind.ANSWER])

    @property
    def asks_most(self) -> str:
        """Which of `ASKS` it most likely asks for."""
        return ASKS[int(self.asks.argmax())]

    @property
    def kind(self) -> Kind:
        """The most probable kind."""
        return Kind(max(self.kinds, key=lambda kind: self.kinds[kind]))


def read_wording(text: str, vector: Floats, fitted: Record) -> Wording:
    """Read a wording.

    Args:
        text: The question as it was asked.
        vector: Its unit vector by the bundled encoder.
        fitted: The record of the bundled encoder.
    """
    row = features(text, vector, fitted.places)
    framed = np.concatenate((row, frame(text, fitted.models["subject"])))
    kinds, facts, leans = (fitted.models[name].shares(framed) for name in FRAMED[:3])
    asked = fitted.models["asks"].shares(row)
    asks = np.asarray([asked[name] for name in ASKS], dtype=np.float32)
    return Wording(kinds, asks, facts, leans["yes"])


def read_relation(text: str, vector: Floats, fitted: Record) -> str:
    """Which of `RELATIONS` a question has to its digests; "any" unless another is likely.

    Args:
        text: The question with `rag.scope.FIRST` and `rag.scope.SECOND` for its digests.
        vector: The unit vector of this text by the bundled encoder.
        fitted: The record of the bundled encoder.
    """
    row = features(text, vector, fitted.places)
    framed = np.concatenate((row, frame(text, fitted.models["subject"])))
    shares = fitted.models["digests"].shares(framed)
    relation = max(shares, key=lambda relation: shares[relation])
    return relation if shares[relation] > _LIKELY else "any"


@lru_cache(maxsize=64)
def read_words(text: str) -> tuple[list[Span], Floats]:
    """The words of a text as white space parts them, and each in its context, shape (n, 384).

    The encoder reads 256 tokens; a word beyond them is all zeros, and so is a sign.
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
    """The mean word beside the subject, in context, shape (384,), of length `FRAME_WEIGHT`.

    Args:
        text: A question; all zeros if it has no words.
        model: That of the subject.
    """
    spans, vectors = read_words(text)
    weights = np.square(1 - sigmoids(model.score(vectors)))
    for title in _TITLE.finditer(text):
        weights[[title.start() <= start < title.end() for start, _ in spans]] = 0
    mean = weights @ vectors
    scale = FRAME_WEIGHT / max(float(np.linalg.norm(mean)), 1e-6)
    return np.asarray(mean * scale, dtype=np.float32)


def subject_words(text: str, model: Linear, least: float = 0.0) -> tuple[Span, ...]:
    """The words of a question that belong to its subject; those that the encoder did not read do.

    Args:
        text: A question.
        model: That of the subject.
        least: A word is as probable as this share of the most probable one.
    """
    if not text.strip():
        return ()
    spans, vectors = read_words(text)
    shares = sigmoids(model.score(vectors))
    enough = max(_IN_SUBJECT, least * float(shares.max()))
    last = max((at for at, vector in enumerate(vectors) if vector.any()), default=-1)
    return tuple(
        (start, end)
        for at, (start, end) in enumerate(spans)
        if shares[at] > enough or (at > last and any(map(str.isalnum, text[start:end])))
    )


def subject_text(text: str, words: tuple[Span, ...]) -> str | None:
    """The subject of a question as one text; None if no word of it can be searched for."""
    subject = " ".join(text[start:end] for start, end in words).strip(" ?.!,;:-")
    return subject if tokenize(subject) else None
