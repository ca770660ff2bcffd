"""What an abstract states for a column, found without a model.

A sentence is scored for a column by its cosine with the column put as a question, the column's
own words in it, and the cues of the column's kind (`cues`). Which sentence goes to which column
is decided for all columns of a paper together, so that one sentence is not said twice for want
of another.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from index.encoder import Encoder
from index.lexical import tokenize
from index.papers import Paper
from index.passages import Passage
from index.store import Index
from index.text import CleanText, clean
from rag.retrieval import Floats, passage_rows
from rag.support.own_work import own_names, speaks_as_authors, speaks_of_others
from rag.tables.clauses import balanced, shorten
from rag.tables.columns import Column, ColumnKind
from rag.tables.cues import CUES, Cue, naming_cues
from rag.tables.models import Cell
from rag.tables.wording import NUMBER, leans, share

LEAST = 0.25
"""The score from which a sentence states a column that has cues."""
LEAST_OF_WORDS = 0.55
"""The same for a column with words of its own."""
LEAST_SHARE = 0.5
LEAST_SHARE_OF_WORDS = 0.7
"""The share of a column's own words that a sentence has, weighted by rarity, or ..."""
CLEARLY_NEAR = 0.5
"""... the cosine that makes up for words that it lacks."""
OVERLAP_WEIGHT = 0.35
COSINE_OF_VAGUE = 0.5
"""What a cosine counts where the column says no more than its kind: "method"."""
COUNTED_BONUS = 0.2
"""For the number of just what the column counts."""
LATER_BONUS = 0.05
REPEATED_MALUS = 0.1
"""For a sentence that another column quotes already."""
BACKGROUND_MALUS = 0.3
ADDED_MALUS = 0.1
COMMON_SHARE = 0.2
"""A word that more abstracts than this share have says little about a sentence that has it."""
_FEW = 3
_RARE = 2

_ADDED = re.compile(
    r"\b(?:further|furthermore|additionally|in addition|moreover|also|besides|finally|secondly"
    r"|notably|remarkably|surprisingly)\b",
    re.IGNORECASE,
)
# "13B distinct parameters": words that belong to a number before them; never "15% of the tasks".
_NEAR = re.compile(
    r"\+?(?:[kmb]\b|\s?(?:million|billion|thousand|distinct)s?\b)?"
    r"(?:[\s-]+(?!(?:of|in|for|on|to|with|than|from|and|across|that|is|are)\b)[\w/-]+){1,4}",
    re.IGNORECASE,
)
_NAME = re.compile(r"\b[A-Z][\w+-]*[A-Z0-9][\w+]*")
_LATE = frozenset({ColumnKind.RESULT, ColumnKind.LIMITATION, ColumnKind.METRIC, ColumnKind.SPEED})
_EARLY = frozenset({ColumnKind.PROBLEM})


@dataclass(frozen=True)
class _Found:
    """A sentence that may state a column: how well, and which part of it does."""

    score: float
    at: tuple[int, int]
    """A stretch of the cleaned sentence."""


