"""Tokenize texts, keep postings and score papers by Lucene's BM25 (Robertson, Zaragoza, 2009)."""

import re
import threading
import unicodedata
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Self

import numpy as np
import Stemmer
from numpy.typing import NDArray

from index.papers import Paper
from index.text import clean_text

FILE_NAME = "lexical.npz"

# Words that say nothing about a topic: function words, and words that questions are phrased with.
STOP_WORDS = frozenset(
    """a about after all also am an and any anybody anyone anything are as at be been before being
    between both but by can compare compared could did difference do does doing done each eg
    else etc every few for from get give given had has have having he her here him his how i ie
    if im in into is it its itself just let like list many me more most much my no nor not of
    off on one only or other our out over own papers paper please r same say says she should
    show so some somebody someone something such tell than that the their them then there these
    they thing things this those through to too u under until up us use used uses using versus
    very vs want was way we were what when where whether which while who whom whose why will
    with within without would you your"""
    .split()
)  # fmt: skip

_WORD = re.compile(r"[^\W_]+(?:(?:[-./'’&]|,(?=\d{3}))[^\W_]+)*\+*")
_POSSESSIVE = re.compile(r"['’]s?$|['’](?:s|re|ve|d|ll|t|m)$", re.IGNORECASE)
_PART = re.compile(r"\d+(?:[.,]\d+)*|[A-Z]{2,}(?=s?(?![a-z]))|[A-Z]?[a-z]+|[A-Z]+|[^\W\d_A-Za-z]+")
_TRADEMARKS = dict.fromkeys(map(ord, "™®©℠"))
# One for each thread: the stemmer has an internal buffer and is not thread-safe.
_stemmer = threading.local()


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """Return the Snowball English stem of a lower-case word."""
    if not hasattr(_stemmer, "english"):
        _stemmer.english = Stemmer.Stemmer("english")
    return str(_stemmer.english.stemWord(word))


@lru_cache(maxsize=65_536)
def _word_tokens(word: str) -> tuple[str, ...]:
    """Return the tokens of a word and of its parts, if it has several; none for a stop word."""
    parts = [part.lower().replace(",", "") for part in _PART.findall(word) if part != "s"]
    kept = [part for part in parts if part not in STOP_WORDS]
    if len(parts) > 1:
        # Stemmed like a word typed in one piece, so that `unival` matches `UnIVAL`.
        kept = ["".join(parts).replace(".", ""), *(part for part in kept if len(part) > 1)]
    tokens = tuple(map(stem, kept))
    return (*tokens, "".join(parts) + "++") if parts and word.endswith("++") else tokens


def fold(text: str) -> str:
    """Remove accents, trademark signs and typographic variants: `M³ViT™` becomes `M3ViT`."""
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text.translate(_TRADEMARKS))
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def tokenize(text: str) -> list[str]:
    """Return the stemmed tokens of a cleaned text, in order, without stop words."""
    words = (_POSSESSIVE.sub("", word) for word in _WORD.findall(fold(text)))
    return [token for word in words for token in _word_tokens(word)]


@lru_cache(maxsize=16_384)
def token_set(text: str) -> frozenset[str]:
    """Return the distinct tokens of a cleaned text; recent results are cached."""
    return frozenset(tokenize(text))


Rows = NDArray[np.int64]
Ints = NDArray[np.int32]


def places(rows: Rows, size: int) -> Rows:
    """Invert `rows`, the old row of each new paper, -1 if none; shape (`size` old papers,)."""
    found = np.full(size, -1, dtype=np.int64)
    found[rows[rows >= 0]] = np.flatnonzero(rows >= 0)
    return found


class Found:
    """A collector of new postings, which come in any order."""

    def __init__(self) -> None:
        self.terms: dict[str, int] = {}  # the number of each term
        # The term's number, the row and the value of each. A list would take ten times the memory.
        self.postings = array("i")

    def add(self, row: int, values: Mapping[str, int]) -> None:
        """Add the terms of the paper of a row, each with a value."""
        numbers = self.terms
        for term, value in values.items():
            self.postings.extend((numbers.setdefault(term, len(numbers)), row, value))


