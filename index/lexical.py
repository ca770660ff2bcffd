"""Tokens and BM25: the lexical half of retrieval.

Names must be findable as people type them: `GPT-4`, `Qwen2.5`, `OmniACT` and `M^{3}ViT` each
give one token for the whole (`gpt4`, `qwen25`, `omniact`, `m3vit`) and one for each part
(`omni`, `act`). Scores are BM25 (Robertson and Zaragoza, 2009) in the variant of Lucene.
"""

import re
import threading
import unicodedata
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Self

import numpy as np
import Stemmer
from numpy.typing import NDArray

from index.catalog import Carried
from index.papers import Paper
from index.text import clean_text

FILE_NAME = "lexical.npz"
_ARRAYS = ("starts", "rows", "counts", "lengths")
_Ints = NDArray[np.int64]

# Words that carry no subject: function words, and the ones people wrap questions in.
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
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_K1, _B = 1.2, 0.75


# The stemmer keeps a buffer of its own and is not thread-safe.
_stemmer = threading.local()


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """The Snowball English stem of a lower-case word."""
    if not hasattr(_stemmer, "english"):
        _stemmer.english = Stemmer.Stemmer("english")
    return str(_stemmer.english.stemWord(word))


@lru_cache(maxsize=65_536)
def _word_tokens(word: str) -> tuple[str, ...]:
    """The whole word, then its parts if it has several; stop words give nothing."""
    parts = [part.lower().replace(",", "") for part in _PART.findall(word) if part != "s"]
    if not parts:
        return ()
    tokens: tuple[str, ...]
    if len(parts) == 1:
        tokens = () if parts[0] in STOP_WORDS else (stem(parts[0]),)
    else:
        kept = (stem(part) for part in parts if len(part) > 1 and part not in STOP_WORDS)
        # Stemmed like a word typed in one piece, so that the two meet: `unival` and `UnIVAL`.
        tokens = (stem("".join(parts).replace(".", "")), *kept)
    return (*tokens, "".join(parts) + "++") if word.endswith("++") else tokens


def fold(text: str) -> str:
    """`text` without accents and typographic variants (NFKD), case kept: `M³ViT` → `M3ViT`."""
    if text.isascii():
        return text
    return without_marks(unicodedata.normalize("NFKD", text))


def without_marks(decomposed: str) -> str:
    """A text in the form NFKD without accents."""
    return _NOT_ASCII.sub(lambda c: "" if unicodedata.combining(c[0]) else c[0], decomposed)


def tokenize(text: str) -> list[str]:
    """The tokens of a cleaned text, in order, stemmed, stop words left out."""
    tokens: list[str] = []
    for match in _WORD.finditer(fold(text)):
        tokens += _word_tokens(_POSSESSIVE.sub("", match[0]))
    return tokens


@lru_cache(maxsize=16_384)
def token_set(text: str) -> frozenset[str]:
    """The tokens of a cleaned text without repeats; those of the last texts are kept."""
    return frozenset(tokenize(text))


