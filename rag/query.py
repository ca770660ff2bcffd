"""What was asked, analysed once: the `Query`, which travels beside the `Index` and ranks it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from index.encoder import Encoder
from index.lexical import tokenize
from index.names import Named
from index.store import Index
from rag.conversation import Turn
from rag.fitted import Floats, Record
from rag.retrieval import Probe, Ranking, rank
from rag.schema import Filters, Options
from rag.scope import Scope
from rag.subject import Span, subject_text
from rag.wording import Kind, Wording


@dataclass(frozen=True, eq=False)
class Request:
    """A question as it was put, checked, with all that belongs to it."""

    asked: str
    turns: tuple[Turn, ...]
    filters: Filters
    options: Options
    allowed: NDArray[np.bool_]
    """The papers that pass the filters, shape (P,)."""


@dataclass(frozen=True, eq=False)
class Query:
    """A question that stands alone, and all that is known of it before anything is searched."""

    request: Request
    encoder: Encoder
    """The index's."""
    fitted: Record
    """The models of that encoder."""
    probe: Probe
    """What is asked, standing alone, without what it says of digests."""
    kind: Kind
    wording: Wording
    names: tuple[Named, ...]
    """The names in `probe.text`."""
    subject_words: tuple[Span, ...]
    """The words of `probe.text` that say what it is about; none if it is about all papers."""
    scope: Scope
    """What it says of digests and dates."""
    allowed: NDArray[np.bool_]
    """The papers that pass the filters and the scope, shape (P,)."""
    about: tuple[int, ...] = ()
    """Rows of the papers of earlier turns that it is about."""
    standalone: str = ""
    """The question in words that need no earlier turn."""
    missing_source: int | None = None
    """The number of a source that it asks about and that no earlier answer has."""

    @cached_property
    def named(self) -> tuple[int, ...]:
        """Rows of the papers that it names, each name one paper, in its order."""
        return tuple(dict.fromkeys(name.own[0] for name in self.names if len(name.own) == 1))

    @cached_property
    def ambiguous(self) -> Named | None:
        """A name that several papers have, if the question has no other word to tell them apart."""
        shared = [
            name
            for name in self.proper
            if len(name.own) > 1 and 2 * len(name.own) >= len(name.mentioned)  # else it is a term
        ]
        if not shared or self.named or self.about:
            return None
        words = {token for name in self.names for token in tokenize(name.text)}
        others = set(tokenize(self.subject_text or "")) - words
        return None if others else shared[0]

    @property
    def only_names(self) -> bool:
        """Whether it is about nothing but what it names, each name that of a paper."""
        return all(name.own for name in self.names) and all(
            any(start < name.end and name.start < end for name in self.names)
            for start, end in self.subject_words
        )

    @property
    def mends(self) -> str | None:
        """What typing errors in it were taken for, as a sentence; None if there are none."""
        mends = [f"“{new}” for “{old}”" for old, new in self.probe.mends]
        return f"Understood as {', '.join(mends)}." if mends else None

    @cached_property
    def proper(self) -> tuple[Named, ...]:
        """The names that look like names: what an answer has to do with."""
        return tuple(name for name in self.names if name.proper)

    @cached_property
    def subject_text(self) -> str | None:
        """What it is about, without the words that only put the question; None if none is left."""
        return subject_text(self.probe.text, self.subject_words)

    @property
    def has_subject(self) -> bool:
        """Whether it is about anything but the collection as a whole."""
        return self.subject_text is not None

    @cached_property
    def subject(self) -> Probe:
        """What it is about, to be searched for; `probe` if it is about the collection."""
        text = self.subject_text
        if text is None or text == self.probe.text:
            return self.probe
        return Probe(text, tuple(dict.fromkeys(tokenize(text))), self.encoder.encode_query(text))

    def aspect(self, row: int) -> Floats:
        """The unit vector of what it asks of the paper of a row, without the paper's own names."""
        own = self.own_tokens(row)
        words = [word for word in self.probe.text.split() if not own & set(tokenize(word))]
        if not own or not words:
            return self.probe.vector
        return self.encoder.encode_query(" ".join(words))

    def own_tokens(self, row: int) -> frozenset[str]:
        """The tokens that only say that the paper of a row is meant."""
        spans = (name.text for name in self.names if row in name.own)
        return frozenset(token for text in spans for token in tokenize(text))

    def as_kind(self, kind: Kind) -> "Query":
        """The same question, to be answered in another form."""
        return replace(self, kind=kind)


def rank_for(
    index: Index,
    query: Query,
    ranker: Callable[..., Ranking] = rank,
    allowed: NDArray[np.bool_] | None = None,
) -> Ranking:
    """The papers for a question; the titles of papers of earlier turns help to find them again."""
    allowed = query.allowed if allowed is None else allowed
    if not query.about:
        return ranker(index, query.probe, allowed)
    probe = Probe.of(query.standalone, index, query.encoder, mended=False)
    # What sentences are compared with is what is asked, without the titles.
    passages = index.passage_vectors @ query.probe.vector
    return replace(ranker(index, probe, allowed), probe=query.probe, passages=passages)
