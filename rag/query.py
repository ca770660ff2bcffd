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
from rag.wording import Kind, Reader, Span, Wording, subject_text

_OF_COLLECTION = {Kind.OVERVIEW, Kind.CHOOSE, Kind.CATALOGUE}
"""Kinds of questions that may be about the whole collection: "the main trends"."""
_LETTER, _IDEOGRAPH = "[0-9A-Za-z\u00c0-\u024f]", "[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]"
_BETWEEN_SCRIPTS = re.compile(f"(?<={_LETTER})(?={_IDEOGRAPH})|(?<={_IDEOGRAPH})(?={_LETTER})")
"""The places between a Latin letter or digit and a Japanese, Chinese or Korean character."""


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
    fitted: Record
    probe: Probe
    """The standalone question to search for, without its mentions of digests and dates."""
    kind: Kind
    wording: Wording
    names: tuple[Named, ...]
    subject_words: tuple[Span, ...]
    """Spans of `probe.text` that are its subject; empty if it is about all papers."""
    scope: Scope
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
    is_bundled = encoder.name == minilm.NAME
    encode = cache(encoder.encode_query if is_bundled else _encode_bundled)
    reader = Reader(fitted or record(), encode)
    fitted = fitted or record(index.manifest.encoder)
    asked, follows = _BETWEEN_SCRIPTS.sub(" ", request.asked), fitted.models["follows"]
    resolved = standalone or stand_alone(
        asked, request.turns, index, encoder, digests, reader.wording(asked), follows
    )
    return _analyse(request, resolved, index, encoder, digests, reader, fitted)


def _analyse(
    request: Request,
    resolved: Standalone,
    index: Index,
    encoder: Encoder,
    digests: Sequence[Digest],
    reader: Reader,
    fitted: Record,
) -> Query:
    """Analyse a question that needs no earlier turn."""
    asked = with_days(resolved.asked, date.today())
    wording = reader.wording(asked)
    asks_papers = wording.kind in {Kind.PAPERS, *_OF_COLLECTION}  # else a date may be the subject
    scope = read_scope(asked, digests, reader.relation, dates=asks_papers)
    text = scope.text or asked
    right, mends = mend(text, index.lexical, index.names, reader.subject(text))
    subject, names = _parse(right, wording.kind, index, reader)
    encode = reader.encode if encoder.name == minilm.NAME else encoder.encode_query
    mask = request.allowed & allowed(index.papers, scope.filters)
    if scope.without:
        mask &= ~allowed(index.papers, Filters(digests=scope.without))
    chosen = _chosen(request.filters.papers, index, names, wording.kind)
    about = tuple(row for row in chosen if mask[row]) if chosen else resolved.about
    return Query(
        request=request,
        encoder=encoder,
        fitted=fitted,
        probe=Probe(right, encode(right), mends),
        kind=wording.kind,
        wording=wording,
        names=names,
        subject_words=subject,
        scope=scope,
        allowed=mask,
        about=about,
        chosen=chosen,
        standalone=replace(resolved, asked=asked, about=about).text(index),
        missing_source=resolved.missing,
        limits=describe_limits(request.filters, scope, digests),
    )


def _encode_bundled(text: str) -> Floats:
    return np.asarray(minilm.shared(minilm.bundled_folder()).encode(text), dtype=np.float32)


def _parse(
    text: str, kind: Kind, index: Index, reader: Reader
) -> tuple[tuple[Span, ...], tuple[Named, ...]]:
    """Return the words of a question's subject, and the names in it."""
    subject = reader.subject(text)
    found = (_assign_owner(name, index) for name in index.names.read(text))
    names = tuple(
        name  # "OK", which no paper has, is a word
        for name in found
        if name.mentioned or len(name.text) > 3 or not is_english(name.text.lower())
    )
    if names:
        return subject, names
    about = subject_text(text, subject)
    is_general = about and all(_is_known(word, index, reader) for word in about.split())
    if kind in _OF_COLLECTION and about and is_general and reader.means_all(about):
        return (), ()
    return subject, _names_of_subject(text, subject, index) if kind is Kind.ABOUT else ()


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
    is_of_all = compares_with_others or kind in {Kind.PAPERS, Kind.OVERVIEW, Kind.CHOOSE}
    return named if named and not is_of_all else chosen


def _is_known(word: str, index: Index, reader: Reader) -> bool:
    """Return whether a word occurs in the index or in the vocabulary of the wording models."""
    tokens, known = tokenize(word), index.lexical.document_frequency
    in_vocabulary = word.strip(".,;:?!").lower() in reader.fitted.places
    return not tokens or in_vocabulary or tokens[0] in known


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


def _assign_owner(name: Named, index: Index) -> Named:
    """Return the name, assigned to the only paper that mentions it if that is in its title."""
    if name.own or not name.proper or len(name.mentioned) != 1:
        return name
    title = index.papers[name.mentioned[0]].display_title
    return replace(name, own=name.mentioned) if name.text in title else name


def rank_for(index: Index, query: Query, ranker: Callable[..., Ranking] = rank) -> Ranking:
    """Rank the papers for a question, and for its subject alone if it has other words.

    If it is about papers of earlier turns, search with their titles instead.
    """
    allowed = query.allowed
    if not query.about:
        by_subject = None
        if query.subject is not query.probe:
            by_subject = ranker(index, query.subject, allowed)
        return replace(ranker(index, query.probe, allowed), by_subject=by_subject)
    probe = Probe.of(query.standalone, index, query.encoder, mended=False)
    # Sentences are compared with the question only, without the titles.
    passages = index.passage_vectors @ query.probe.vector
    return replace(ranker(index, probe, allowed), probe=query.probe, passages=passages)
