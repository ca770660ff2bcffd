"""Sentences made false by one edit, and the same reworded: what a checker must tell apart.

Both are made from a sentence that is true of itself. A false edit changes one thing, so that
nearly every word still stands in the text it is checked against; a rewording keeps what is said.
Nothing here knows how a checker works: the patterns are its own.
"""

import random
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from eval.denial_edits import affirmed, denial_cut, negated
from eval.number_edits import (
    NUMBER_WORD,
    NUMBER_WORDS,
    another_number,
    another_unit,
    replaced,
    swapped_numbers,
)

FalseKind = Literal[
    "number",
    "swapped numbers",
    "unit",
    "name",
    "another paper",
    "negated",
    "affirmed",
    "denial cut",
    "opposite",
]
RewordedKind = Literal["opening", "passive", "synonym", "digits", "brackets", "clause"]
_Kind = TypeVar("_Kind", FalseKind, RewordedKind)

_NAME = re.compile(
    r"(?<![\w-])(?:[A-Z][a-z]+[A-Z]\w*|[A-Z]{3,}\d*(?![\w-])|[A-Z][A-Za-z]*-?\d+(?:\.\d+)?(?![\w-])"
    r"|(?<=[a-z,] )[A-Z][a-z]{3,}(?![\w-]))"
)
_SUBJECT = 60
_PAIRS = (
    ("increase", "decrease"), ("increases", "decreases"), ("increased", "decreased"),
    ("increasing", "decreasing"), ("improve", "degrade"), ("improves", "degrades"),
    ("improved", "degraded"), ("improving", "degrading"), ("improvement", "degradation"),
    ("improvements", "degradations"), ("higher", "lower"), ("high", "low"), ("more", "less"),
    ("outperform", "underperform"), ("outperforms", "underperforms"), ("better", "worse"),
    ("outperforming", "underperforming"), ("faster", "slower"), ("larger", "smaller"),
    ("large", "small"), ("before", "after"), ("best", "worst"), ("reduces", "raises"),
    ("reduce", "raise"), ("reducing", "raising"), ("strong", "weak"), ("stronger", "weaker"),
    ("maximize", "minimize"), ("maximizing", "minimizing"), ("superior", "inferior"),
    ("enhance", "impair"), ("enhances", "impairs"), ("enhancing", "impairing"),
    ("positive", "negative"), ("effective", "ineffective"), ("efficient", "inefficient"),
    ("exceeds", "falls below"), ("longer", "shorter"), ("easier", "harder"),
)  # fmt: skip
_OPPOSITES = dict(_PAIRS) | {other: one for one, other in _PAIRS}
_OPPOSITE = re.compile(rf"\b(?:{'|'.join(sorted(_OPPOSITES, key=len, reverse=True))})\b")

