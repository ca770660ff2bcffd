"""What a question says about digests: "in the Mar 14 digest", "in both", "but not in April's"."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.digests import (
    DIGEST_WORD,
    Digest,
    describe_filters,
    find_digests,
    on_date,
    parse_dates,
)
from rag.schema import Filters

_EVERY = re.compile(r"\b(?:both|all(?: of)? the|in common|as well as)\b", re.IGNORECASE)
_ALL_DIGESTS = re.compile(
    r"\b(?:both|all(?: of)?(?: the| these)?)\s+(?:of\s+)?(?:the\s+)?(?:two\s+)?"
    rf"{DIGEST_WORD}\b|\bin both\b(?!\s+\w)",
    re.IGNORECASE,
)
_EACH_DIGEST = re.compile(rf"\b(?:each|every|per)\s+(?:of the\s+)?{DIGEST_WORD}\b", re.IGNORECASE)
_ONE_DIGEST = r"(?:digest|issue|newsletter|e?-?mail|edition)"
_NEWEST = re.compile(rf"\b(?:latest|newest|most recent|last)\s+{_ONE_DIGEST}\b", re.IGNORECASE)
_OLDEST = re.compile(rf"\b(?:oldest|earliest|first)\s+{_ONE_DIGEST}\b", re.IGNORECASE)
_SAYS_DIGEST = re.compile(r"\b(?:digests?|newsletters?)\b", re.IGNORECASE)
_NEGATED = re.compile(r"(?:\bnot\b|n[’']t\b|\bwithout\b|\bexcept\b)[^.?!]{0,30}$", re.IGNORECASE)
_ONLY = re.compile(r"\b(?:only|new) (?:in|from|to|listed in)\b", re.IGNORECASE)
_JOIN = r"(?:,|\band\b|\bor\b|\bas well as\b|\bbut also\b|\bbut\b|\bplus\b|&)"


@dataclass(frozen=True)
class Scope:
    """What a question says about digests."""

    text: str
    """The question without it."""
    filters: Filters
    without: tuple[str, ...] = ()
    """Digests a paper must not be in."""
    unknown: str | None = None
    """A digest the question names that is not in the index."""


def read_scope(text: str, digests: Sequence[Digest]) -> Scope:
    """Take what a question says about digests out of it, as filters.

    "What was in the Mar 14 digest about governance?" becomes "What was about governance?" and
    a filter on the digest of that date; a date no digest has stays in the text, unless the
    question calls it a digest.
    """
    chosen: list[str] = []
    without: list[str] = []
    unknown: str | None = None
    rest = text
    for match, year, month, day in reversed(parse_dates(text)):
        found = [digest.key for digest in on_date(digests, year, month, day)]
        if found and _NEGATED.search(text[: match.start()]):
            without += found
        elif found:
            chosen = found + chosen
        elif _SAYS_DIGEST.search(text):
            unknown = match[0]
        else:
            continue
        rest = rest[: match.start()] + "\x00" + rest[match.end() :]
    every = len(set(chosen)) > 1 and bool(_EVERY.search(text))
    dated = [digest.key for digest in digests if digest.date is not None]
    if chosen or unknown:
        rest = _ALL_DIGESTS.sub("\x00", rest) if every else rest
    elif _ALL_DIGESTS.search(text) and len(digests) > 1:
        chosen, every = [digest.key for digest in digests], True
        rest = _ALL_DIGESTS.sub("\x00", rest)
    elif dated and _NEWEST.search(text):
        chosen, rest = dated[-1:], _NEWEST.sub("\x00", rest)
    elif dated and _OLDEST.search(text):
        chosen, rest = dated[:1], _OLDEST.sub("\x00", rest)
    if len(set(chosen)) == 1 and _ONLY.search(text):
        without = [digest.key for digest in digests if digest.key not in chosen]
    filters = Filters(digests=tuple(dict.fromkeys(chosen)), every_digest=every)
    return Scope(_tidy(_EACH_DIGEST.sub("\x00", rest)), filters, tuple(without), unknown)


def describe_limits(filters: Filters, scope: Scope, digests: Sequence[Digest]) -> str:
    """In words, what a paper must be to answer: by the filters, and by what the question says."""
    without = dict.fromkeys(find_digests(key, digests)[0].label for key in scope.without)
    said = (
        describe_filters(filters, digests),
        describe_filters(scope.filters, digests),
        f"not in the digest of {' or '.join(without)}" if without else "",
    )
    return "; ".join(dict.fromkeys(filter(None, said)))


def _tidy(text: str) -> str:
    r"""Remove the words that held a digest in place: "in the \x00 digest" → ""."""
    if "\x00" not in text:
        return text
    text = re.sub(rf"\x00(?:\s*{_JOIN}\s*(?:the\s+)?\x00)+", "\x00", text, flags=re.IGNORECASE)
    around = rf"(?:\b(?:in|from|of|on|within|for|to)\s+)?(?:\bthe\s+)?\x00(?:\s+{DIGEST_WORD}\b)?"
    text = re.sub(around, " ", text, flags=re.IGNORECASE)
    text = re.sub(r"\s+([?.!,;:])", r"\1", " ".join(text.split()))
    text = re.sub(r"^[\s,;:]+|,(?=[?.!])", "", text)
    return text[:1].upper() + text[1:]
