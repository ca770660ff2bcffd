"""Does a sentence stand word for word in what it cites?"""

import re
from collections.abc import Sequence

from index.lexical import fold
from index.text import clean_text
from rag.schema import Support

_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+|[%$€£<>=+~]")


def _tokens(text: str) -> str:
    return f" {' '.join(_TOKEN.findall(fold(clean_text(text)).casefold()))} "


def check(sentence: str, cited: Sequence[str]) -> tuple[Support, float | None]:
    """Compare a sentence of an answer with the stored text it cites.

    A sentence whose words, numbers and signs stand in the cited text in the same order without
    a gap (LaTeX, case, spacing and other punctuation aside) is supported, with score 1; one that
    does not is unsupported, with score 0; one that cites nothing is unchecked.
    """
    if not cited:
        return "unchecked", None
    said = _tokens(sentence)
    if said.strip() and any(said in _tokens(text) for text in cited):
        return "supported", 1.0
    return "unsupported", 0.0


def same_words(sentence: str, texts: Sequence[str]) -> bool:
    """Whether a sentence is word for word one of several texts."""
    said = _tokens(sentence)
    return bool(said.strip()) and any(said == _tokens(text) for text in texts)
