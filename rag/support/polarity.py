"""Denials: what a sentence says is not so, and whether what it cites says that it is."""

import re
from collections.abc import Sequence

from index.lexical import STOP_WORDS, fold, stem

_CUE = re.compile(
    r"\b(?:not|no|never|without|neither|nor|cannot|none|nothing|hardly|unable|instead of"
    r"|rather than|fail(?:s|ed|ing)?)\b|n['’]t\b",
    re.IGNORECASE,
)
# What is said to be missing is often the subject: enough to agree with a denial, not to be one.
_LACK = re.compile(
    r"\b(?:lack(?:s|ed|ing)?|absence|absent|un(?:likely|affected|changed)|free of)\b|\bnon(?=-)",
    re.IGNORECASE,
)
_NO_DENIAL = re.compile(
    r"\b(?:not (?:only|just|merely|necessarily)|no (?:more|less|fewer) than|whether or not"
    r"|if not|no matter)\b",
    re.IGNORECASE,
)
_FREE = re.compile(r"\b(?P<what>[^\W\d_]+)-free\b", re.IGNORECASE)
_CLAUSE_END = re.compile(r"[.;:!?()]|,\s|\b(?:but|while|whereas|although|yet|however|which|that)\b")
_WORDS = re.compile(r"[^\W\d_]+")
_SCOPE = 3
_WEAK = frozenset(
    stem(word)
    for word in """able adequate always any current data effective enough existing explicit first
    full fully further large many model models much necessary need new often only paper require
    results same several significant significantly simple study such work yet""".split()
)


def denied(text: str) -> list[frozenset[str]]:
    """What a text denies: for each "not", "without", "fails to", … the stems of the next words.

    Up to three words with a meaning of their own, in the same clause; "not only" denies nothing.
    """
    return _scopes(_CUE, text)


def _missing(text: str) -> frozenset[str]:
    """The stems of all that a text denies or says to be missing."""
    free = {stem(match["what"].lower()) for match in _FREE.finditer(fold(text))}
    return frozenset(free).union(*denied(text), *_scopes(_LACK, text))


def _scopes(cue: re.Pattern[str], text: str) -> list[frozenset[str]]:
    plain = fold(text)
    harmless = [match.span() for match in _NO_DENIAL.finditer(plain)]
    scopes: list[frozenset[str]] = []
    for match in cue.finditer(plain):
        if any(start <= match.start() < end for start, end in harmless):
            continue
        stop = _CLAUSE_END.search(plain, match.end())
        clause = plain[match.end() : stop.start() if stop else len(plain)]
        scopes.append(frozenset(_stems(clause)[:_SCOPE]))
    return [scope for scope in scopes if scope]


def denies(sentence: str, cited: Sequence[str]) -> bool:
    """Whether a sentence denies what the cited text says, in the same words."""
    text = "\n".join(cited)
    there, missing = frozenset(_stems(fold(text))), _missing(text)
    return any(_contrary(scope, there, missing) for scope in denied(sentence))


def is_denied(sentence: str, cited: Sequence[str]) -> bool:
    """Whether the cited text denies what a sentence says, and says it nowhere else."""
    there, missing = frozenset(_stems(fold(sentence))), _missing(sentence)
    others = (frozenset(_stems(fold(text))) for text in cited if not denied(text))
    elsewhere = frozenset[str]().union(*others)
    return any(
        _contrary(scope, there, missing) and not scope <= elsewhere
        for text in cited
        for scope in denied(text)
    )


def _contrary(scope: frozenset[str], there: frozenset[str], missing: frozenset[str]) -> bool:
    """Whether all that one side denies is said on the other, and none of it missing there."""
    strong = scope - _WEAK
    return bool(strong) and scope <= there | _WEAK and not strong & missing


def _stems(text: str) -> list[str]:
    words = (word.lower() for word in _WORDS.findall(text))
    return [stem(word) for word in words if word not in STOP_WORDS and len(word) > 1]
