"""What stands in a cell: words of a sentence, or the clauses around them, as they are stored."""

import re

from index.lexical import tokenize
from index.passages import Passage
from index.text import clean
from rag.support.alignment import denials
from rag.tables.table import Cell

SHORT = 18
"""Words of a sentence that is quoted whole."""
LEAST = 8
"""Words of a quote that was cut from a sentence."""
LEAST_WORDS = 3
"""Words with a meaning of their own that a chat model's quote has, or its clause is quoted."""
# Where a clause begins that can stand alone, and where one may end.
_BEGIN = re.compile(
    r"(?:[;:]|\s[—–])\s+|,\s+(?:(?:and|but|or|so|while|whereas)\s+)?(?=(?:we|it|they|our|this)\s)"
)
_END = re.compile(
    r"[;:]\s|\s[—–]\s|,\s+(?:(?:which|who|where|while|whereas|although|because|since|so that)\b"
    r"|(?:and|but|or|so)\s+(?:we|it|they|our|this)\s|(?:thus |thereby )?[a-z]+ing\b)"
)


def balanced(text: str) -> bool:
    """Whether all brackets, quotation marks and dollar signs of a text are closed in it."""
    pairs = all(text.count(one) == text.count(other) for one, other in ("()", "[]", "{}", "“”"))
    return pairs and all(len(re.findall(rf"(?<!\\){sign}", text)) % 2 == 0 for sign in ('"', r"\$"))


def shorten(text: str, start: int, end: int) -> tuple[int, int]:
    """The clauses of a sentence that hold `text[start:end]`, as a stretch of it.

    A short sentence stays whole. What would leave a bracket, a quotation or a formula open is not
    cut, nor what would be shorter than `LEAST` words.

    Returns:
        Code point offsets into `text`, the end exclusive.
    """
    if len(text.split()) <= SHORT:
        return 0, len(text)
    begins = [0, *(cut.end() for cut in _BEGIN.finditer(text))]
    ends = [*(cut.start() for cut in _END.finditer(text)), len(text)]
    for left in reversed([at for at in begins if at <= start]):
        for right in (at for at in ends if at >= end):
            if len(text[left:right].split()) >= LEAST and balanced(text[left:right]):
                return left, right
    return 0, len(text)


class Quoter:
    """Quotes sentences of one abstract."""

    def __init__(self, abstract: str) -> None:
        self._abstract = abstract
        self._cleaned = clean(abstract)

    def clauses(
        self, column: str, passage: Passage, at: tuple[int, int], score: float | None = None
    ) -> Cell:
        """A cell that quotes the clauses of a sentence around a stretch of its cleaned text."""
        return self._cell(column, passage, shorten(passage.text, *at), score)

    def words(self, column: str, passage: Passage, words: str) -> Cell:
        """A cell that quotes these words of a sentence, or all of it where it does not have them.

        Words that leave out a denial of their clause, or are hardly any, are quoted with it: "MS
        MARCO is used" of "Neither … nor MS MARCO is used" says the opposite.
        """
        text, wanted = passage.text, " ".join(words.split()).casefold()
        start = text.casefold().find(wanted)
        if not wanted or start < 0 or len(text.casefold()) != len(text):
            return self._cell(column, passage, (0, len(text)))
        left, right = shorten(text, start, start + len(wanted))
        few = min(LEAST_WORDS, len(tokenize(text)))
        if denials(text[left:right]) > denials(wanted) or len(tokenize(wanted)) < few:
            return self._cell(column, passage, (left, right))
        return self._cell(column, passage, (start, start + len(wanted)))

    def _cell(
        self, column: str, passage: Passage, part: tuple[int, int], score: float | None = None
    ) -> Cell:
        """A cell of a stretch of a sentence; of all of it where the stretch cannot be cut out."""
        first, _ = self._cleaned.clean_span(passage.start, passage.end)
        start, end = passage.start, passage.end
        in_place = self._cleaned.text[first : first + len(passage.text)] == passage.text
        if in_place and part[0] < part[1]:
            cut = self._cleaned.stored_span(first + part[0], first + part[1])
            if balanced(self._abstract[slice(*cut)]):
                start, end = cut
        text = self._abstract[start:end]
        return Cell(column=column, text=text, start=start, end=end, score=score)
