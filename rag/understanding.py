"""From what was put to a `Query`: conversation, digests, typing errors, kind and names, once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np

from index import minilm
from index.encoder import Encoder
from index.folding import is_english
from index.lexical import tokenize
from index.names import Named
from index.store import Index
from rag.conversation import Standalone, stand_alone
from rag.digests import Digest, allowed, with_days
from rag.fitted import Floats, Record, record
from rag.query import Query, Request
from rag.retrieval import Probe
from rag.schema import Filters
from rag.scope import read_scope
from rag.subject import Span, subject_text, subject_words
from rag.wording import Kind, read_relation, read_wording

_OF_PAPERS = {Kind.PAPERS, Kind.OVERVIEW, Kind.CHOOSE, Kind.CATALOGUE}
"""Kinds of questions in which a date says which papers are meant."""
_OF_ALL = {Kind.OVERVIEW, Kind.CHOOSE, Kind.CATALOGUE}
"""Kinds of questions that may be about the whole collection: "the main trends"."""
_IS_WHOLE = 0.9
_SHORT = 3


def understand(
    request: Request,
    index: Index,
    encoder: Encoder,
    digests: Sequence[Digest],
    standalone: Standalone | None = None,
    fitted: Record | None = None,
) -> Query:
    """Analyse a question.

    Args:
        request: The question as it was put.
        index: The index that is asked.
        encoder: Its encoder.
        digests: Those of the index, oldest first.
        standalone: The question standing alone, if something else than `rag.conversation` made it.
        fitted: Other models than the record of the index's encoder.
    """
    words = fitted or record()  # wordings are read by the bundled encoder, whatever the index's
    fitted = fitted or record(index.manifest.encoder)
    vectors = _Vectors(encoder)
    wording = read_wording(request.asked, vectors.bundled(request.asked), words)
    model = fitted.models["follows"]
    alone = standalone or stand_alone(request, index, encoder, digests, wording, model)
    if (dated := with_days(alone.asked, date.today())) != alone.asked:
        alone = replace(alone, asked=dated)
    if alone.asked != request.asked:
        wording = read_wording(alone.asked, vectors.bundled(alone.asked), words)
    scope = read_scope(
        alone.asked,
        digests,
        lambda text: read_relation(text, vectors.bundled(text), words),
        dates=wording.kind in _OF_PAPERS,
    )
    mask = request.allowed & allowed(index.papers, scope.filters)
    if scope.without:
        mask = mask & ~allowed(index.papers, Filters(digests=scope.without))
    probe = Probe.of(scope.text or alone.asked, index, vectors)
    names = tuple(name for name in index.names.read(probe.text) if not _is_word(name))
    subject = subject_words(probe.text, words.models["subject"])
    if wording.kind in _OF_ALL and not names:
        subject = _unless_of_all(subject, probe.text, index, vectors, words)
    return Query(
        request=request,
        encoder=encoder,
        fitted=fitted,
        probe=probe,
        kind=wording.kind,
        wording=wording,
        names=names,
        subject_words=subject,
        scope=scope,
        allowed=mask,
        about=alone.about,
        standalone=alone.text(index),
        missing_source=alone.missing,
    )


def _unless_of_all(
    subject: tuple[Span, ...], text: str, index: Index, vectors: "_Vectors", words: Record
) -> tuple[Span, ...]:
    """What a question is about; nothing if its words only say that all papers are meant."""
    about = subject_text(text, subject)
    if not about or not all(_is_known(word, index, words) for word in about.split()):
        return subject
    shares = words.models["whole"].shares(vectors.bundled(about))
    return () if shares["yes"] > _IS_WHOLE else subject


def _is_known(word: str, index: Index, words: Record) -> bool:
    """Whether a word stands in the index, or in the wordings that were fitted."""
    tokens = tokenize(word)
    known = index.lexical.document_frequency
    return not tokens or word.strip(".,;:?!").lower() in words.places or tokens[0] in known


def _is_word(name: Named) -> bool:
    """Whether what looks like a name that no paper has is a short word in capitals: "OK"."""
    return not name.mentioned and len(name.text) <= _SHORT and is_english(name.text.lower())


class _Vectors:
    """Vectors of the texts of one question, each encoded once."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: dict[str, Floats] = {}

    def encode_query(self, text: str) -> Floats:
        """The unit vector of a text by the index's encoder."""
        if text not in self._known:
            self._known[text] = self._encoder.encode_query(text)
        return self._known[text]

    def bundled(self, text: str) -> Floats:
        """The same by the bundled encoder, for which wordings are fitted."""
        if self._encoder.name == minilm.NAME:
            return self.encode_query(text)
        return np.asarray(minilm.shared(minilm.bundled_folder()).encode(text), dtype=np.float32)
