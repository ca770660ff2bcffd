"""What a number is said of: 204 tasks by 442 authors are not 442 tasks by 204 authors."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from index.lexical import STOP_WORDS, fold, stem
from index.sentences import sentence_spans
from rag.support.named import names
from rag.support.numbers import Quantity, quantities, without_versions

_WORD = re.compile(r"[^\W\d_][^\W_]*(?:[-.'’][^\W_]+)*")
_PLURAL_ENDS = re.compile(r"(?<![sui])s$|ies$|people$|children$|humans$", re.IGNORECASE)
_NOUN_ENDS = re.compile(
    r"[.,;:!?()]|\b(?:of|in|on|from|for|with|by|at|to|that|which|who|where|while|whereas|against"
    r"|than|is|are|was|were|has|have|can|across|over|under|per|into|as)\b",
    re.IGNORECASE,
)
_SEGMENT = re.compile(
    r"[;:.!?](?=\s|$)|,|\b(?:while|whereas|against|versus|vs|compared|but|and)\b", re.I
)
_REACH = 60
_SUBJECT = 2


@dataclass(frozen=True, slots=True)
class Counted:
    """A number of a text and what stands around it."""

    number: Quantity
    noun: str
    """The stem of the plural noun that it counts: "task" of "40 hard tasks"; or empty."""
    around: frozenset[str]
    """The stems of the words with a meaning between it and the numbers and clauses next to it."""
    subject: frozenset[str]
    """Of those the names, or else the first two words."""


def exchanged(sentence: str, cited: Sequence[str]) -> str | None:
    """A number of a sentence that the cited text has, but of something else; None if none does.

    A count is so where the cited text counts that noun by other numbers only, and has the number
    for another noun; any number, where a cited sentence gives another number of its unit for what
    the sentence says it of, and says the number of something that the sentence does not.

    Returns:
        A clause: "204 is not said of authors".
    """
    there = [counted(text[a:b]) for text in cited for a, b in sentence_spans(text)]
    for said in counted(without_versions(sentence)):
        of_noun = _counts_something_else(said, there)
        if of_noun or any(_is_of_another(said, each) for each in there):
            return f"what it cites says {said.number.text} of something else"
    return None


def uncounted(sentence: str, cited: Sequence[str]) -> str | None:
    """A count whose noun the cited text has, but only with other numbers or none at all.

    Returns:
        A clause, or None if there is none. Less sure than `exchanged`: a noun may be left out.
    """
    there = [counted(text[a:b]) for text in cited for a, b in sentence_spans(text)]
    stems = {stem(word.lower()) for text in cited for word in _WORD.findall(fold(text))}
    flat = [each for sentence in there for each in sentence]
    for said in counted(without_versions(sentence)):
        its = [each for each in flat if said.number.agrees(each.number)]
        if not said.noun or not its or any(_may_count(each, said.noun) for each in its):
            continue
        if said.noun in stems:
            return f"what it cites does not say {said.number.text} of them"
    return None


def counted(text: str) -> list[Counted]:
    """The numbers of a cleaned text with what they are said of, in order."""
    plain = fold(text).replace("−", "-")
    numbers = sorted(quantities(text), key=lambda number: number.start)
    named = {word.lower() for name in names(plain) for word in _WORD.findall(name)}
    found: list[Counted] = []
    for at, number in enumerate(numbers):
        last = numbers[at - 1].end if at else 0
        following = numbers[at + 1].start if at + 1 < len(numbers) else len(plain)
        start = max((m.end() for m in _SEGMENT.finditer(plain, last, number.start)), default=last)
        stop = _SEGMENT.search(plain, number.end, following)
        end = stop.start() if stop else following
        before = _meaning(plain[start : number.start])
        words = before + _meaning(plain[number.end : end])
        subject = [w for w in words if w.lower() in named] or (before or words)[:_SUBJECT]
        found.append(
            Counted(number, _noun(plain, number, following), _stems(words), _stems(subject))
        )
    return found


def _counts_something_else(said: Counted, there: Sequence[Sequence[Counted]]) -> bool:
    flat = [each for sentence in there for each in sentence]
    if not said.noun:
        return False
    its = [each for each in flat if said.number.agrees(each.number)]
    others = [each for each in flat if each.noun == said.noun]
    return (
        bool(its)
        and bool(others)
        and all(each.noun for each in its)
        and not any(_may_count(each, said.noun) for each in its)
    )


def _may_count(each: Counted, noun: str) -> bool:
    return noun == each.noun or (noun in each.around and not each.noun)


def _is_of_another(said: Counted, sentence: Sequence[Counted]) -> bool:
    """Whether one cited sentence gives what this number is said of another number."""
    alike = [e for e in sentence if (e.number.unit, e.number.family) == _kind(said.number)]
    its = [each for each in alike if said.number.agrees(each.number)]
    others = [each for each in alike if each not in its]
    if len(its) != 1 or not others or not (said.number.unit or said.number.family):
        return False
    for other in others:
        if _goes_with(said.around, other.around, its[0].around):
            return True
        if _goes_with(said.subject, other.subject, its[0].subject):
            return True
    return False


def _goes_with(said: frozenset[str], other: frozenset[str], its: frozenset[str]) -> bool:
    return bool(said & (other - its)) and not said & (its - other)


def _kind(number: Quantity) -> tuple[str, str]:
    return number.unit, number.family


def _noun(text: str, number: Quantity, following: int) -> str:
    if number.unit or number.family:
        return ""
    stop = _NOUN_ENDS.search(text, number.end, following)
    run = text[number.end : min(stop.start() if stop else following, number.end + _REACH)]
    words = [word for word in _WORD.findall(run) if _PLURAL_ENDS.search(word)]
    return stem(words[0].lower()) if words else ""


def _meaning(text: str) -> list[str]:
    return [word for word in _WORD.findall(text) if word.lower() not in STOP_WORDS]


def _stems(words: Sequence[str]) -> frozenset[str]:
    return frozenset(stem(word.lower()) for word in words)
