"""What was asked, analysed once: the `Query`, which travels beside the `Index` and ranks it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from index import minilm
from index.encoder import Encoder
from index.folding import is_english
from index.lexical import tokenize
from index.names import Named
from index.store import Index
from rag.conversation import Standalone, Turn, stand_alone
from rag.digests import Digest, allowed, with_days
from rag.fitted import Floats, Record, record
from rag.retrieval import Probe, Ranking, rank
from rag.schema import Filters, Options
from rag.scope import Scope, read_scope
from rag.wording import (
    Kind,
    Span,
    Wording,
    read_relation,
    read_wording,
    subject_text,
    subject_words,
)

_OF_PAPERS = {Kind.PAPERS, Kind.OVERVIEW, Kind.CHOOSE, Kind.CATALOGUE}
"""Kinds of questions in which a date says which papers are meant."""
_OF_ALL = {Kind.OVERVIEW, Kind.CHOOSE, Kind.CATALOGUE}
"""Kinds of questions that may be about the whole collection: "the main trends"."""
_OF_EACH = {Kind.PAPERS, Kind.OVERVIEW, Kind.CHOOSE}
"""Kinds of questions that are put to all papers that were chosen, whichever of them they name."""
_LETTER, _IDEOGRAPH = "[0-9A-Za-z\u00c0-\u024f]", "[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]"
_BETWEEN_SCRIPTS = re.compile(f"(?<={_LETTER})(?={_IDEOGRAPH})|(?<={_IDEOGRAPH})(?={_LETTER})")
"""Where a name is followed by words of a script that puts no spaces between them."""
_IS_WHOLE, _SHORT = 0.9, 3


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
    """Rows of the papers of earlier turns, or of the filters, that it is about."""
    chosen: tuple[int, ...] = ()
    """Rows of the papers that the filters name and it is about, whether or not they may answer."""
    standalone: str = ""
    """The question in words that need no earlier turn."""
    missing_source: int | None = None
    """The number of a source that it asks about and that no earlier answer has."""

    @cached_property
    def named(self) -> tuple[int, ...]:
        """Rows of the papers that it names, each name one paper, in its order."""
        return tuple(dict.fromkeys(name.own[0] for name in self.names if len(name.own) == 1))

    @cached_property
    def left_out(self) -> tuple[int, ...]:
        """Rows of the papers that are named, by it or by the filters, and may not answer."""
        named = dict.fromkeys((*self.chosen, *self.named))
        return tuple(row for row in named if not self.allowed[row])

    @property
    def known(self) -> tuple[int, ...]:
        """Rows of the papers it is about: of the turns before or chosen, else those it names."""
        return self.about or self.named

    @cached_property
    def ambiguous(self) -> Named | None:
        """A name that several papers have, if the question has no other word to tell them apart."""
        shared = [
            name
            for name in self.proper
            if len(name.own) > 1 and 2 * len(name.own) >= len(name.mentioned)  # else it is a term
        ]
        if not shared or self.known:
            return None
        words = {token for name in self.names for token in tokenize(name.text)}
        others = set(tokenize(self.subject_text or "")) - words
        return None if others else shared[0]

    @property
    def only_names(self) -> bool:
        """Whether it is about nothing but what it names, each name that of a paper."""
        return all(name.own for name in self.names) and _cover(self.names, self.subject_words)

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

    @property
    def subject_phrase(self) -> str | None:
        """The question from the first word of its subject to the last; None if it has none."""
        if not self.has_subject:
            return None
        (start, _), (_, end) = self.subject_words[0], self.subject_words[-1]
        return self.probe.text[start:end].strip(" ?.!,;:-")

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
    asked = _BETWEEN_SCRIPTS.sub(" ", request.asked)
    wording = read_wording(asked, vectors.bundled(asked), words)
    alone = standalone or stand_alone(
        asked, request.turns, index, encoder, digests, wording, fitted.models["follows"]
    )
    alone = replace(alone, asked=with_days(alone.asked, date.today()))
    if alone.asked != asked:
        wording = read_wording(alone.asked, vectors.bundled(alone.asked), words)
    scope = read_scope(
        alone.asked,
        digests,
        lambda text: read_relation(text, vectors.bundled(text), words),
        dates=wording.kind in _OF_PAPERS,
    )
    probe, subject = _probe(scope.text or alone.asked, index, vectors, words)
    names = tuple(_owned(n, index) for n in index.names.read(probe.text) if not _is_word(n))
    if wording.kind is Kind.ABOUT and not names:
        names = _names_of_subject(probe.text, subject, index)
    if wording.kind in _OF_ALL and not names:
        subject = _unless_of_all(subject, probe.text, index, vectors, words)
    mask = request.allowed & _within(scope, index)
    if chosen := _meant(_chosen(request.filters, index), names, wording.kind):
        alone = replace(alone, about=tuple(row for row in chosen if mask[row]))
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
        chosen=chosen,
        standalone=alone.text(index),
        missing_source=alone.missing,
    )


def _probe(
    text: str, index: Index, vectors: "_Vectors", words: Record
) -> tuple[Probe, tuple[Span, ...]]:
    """What is searched for, mended where it is misspelt, and the words of its subject."""
    subject = subject_words(text, words.models["subject"])
    probe = Probe.of(text, index, vectors, within=subject)
    if probe.text != text:
        subject = subject_words(probe.text, words.models["subject"])
    return probe, subject


def _within(scope: Scope, index: Index) -> NDArray[np.bool_]:
    """The papers that are within the digests and dates that a question names, shape (P,)."""
    mask = allowed(index.papers, scope.filters)
    if scope.without:
        mask &= ~allowed(index.papers, Filters(digests=scope.without))
    return mask


def _chosen(filters: Filters, index: Index) -> tuple[int, ...]:
    """The rows of the papers that the filters name, if they are so few that each is asked about."""
    if len(filters.papers) > 5:
        return ()
    rows = (index.row_of(id_) for id_ in filters.papers)
    return tuple(row for row in rows if row is not None)


def _meant(chosen: tuple[int, ...], names: Sequence[Named], kind: Kind) -> tuple[int, ...]:
    """Which of the chosen papers a question is about: those that it names, else each of them."""
    own = {row for name in names for row in name.own}
    named = tuple(row for row in chosen if row in own)
    beside_others = kind is Kind.COMPARE and len(named) == 1
    return named if named and kind not in _OF_EACH and not beside_others else chosen


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


def _names_of_subject(text: str, subject: tuple[Span, ...], index: Index) -> tuple[Named, ...]:
    """The names that make up a subject in small letters: "tell me about hogwild"; else none."""
    begins = {start for start, _ in subject}
    capitalised = "".join(
        letter.upper() if at in begins and len(letter.upper()) == 1 else letter
        for at, letter in enumerate(text)
    )
    read = (_owned(name, index) for name in index.names.read(capitalised))
    names = tuple(replace(n, text=text[n.start : n.end]) for n in read if n.own)
    return names if _cover(names, subject) else ()


def _cover(names: Sequence[Named], words: tuple[Span, ...]) -> bool:
    """Whether each of the words of a question is in one of its names."""
    return all(any(a < name.end and name.start < b for name in names) for a, b in words)


def _is_word(name: Named) -> bool:
    """Whether what looks like a name that no paper has is a short word in capitals: "OK"."""
    return not name.mentioned and len(name.text) <= _SHORT and is_english(name.text.lower())


def _owned(name: Named, index: Index) -> Named:
    """A name that one paper alone mentions, in its title, as the name of that paper."""
    if name.own or not name.proper or len(name.mentioned) != 1:
        return name
    title = index.papers[name.mentioned[0]].display_title
    return replace(name, own=name.mentioned) if name.text in title else name


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
