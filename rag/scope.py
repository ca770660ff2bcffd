"""Read digests and dates in a question as filters: "in the Mar 14 digest", "before April"."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from rag.digests import DIGEST_WORD, Digest, describe_filters, find_digests, on_date, parse_dates
from rag.schema import Filters

_ALL_DIGESTS = re.compile(
    r"\b(?:both|all|(?:the )?(?:last |latest |newest )?two|(?<=between )the)(?: of)?"
    r"(?: the| these)?(?: two)? (?:digests|newsletters|editions)\b|(?<=\bin )both\b(?! \w)",
    re.I,
)
_RELATIVE = re.compile(
    r"\b(?:the )?(?:(?P<new>latest|newest|most recent|last)|oldest|earliest|first) "
    r"(?:digest|issue|newsletter|e?-?mail|edition)(?:['’]s)?\b",
    re.I,
)
_WORD_BEFORE = re.compile(
    r"\b(?:(?P<until>before|until|till|up to|prior to|earlier than|older than)"
    r"|(?P<since>since|from|starting)|(?P<after>after|newer than|later than)"
    r"|(?P<within>in|of|on|during|for|by))\s+(?:the\s+)?$",
    re.I,
)
"""The words before a date that tell how it limits the dates of papers."""
_CUT = "\x00"
FIRST, SECOND = "firstdigest", "seconddigest"
"""Placeholders for the digests in a question when its wording is read."""


@dataclass(frozen=True)
class Scope:
    """The digests and dates that a question mentions."""

    text: str
    """The question without these mentions."""
    filters: Filters = field(default_factory=Filters)
    without: tuple[str, ...] = ()
    """Digests a paper must not be in."""
    unknown: str | None = None
    """A digest the question names that is not in the index."""

    @property
    def is_empty(self) -> bool:
        """Whether the question mentions neither digests nor dates."""
        return self.filters == Filters() and not self.without and self.unknown is None


@dataclass(frozen=True)
class _Mention:
    """A stretch `[start, end)` of a question that mentions digests or dates."""

    start: int
    end: int
    digests: tuple[str, ...] = ()
    both: bool = False
    since: date | None = None
    until: date | None = None
    unknown: str | None = None


def read_scope(
    text: str,
    digests: Sequence[Digest],
    relate: Callable[[str], str] = lambda _: "any",
    *,
    dates: bool = True,
) -> Scope:
    """Take the mentions of digests and dates out of a question, as filters.

    "What was in the Mar 14 digest about governance?" becomes "What was about governance?" and a
    filter on the digest of that date. "Both" and "all" mean the digests that are named, or else
    the two newest of `digests`, which are the index's, oldest first.

    `relate` returns the relation to the digests (`rag.wording.RELATIONS`) for the question with
    `FIRST` and `SECOND` in their places. With `dates`, other dates filter too ("before 2021"): only
    in questions that ask for papers, because in others such a date may be the subject.
    """
    dated = list(_dated(text, digests, dates=dates))
    mentions = sorted([*dated, *_undated(text, digests, dated)], key=lambda at: at.start)
    groups = list(dict.fromkeys(at.digests for at in mentions if at.digests and not at.both))
    groups += [(key,) for at in mentions if at.both for key in at.digests]
    relation = relate(_masked(text, mentions, groups)) if groups else "any"
    chosen, without = _related(relation, groups, digests)
    filters = Filters(
        digests=chosen,
        every_digest=relation == "every" and len(chosen) > 1,
        since=next((at.since for at in reversed(mentions) if at.since), None),
        until=next((at.until for at in reversed(mentions) if at.until), None),
    )
    unknown = next((at.unknown for at in reversed(mentions) if at.unknown), None)
    rest = _tidy(_replaced(text, mentions, [_CUT] * len(mentions)))
    return Scope(rest, filters, without, unknown)


def _dated(text: str, digests: Sequence[Digest], *, dates: bool) -> Iterator[_Mention]:
    """Find the digests and periods that a question mentions by dates."""
    says_digest = bool(re.search(rf"\b{DIGEST_WORD}\b", text, re.I))
    for match, year, month, day in parse_dates(text):
        first, last = _bounds(digests, year, month, day)
        found = tuple(d.key for d in on_date(digests, year, month, day)) if month else ()
        before = _WORD_BEFORE.search(text[: match.start()]) if dates else None
        word = before.lastgroup if before else None
        if found and word != "until":
            is_start = word and not says_digest and not (before and before[0].startswith("from"))
            word = word if is_start and word != "within" else None
        elif not found and says_digest and month and word in ("within", None):
            yield _Mention(match.start(), match.end(), unknown=match[0])
            continue
        if before and word:
            until = (first or date.min) - timedelta(days=1) if word == "until" else None
            since = last if word == "after" else None if until else first
            until = last if word == "within" else until
            yield _Mention(before.start(), match.end(), since=since, until=until)
        elif found:
            yield _Mention(match.start(), match.end(), found)


def _undated(text: str, digests: Sequence[Digest], dated: Sequence[_Mention]) -> Iterator[_Mention]:
    """Find the digests that a question mentions without a date: "the latest", "both"."""
    keys = [digest.key for digest in digests if digest.date] or [digest.key for digest in digests]
    if not keys:
        return
    relative = [
        _Mention(at.start(), at.end(), (keys[-1] if at["new"] else keys[0],))
        for at in _RELATIVE.finditer(text)
    ]
    yield from relative
    both = _ALL_DIGESTS.search(text)
    if both and len(keys) > 1:
        known = any(at.digests for at in (*dated, *relative))
        yield _Mention(both.start(), both.end(), () if known else tuple(keys[-2:]), not known)


def _replaced(text: str, mentions: Sequence[_Mention], by: Sequence[str]) -> str:
    for at, new in zip(reversed(mentions), reversed(by), strict=True):
        text = text[: at.start] + new + text[at.end :]
    return text


def _masked(text: str, mentions: Sequence[_Mention], groups: Sequence[tuple[str, ...]]) -> str:
    """Replace the digests in a question with `FIRST` and `SECOND`, and drop other dates."""
    names = []
    for at in mentions:
        both = "both " if text[at.start : at.end].lower().startswith(("both", "all")) else ""
        one = FIRST if at.digests == groups[0] else SECOND
        name = f"{both}{FIRST} and {SECOND}" if at.both else f"{_CUT}{one}"
        names.append(name if at.digests else both)
    masked = re.sub(
        rf"(?:\b(?:the\s+)?(?:digest|newsletter)\s+(?:of|from)\s+)?(?:\bthe\s+)?{_CUT}(\w+)(?:['’]s)?(?:\s+{DIGEST_WORD}\b)?",
        r"\1",
        _replaced(text, mentions, names),
        flags=re.I,
    )
    return " ".join(masked.split())


def _related(
    relation: str, groups: Sequence[tuple[str, ...]], digests: Sequence[Digest]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the digests that a paper must be in, and those that it must not be in."""
    named = tuple(dict.fromkeys(key for group in groups for key in group))
    if relation == "none":
        return (), named
    if relation not in ("first", "last") or not groups:
        return named, ()
    chosen = groups[0 if relation == "first" else -1]
    others = named if len(groups) > 1 else [digest.key for digest in digests]
    return chosen, tuple(key for key in others if key not in chosen)


