"""What words of a sentence tell a table: numbers, vague words, what leans on another sentence."""

import re
from collections.abc import Iterable, Mapping

# Not the digits of a name ("GPT-4"), and not a list's "1)".
NUMBER = re.compile(
    r"(?<![\w.-])\d[\d.,]*(?![\d.,]*\))|\b(?:two|three|four|five|six|seven|eight|nine|ten"
    r"|dozens?|hundreds?|thousands?|millions?|billions?|half|twice|double|triple)\b",
    re.IGNORECASE,
)
_LEANING = re.compile(
    r"(?:As a result|As such|Therefore|Thus|Hence|Consequently|Accordingly|This|These|Those|Such"
    r"|Its?|They|Their|To (?:this end|do (?:this|so)|address (?:this|these)|overcome)|In this way"
    r"|For this|By doing so|Then|Here|Both|Second|Third)\b"
    r"(?! (?:paper|work|study|article|report|survey|review|essay))",
)
_POINTING = re.compile(
    r"\b(?:this|these|the above|such an?) (?:problem|challenge|issue|limitation|gap|question|goal"
    r"|difficult(?:y|ies))s?\b",
    re.IGNORECASE,
)
# What every abstract has, in whichever words.
VAGUE = re.compile(
    r"\b(?:kinds?|types?|ways?|things?|problems?|questions?|reasons?|tricks?|ideas?|approach(?:es)?"
    r"|methods?|techniques?|results?|scores?|numbers?|percentage|share|fraction|extent|gains?"
    r"|improvements?|benefits?|advantages?|drawbacks?|shortcomings?|limitations?|fields?|areas?"
    r"|domains?|effects?|roles?|purposes?|goals?|aims?|conclusions?|findings?|claims?|names?"
    r"|differences?|challenges?|issues?|parts?|steps?|aspects?|one|ones|model|models|paper|work"
    r"|two|three|four|five|else|exactly|better|worse|more|less|faster|time|sense|respect|well|good"
    r"|bad|big|large|small|perform\w*|works?|happens?|main|key|important|authors?|people"
    r"|success(?: rate)?|accuracy|hard|easy|difficult|helps?|useful|effective|set|made"
    r"|fast|slow|cheap|novel|achieves?|reach(?:es)?|finish(?:es)?|solves?|handles?|tests?|measures?|special)\b",
    re.IGNORECASE,
)


def leans(text: str) -> bool:
    """Whether a sentence needs the one before it: "As a result, …", "… for this problem"."""
    return bool(_LEANING.match(text) or _POINTING.search(text))


def share(weights: Mapping[str, float], tokens: Iterable[str]) -> float:
    """The share of the weights whose tokens are among `tokens`, from 0 to 1."""
    total = sum(weights.values())
    return sum(weights.get(token, 0.0) for token in set(tokens)) / total if total else 0.0
