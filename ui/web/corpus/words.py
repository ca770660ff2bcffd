"""Papers by the words they hold, as one types: literal, from the start of a word, quick."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import accumulate

_BETWEEN_WORDS = re.compile(r"[\W_]+")
_MARKS = re.compile(r"[\u0300-\u036f]+")
_LATEX = str.maketrans("", "", "\\{}$^'\"`")  # M^{3}ViT is found as M3ViT


def folded(text: str) -> str:
    """`text` as lower-case words, a space before each, without accents, signs and LaTeX."""
    if not text.isascii():
        text = _MARKS.sub("", unicodedata.normalize("NFKD", text))
    words = _BETWEEN_WORDS.sub(" ", text.translate(_LATEX).casefold())
    return words if words.startswith(" ") else f" {words}"


class Words:
    """The words of many texts, as one long string: searching it beats a loop over the texts."""

    def __init__(self, texts: Iterable[str]) -> None:
        pieces = [f"\n{folded(text)}".encode() for text in texts]
        self._starts = [0, *accumulate(map(len, pieces))]
        self._all = b"".join(pieces)

    def holding(self, query: str) -> Sequence[int]:
        """The texts that hold every word of `query`, or a word that begins with it, in order."""
        words = sorted((folded(word).rstrip() for word in query.split()), key=len, reverse=True)
        rows: Sequence[int] = range(len(self._starts) - 1)
        find, starts = self._all.find, self._starts
        for word in filter(None, words):
            needle = word.encode()
            rows = [row for row in rows if find(needle, starts[row], starts[row + 1]) >= 0]
        return rows
