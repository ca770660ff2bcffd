"""Which drafts are kept: those that have a subject, find their paper again, and are new."""

import numpy as np
from numpy.typing import NDArray

from eval.metrics.answers import nuggets_found
from eval.synthesis.drafts import Draft, Reason
from index.encoder import Encoder
from index.lexical import tokenize
from index.store import Index
from index.text import clean_text
from rag.retrieval import Probe, rank

NEAR_DUPLICATE = 0.9
"""Cosine of two questions' vectors from which on they are the same question."""
TOP_HITS = 10
COMMON_SHARE = 0.05
"""A word that more than this share of the papers have says of no subject."""
_RARE_WORDS = 3
"""A question needs them to have a subject."""


class Sieve:
    """The filters that every draft goes through, whoever wrote it; it knows what it has kept."""

    def __init__(self, index: Index, encoder: Encoder, k: int) -> None:
        self._index = index
        self._encoder = encoder
        self._k = k
        self._vectors: list[NDArray[np.float32]] = []
        self._answers: set[tuple[int, str]] = set()

    def keep(self, draft: Draft) -> Reason | None:
        """Keep a draft, or say why not.

        The round trip is Promptagator's: the product's own retrieval must have the paper among
        the first `k` for the question alone.
        """
        if not is_specific(draft.question, self._index):
            return Reason.NO_SUBJECT
        probe = Probe.of(draft.question, self._index, self._encoder)
        if not np.isin(draft.paper, rank(self._index, probe).rows[: self._k]):
            return Reason.NOT_FOUND_AGAIN
        vector = probe.vector
        answer = (draft.paper, draft.nugget[0].casefold())
        near = any(float(vector @ kept) >= NEAR_DUPLICATE for kept in self._vectors)
        if near or answer in self._answers:
            return Reason.DUPLICATE
        self._vectors.append(vector)
        self._answers.add(answer)
        return None


def is_specific(text: str, index: Index) -> bool:
    """Whether a text has enough words that few papers of the index have: whether it says of what.

    "What does the proposed method improve?" could be asked of any paper. A name counts twice.
    """
    lexical = index.lexical
    most = max(2, COMMON_SHARE * lexical.size)
    frequencies = (lexical.document_frequency.get(token, 0) for token in set(tokenize(text)))
    rare = sum(0 < frequency <= most for frequency in frequencies)
    names = sum(name.proper for name in index.names.read(text))
    return rare + names >= _RARE_WORDS


def answered_elsewhere(draft: Draft, index: Index, encoder: Encoder) -> bool:
    """Whether another of the first `TOP_HITS` papers states the answer too."""
    rows = rank(index, Probe.of(draft.question, index, encoder)).rows[: TOP_HITS + 1]
    texts = (
        f"{index.papers[row].display_title}\n{clean_text(index.papers[row].abstract)}"
        for row in rows
        if row != draft.paper
    )
    return any(any(nuggets_found([draft.nugget], text)) for text in texts)
