"""Which of two things a text puts ahead of the other, and texts that disagree about it."""

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from index.lexical import STOP_WORDS, fold, stem
from rag.support.named import names

# What each comparison is about, and the words that put the first of two ahead and behind in it.
_SCALES = {
    "good": (
        r"outperform\w*|outclass\w*|outpac\w*|outscor\w*|surpass\w*|exceed\w*|beat(?:s|en|ing)?"
        r"|(?:improv\w*|gain\w*|advantage\w*|win\w*) (?:up)?(?:on|over)|better(?: [\w-]+){0,3} than"
        r"|superior to|stronger(?: [\w-]+){0,3} than",
        r"underperform\w*|lag\w*|trail\w*|worse(?: [\w-]+){0,3} than|inferior to"
        r"|weaker(?: [\w-]+){0,3} than",
    ),
    "fast": (r"faster(?: [\w-]+){0,3} than", r"slower(?: [\w-]+){0,3} than"),
    "high": (r"higher(?: [\w-]+){0,3} than", r"lower(?: [\w-]+){0,3} than"),
    "large": (
        r"(?:larger|bigger|greater)(?: [\w-]+){0,3} than",
        r"smaller(?: [\w-]+){0,3} than",
    ),
    "much": (r"more(?: [\w-]+){0,3} than", r"(?:less|fewer)(?: [\w-]+){0,3} than"),
    "long": (r"longer(?: [\w-]+){0,3} than", r"shorter(?: [\w-]+){0,3} than"),
    "cheap": (r"cheaper(?: [\w-]+){0,3} than", r"(?:dearer|costlier)(?: [\w-]+){0,3} than"),
    "early": (
        r"precede\w*|before|earlier(?: [\w-]+){0,3} than",
        r"after|later(?: [\w-]+){0,3} than",
    ),
}
_COMPARES = [
    (scale, sign, re.compile(rf"\b(?:{words})\b(?P<by> by\b)?", re.IGNORECASE))
    for scale, both in _SCALES.items()
    for sign, words in zip((1, -1), both, strict=True)
]
_PREFERS = re.compile(
    r"\b(?:prefer|favou?r|choose|chose)(?:s|red|ing)?\b(?P<one>(?:[^.;:!?]|[.](?=\S))*?)"
    r"\b(?:to|over|rather than)\b",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(r"[.;:!?](?=\s|$)|\b(?:but|whereas|while|although)\b")
_OTHER_ENDS = re.compile(
    r",(?! and)|\b(?:by(?= (?:\d|up|over|more|less|at|an?|about|nearly|almost|far)\b)|in|on|at"
    r"|across|for|when|with|without|under|which|that|where|is|are|was|were|has|have|from|using"
    r"|(?<!such )as|while|because|even|does|do|did|not)\b(?= )|\([^)]*\)?",
    re.IGNORECASE,
)
_STANDS_FOR = re.compile(r"\b(?:it|its|they|their|them|we|our|ours|this|these|those)\b", re.I)
_WORD = re.compile(r"[^\W_][^\W_]*(?:[-.'’/][^\W_]+)*")
_WEAK = frozenset(
    stem(word)
    for word in """model method approach system framework algorithm technique agent result work
    performance accuracy task dataset benchmark state art existing response answer""".split()
)


@dataclass(frozen=True, slots=True)
class Ordered:
    """A comparison: what it is about, and the words of what is ahead and what is behind."""

    scale: str
    ahead: frozenset[str]
    """Stems of the words with a meaning; of names where it has any, in lower case."""
    behind: frozenset[str]
    pronoun_ahead: bool
    """Whether it says "it", "our", … or nothing there, so that anything may be meant."""
    pronoun_behind: bool
    said: tuple[str, str]
    """What it calls the two, ahead and behind, for a person."""

    def same(self, other: "Ordered") -> bool:
        """Whether another puts the same two in the same order."""
        return self._same_scale(other) and (
            bool(self.ahead & other.ahead and self.behind & other.behind)
            or bool(self.ahead & other.ahead and other.pronoun_behind)
            or bool(self.behind & other.behind and other.pronoun_ahead)
        )

    def turned(self, other: "Ordered") -> bool:
        """Whether another puts the same two the other way round."""
        if not self._same_scale(other) or self.same(other):
            return False
        across, back = self.ahead & other.behind, self.behind & other.ahead
        straight = self.ahead & other.ahead | self.behind & other.behind
        if across and back:
            return not straight - _WEAK or straight <= across & back
        return not straight - _WEAK and bool(
            (across - _WEAK and other.pronoun_ahead) or (back - _WEAK and other.pronoun_behind)
        )

    def _same_scale(self, other: "Ordered") -> bool:
        return self.scale == other.scale


def disagree(sentence: str, cited: Sequence[str]) -> tuple[str, str] | None:
    """Two things whose order in a comparison is the other way round in what a sentence cites.

    "A is faster than B" and "B is slower than A" agree, and so do "A outperforms B" and "B is
    outperformed by A"; "B is faster than A" does not. A side may be a name, a common noun, or a
    pronoun of the cited text, which may stand for anything that is not on its other side.

    Returns:
        The two as the sentence has them, or None if there are none such.
    """
    there, said = _both(sentence, cited)
    for one in said:
        if any(one.turned(other) for other in there) and not any(map(one.same, there)):
            return one.said
    return None


def agree(sentence: str, cited: Sequence[str]) -> bool:
    """Whether the cited text compares the same two things in the same order as a sentence.

    Then a word of the one may well be the opposite of a word of the other.
    """
    there, said = _both(sentence, cited)
    return bool(said) and all(any(map(one.same, there)) for one in said)


def _both(sentence: str, cited: Sequence[str]) -> tuple[list[Ordered], list[Ordered]]:
    # A plain word that opens one text is known for a name by the other.
    named = {name for text in (sentence, *cited) for name in names(text)}
    there = [each for text in cited for each in comparisons(text, named)]
    return there, comparisons(sentence, named)


def comparisons(text: str, named: AbstractSet[str]) -> list[Ordered]:
    """What a text compares, in the order of the scales.

    Args:
        text: Cleaned.
        named: The names that it may have.
    """
    text = fold(text)
    found: list[Ordered] = []
    for scale, sign, pattern in _COMPARES:
        for match in pattern.finditer(text):
            before, after = _around(text, match.start(), match.end())
            sides = (before, after) if (sign > 0) != bool(match["by"]) else (after, before)
            found.append(_ordered(scale, *sides, named))
    for match in _PREFERS.finditer(text):
        before, after = _around(text, match.start(), match.end())
        one = match["one"] if _WORD.search(match["one"]) else before
        found.append(_ordered("good", one, after, named))
    return [each for each in found if each.ahead or each.behind]


def _around(text: str, start: int, end: int) -> tuple[str, str]:
    """What stands before a comparison in its clause, and after it up to where and by how much."""
    opens = max((m.end() for m in _CLAUSE_END.finditer(text, 0, start)), default=0)
    clause = _CLAUSE_END.search(text, end)
    rest = text[end : clause.start() if clause else len(text)]
    stop = _OTHER_ENDS.search(rest)
    return text[opens:start], rest[: stop.start()] if stop else rest


def _ordered(scale: str, ahead: str, behind: str, named: AbstractSet[str]) -> Ordered:
    one, other = _words(ahead, named), _words(behind, named)
    return Ordered(
        scale,
        one,
        other,
        not one or bool(_STANDS_FOR.search(ahead)),
        not other or bool(_STANDS_FOR.search(behind)),
        (_called(ahead, named), _called(behind, named)),
    )


def _words(side: str, named: AbstractSet[str]) -> frozenset[str]:
    own = frozenset(name.lower() for name in _found(side, named))
    if own:
        return own
    words = (word.lower() for word in _WORD.findall(side))
    return frozenset(stem(word) for word in words if word not in STOP_WORDS and len(word) > 1)


def _called(side: str, named: AbstractSet[str]) -> str:
    found = _found(side, named)
    return " and ".join(found) if found else " ".join(side.split()).strip(" ,'’") or "it"


def _found(side: str, named: AbstractSet[str]) -> list[str]:
    places = [
        (match.start(), name)
        for name in named
        for match in re.finditer(rf"(?<![\w-]){re.escape(name)}(?![\w-])", side)
    ]
    return list(dict.fromkeys(name for _, name in sorted(places)))
