"""Which sentences of the evidence support a sentence best."""

from collections.abc import Sequence

from index.lexical import tokenize
from index.text import clean_text
from rag.support.local import LocalChecker
from rag.support.verdict import UNCHECKED, Verdict

_LOOKED_AT = 6
_PAIRED = 3
_WORTH_ANOTHER = 0.05
"""So much more has to be supported for one more sentence to be cited."""


def best_support(
    sentence: str, candidates: Sequence[str], checker: LocalChecker, limit: int = 2
) -> tuple[tuple[int, ...], Verdict]:
    """The candidate that supports a sentence best, or the few that do so together.

    The six candidates that share most of its words are checked, and the best of them together
    with one more as long as that says clearly more of it.

    Args:
        sentence: Plain text, without markers.
        candidates: Stretches of stored abstracts, as they are stored.
        checker: Decides.
        limit: The most candidates to be cited, at least 1.

    Returns:
        Which candidates, ascending, and the verdict on them together; none and `UNCHECKED` if
        there is no candidate.
    """
    if not candidates:
        return (), UNCHECKED
    shared = _shared(sentence, candidates)
    rows = sorted(range(len(candidates)), key=lambda row: -shared[row])[:_LOOKED_AT]
    verdicts = {row: checker.check(sentence, [candidates[row]]) for row in rows}
    ranked = sorted(rows, key=lambda row: -_score(verdicts[row]))
    chosen: tuple[int, ...] = (ranked[0],)
    verdict = verdicts[ranked[0]]
    while len(chosen) < limit and verdict.support != "supported":
        more = [(*chosen, row) for row in ranked[: _PAIRED + len(chosen)] if row not in chosen]
        tried = [(checker.check(sentence, [candidates[r] for r in each]), each) for each in more]
        better, together = max(tried, key=lambda each: _score(each[0]), default=(verdict, chosen))
        if _score(better) < _score(verdict) + _WORTH_ANOTHER:
            break
        chosen, verdict = together, better
    return tuple(sorted(chosen)), verdict


def _score(verdict: Verdict) -> float:
    return verdict.score or 0.0


def _shared(sentence: str, candidates: Sequence[str]) -> list[float]:
    """Of each candidate how much of the sentence's words it has, rare ones among them for more."""
    said = frozenset(tokenize(clean_text(sentence)))
    there = [frozenset(tokenize(clean_text(text))) for text in candidates]
    weight = {token: 1 / (1 + sum(token in tokens for tokens in there)) for token in said}
    return [sum(weight[token] for token in said & tokens) for tokens in there]
