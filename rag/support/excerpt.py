"""Words cut out of a text: whether they still say there what they say alone."""

import re
from collections.abc import Sequence
from typing import Literal

from index.lexical import STOP_WORDS, fold
from index.sentences import sentence_spans
from index.text import clean_text

Excerpt = Literal["whole", "part", "cut"]

_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+|[%$€£<>=+~]")
_SIGN = re.compile(r"\s?[%$€£<>=+~×]|[^\W_]")
_DENIES = (
    r"not|no|never|without|neither|nor|cannot|none|nothing|hardly|unable|instead of|rather than"
    r"|fail(?:s|ed|ing)?|barely|scarcely|rarely|seldom|far from|refuse[sd]?|avoid(?:s|ed|ing)?"
    r"|stop(?:s|ped|ping)?"
)
_WORSENS = r"poorly|badly|little|less|worse|nowhere|insufficiently|inadequately|incorrectly|wrongly"
_RESTRICTS = (
    r"only|unless|except|if|whether|until|provided|assum\w+|claim\w*|doubt\w*|unclear|unknown"
    r"|might|may|could|would|should|few|little|some|most|part(?:ly|ially)|almost|nearly|suppose\w*"
    r"|hypothes\w+|believe\w*|sometimes|less|at least|up to|in theory|question(?:s|ed)?"
)
_DENIED = re.compile(rf"\b(?:{_DENIES})\b|n['’]t\b", re.IGNORECASE)
_WORSENED = re.compile(
    rf"^\W*(?:\w+ly )?(?:very |rather |quite |so )?(?:{_WORSENS}|not|no)\b", re.I
)
_RESTRICTED = re.compile(rf"\b(?:{_DENIES}|{_WORSENS}|{_RESTRICTS})\b|n['’]t\b", re.IGNORECASE)
_JOINS = r"and|but|or|while|whereas|although|though|because|since|so|as|which|who|where"
_OPENS = re.compile(rf"(?:^|[,:;(—–]|\b(?:{_JOINS}|that))[\s\"'“‘]*$", re.IGNORECASE)
_CLOSES = re.compile(rf"[\s\"'”’]*(?:$|[.,:;!?)—–]|(?:{_JOINS})\b)", re.IGNORECASE)
_CLAUSE = re.compile(r"[.;:!?(),]|\b(?:but|while|whereas|although|however|yet)\b", re.IGNORECASE)
_SENTENCE = re.compile(r"[.;:!?]|\b(?:but|while|whereas)\b", re.IGNORECASE)

_AUXILIARIES = frozenset(
    """is are was were be has have had does do did can could will would should may might must use
    uses used show shows said says want wants compare compares compared""".split()
)
_FEWEST_WORDS, _FEWEST_MEANINGS = 3, 3
_MEANS = re.compile(r"[^\W_]+(?:[-'’.][^\W_]+)*")


def excerpt(sentence: str, cited: Sequence[str]) -> Excerpt | None:
    """How the words of a sentence stand in one of several texts, without a gap; None if not.

    Returns:
        "whole" if it is a whole sentence or clause there, and nothing in that sentence denies
        or restricts it; "cut" if what denies it was cut off wherever it stands ("never …",
        "… poorly"); else "part".
    """
    said = [match[0].casefold() for match in _tokens(fold(clean_text(sentence)))]
    found: list[Excerpt] = []
    # A title on a line of its own is no part of the sentence that follows it.
    texts = [text for each in cited for text in (each, each.partition("\n")[2]) if text.strip()]
    for text in texts if said else ():
        there = fold(clean_text(text))
        tokens = _tokens(there)
        words = [match[0].casefold() for match in tokens]
        for at in range(len(words) - len(said) + 1):
            if words[at : at + len(said)] == said:
                found.append(_cut_how(there, tokens[at].start(), tokens[at + len(said) - 1].end()))
    if not found:
        return None
    best: tuple[Excerpt, ...] = ("whole", "part")
    return next((each for each in best if each in found), "cut")


def is_fragment(sentence: str) -> bool:
    """Whether a sentence is too short to state anything: "Works." and "GUI grounding".

    That is one or two words, or fewer than three with a meaning and no auxiliary verb.
    """
    words = [word.lower() for word in _MEANS.findall(fold(sentence))]
    meanings = [word for word in words if word not in STOP_WORDS]
    has_verb = not _AUXILIARIES.isdisjoint(words)
    return len(words) < _FEWEST_WORDS or (len(meanings) < _FEWEST_MEANINGS and not has_verb)


def _cut_how(text: str, start: int, end: int) -> Excerpt:
    """How `text[start:end)` stands in its text."""
    spans = sentence_spans(text)
    first = next((each[0] for each in spans if each[0] <= start < each[1]), start)
    last = next((each[1] for each in spans if each[0] < end <= each[1]), end)
    before, after = text[first:start], text[end:last]
    near_before, near_after = _after_last(_CLAUSE, before), _before_first(_CLAUSE, after)
    if _DENIED.search(near_before) or _WORSENED.match(near_after):
        return "cut"
    restricted = _RESTRICTED.search(_after_last(_SENTENCE, before)) or _RESTRICTED.search(
        _before_first(_SENTENCE, after)
    )
    if _SIGN.match(after) or restricted:
        return "part"
    return "whole" if _OPENS.search(before) and _CLOSES.match(after) else "part"


def _tokens(text: str) -> list[re.Match[str]]:
    return list(_TOKEN.finditer(text))


def _after_last(pattern: re.Pattern[str], text: str) -> str:
    return text[max((match.end() for match in pattern.finditer(text)), default=0) :]


def _before_first(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return text[: match.start()] if match else text
