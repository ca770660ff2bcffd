"""Sentences made false by one edit, and the same reworded: what a checker must tell apart.

Both are made from a sentence that is true of itself. A false edit changes one thing, so that
nearly every word still stands in the text it is checked against; a rewording keeps what is said.
Nothing here knows how a checker works: the patterns are its own.
"""

import random
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

FalseKind = Literal["number", "name", "negated", "affirmed", "opposite"]
RewordedKind = Literal["opening", "passive", "synonym", "digits", "brackets", "clause"]
_Kind = TypeVar("_Kind", FalseKind, RewordedKind)

_DIGITS = re.compile(r"(?<![\w.,-])\d+(?:,\d{3})*(?:\.\d+)?(?=[\s%.,;:xX×kKMB-]|$)")
_NUMBER_WORDS = dict(
    zip("two three four five six seven eight nine ten eleven twelve".split(), range(2, 13),
        strict=True)
)  # fmt: skip
_NUMBER_WORD = re.compile(rf"\b(?:{'|'.join(_NUMBER_WORDS)})\b")
_NAME = re.compile(
    r"(?<![\w-])(?:[A-Z][a-z]+[A-Z]\w*|[A-Z]{3,}\d*(?![\w-])|[A-Z][A-Za-z]*-?\d+(?:\.\d+)?(?![\w-])"
    r"|(?<=[a-z,] )[A-Z][a-z]{3,}(?![\w-]))"
)
_AUXILIARY = re.compile(
    r"\b(?:is|are|was|were|can|could|will|would|should|does|do|has|have|may|must)\b(?! (?:not|no|"
    r"only)\b)(?= [a-z])"
)
_VERB = re.compile(
    r"\b(?P<stem>achiev|improv|outperform|requir|us|introduc|reduc|enabl|show|provid|allow|help"
    r"|increas|support|learn|generat|predict|build|propos|combin|learn|cover|contain|integrat"
    r"|capture|encode|leverag|address)(?P<ending>es|s)\b(?= [a-z])"
)
_E_STEMS = frozenset(
    "achiev improv requir us introduc reduc enabl provid increas generat propos combin integrat"
    " leverag".split()
)
_WE_VERB = re.compile(r"\b(?P<who>[Ww]e|[Tt]hey) (?P<verb>[a-z]{3,})\b(?<!ly)(?= )")
_DENIALS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b(is|are|was|were|can|could|will|would|should|may|has|have) not\b"), r"\1"),
    (re.compile(r"\bcannot\b"), "can"),
    (re.compile(r"\b(?:do|does|did) not "), ""),
    (re.compile(r"\bwithout\b"), "with"),
    (re.compile(r"\bno (?=[a-z])(?!longer|more|less|matter)"), ""),
    (re.compile(r"\bfail(?:s|ed)? to (?=[a-z])"), ""),
    (re.compile(r"\bunable to\b"), "able to"),
    (re.compile(r"\bnever "), ""),
)
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


def false_edits(
    sentences: Iterable[str], kinds: Sequence[FalseKind] | None = None, *, seed: int = 0
) -> list[Edit]:
    """Each sentence made false in every way that it offers: at most one edit of each kind.

    Args:
        sentences: Plain text. Names are swapped among them.
        kinds: `number`, another number in the place of one; `name`, another sentence's name;
            `negated`, a verb denied; `affirmed`, a denial taken out; `opposite`, a word for its
            opposite. All if None.
        seed: Of the choice where a sentence offers several places.

    Returns:
        In the order of the sentences, then of the kinds; the same for the same arguments.
    """
    sources = list(dict.fromkeys(sentences))
    pool = list(dict.fromkeys(name for each in sources for name in _NAME.findall(each)))
    makers: dict[FalseKind, Callable[[str, random.Random], str | None]] = {
        "number": _another_number,
        "name": lambda text, draw: _another_name(text, draw, pool),
        "negated": _negated,
        "affirmed": _affirmed,
        "opposite": _opposite,
    }
    return _edits(sources, makers, kinds or tuple(makers), seed)


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


def _another_number(text: str, draw: random.Random) -> str | None:
    places = [*_DIGITS.finditer(text), *_NUMBER_WORD.finditer(text)]
    if not places:
        return None
    place = draw.choice(places)
    said = {match[0] for match in places}
    if place[0] in _NUMBER_WORDS:
        others = [word for word in _NUMBER_WORDS if word not in said]
        return _replaced(text, place, draw.choice(others)) if others else None
    whole, dot, decimals = place[0].replace(",", "").partition(".")
    value = max(2, int(whole))
    for _ in range(9):
        other = draw.choice([value + draw.randint(1, 9), value * 2, max(1, value // 2)])
        written = f"{other:,}" if "," in place[0] else str(other)
        if written + dot + decimals not in said:
            return _replaced(text, place, written + dot + decimals)
    return None


def _another_name(text: str, draw: random.Random, pool: Sequence[str]) -> str | None:
    places = list(_NAME.finditer(text))
    others = [name for name in pool if name.lower()[:_ALIKE] not in text.lower()]
    if not places or not others:
        return None
    swapped = draw.choice(places)[0]
    # Everywhere it stands: otherwise the sentence contradicts itself and not its source.
    other = draw.choice(others)
    return re.sub(rf"(?<![\w-]){re.escape(swapped)}(?![\w-])", lambda _: other, text)


def _negated(text: str, draw: random.Random) -> str | None:
    verbs = list(_VERB.finditer(text))
    auxiliaries = list(_AUXILIARY.finditer(text))
    subjects = list(_WE_VERB.finditer(text))
    if auxiliaries:
        place = draw.choice(auxiliaries)
        return _replaced(text, place, f"{place[0]} not")
    if verbs:
        place = draw.choice(verbs)
        stem = place["stem"] + ("e" if place["stem"] in _E_STEMS and place["ending"] else "")
        return _replaced(text, place, f"does not {stem}")
    if subjects:
        place = draw.choice(subjects)
        return _replaced(text, place, f"{place['who']} do not {place['verb']}")
    return None


def _affirmed(text: str, draw: random.Random) -> str | None:
    made = [
        other
        for pattern, with_what in _DENIALS
        if (other := pattern.sub(with_what, text, count=1)) != text
    ]
    return draw.choice(made) if made else None


def _opposite(text: str, draw: random.Random) -> str | None:
    places = [m for m in _OPPOSITE.finditer(text) if _OPPOSITES[m[0]] not in text]
    if not places:
        return None
    place = draw.choice(places)
    return _replaced(text, place, _OPPOSITES[place[0]])


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
    return _replaced(text, place, _SYNONYMS[place[0]])


def _in_digits(text: str) -> str | None:
    made = _NUMBER_WORD.sub(lambda match: str(_NUMBER_WORDS[match[0]]), text)
    return made if made != text else None


def _dropped(pattern: re.Pattern[str], text: str) -> str | None:
    made = pattern.sub("", text, count=1)
    return made if made != text else None


def _replaced(text: str, place: re.Match[str], other: str) -> str:
    return text[: place.start()] + other + text[place.end() :]
