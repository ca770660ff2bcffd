"""Numbers that a question takes for granted and no abstract found has: a false premise, said so."""

import re
from collections.abc import Iterable

from index.papers import Paper
from index.text import clean_text
from rag.citations import Claim
from rag.support import UNCHECKED
from rag.support.numbers import Quantity, quantities

# "the 40 tasks", "its 12 layers": a number that is supposed to be known. "2 ways" is asked for.
_SUPPOSED = re.compile(
    r"\b(?:the|its|their|those|these|all|of|by|with|than|reach\w*|achiev\w*|has|have|had|got|get)\s+$",
    re.IGNORECASE,
)
_YEARS = range(1900, 2101)
_SMALLEST = 10


def correction(question: str, papers: Iterable[Paper]) -> Claim | None:
    """What to say first about a question whose numbers none of the abstracts found has.

    Args:
        question: Standing alone.
        papers: Those that it is answered from.

    Returns:
        None if every number that it takes for granted is there, or if it has none.
    """
    supposed = [number for number in quantities(question) if _is_supposed(number, question)]
    if not supposed:
        return None
    texts = (f"{paper.display_title}. {clean_text(paper.abstract)}" for paper in papers)
    there = [number for text in texts for number in quantities(text)]
    absent = [n.text for n in supposed if not any(n.agrees(other) for other in there)]
    if not absent:
        return None
    said = " and ".join(dict.fromkeys(absent))
    return Claim(f"The abstracts found do not speak of {said}.", (), UNCHECKED)


def _is_supposed(number: Quantity, question: str) -> bool:
    """Whether a question takes a number for granted: a share, a multiple, "the 40 tasks"."""
    if number.unit:
        return True
    at = question.find(number.text)
    is_digits = number.text[:1].isdigit()
    if at < 0 or not is_digits or number.value < _SMALLEST or number.value in _YEARS:
        return False
    return bool(_SUPPOSED.search(question[:at]))
