"""Find what an abstract states for a column, without a chat model, and cut out clauses to quote.

A sentence may state a column if it has a cue of the column's kind (`columns.cues_of`), or the words
of its name. Of several, the scorer that also chooses evidence for answers (`rag.evidence`) decides.
"""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice

import numpy as np

from index.encoder import Encoder
from index.lexical import fold, tokenize
from index.mentions import coined
from index.papers import Paper
from index.passages import Passage
from index.store import Index
from index.text import clean, clean_text
from rag.evidence import features
from rag.fitted import Floats, record
from rag.retrieval import passage_rows
from rag.support.local import denials
from rag.support.numbers import quantities
from rag.tables import Cell
from rag.tables.columns import KINDS, Column, cues_of, is_of_others, is_own
from rag.wording import ASKS

_PARTS_FROM_NUMBER = frozenset("of in for on to with than from and across that is are".split())
_FEW = 3
_WORD = r"[\w-]+"
# Where a clause may begin that reads as a sentence, and where a clause may end.
_BEGIN = re.compile(
    r"(?:[;:]|\s[—–])\s+|,\s+(?:(?:and|but|or|so|while|whereas)\s+)?(?=(?:we|it|they|our|this)\s)"
)
_END = re.compile(
    r"[;:]\s|\s[—–]\s|,\s+(?:(?:which|who|where|while|whereas|although|because|since|so that)\b"
    r"|(?:and|but|or|so)\s+(?:we|it|they|our|this)\s|(?:thus |thereby )?[a-z]+ing\b)"
)


def balanced(text: str) -> bool:
    """Return whether a text closes all its brackets, quotation marks and dollar signs."""
    pairs = all(text.count(one) == text.count(other) for one, other in ("()", "[]", "{}", "“”"))
    return pairs and all(len(re.findall(rf"(?<!\\){sign}", text)) % 2 == 0 for sign in ('"', r"\$"))


def shorten(text: str, start: int, end: int) -> tuple[int, int]:
    """Shorten a sentence to the clauses that contain `text[start:end]`.

    A sentence of at most 18 words stays whole. A cut keeps at least eight words and never leaves a
    bracket, a quotation or a formula open. Offsets are code points, the end exclusive.
    """
    if len(text.split()) <= 18:
        return 0, len(text)
    begins = [0, *(cut.end() for cut in _BEGIN.finditer(text))]
    ends = [*(len(text[: cut.start()].rstrip()) for cut in _END.finditer(text)), len(text)]
    for left in reversed([at for at in begins if at <= start]):
        for right in (at for at in ends if at >= end):
            if len(text[left:right].split()) >= 8 and balanced(text[left:right]):
                return left, right
    return 0, len(text)


def around(text: str, words: str) -> tuple[int, int]:
    """Return the span of these words in a sentence, or of all of it if they are not in it.

    If the words leave out a denial of their clause, or are fewer than three, the span is the
    clause: "MS MARCO is used" of "Neither … nor MS MARCO is used" says the opposite.
    """
    wanted = " ".join(words.split()).casefold()
    start = text.casefold().find(wanted)
    if not wanted or start < 0 or len(text.casefold()) != len(text):
        return 0, len(text)
    end = start + len(wanted)
    left, right = shorten(text, start, end)
    few = min(_FEW, len(tokenize(text)))
    if denials(text[left:right]) > denials(wanted) or len(tokenize(wanted)) < few:
        return left, right
    return start, end


def quoted(
    column: str, abstract: str, passage: Passage, part: tuple[int, int], score: float | None = None
) -> Cell:
    """Make a cell that quotes `part` of a sentence, or all of it if the part cannot be cut out."""
    cleaned = clean(abstract)
    first, _ = cleaned.clean_span(passage.start, passage.end)
    start, end = passage.start, passage.end
    in_place = cleaned.text[first : first + len(passage.text)] == passage.text
    if in_place and part[0] < part[1]:
        cut = cleaned.stored_span(first + part[0], first + part[1])
        if balanced(abstract[slice(*cut)]):
            start, end = cut
    return Cell(column=column, text=abstract[start:end], start=start, end=end, score=score)