@dataclass(frozen=True, eq=False)
class Postings:
    """The N postings of V terms, in order; each is a row of a paper, ascending, with a value."""

    terms: list[str] = field(default_factory=list)
    # The index of each term's first posting, and N, shape (V + 1,).
    starts: Ints = field(default_factory=lambda: np.zeros(1, dtype=np.int32))
    rows: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int32))  # shape (N,)
    values: NDArray[np.unsignedinteger] = field(default_factory=lambda: np.zeros(0, np.uint8))

    def carried(self, places: Rows, found: Found) -> Self:
        """Return the postings with old papers at new `places` (-1: gone), and those of new ones."""
        terms = sorted([*self.terms, *(term for term in found.terms if self.place(term) is None)])
        ranks = {term: rank for rank, term in enumerate(terms)}
        old = np.asarray([ranks[term] for term in self.terms], dtype=np.int64)
        new = np.asarray([ranks[term] for term in found.terms], dtype=np.int64)
        numbers, rows, values = np.frombuffer(found.postings, dtype=np.int32).reshape(-1, 3).T
        was = np.repeat(old, np.diff(self.starts)) << 32 | places[self.rows]
        codes = np.concatenate([was, new[numbers] << 32 | rows])  # -1 of papers that are gone
        values = np.concatenate([self.values, np.minimum(values, 65_535).astype(np.uint16)])
        codes, values = codes[codes >= 0], values[codes >= 0]
        order = np.argsort(codes, kind="stable")
        codes, values = codes[order], values[order]
        is_new = np.append(True, (np.diff(codes) != 0) | (np.diff(values) != 0))[: len(codes)]
        codes, values = codes[is_new], values[is_new]
        counts = np.bincount(codes >> 32, minlength=len(terms))
        starts = np.concatenate([[0], np.cumsum(counts[counts > 0])]).astype(np.int32)
        terms = [term for term, count in zip(terms, counts.tolist(), strict=True) if count]
        values = values if values.max(initial=0) > 255 else values.astype(np.uint8)
        return type(self)(terms, starts, (codes & 0xFFFFFFFF).astype(np.int32), values)

    def place(self, term: str) -> int | None:
        """Return the index of a term in `terms`; None if it is not there."""
        place = bisect_left(self.terms, term)
        return place if place < len(self.terms) and self.terms[place] == term else None

    def slice(self, term: str) -> slice:
        """Return the slice of a term's postings, empty if it has none."""
        place = self.place(term)
        return slice(0) if place is None else slice(*self.starts[place : place + 2].tolist())

    def begins(self, prefix: str) -> bool:
        """Check whether a term begins with `prefix` and is longer."""
        place = bisect_right(self.terms, prefix)
        return place < len(self.terms) and self.terms[place].startswith(prefix)

    def between(self, first: str, end: str) -> range:
        """Return the indices of the terms from `first` up to, but not including, `end`."""
        return range(bisect_left(self.terms, first), bisect_left(self.terms, end))

    def packed(self) -> dict[str, NDArray[np.generic]]:
        """Return the postings as arrays, which `unpacked` reads."""
        return {**vars(self), "terms": packed(self.terms)}

    @classmethod
    def unpacked(cls, stored: Mapping[str, NDArray[np.generic]]) -> Self:
        """Build postings from the arrays that `packed` returned."""
        terms = unpacked(stored["terms"], len(stored["starts"]) - 1)
        arrays = (stored[name] for name in ("starts", "rows", "values"))
        return cls(terms, *arrays)  # type: ignore[arg-type] # kinds are as `packed` wrote them


def packed(lines: Iterable[str]) -> NDArray[np.uint8]:
    """Pack texts without line feeds into an array."""
    return np.frombuffer("\n".join(lines).encode(), dtype=np.uint8)


def unpacked(column: NDArray[np.generic], count: int) -> list[str]:
    """Return the `count` texts of an array that `packed` made."""
    return column.tobytes().decode().split("\n") if count else []


@dataclass(frozen=True, eq=False)
class LexicalIndex:
    """BM25 over the titles and abstracts of P papers of an index, in their order."""

    postings: Postings  # how often each paper has each term
    lengths: NDArray[np.int32]  # number of tokens of each paper, shape (P,)

    @classmethod
    def build(
        cls, papers: Sequence[Paper], old: Self | None = None, rows: Rows | None = None
    ) -> Self:
        """Index P papers; copy the counts of those at some `rows` of an `old` index (else -1)."""
        rows = np.full(len(papers), -1) if rows is None else rows
        found = Found()
        for row in np.flatnonzero(rows < 0).tolist():
            text = f"{clean_text(papers[row].title)}\n{clean_text(papers[row].abstract)}"
            found.add(row, Counter(tokenize(text)))
        before = old.postings if old else Postings()
        postings = before.carried(places(rows, old.size if old else 0), found)
        lengths = np.bincount(postings.rows, weights=postings.values, minlength=len(papers))
        return cls(postings, lengths.astype(np.int32))

    @property
    def size(self) -> int:
        """The number of papers."""
        return len(self.lengths)

    @cached_property
    def document_frequency(self) -> dict[str, int]:
        """Number of papers that have each term."""
        postings = self.postings
        return dict(zip(postings.terms, np.diff(postings.starts).tolist(), strict=True))

    def save(self, folder: Path) -> None:
        """Write the index into `folder` as one file."""
        arrays = self.postings.packed()
        np.savez(folder / FILE_NAME, allow_pickle=False, lengths=self.lengths, **arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read an index that `save` wrote."""
        with np.load(folder / FILE_NAME) as stored:
            return cls(Postings.unpacked(stored), stored["lengths"])

    @cached_property
    def _damping(self) -> NDArray[np.float64]:
        """BM25's damping of counts, which is stronger in long papers, shape (P,)."""
        mean = float(self.lengths.mean()) or 1.0 if self.size else 1.0
        k1, b = 1.2, 0.75
        return (k1 * (1 - b + b * self.lengths / mean)).astype(np.float64)

    def scores(self, tokens: Iterable[str]) -> NDArray[np.float32]:
        """Return each paper's BM25 score for a query, shape (P,); 0 if it shares no token."""
        scores = np.zeros(self.size, dtype=np.float64)
        for token in dict.fromkeys(tokens):
            some = self.postings.slice(token)
            rows, counts = self.postings.rows[some], self.postings.values[some]
            scores[rows] += self.idf(token) * counts / (self._damping[rows] + counts)
        return scores.astype(np.float32)

    def idf(self, token: str) -> float:
        """Return a token's rarity, `ln(1 + (N - n + 0.5) / (n + 0.5))`, highest if unknown."""
        n = self.document_frequency.get(token, 0)
        return float(np.log1p((self.size - n + 0.5) / (n + 0.5)))
