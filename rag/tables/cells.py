"""What an abstract states for a column, found without a model, and the clauses that are quoted.

A sentence may state a column if it has a cue of the column's kind (`cues`), or the column's own
words. Which of several does is for the scorer that chooses evidence for answers too (`evidence`).
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from index.coined import coined
from index.encoder import Encoder
from index.lexical import tokenize
from index.papers import Paper
from index.store import Index
from index.text import clean_text
from rag.evidence import features
from rag.fitted import Floats, record
from rag.retrieval import passage_rows
from rag.support.numbers import quantities
from rag.tables.columns import Column, ColumnKind
from rag.tables.cues import cues_of, is_of_others, is_own
from rag.tables.quoting import Quoter
from rag.tables.table import Cell
from rag.wording import ASKS

LEAST_SHARE, LEAST_SHARE_OF_WORDS = 0.5, 0.7
"""The share of a column's own words, weighted by rarity, that a sentence has; the second of a
column that has nothing but words."""
CLEARLY_NEAR = 0.5
"""The cosine that makes up for words that a sentence lacks."""
COMMON_SHARE = 0.2
"""A word that more abstracts than this share have says little about a sentence that has it."""
REPEATED = 0.5
"""What the probability of a sentence counts that another column quotes already."""
_FEW, _RARE = 3, 2
_NEAR_NUMBER = 4
"""Words behind a number in which it says what it counts."""
_PARTS_FROM_NUMBER = frozenset("of in for on to with than from and across that is are".split())
_NAME = re.compile(r"\b[A-Z][\w+-]*[A-Z0-9][\w+]*")
_WORD = re.compile(r"[\w-]+")
_ASKS = {
    ColumnKind.METHOD: "manner",
    ColumnKind.RESULT: "finding",
    ColumnKind.SPEED: "number",
    ColumnKind.DATA: "name",
    ColumnKind.METRIC: "name",
    ColumnKind.BASELINE: "name",
}


def own_names(paper: Paper) -> tuple[str, ...]:
    """What a paper calls itself and its parts: the head of its title, and what it introduces."""
    found = coined(paper.display_title, clean_text(paper.abstract))
    head = (found.head,) if found.head and found.is_titled else ()
    return tuple(dict.fromkeys((*head, *found.introduced)))


@dataclass(frozen=True, eq=False)
class _Row:
    """A paper as its cells are found."""

    texts: list[str]
    rows: range
    names: set[str]
    own: int
    """The first sentence on the paper itself; what is before is about others."""


@dataclass(frozen=True)
class _Found:
    """A sentence that may state a column: how probably, and which part of it does."""

    share: float
    at: tuple[int, int]
    """A stretch of the cleaned sentence."""


class CellFinder:
    """Fills the rows of a table from one index, for the same columns each."""

    def __init__(self, index: Index, encoder: Encoder, columns: Sequence[Column]) -> None:
        self._index = index
        self._columns = list(columns)
        self._scorer = record(index.manifest.encoder).models["sentences"]
        self._cosines: list[Floats] = [
            index.passage_vectors @ encoder.encode_query(column.question) for column in columns
        ]

    def find(self, paper: int) -> tuple[Cell, ...]:
        """The cells of a paper, given by its row in `index.papers`, one a column."""
        stored = self._index.papers[paper]
        rows = passage_rows(self._index, paper)
        texts = [self._index.passages[row].text for row in rows]
        names = self._names(stored, " ".join(texts))
        own = next((i for i, text in enumerate(texts) if is_own(text, names)), 0)
        seen = _Row(texts, rows, names, own)
        options = [self._options(at, seen) for at in range(len(self._columns))]
        cells = [Cell(column=column.name) for column in self._columns]
        quoter = Quoter(stored.abstract)
        for at, chosen in enumerate(_assigned(options)):
            if chosen is not None:
                row = rows[chosen]
                score = float(self._cosines[at][row])
                place = options[at][chosen].at
                passage = self._index.passages[row]
                cells[at] = quoter.clauses(self._columns[at].name, passage, place, score)
        return tuple(cells)

    def _names(self, paper: Paper, text: str) -> set[str]:
        """What a paper calls itself and hardly another one says.

        Beside what it coins these are words in the shape of a name that it repeats.
        """
        known = self._index.lexical.document_frequency
        repeated = [word for word, count in Counter(_NAME.findall(text)).items() if count > 1]
        return {
            name
            for name in (*own_names(paper), *repeated)
            if min((known.get(token, 0) for token in tokenize(name)), default=_FEW) <= _RARE
        }

    def _options(self, at: int, seen: _Row) -> dict[int, _Found]:
        """The sentences that may state a column, by their place."""
        column = self._columns[at]
        places = self._stating(column, self._cosines[at], seen)
        if not places:
            return {}
        weights = {token: self._index.lexical.idf(token) for token in tokenize(column.question)}
        asks = np.array([name == _ask_of(column) for name in ASKS], dtype=np.float32)
        cosines = self._cosines[at][seen.rows.start : seen.rows.stop].astype(np.float32)
        scores = self._scorer.score(features(seen.texts, cosines, weights, asks))
        shares = np.exp(scores - scores.max())
        return {i: _Found(float(shares[i]), place) for i, place in places.items()}

    def _stating(self, column: Column, cosines: Floats, seen: _Row) -> dict[int, tuple[int, int]]:
        """Where sentences state a column: those with its strongest cue that any has."""
        fitting = {}
        for i, text in enumerate(seen.texts):
            background = i < seen.own or is_of_others(text)
            if (column.kind is ColumnKind.PROBLEM or not background) and (
                place := self._words_in(column, text, float(cosines[seen.rows[i]]))
            ):
                fitting[i] = place
        cues = cues_of(column.kind, seen.names)
        for cue in cues:
            found = {i: match for i in fitting if (match := cue.search(seen.texts[i]))}
            if found:
                return {
                    i: match.span("at" if "at" in cue.groupindex else 0)
                    for i, match in found.items()
                }
        return {} if cues else fitting

    def _words_in(self, column: Column, text: str, cosine: float) -> tuple[int, int] | None:
        """Where a sentence has a column's own words; all of it for a column without any."""
        numbers = quantities(text)
        if column.counts:
            return _counted(column.words, text)
        if column.wants_number and not numbers:
            return None
        whole = (0, len(text))
        if not column.words:
            return whole
        has_cues = column.kind is not ColumnKind.OTHER
        known = self._index.lexical.document_frequency
        common = max(_FEW, COMMON_SHARE * self._index.lexical.size)
        weights = {word: self._index.lexical.idf(word) for word in column.words}
        tokens = set(tokenize(text))
        share = sum(weights[word] for word in weights if word in tokens) / sum(weights.values())
        tells = has_cues or any(known.get(word, 0) <= common for word in column.words)
        covers = tells and share >= (LEAST_SHARE if has_cues else LEAST_SHARE_OF_WORDS)
        if covers or cosine >= CLEARLY_NEAR:
            return _place_of(column.words, text) or whole
        return None