class CellFinder:
    """Finds the cells of table rows in one index, for the same columns in each row."""

    def __init__(self, index: Index, encoder: Encoder, columns: Sequence[Column]) -> None:
        self._index = index
        self._columns = columns
        self._scorer = record(index.manifest.encoder).models["sentences"]
        self._cosines: list[Floats] = [
            index.passage_vectors @ encoder.encode_query(column.question) for column in columns
        ]

    def find(self, paper: int) -> tuple[Cell, ...]:
        """Return the cells of a paper, one per column; `paper` is its row in `index.papers`."""
        stored = self._index.papers[paper]
        rows = passage_rows(self._index, paper)
        passages = [self._index.passages[row] for row in rows]
        texts = [passage.text for passage in passages]
        names = self._find_names(stored, " ".join(texts))
        cells = []
        for column, cosines in zip(self._columns, self._cosines, strict=True):
            near = cosines[rows.start : rows.stop].astype(np.float32)
            places = self._find_statements(column, texts, near, names)
            cell = Cell(column=column.name)
            if places:
                best = max(places, key=self._scores(column, texts, near).__getitem__)
                part, score = shorten(texts[best], *places[best]), float(near[best])
                cell = quoted(column.name, stored.abstract, passages[best], part, score)
            cells.append(cell)
        return tuple(cells)

    def _find_names(self, paper: Paper, text: str) -> set[str]:
        """Find the names that a paper uses for itself or its parts and few other papers contain.

        They are the head of its title, names that it introduces, and words in the shape of a name
        that it repeats.
        """
        known = self._index.lexical.document_frequency
        found = coined(paper.display_title, clean_text(paper.abstract))
        shaped = Counter(re.findall(r"\b[A-Z][\w+-]*[A-Z0-9][\w+]*", text))
        names = {*found.introduced, *(word for word, count in shaped.items() if count > 1)}
        names |= {found.head} if found.head and found.is_titled else set()
        return {
            name
            for name in names
            if min((known.get(token, 0) for token in tokenize(name)), default=_FEW) < _FEW
        }

    def _scores(self, column: Column, texts: list[str], cosines: Floats) -> Floats:
        """Score how well each sentence of a paper answers a column as a question, shape (n,)."""
        weights = {token: self._index.lexical.idf(token) for token in tokenize(column.question)}
        kind = KINDS.get(column.kind)
        wanted = "number" if column.wants_number else kind.asks if kind else "other"
        asks = np.array([name == wanted for name in ASKS], dtype=np.float32)
        return self._scorer.score(features(texts, cosines, weights, asks))

    def _find_statements(
        self, column: Column, texts: list[str], cosines: Floats, names: set[str]
    ) -> dict[int, tuple[int, int]]:
        """Find the sentences that state a column by its strongest cue, with the span of each.

        Except for a problem, skip others' work and what precedes the first sentence on the paper.
        """
        first_own = next((at for at, text in enumerate(texts) if is_own(text, names)), 0)
        fitting: dict[int, tuple[int, int]] = {}
        for at, text in enumerate(texts):
            if column.kind == "problem" or (at >= first_own and not is_of_others(text)):
                place = self._find_words(column, text, float(cosines[at]))
                fitting |= {at: place} if place else {}
        cues = cues_of(column.kind, names)
        for cue in cues:
            found = {at: match for at in fitting if (match := cue.search(texts[at]))}
            if found:
                group: str | int = "at" if "at" in cue.groupindex else 0
                return {at: match.span(group) for at, match in found.items()}
        return {} if cues else fitting

    def _find_words(self, column: Column, text: str, cosine: float) -> tuple[int, int] | None:
        """Return the span of a column word in a sentence, or of the number it wants; else None.

        A sentence fits with half of the words, weighted by rarity; seven tenths, one of them rare,
        if the column has no cues; or a cosine of 0.5. Without such a word the span is all of it.
        """
        if column.counts:
            return _find_count(column.words, text)
        if column.wants_number and not quantities(text):
            return None
        lexical = self._index.lexical
        has_cues = column.kind != "other"
        weights = {word: lexical.idf(word) for word in column.words}
        share = sum(weights[token] for token in weights.keys() & {*tokenize(text)})
        least = (0.5 if has_cues else 0.7) * sum(weights.values())
        common = max(_FEW, lexical.size / 5)
        rare = any(lexical.document_frequency.get(word, 0) <= common for word in weights)
        if cosine >= 0.5 or (share >= least and (has_cues or rare)):
            places = (
                at.span() for at in re.finditer(_WORD, text) if {*weights} & {*tokenize(at[0])}
            )
            return next(places, (0, len(text)))
        return None


def _find_count(words: Sequence[str], text: str) -> tuple[int, int] | None:
    """Return the span that counts column words: "13B parameters", "50 distinct tasks"."""
    folded = fold(text)  # the offsets of `quantities` are in the folded text
    for number in quantities(text):
        for word in islice(re.finditer(_WORD, folded[number.end :]), 4):
            if word[0] in _PARTS_FROM_NUMBER:
                break  # "15% of the tasks" is not a number of tasks
            if {*words} & {*tokenize(word[0])}:
                return number.start, number.end + word.end()
    return None