def _bounds(
    digests: Sequence[Digest], year: int | None, month: int | None, day: int | None
) -> tuple[date | None, date | None]:
    """Return the first and last day of a date; without a year, assume the newest digest's."""
    years = [digest.date.year for digest in digests if digest.date]
    year = year or max(years, default=date.today().year)
    if month is None:
        return date(year, 1, 1), date(year, 12, 31)
    try:
        first = date(year, month, day or 1)
    except ValueError:
        return None, None
    following = date(year + month // 12, month % 12 + 1, 1)
    return first, first if day else following - timedelta(days=1)


def describe_limits(filters: Filters, scope: Scope, digests: Sequence[Digest]) -> str:
    """Describe in words which papers may answer, by the filters and the scope of a question."""
    without = dict.fromkeys(find_digests(key, digests)[0].label for key in scope.without)
    parts = (
        describe_filters(filters, digests),
        describe_filters(scope.filters, digests),
        f"not in the digest of {' or '.join(without)}" if without else "",
    )
    return "; ".join(dict.fromkeys(filter(None, parts)))


def _tidy(text: str) -> str:
    r"""Delete marks of removed mentions and the words around them: "in the \x00 digest" → ""."""
    if _CUT not in text:
        return text
    joined = r"(?:,|\band\b|\bor\b|\bas well as\b|\bbut\b|&|\s)+(?:the\s+)?"
    text = re.sub(rf"{_CUT}(?:{joined}{_CUT})+", _CUT, text, flags=re.I)
    before = r"(?:\b(?:in|from|of|on|within|for|to|the|digest|newsletter)\s+)*"
    text = re.sub(rf"{before}{_CUT}(?:['’]s)?(?:\s+{DIGEST_WORD}\b)?", " ", text, flags=re.I)
    return re.sub(r"\s+([?.!,;:])", r"\1", " ".join(text.split())).lstrip(" ,;:")
