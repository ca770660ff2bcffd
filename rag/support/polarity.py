"""Denials: what a sentence says is not so."""

import re

from index.lexical import STOP_WORDS, fold, stem

_CUE = re.compile(
    r"\b(?:not|no|never|without|neither|nor|cannot|none|nothing|hardly|unable|instead of"
    r"|rather than|fail(?:s|ed|ing)?)\b|n['’]t\b",
    re.IGNORECASE,
)
_NO_DENIAL = re.compile(
    r"\b(?:not (?:only|just|merely|necessarily)|no (?:more|less|fewer) than|whether or not"
    r"|if not|no matter)\b",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(r"[.;:!?()]|,\s|\b(?:but|while|whereas|although|yet|however|which|that)\b")
_WORDS = re.compile(r"[^\W\d_]+")
_SCOPE = 3


def denied(text: str) -> list[frozenset[str]]:
    """What a text denies: for each "not", "without", "fails to", … the stems of the next words.

    Up to three words with a meaning of their own, in the same clause; "not only" denies nothing.
    """
    plain = fold(text)
    harmless = [match.span() for match in _NO_DENIAL.finditer(plain)]
    scopes: list[frozenset[str]] = []
    for match in _CUE.finditer(plain):
        if any(start <= match.start() < end for start, end in harmless):
            continue
        stop = _CLAUSE_END.search(plain, match.end())
        clause = plain[match.end() : stop.start() if stop else len(plain)]
        scopes.append(frozenset(_stems(clause)[:_SCOPE]))
    return [scope for scope in scopes if scope]


def _stems(text: str) -> list[str]:
    words = (word.lower() for word in _WORDS.findall(text))
    return [stem(word) for word in words if word not in STOP_WORDS and len(word) > 1]
