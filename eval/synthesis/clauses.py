"""From a sentence with a gap to a question: the clause around the gap, or a question proper.

Not the whole sentence is asked for, and not with the name that the paper gives itself: the few
words that are left must find the paper. A clause that says what a name stands for becomes a
question ("What is the name of a network that …?").
"""

import re
from dataclasses import dataclass
from enum import StrEnum

BLANK = "____"

_FEWEST_WORDS, _MOST_WORDS = 8, 14
"""Of a clause; a shorter one takes its neighbour, of a longer one the part at the gap is kept."""
_WORDS_BEFORE = 9
"""Of a clause that is cut: what stands before a gap explains it best."""
_MOST_QUESTION_WORDS = 22

_BOUNDARY = re.compile(
    r"(?:;|:| [—–-]+)\s+"
    r"|,\s+(?=(?:and|but|while|whereas|yet|although|because|since|with|so|thus|where|when)\b)"
    r"|\s(?=(?:while|whereas|although|because)\b)"
)
_OPENING = re.compile(
    r"^(?:(?:and|but|while|whereas|yet|although|because|since|so|thus|however|moreover|finally"
    r"|in this (?:paper|work|study|report)|in addition|for example|for instance|as a result"
    r"|specifically|furthermore|additionally|notably|consequently|therefore|hence|besides|also"
    r"|then)\b,? ?)+",
    re.IGNORECASE,
)
# Verbs that are no nouns ("datasets", "models"), or stand before what only follows a verb.
_VERB = (
    r"(?:is|was|has|can|achieves|improves|outperforms|reaches|reduces|surpasses"
    r"|(?!(?:\w*sets|agents|experts|layers|methods|models|scores|systems|tasks|users|weights)\b)"
    r"[a-z]{3,}(?<!s)s (?=(?:the|an?|its|it|to|on|in|from|by|that|how|both|all|up|over|new)\b))"
)
_IS_SUBJECT = re.compile(rf"{BLANK} (?={_VERB})")
_IS_EXPLAINED = re.compile(
    rf"(?:propos|introduc|present|develop|describ)\w+ {BLANK}, (?P<what>(?:an?|the) [^,;:]+)"
)
_IS_CALLED = re.compile(
    rf"\b(?P<what>an? (?:[\w-]+ ){{1,7}}?[\w-]+),? (?:called|named|dubbed|termed|namely) {BLANK}"
    r"(?P<more>,? (?:that|which|for|to) [^,;:]+)?"
)
_PHRASE_PART = re.compile(r",?\s(?:that|which|by|for|to|and)\s")
_AFTER_ARTICLE = r"(?<!\bthe )(?<!\bour )(?<!\bits )(?<!\ban )(?<!\ba )"


class Kind(StrEnum):
    """What is left out of a sentence."""

    NUMBER = "number"
    NAME = "name"
    TERM = "term"


@dataclass(frozen=True, slots=True)
class Gap:
    """What is left out of a sentence: `[start, end)` in code points of its cleaned text."""

    kind: Kind
    start: int
    end: int
    nugget: tuple[str, ...]
    """The wordings that count as the answer."""
    idf: float


def ask(sentence: str, gap: Gap, names: tuple[str, ...]) -> str | None:
    """The question for a gap, or None if too little of the sentence is left to ask with.

    Args:
        sentence: Cleaned.
        gap: What is left out.
        names: What the paper calls itself, which the question does without where it can.
    """
    start, end = _clause(sentence, gap)
    if gap.kind is Kind.NAME:
        question = _name_question(_blanked(sentence, gap, start, end, names))
        if question:
            return question
    start, end = _cut(sentence, gap, start, end)
    clause = _blanked(sentence, gap, start, end, names)
    is_whole = clause == _blanked(sentence, gap, 0, len(sentence), ())
    answer = sentence[gap.start : gap.end].lower()
    if len(clause.split()) < _FEWEST_WORDS or is_whole or answer in clause.lower():
        return None
    before = "… " if sentence[:start].strip() else ""
    after = " …" if sentence[end:].strip(" .") else ""
    return f"Fill in the {gap.kind}: “{before}{clause}{after}”"


def _blanked(sentence: str, gap: Gap, start: int, end: int, names: tuple[str, ...]) -> str:
    """`sentence[start:end]` with a blank for the gap, and "it" for the paper's names."""
    clause = f"{sentence[start : gap.start]}{BLANK}{sentence[gap.end : end]}"
    clause = re.sub(rf"{BLANK}\s*\([^()]*\)", BLANK, clause)  # its expansion
    for name in names:
        alone = rf"{_AFTER_ARTICLE}(?<![\w-]){re.escape(name)}(?![\w-]| [A-Z])"
        clause = re.sub(alone, "it", re.sub(rf"{alone}['’]s", "its", clause))
    opening = _OPENING.match(clause)
    return clause[opening.end() if opening else 0 :].strip(" ,;:.—–-")


def _name_question(clause: str) -> str | None:
    """The clause as a question for the name that is blank in it, where its form allows one."""
    if match := _IS_CALLED.search(clause):
        question = f"What is the name of {_shortened(match['what'] + (match['more'] or ''))}?"
    elif match := _IS_EXPLAINED.search(clause):
        question = f"What is the name of {_shortened(match['what'])}?"
    elif match := _IS_SUBJECT.match(clause):
        question = f"What {clause[match.end() :]}?"
    else:
        return None
    is_fit = _FEWEST_WORDS <= len(question.split()) <= _MOST_QUESTION_WORDS
    return question if is_fit and BLANK not in question else None


def _shortened(phrase: str) -> str:
    """A long phrase without its last parts."""
    if len(phrase.split()) <= _MOST_WORDS:
        return phrase
    ends = [match.start() for match in _PHRASE_PART.finditer(phrase)]
    fit = [end for end in ends if len(phrase[:end].split()) <= _MOST_WORDS]
    return phrase[: fit[-1]] if fit else phrase


def _clause(sentence: str, gap: Gap) -> tuple[int, int]:
    """The span of the clause around a gap, with its neighbours if it is short."""
    cuts = [match.end() for match in _BOUNDARY.finditer(sentence)]
    edges = [0, *(cut for cut in cuts if not gap.start < cut < gap.end), len(sentence)]
    first = max(i for i, edge in enumerate(edges) if edge <= gap.start)
    last = min(i for i, edge in enumerate(edges) if edge >= gap.end)
    while len(sentence[edges[first] : edges[last]].split()) < _FEWEST_WORDS:
        if last < len(edges) - 1:
            last += 1
        elif first > 0:
            first -= 1
        else:
            break
    return edges[first], edges[last]


def _cut(sentence: str, gap: Gap, start: int, end: int) -> tuple[int, int]:
    """The span of at most `_MOST_WORDS` words around a gap in a clause."""
    if len(sentence[start:end].split()) <= _MOST_WORDS:
        return start, end
    before = [start + word.start() for word in re.finditer(r"\S+", sentence[start : gap.start])]
    after = [gap.end + word.end() for word in re.finditer(r"\S+", sentence[gap.end : end])]
    before = before[-max(_WORDS_BEFORE, _MOST_WORDS - len(after)) :]
    after = after[: _MOST_WORDS - len(before)]
    return (before[0] if before else gap.start), (after[-1] if after else gap.end)
