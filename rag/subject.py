"""What a question is about: its words without those that only put it to a collection.

Each word is read in its context, by layer 3 of the bundled encoder, and a logistic regression tells
whether it belongs to the subject: "what have you got on [speech recognition in villages], please?".
Fitted by `abstractqa eval fit` on wordings in our own words, whose subjects are drawn at random.
"""

import re

import numpy as np

from index import minilm
from index.lexical import tokenize
from rag.fitted import Floats, Linear, sigmoids

LEAST = 0.1
"""The probability from which a word belongs to the subject: a word too many costs little."""
Span = tuple[int, int]
"""Code points of a question, the end exclusive."""
_WORD = re.compile(r"\S+")


def read_words(text: str) -> tuple[list[Span], Floats]:
    """The words of a text as white space parts them, and each in its context, shape (n, 384).

    The encoder reads 256 tokens; a word beyond them is all zeros, and so is a sign.
    """
    spans = [match.span() for match in _WORD.finditer(text)]
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


def subject_words(text: str, model: Linear) -> tuple[Span, ...]:
    """The words of a question that belong to its subject; those that were not read do."""
    if not text.strip():
        return ()
    spans, vectors = read_words(text)
    shares = sigmoids(model.score(vectors))
    last = max((at for at, vector in enumerate(vectors) if vector.any()), default=-1)
    return tuple(
        (start, end)
        for at, (start, end) in enumerate(spans)
        if shares[at] > LEAST or (at > last and any(map(str.isalnum, text[start:end])))
    )


def subject_text(text: str, words: tuple[Span, ...]) -> str | None:
    """The subject of a question as one text; None if no word of it can be searched for."""
    subject = " ".join(text[start:end] for start, end in words).strip(" ?.!,;:-")
    return subject if tokenize(subject) else None
