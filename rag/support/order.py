"""Which of two named things a text puts ahead of the other, and texts that disagree about it."""

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from index.lexical import fold
from rag.support.named import names

_AHEAD = re.compile(
    r"\b(?P<how>(?:out(?:perform|class|pac|scor)|surpass|exceed|beat|underperform|lag|trail)\w*"
    r"|(?:improv\w*|gain\w*|advantage|win\w*|prefer\w*) (?:up)?(?:on|over|to)"
    r"|(?:better|worse|faster|slower|higher|lower|larger|smaller|more|less|fewer|stronger|weaker"
    r"|cheaper|longer|shorter|earlier|later) (?:[\w-]+ ){0,3}than|superior to|inferior to"
    r"|precede\w*|follow(?:s|ed)? by|before|after)\b(?P<by> by\b)?",
    re.IGNORECASE,
)
_KIND = 5
"""So many letters tell one comparison from another, and not its inflected forms."""
_CLAUSE_END = re.compile(r"[.;:!?]|\b(?:but|whereas)\b")


def disagree(sentence: str, cited: Sequence[str]) -> tuple[str, str] | None:
    """Two names whose order in a comparison is the other way round in what a sentence cites.

    Only comparisons in the same words are compared: "A outperforms B" and "B outperforms A",
    also "A is outperformed by B", but not "B is worse than A".

    Returns:
        The two as the sentence has them, or None if there are none such.
    """
    # A plain word that opens one text is known for a name by the other.
    named = {name for text in (sentence, *cited) for name in names(text)}
    there = {pair for text in cited for pair in _pairs(text, named)}
    for how, ahead, behind in _pairs(sentence, named):
        if (how, behind, ahead) in there and (how, ahead, behind) not in there:
            return ahead, behind
    return None


def _pairs(text: str, named: AbstractSet[str]) -> list[tuple[str, str, str]]:
    """What a text compares: the stem of how, the name ahead, the name behind."""
    text = fold(text)
    found: list[tuple[str, str, str]] = []
    places = [(match.start(), name) for name in named for match in _whole(name, text)]
    for match in _AHEAD.finditer(text):
        start = max((end.end() for end in _CLAUSE_END.finditer(text, 0, match.start())), default=0)
        stop = _CLAUSE_END.search(text, match.end())
        end = stop.start() if stop else len(text)
        before = [name for at, name in sorted(places) if start <= at < match.start()]
        after = [name for at, name in sorted(places) if match.end() <= at < end]
        # The subject is the first of its clause, "over A and B" is about each.
        for subject, other in ((one, two) for one in before[:1] for two in after):
            pair = (other, subject) if match["by"] else (subject, other)
            found.append((match["how"].lower()[:_KIND], *pair))
    return found


def _whole(name: str, text: str) -> list[re.Match[str]]:
    return list(re.finditer(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text))
