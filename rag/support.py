"""Does what a sentence cites support it?"""

from collections.abc import Sequence

from index.papers import letters
from rag.schema import Support


def check(sentence: str, cited: Sequence[str]) -> tuple[Support, float | None]:
    """Compare a sentence of an answer with the stored text it cites.

    A sentence that stands in the cited text word for word (letters and digits in the same
    order, LaTeX, case, spacing and punctuation aside) is supported, with score 1; one that does
    not is unsupported, with score 0; one that cites nothing is unchecked.
    """
    if not cited:
        return "unchecked", None
    said = letters(sentence)
    if said and any(said in letters(text) for text in cited):
        return "supported", 1.0
    return "unsupported", 0.0
