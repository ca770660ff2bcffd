"""Analyse a question once: `understand` makes the `Query` with which all later steps work."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from index import minilm
from index.encoder import Encoder
from index.folding import is_english
from index.lexical import tokenize
from index.names import Named
from index.naming import mend
from index.store import Index
from rag.conversation import Standalone, Turn, stand_alone
from rag.digests import Digest, allowed, with_days
from rag.fitted import Floats, Record, record
from rag.retrieval import Probe, Ranking, rank
from rag.schema import Filters, Options
from rag.scope import Scope, describe_limits, read_scope
from rag.wording import (
    Kind,
    Span,
    Wording,
    read_relation,
    read_wording,
    subject_text,
    subject_words,
)

_DATE_FILTERS = {Kind.PAPERS, Kind.OVERVIEW, Kind.CHOOSE, Kind.CATALOGUE}
"""Kinds of questions in which a date filters the papers."""
_MAY_BE_OF_COLLECTION = {Kind.OVERVIEW, Kind.CHOOSE, Kind.CATALOGUE}
"""Kinds of questions that may be about the whole collection: "the main trends"."""
_OF_ALL_CHOSEN = {Kind.PAPERS, Kind.OVERVIEW, Kind.CHOOSE}
"""Kinds of questions that are about all chosen papers, whichever of them the question names."""
_LETTER, _IDEOGRAPH = "[0-9A-Za-z\u00c0-\u024f]", "[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]"
_BETWEEN_SCRIPTS = re.compile(f"(?<={_LETTER})(?={_IDEOGRAPH})|(?<={_IDEOGRAPH})(?={_LETTER})")
"""The places between a Latin letter or digit and a Japanese, Chinese or Korean character."""
_WHOLE_COLLECTION, _SHORT_WORD = 0.9, 3


@dataclass(frozen=True, eq=False)
class Request:
    """A question as it was asked, checked, with its earlier turns, filters and options."""

    asked: str
    turns: tuple[Turn, ...]
    filters: Filters
    options: Options
    allowed: NDArray[np.bool_]
    """Mask of the papers that pass the filters, shape (P,)."""


@dataclass(frozen=True, eq=False)
class Query:
    """An analysed question: all that is known about it before papers are ranked."""

    request: Request
    encoder: Encoder
    """The encoder of the index."""
    fitted: Record
    """The models fitted for that encoder."""
    probe: Probe
    """The standalone question to search for, without its mentions of digests and dates."""
    kind: Kind
    wording: Wording
    names: tuple[Named, ...]
    """The names in `probe.text`."""
    subject_words: tuple[Span, ...]
    """Spans of `probe.text` that are its subject; empty if it is about all papers."""
    scope: Scope
    """The digests and dates that the question mentions."""
    allowed: NDArray[np.bool_]
    """Mask of the papers that pass the filters and the scope, shape (P,)."""
    about: tuple[int, ...] = ()
    """Rows of the papers from earlier turns, or from the filters, that the question is about."""
    chosen: tuple[int, ...] = ()
    """Like `about`, but from the filters only, and including papers that may not answer."""
    standalone: str = ""
    """The question in words that need no earlier turn."""
    missing_source: int | None = None
    """The source number that the question refers to, if no earlier answer has it."""
    limits: str = ""
    """Which papers may answer, by the filters and the scope, in words; empty if all may."""

    @cached_property
    def named(self) -> tuple[int, ...]:
        """Rows of the papers that the question names, in its order, without ambiguous names."""
        return tuple(dict.fromkeys(name.own[0] for name in self.names if len(name.own) == 1))

    @cached_property
    def left_out(self) -> tuple[int, ...]:
        """Rows of the papers that the question or the filters name but that may not answer."""
        named = dict.fromkeys((*self.chosen, *self.named))
        return tuple(row for row in named if not self.allowed[row])

    @property
    def known(self) -> tuple[int, ...]:
        """Rows of the papers the question is about: `about`, or else those that it names."""
        return self.about or self.named

    @cached_property
    def ambiguous(self) -> Named | None:
        """A name of several papers, if the question has no other word to tell them apart."""
        shared = [
            name
            for name in self.proper
            if len(name.own) > 1 and 2 * len(name.own) >= len(name.mentioned)  # else a common term
        ]
        if not shared or self.known:
            return None
        words = {token for name in self.names for token in tokenize(name.text)}
        others = set(tokenize(self.subject_text or "")) - words
        return None if others else shared[0]

    @property
    def only_names(self) -> bool:
        """Whether the subject consists of names only, and each name is that of a paper."""
        return all(name.own for name in self.names) and _are_covered(self.names, self.subject_words)

    @property
    def mends(self) -> str | None:
        """A sentence that lists the typing errors that were corrected; None without any."""
        mends = [f"“{new}” for “{old}”" for old, new in self.probe.mends]
        return f"Understood as {', '.join(mends)}." if mends else None

    @cached_property
    def proper(self) -> tuple[Named, ...]:
        """The names that are written as names: an answer has to be about them."""
        return tuple(name for name in self.names if name.proper)

    @cached_property
    def subject_text(self) -> str | None:
        """The subject, without the words that only phrase the question; None if there is none."""
        return subject_text(self.probe.text, self.subject_words)

    @property
    def has_subject(self) -> bool:
        """Whether the question is about a subject, and not about the collection as a whole."""
        return self.subject_text is not None

    @cached_property
    def subject(self) -> Probe:
        """The subject as a search text; `probe` if the question has no other words."""
        text = self.subject_text
        if text is None or text == self.probe.text:
            return self.probe
        return Probe(text, self.encoder.encode_query(text))

    @property
    def subject_phrase(self) -> str | None:
        """The question from the first to the last word of its subject; None if it has none."""
        if not self.has_subject:
            return None
        (start, _), (_, end) = self.subject_words[0], self.subject_words[-1]
        return self.probe.text[start:end].strip(" ?.!,;:-")

    def aspect(self, row: int) -> Floats:
        """Return the unit vector of the question without the names of the paper at `row`."""
        name_tokens = self.own_tokens(row)
        words = [word for word in self.probe.text.split() if not name_tokens & set(tokenize(word))]
        if not name_tokens or not words:
            return self.probe.vector
        return self.encoder.encode_query(" ".join(words))

    def own_tokens(self, row: int) -> frozenset[str]:
        """Return the tokens of the names by which the question refers to the paper at `row`."""
        spans = (name.text for name in self.names if row in name.own)
        return frozenset(token for text in spans for token in tokenize(text))

    def as_kind(self, kind: Kind) -> "Query":
        """Return the same question with another kind of answer."""
        return replace(self, kind=kind)


def understand(
    request: Request,
    index: Index,
    encoder: Encoder,
    digests: Sequence[Digest],
    standalone: Standalone | None = None,
    fitted: Record | None = None,
) -> Query:
    """Analyse a checked question.

    `encoder` is that of the index; `digests` are the index's, oldest first. `standalone` is the
    standalone question if a chat model made it, `fitted` are models to use instead of those fitted
    for the encoder.
    """
    bundled = fitted or record()  # of the bundled encoder, which always reads the wording
    fitted = fitted or record(index.manifest.encoder)
    encode = cache(encoder.encode_query)
    read = encode if encoder.name == minilm.NAME else _encode_bundled
    asked = _BETWEEN_SCRIPTS.sub(" ", request.asked)
    wording = read_wording(asked, read(asked), bundled)
    resolved = standalone or stand_alone(
        asked, request.turns, index, encoder, digests, wording, fitted.models["follows"]
    )
    resolved = replace(resolved, asked=with_days(resolved.asked, date.today()))
    if resolved.asked != asked:
        wording = read_wording(resolved.asked, read(resolved.asked), bundled)
    scope = read_scope(
        resolved.asked,
        digests,
        lambda text: read_relation(text, read(text), bundled),
        dates=wording.kind in _DATE_FILTERS,
    )
    text = scope.text or resolved.asked
    subject = subject_words(text, bundled.models["subject"])
    right, mends = mend(text, index.lexical, index.names, subject)
    probe = Probe(right, encode(right), mends)
    if right != text:
        subject = subject_words(right, bundled.models["subject"])
    names = tuple(_assign_owner(n, index) for n in index.names.read(probe.text) if not _is_word(n))
    if wording.kind is Kind.ABOUT and not names:
        names = _names_of_subject(probe.text, subject, index)
    if wording.kind in _MAY_BE_OF_COLLECTION and not names:
        subject = _drop_general_subject(subject, probe.text, index, read, bundled)
    mask = request.allowed & allowed(index.papers, scope.filters)
    if scope.without:
        mask &= ~allowed(index.papers, Filters(digests=scope.without))
    if chosen := _chosen(request.filters.papers, index, names, wording.kind):
        resolved = replace(resolved, about=tuple(row for row in chosen if mask[row]))
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
        about=resolved.about,
        chosen=chosen,
        standalone=resolved.text(index),
        missing_source=resolved.missing,
        limits=describe_limits(request.filters, scope, digests),
    )


def _encode_bundled(text: str) -> Floats:
    """Return the unit vector of a text by the bundled encoder, as the wording models need."""
    return np.asarray(minilm.shared(minilm.bundled_folder()).encode(text), dtype=np.float32)


def _chosen(
    ids: Sequence[str], index: Index, names: Sequence[Named], kind: Kind
) -> tuple[int, ...]:
    """Return the rows of the chosen papers that a question is about: those named, or else all.

    If more than five are chosen, which is too many to answer from each, return ().
    """
    rows = [index.row_of(id_) for id_ in ids] if len(ids) <= 5 else []
    chosen = tuple(row for row in rows if row is not None)
    named_rows = {row for name in names for row in name.own}
    named = tuple(row for row in chosen if row in named_rows)
    compares_with_others = kind is Kind.COMPARE and len(named) == 1
    return named if named and kind not in _OF_ALL_CHOSEN and not compares_with_others else chosen


def _drop_general_subject(
    subject: tuple[Span, ...],
    text: str,
    index: Index,
    read: Callable[[str], Floats],
    bundled: Record,
) -> tuple[Span, ...]:
    """Return the subject, or () if its words only say that all papers are meant."""
    about = subject_text(text, subject)
    if not about or not all(_is_known(word, index, bundled) for word in about.split()):
        return subject
    shares = bundled.models["whole"].shares(read(about))
    return () if shares["yes"] > _WHOLE_COLLECTION else subject


def _is_known(word: str, index: Index, bundled: Record) -> bool:
    """Return whether a word occurs in the index or in the vocabulary of the wording models."""
    tokens = tokenize(word)
    known = index.lexical.document_frequency
    return not tokens or word.strip(".,;:?!").lower() in bundled.places or tokens[0] in known


def _names_of_subject(text: str, subject: tuple[Span, ...], index: Index) -> tuple[Named, ...]:
    """Return the paper names that make up a lower-case subject ("about hogwild"), or else ()."""
    begins = {start for start, _ in subject}
    capitalised = "".join(
        letter.upper() if at in begins and len(letter.upper()) == 1 else letter
        for at, letter in enumerate(text)
    )
    read = (_assign_owner(name, index) for name in index.names.read(capitalised))
    names = tuple(replace(n, text=text[n.start : n.end]) for n in read if n.own)
    return names if _are_covered(names, subject) else ()


def _are_covered(names: Sequence[Named], words: tuple[Span, ...]) -> bool:
    """Return whether each word span of a question overlaps one of its names."""
    return all(any(a < name.end and name.start < b for name in names) for a, b in words)


def _is_word(name: Named) -> bool:
    """Return whether a name that no paper has is only a short English word, such as "OK"."""
    return not name.mentioned and len(name.text) <= _SHORT_WORD and is_english(name.text.lower())


def _assign_owner(name: Named, index: Index) -> Named:
    """Return the name, assigned to the only paper that mentions it if that is in its title."""
    if name.own or not name.proper or len(name.mentioned) != 1:
        return name
    title = index.papers[name.mentioned[0]].display_title
    return replace(name, own=name.mentioned) if name.text in title else name


def rank_for(
    index: Index,
    query: Query,
    ranker: Callable[..., Ranking] = rank,
    allowed: NDArray[np.bool_] | None = None,
) -> Ranking:
    """Rank the papers for a question, and for its subject alone if it has other words.

    If it is about papers of earlier turns, search with their titles instead.
    """
    allowed = query.allowed if allowed is None else allowed
    if not query.about:
        by_subject = None
        if query.subject is not query.probe:
            by_subject = ranker(index, query.subject, allowed)
        return replace(ranker(index, query.probe, allowed), by_subject=by_subject)
    probe = Probe.of(query.standalone, index, query.encoder, mended=False)
    # Sentences are compared with the question only, without the titles.
    passages = index.passage_vectors @ query.probe.vector
    return replace(ranker(index, probe, allowed), probe=query.probe, passages=passages)
