"""What would have to be indexed for a question that the abstracts do not answer."""

import re

from index.lexical import LexicalIndex, tokenize
from rag.question import VAGUE
from rag.schema import Answer

_WORD = re.compile(r"[^\W_]+(?:[-./'’&+][^\W_]+)*\+*")
_JOINS = re.compile(r"\s+of\s+(?:(?:the|an?)\s+)?|\s+")
"""What may stand between two words of one subject: "boiling point of mercury"."""
_MOST_WORDS = 6


def wanted(answer: Answer) -> str | None:
    """What would have to be indexed for an answer, as one sentence.

    None for an answer, and for a refusal that more abstracts would not change: one by the filters,
    or about digests.
    """
    if answer.status == "answered" or not answer.lacks:
        return None
    return f"Abstracts that speak of “{answer.lacks}” would have to be indexed."


def subject_phrase(question: str, lexical: LexicalIndex) -> str | None:
    """The words of a question that are its subject, as far as the index tells.

    They stand together in the question, and are rarer in the index than its other words; those
    that no abstract has count most. None if it has no word to search for.
    """
    runs: list[list[re.Match[str]]] = []
    for word in _WORD.finditer(question):
        if not tokenize(word[0]):
            continue
        last = runs[-1][-1] if runs else None
        if last and _JOINS.fullmatch(question, last.end(), word.start()):
            runs[-1].append(word)
        else:
            runs.append([word])
    trimmed = [kept for run in runs if (kept := _trimmed(run))]
    if not trimmed:
        return None
    rarity = {word[0]: max(map(lexical.idf, tokenize(word[0]))) for run in trimmed for word in run}
    cut = (
        run[at : at + _MOST_WORDS]
        for run in trimmed
        for at in range(max(1, len(run) - _MOST_WORDS + 1))
    )
    best = max(cut, key=lambda run: sum(rarity[word[0]] for word in run))
    return question[best[0].start() : best[-1].end()]


def _trimmed(run: list[re.Match[str]]) -> list[re.Match[str]]:
    """A run without the words at its ends that every abstract has: "good", "results"."""
    kept = list(run)
    while kept and VAGUE.fullmatch(kept[0][0]):
        del kept[0]
    while kept and VAGUE.fullmatch(kept[-1][0]):
        del kept[-1]
    return kept
