"""Sentences made false by what they deny: a denial put in, taken out, or cut off."""

import random
import re

from eval.number_edits import replaced

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
_DENIAL = re.compile(
    r"\b(?:(?:does|do|did|is|are|was|were|can|could|will|has|have) not|cannot|never|without|nor"
    r"|fails? to|unable to|no(?! longer| more| less| matter| fewer))\b (?!only|just|necessarily)"
)


def negated(text: str, draw: random.Random) -> str | None:
    """One verb denied."""
    verbs = list(_VERB.finditer(text))
    auxiliaries = list(_AUXILIARY.finditer(text))
    subjects = list(_WE_VERB.finditer(text))
    if auxiliaries:
        place = draw.choice(auxiliaries)
        return replaced(text, place, f"{place[0]} not")
    if verbs:
        place = draw.choice(verbs)
        stem = place["stem"] + ("e" if place["stem"] in _E_STEMS and place["ending"] else "")
        return replaced(text, place, f"does not {stem}")
    if subjects:
        place = draw.choice(subjects)
        return replaced(text, place, f"{place['who']} do not {place['verb']}")
    return None


def affirmed(text: str, draw: random.Random) -> str | None:
    """One denial taken out."""
    made = [
        other
        for pattern, with_what in _DENIALS
        if (other := pattern.sub(with_what, text, count=1)) != text
    ]
    return draw.choice(made) if made else None


def denial_cut(text: str, draw: random.Random) -> str | None:
    """Only what follows a denial: "Touches the data." of "It never touches the data."."""
    places = list(_DENIAL.finditer(text))
    return text[draw.choice(places).end() :] if places else None
