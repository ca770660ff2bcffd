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
# Where another question, or another clause of this one, begins.
_CLAUSE = re.compile(
    r"[.?!;:]\s+|,?\s+(?:and|but|or|so)\s+(?=(?:how|what|which|why|where|who|when)\b)"
    r"|(?:,|,?\s+(?:and|but|or|so))\s+(?=(?:is|are|was|were|do|does|did|can|could|has|have|had|will"
    r"|would|should)\b)",
    re.IGNORECASE,
)
# What asks whether it is so, or how far from it: yes or no, "any", "how close".
_ASKS_WHETHER = re.compile(
    r"^(?:(?:and|but|or|so|ok|okay)\W+)*"
    r"(?:(?:is|are|was|were|do|does|did|can|could|will|would|should|has|have|had|may|might|must)"
    r"(?:n['’]t)?\b|how (?:close|near|far)\b)"
    r"|\b(?:any(?:one|body|thing)?|whether|if)\b",
    re.IGNORECASE,
)
# "more than 50%", "close to 50%": a bound that is asked for, which no abstract has to name.
_BOUND = re.compile(
    r"\b(?:(?:more|less|fewer|greater|higher|lower|larger|smaller|better|worse|longer|shorter|faster"
    r"|slower) than|at (?:least|most)|up to|over|above|below|under|beyond|beat\w*|exceed\w*"
    r"|surpass\w*|past|(?:close|near|closer|nearer) to)\s+(?:the\s+)?$",
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
    """Whether a question takes a number for granted: a share, a multiple, "the 40 tasks".

    What asks whether it is so supposes nothing: "Does any agent reach 50%?", "more than 50%".
    """
    at = question.find(number.text)
    if _ASKS_WHETHER.search(_clause(question, at)) or (at >= 0 and _BOUND.search(question[:at])):
        return False
    if number.unit:
        return True
    is_digits = number.text[:1].isdigit()
    if at < 0 or not is_digits or number.value < _SMALLEST or number.value in _YEARS:
        return False
    return bool(_SUPPOSED.search(question[:at]))


def _clause(question: str, at: int) -> str:
    """The clause of a question that has the character `at`."""
    cuts = [match.end() for match in _CLAUSE.finditer(question)]
    start = max((cut for cut in cuts if cut <= at), default=0)
    end = min((cut for cut in cuts if cut > at), default=len(question))
    return question[start:end]