def _ask_of(column: Column) -> str:
    return "number" if column.wants_number else _ASKS.get(column.kind, "other")


def _assigned(options: Sequence[dict[int, _Found]]) -> list[int | None]:
    """The sentence for each column, the surest choices first."""
    chosen: list[int | None] = [None] * len(options)
    left = [c for c in range(len(options)) if options[c]]
    while left:
        worth = {
            c: max(
                (found.share * (REPEATED if i in chosen else 1), -i)
                for i, found in options[c].items()
            )
            for c in left
        }
        best = max(left, key=lambda c: worth[c][0])
        chosen[best] = -worth[best][1]
        left.remove(best)
    return chosen


def _place_of(words: Sequence[str], text: str) -> tuple[int, int] | None:
    """Where a text has the first word of a column."""
    places = (at.span() for at in _WORD.finditer(text) if {*words} & {*tokenize(at[0])})
    return next(places, None)


def _counted(words: Sequence[str], text: str) -> tuple[int, int] | None:
    """Where a text counts the words of a column: "13B parameters", "50 distinct tasks"."""
    for number in quantities(text):
        near = list(_WORD.finditer(text, number.end))[:_NEAR_NUMBER]
        for word in near:
            if word[0] in _PARTS_FROM_NUMBER:
                break  # "15% of the tasks" are no number of tasks
            if {*words} & {*tokenize(word[0])}:
                return number.start, word.end()
    return None