class CellFinder:
    """Fills the rows of a table from one index, for the same columns each."""

    def __init__(self, index: Index, encoder: Encoder, columns: Sequence[Column]) -> None:
        self._index = index
        self._columns = list(columns)
        self._cosines: list[Floats] = [
            index.passage_vectors @ encoder.encode_query(column.question) for column in columns
        ]
        self._weights: list[Mapping[str, float]] = [
            {word: index.lexical.idf(word) for word in column.words} for column in columns
        ]

    def find(self, paper: int) -> tuple[Cell, ...]:
        """The cells of a paper, given by its row in `index.papers`, one a column."""
        rows = passage_rows(self._index, paper)
        passages = [self._index.passages[row] for row in rows]
        abstract = self._index.papers[paper].abstract
        cleaned = clean(abstract)
        named = naming_cues(self._names(self._index.papers[paper], cleaned.text))
        own = next((i for i, p in enumerate(passages) if _says_own(p.text, named)), 0)
        options = [
            [self._states(c, row, i, len(rows), own, named) for i, row in enumerate(rows)]
            for c in range(len(self._columns))
        ]
        chosen = _assign(options)
        cells = []
        for column, at, found in zip(self._columns, chosen, options, strict=True):
            if at is None or (best := found[at]) is None:
                cells.append(Cell(column=column.name))
                continue
            cells.append(quote(column.name, abstract, cleaned, passages[at], best.at, best.score))
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

    def _states(
        self, c: int, row: int, i: int, count: int, own: int, named: tuple[Cue, ...]
    ) -> _Found | None:
        """Whether sentence `i` of `count` states a column.

        `own` is the first sentence on the paper itself, `named` are the cues of its own names.
        """
        column, text = self._columns[c], self._index.passages[row].text
        cosine = float(self._cosines[c][row])
        tokens = tokenize(text)
        covered = share(self._weights[c], tokens)
        vague = column.kind in CUES and not column.words
        score = (COSINE_OF_VAGUE if vague else 1) * cosine + OVERLAP_WEIGHT * covered
        number = NUMBER.search(text)
        if column.wants_number and not number:
            return None
        if column.words and cosine < CLEARLY_NEAR and not self._has_words(column, covered):
            return None
        at = _counted(column.words, text) if column.counts else None
        if column.counts and not at:
            return None
        score += COUNTED_BONUS * column.counts
        if column.kind in CUES:
            more = named if column.kind is ColumnKind.METHOD else ()
            for cue in sorted((*CUES[column.kind], *more), key=lambda cue: -cue.worth):
                if match := cue.pattern.search(text):
                    at = match.span("at" if "at" in match.re.groupindex else 0)
                    score += cue.worth
                    break
            else:
                return None
        score += self._form(column.kind, text, i, count, own)
        if at is None:
            at = _place_of(column.words, text) or (number.span() if number else (0, len(text)))
        least = LEAST if vague else LEAST_OF_WORDS
        return _Found(score, at) if score >= least else None

    def _has_words(self, column: Column, covered: float) -> bool:
        """Whether a sentence with this share of a column's words is about them.

        Words that every other abstract has, such as "language", do not say so.
        """
        lexical = self._index.lexical
        common = max(_FEW, COMMON_SHARE * lexical.size)
        tells = any(lexical.document_frequency.get(word, 0) <= common for word in column.words)
        least = LEAST_SHARE if column.kind in CUES else LEAST_SHARE_OF_WORDS
        return covered >= least and (tells or column.counts or column.kind in CUES)

    @staticmethod
    def _form(kind: ColumnKind, text: str, i: int, count: int, own: int) -> float:
        """What the place and the form of a sentence are worth for a kind of column."""
        if kind in _EARLY:
            return -LATER_BONUS * i / count
        score = -BACKGROUND_MALUS * speaks_of_others(text)
        if i < own:
            score -= BACKGROUND_MALUS
        if kind in _LATE:
            score += LATER_BONUS * i / count
        elif kind is ColumnKind.DATA:
            score -= LATER_BONUS * i / count
        elif kind is ColumnKind.METHOD:
            added = _ADDED.search(text) or leans(text)
            score -= LATER_BONUS * i / count + ADDED_MALUS * bool(added)
        if kind is not ColumnKind.CODE and any(
            cue.pattern.search(text) for cue in CUES[ColumnKind.CODE][:2]
        ):
            score -= BACKGROUND_MALUS
        return score


def _says_own(text: str, named: Sequence[Cue]) -> bool:
    """Whether a sentence is about the paper itself, not about what was before."""
    by_name = any(cue.pattern.search(text) for cue in named)
    return by_name or speaks_as_authors(text)


def _assign(options: Sequence[Sequence[_Found | None]]) -> list[int | None]:
    """The sentence for each column, the surest choices first."""
    chosen: list[int | None] = [None] * len(options)
    taken: set[int] = set()
    left = [c for c in range(len(options)) if any(options[c])]
    while left:
        worth = {
            c: max(
                (found.score - REPEATED_MALUS * (i in taken), -i)
                for i, found in enumerate(options[c])
                if found
            )
            for c in left
        }
        best = max(left, key=lambda c: worth[c][0])
        chosen[best] = -worth[best][1]
        taken.add(-worth[best][1])
        left.remove(best)
    return chosen


def _place_of(words: Sequence[str], text: str) -> tuple[int, int] | None:
    """Where a text has the first word of a column."""
    places = (
        match.span()
        for match in re.finditer(r"[\w-]+", text)
        if not set(words).isdisjoint(tokenize(match[0]))
    )
    return next(places, None)


def _counted(words: Sequence[str], text: str) -> tuple[int, int] | None:
    """Where a text counts the words of a column: "13B parameters", "50 distinct tasks"."""
    for number in NUMBER.finditer(text):
        near = _NEAR.match(text, number.end())
        if near and (at := _place_of(words, near[0])):
            return number.start(), number.end() + at[1]
    return None


def quote(
    column: str,
    abstract: str,
    cleaned: CleanText,
    passage: Passage,
    at: tuple[int, int],
    score: float | None,
    *,
    exact: bool = False,
) -> Cell:
    """A cell that quotes the clauses of a sentence around a stretch of it.

    Args:
        column: Its column.
        abstract: As it is stored.
        cleaned: The same, cleaned.
        passage: The sentence.
        at: A stretch of its cleaned text.
        score: Of the cell.
        exact: Whether to quote the stretch itself rather than the clauses around it.
    """
    first, _ = cleaned.clean_span(passage.start, passage.end)
    start, end = at if exact else shorten(passage.text, *at)
    span = (passage.start, passage.end)
    if cleaned.text[first : first + len(passage.text)] == passage.text and start < end:
        cut = cleaned.stored_span(first + start, first + end)
        if balanced(abstract[slice(*cut)]):
            span = cut
    return Cell(column=column, text=abstract[slice(*span)], start=span[0], end=span[1], score=score)
