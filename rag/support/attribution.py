"""Who something is said of, where several texts are cited: each may speak of another thing."""

from collections.abc import Sequence

from index.lexical import fold, tokenize
from rag.support.named import missing_names, names

_OPENING = 120
"""Where a text says what it speaks of, in code points."""
_MOST = 0.6
_NEAR = 40


def borrowed_name(sentence: str, passages: Sequence[str]) -> str | None:
    """A name of a sentence that only another text has than the one that says the rest of it.

    That other text says nothing of the sentence but the name, and the one that says the rest
    opens with a name that the sentence has not: what is said there is said of something else.

    Args:
        sentence: Cleaned.
        passages: The texts that it cites, each for itself; one alone can borrow from none.
    """
    if len(passages) < 2:
        return None
    said = frozenset(tokenize(sentence))
    there = [frozenset(tokenize(passage)) for passage in passages]
    for name in names(sentence):
        rest = said - frozenset(tokenize(name))
        best = max(range(len(passages)), key=lambda at: len(rest & there[at]))
        if not missing_names(_alone(name), [passages[best]]) or len(
            rest & there[best]
        ) < _MOST * len(rest):
            continue
        others = [at for at in range(len(passages)) if at != best]
        holding = [at for at in others if not missing_names(_alone(name), [passages[at]])]
        if not holding or any(rest & there[at] - there[best] for at in holding):
            continue
        if _is_of_something_else(sentence, passages[best]):
            return name
    return None


def _is_of_something_else(sentence: str, passage: str) -> bool:
    opening = fold(passage)[:_OPENING]
    named = [name for name in names(opening) if name not in fold(sentence)]
    first = names(opening)[:1]
    return bool(first) and first[0] in named and opening.find(first[0]) < _NEAR


def _alone(name: str) -> str:
    """A sentence in which a plain capitalised word counts as a name."""
    return f"it is {name}"