_OPENING = re.compile(
    r"^(?:in this (?:paper|work|study|survey|report|article),? ?|to (?:this|that) end, ?"
    r"|specifically, ?|moreover, ?|furthermore, ?|additionally, ?|finally, ?|in addition, ?"
    r"|notably, ?|to address (?:this|these)[^,]{0,40}, ?|here,? ?|however, ?|(?:also|then) )",
    re.IGNORECASE,
)
_WE_MAKE = re.compile(
    r"^(?:in this (?:paper|work|study),? )?we (?:also )?(?P<verb>propose|introduce|present|develop"
    r"|design|construct|conduct|provide|describe|study|evaluate) (?P<what>[^,;:.]{3,90}?)"
    r"(?P<rest>(?: that| which| to| for| by| with| based)\b.*|[,.;:].*)?$",
    re.IGNORECASE | re.DOTALL,
)
_THIS_PAPER = re.compile(r"^this paper (?P<verb>proposes|introduces|presents) (?P<what>.+)$", re.I)
_PARTICIPLES = {
    "propose": "proposed", "introduce": "introduced", "present": "presented",
    "develop": "developed", "design": "designed", "construct": "constructed",
    "conduct": "conducted", "provide": "provided", "describe": "described", "study": "studied",
    "evaluate": "evaluated",
}  # fmt: skip
_SYNONYMS = {
    "propose": "present", "proposes": "presents", "introduce": "present", "introduces": "presents",
    "present": "introduce", "use": "employ", "uses": "employs", "utilize": "use",
    "utilizes": "uses", "leverages": "uses", "leverage": "use", "demonstrate": "show",
    "demonstrates": "shows", "show": "demonstrate", "shows": "demonstrates", "achieves": "reaches",
    "achieve": "reach", "build": "construct", "construct": "build", "outperforms": "surpasses",
    "outperform": "surpass", "enables": "allows", "obtain": "get", "contains": "includes",
    "comprising": "consisting of", "covering": "spanning", "various": "different",
    "investigate": "examine", "novel": "new", "design": "create", "helps": "assists",
    "significantly": "substantially", "called": "named", "named": "called", "find": "observe",
    "requires": "needs", "require": "need", "several": "multiple", "multiple": "several",
}  # fmt: skip
_SYNONYM = re.compile(rf"\b(?:{'|'.join(_SYNONYMS)})\b")
_BRACKETS = re.compile(r" \([^()]{2,60}\)")
_CLAUSE = re.compile(r", (?:which|while|whereas|thereby|thus|and thus|such as|without|by) [^,;]+$")
_FEWEST_WORDS = 5
_ALIKE = 4


@dataclass(frozen=True, slots=True)
class Edit:
    """A sentence and what was made of it."""

    kind: FalseKind | RewordedKind
    source: str
    text: str
    beside: str = ""
    """Of `another paper` the sentence that the name is from, to be cited too; else empty."""


def false_edits(
    sentences: Iterable[str], kinds: Sequence[FalseKind] | None = None, *, seed: int = 0
) -> list[Edit]:
    """Each sentence made false in every way that it offers: at most one edit of each kind.

    Args:
        sentences: Plain text. Names are swapped among them.
        kinds: `number`, another number in the place of one; `swapped numbers`, two in each
            other's place; `unit`, another unit; `name`, another sentence's name; `another paper`,
            the name of another sentence's subject, which is to be cited too; `negated`, a verb
            denied; `affirmed`, a denial taken out; `denial cut`, only what follows a denial;
            `opposite`, a word for its opposite. All if None.
        seed: Of the choice where a sentence offers several places.

    Returns:
        In the order of the sentences, then of the kinds; the same for the same arguments.
    """
    sources = list(dict.fromkeys(sentences))
    pool = list(dict.fromkeys(name for each in sources for name in _NAME.findall(each)))
    subjects = {name: each for each in sources if (name := _subject(each))}
    makers: dict[FalseKind, Callable[[str, random.Random], str | None]] = {
        "number": another_number,
        "swapped numbers": swapped_numbers,
        "unit": another_unit,
        "name": lambda text, draw: _another_name(text, draw, pool),
        "another paper": lambda text, draw: _another_paper(text, draw, list(subjects)),
        "negated": negated,
        "affirmed": affirmed,
        "denial cut": denial_cut,
        "opposite": _opposite,
    }
    found = _edits(sources, makers, kinds or tuple(makers), seed)
    return [
        replace(edit, beside=_beside(edit, subjects)) if edit.kind == "another paper" else edit
        for edit in found
    ]