@dataclass(frozen=True, eq=False)
class LexicalIndex:
    """BM25 over the titles and abstracts of P papers of an index, in their order.

    V terms have N postings in all: a paper, and how often it has the term.
    """

    terms: dict[str, int]
    """Each term, ascending → its place."""
    starts: NDArray[np.int64]
    """Where the postings of each term begin, shape (V + 1,)."""
    rows: NDArray[np.int32]
    """The papers of each term, ascending, shape (N,)."""
    counts: NDArray[np.integer]
    """Shape (N,)."""
    lengths: NDArray[np.int32]
    """Tokens of each paper, shape (P,)."""

    @classmethod
    def build(cls, papers: Sequence[Paper], before: Carried[Self] | None = None) -> Self:
        """Index the titles and abstracts of P papers, in the order of their rows."""
        terms: dict[str, int] = dict(before.table.terms) if before else {}
        columns, rows, counts = [], [], []
        if before is not None:
            live = before.table
            places = before.places(live.size)
            stays = places[live.rows] >= 0
            columns.append(np.repeat(np.arange(len(live.terms)), np.diff(live.starts))[stays])
            rows.append(places[live.rows][stays])
            counts.append(live.counts[stays])
        new = array("i")  # a list of as many numbers would take ten times the memory
        for row in range(len(papers)) if before is None else before.new:
            text = f"{clean_text(papers[row].title)}\n{clean_text(papers[row].abstract)}"
            for token, count in Counter(tokenize(text)).items():
                new.extend((terms.setdefault(token, len(terms)), row, count))
        added = np.frombuffer(new, dtype=np.int32).reshape(-1, 3)
        return cls._of(
            list(terms),
            np.concatenate([*columns, added[:, 0].astype(np.int64)]),
            np.concatenate([*rows, added[:, 1]]),
            np.concatenate([*counts, added[:, 2]]),
            len(papers),
        )

    @classmethod
    def _of(cls, terms: list[str], columns: _Ints, rows: _Ints, counts: _Ints, size: int) -> Self:
        """The index of postings in any order; terms without one are left out."""
        used = np.flatnonzero(np.bincount(columns, minlength=len(terms)))
        ranked = sorted(used.tolist(), key=terms.__getitem__)
        place = np.zeros(len(terms), dtype=np.int64)
        place[ranked] = np.arange(len(ranked))
        columns = place[columns]
        order = np.lexsort((rows, columns))
        frequency = np.bincount(columns, minlength=len(ranked))
        lengths = np.bincount(rows, weights=counts, minlength=size)
        return cls(
            {terms[at]: number for number, at in enumerate(ranked)},
            np.concatenate(([0], np.cumsum(frequency))).astype(np.int64),
            rows[order].astype(np.int32),
            counts[order].astype(np.int32),
            lengths.astype(np.int32),
        )

    @property
    def size(self) -> int:
        """The number of papers."""
        return len(self.lengths)

    @cached_property
    def document_frequency(self) -> dict[str, int]:
        """Term → papers that have it."""
        return dict(zip(self.terms, np.diff(self.starts).tolist(), strict=True))

    def save(self, folder: Path) -> None:
        """Write the index into `folder`, as one file."""
        terms = np.frombuffer("\n".join(self.terms).encode(), dtype=np.uint8)
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        arrays["counts"] = np.minimum(self.counts, 65_535).astype(np.uint16)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / FILE_NAME).open("wb") as file:
            np.savez(file, allow_pickle=False, terms=terms, **arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read an index that `save` wrote."""
        with np.load(folder / FILE_NAME) as stored:
            terms = stored["terms"].tobytes().decode().split("\n")
            if len(stored["starts"]) == 1:
                terms = []
            places = {term: place for place, term in enumerate(terms)}
            starts, rows, counts, lengths = (stored[name] for name in _ARRAYS)
            return cls(places, starts, rows, counts, lengths)

    @cached_property
    def _damping(self) -> NDArray[np.float64]:
        """What a term's count is weighed against in each paper: more in long ones, shape (P,)."""
        mean = float(self.lengths.mean()) or 1.0 if self.size else 1.0
        return (_K1 * (1 - _B + _B * self.lengths / mean)).astype(np.float64)

    def scores(self, tokens: Iterable[str]) -> NDArray[np.float32]:
        """BM25 of every paper for a query, shape `(size,)`, 0 where no token is shared."""
        scores = np.zeros(self.size, dtype=np.float64)
        for token in dict.fromkeys(tokens):
            if (place := self.terms.get(token)) is not None:
                some = slice(self.starts[place], self.starts[place + 1])
                rows, counts = self.rows[some], self.counts[some]
                scores[rows] += self.idf(token) * counts / (self._damping[rows] + counts)
        return scores.astype(np.float32)

    def idf(self, token: str) -> float:
        """How rare a token is: `ln(1 + (N - n + 0.5) / (n + 0.5))`, highest if unknown."""
        n = self.document_frequency.get(token, 0)
        return float(np.log1p((self.size - n + 0.5) / (n + 0.5)))