def rewordings(
    sentences: Iterable[str], kinds: Sequence[RewordedKind] | None = None, *, seed: int = 0
) -> list[Edit]:
    """Each sentence said otherwise in every way that it offers: at most one of each kind.

    Args:
        sentences: Plain text.
        kinds: `opening`, a leading "In this paper," dropped; `passive`, "We propose X" to "X is
            proposed"; `synonym`, common verbs and adjectives; `digits`, number words written as
            digits; `brackets` and `clause`, a remark or a last clause dropped. All if None.
        seed: Of the choice where a sentence offers several places.

    Returns:
        As for `false_edits`.
    """
    makers: dict[RewordedKind, Callable[[str, random.Random], str | None]] = {
        "opening": lambda text, _: _dropped(_OPENING, text),
        "passive": lambda text, _: _passive(text),
        "synonym": _synonym,
        "digits": lambda text, _: _in_digits(text),
        "brackets": lambda text, _: _dropped(_BRACKETS, text),
        "clause": lambda text, _: _dropped(_CLAUSE, text),
    }
    return _edits(list(dict.fromkeys(sentences)), makers, kinds or tuple(makers), seed)


def _edits(
    sources: Sequence[str],
    makers: dict[_Kind, Callable[[str, random.Random], str | None]],
    kinds: Sequence[_Kind],
    seed: int,
) -> list[Edit]:
    found: list[Edit] = []
    for source in sources:
        for kind in kinds:
            draw = random.Random(f"{seed} {kind} {source}")  # noqa: S311 - a draw, not a secret
            made = makers[kind](source, draw)
            if made and made != source and len(made.split()) >= _FEWEST_WORDS:
                found.append(Edit(kind, source, made[0].upper() + made[1:]))
    return found


def _another_name(text: str, draw: random.Random, pool: Sequence[str]) -> str | None:
    places = list(_NAME.finditer(text))
    others = [name for name in pool if name.lower()[:_ALIKE] not in text.lower()]
    if not places or not others:
        return None
    swapped = draw.choice(places)[0]
    # Everywhere it stands: otherwise the sentence contradicts itself and not its source.
    other = draw.choice(others)
    return re.sub(rf"(?<![\w-]){re.escape(swapped)}(?![\w-])", lambda _: other, text)


def _another_paper(text: str, draw: random.Random, subjects: Sequence[str]) -> str | None:
    own = _subject(text)
    others = [name for name in subjects if name.lower()[:_ALIKE] not in text.lower()]
    if not own or not others:
        return None
    other = draw.choice(others)
    return re.sub(rf"(?<![\w-]){re.escape(own)}(?![\w-])", lambda _: other, text)


def _beside(edit: Edit, subjects: Mapping[str, str]) -> str:
    """The sentence that the name which an edit has and its source has not is from."""
    gained = (name for name in subjects if name in edit.text and name not in edit.source)
    return subjects[max(gained, key=len)]


def _subject(text: str) -> str:
    """The first name near the beginning of a sentence, or empty."""
    place = _NAME.search(text[:_SUBJECT])
    return place[0] if place else ""


def _opposite(text: str, draw: random.Random) -> str | None:
    places = [m for m in _OPPOSITE.finditer(text) if _OPPOSITES[m[0]] not in text]
    if not places:
        return None
    place = draw.choice(places)
    return replaced(text, place, _OPPOSITES[place[0]])


def _passive(text: str) -> str | None:
    match = _WE_MAKE.match(text)
    if match:
        participle = _PARTICIPLES[match["verb"].lower()]
        what = match["what"]
        be = (
            "are"
            if re.match(r"(?:\w+ ){0,2}(?:two|three|four|five|several|\w+ments)\b", what)
            else "is"
        )
        return f"{what} {be} {participle}{match['rest'] or ''}"
    match = _THIS_PAPER.match(text)
    return f"We {match['verb'][:-1]} {match['what']}" if match else None


def _synonym(text: str, draw: random.Random) -> str | None:
    places = list(_SYNONYM.finditer(text))
    if not places:
        return None
    place = draw.choice(places)
    return replaced(text, place, _SYNONYMS[place[0]])


def _in_digits(text: str) -> str | None:
    made = NUMBER_WORD.sub(lambda match: str(NUMBER_WORDS[match[0]]), text)
    return made if made != text else None


def _dropped(pattern: re.Pattern[str], text: str) -> str | None:
    made = pattern.sub("", text, count=1)
    return made if made != text else None
