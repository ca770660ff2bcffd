"""Sentences in another language than English, which words and meanings say little about."""

import re

from index.lexical import fold
from rag.support.reading import Reading

_LETTER = re.compile(r"[^\W\d_]")
_LATIN = re.compile(r"[a-z]", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{2,}")
# None of these is a word of German, French, Spanish, Italian, Portuguese or Dutch.
_ENGLISH = frozenset(
    """the and are were with that its for by from than this these those which has have had not
    been being their they we our it of at be both each other into when where while who how
    what without can could will would should does did as is to any all only such between""".split()
)
_FOREIGN = frozenset(
    """der die das den dem ein eine einen und ist sind mit von auf nicht werden wird aus für als
    le la les une des du et est sont dans pour par sur avec qui que ne pas el los las una un y es
    son en con para por del il lo gli di da che per non e o os em com um uma het een van zijn met
    voor op dat""".split()
)
_HALF = 0.5
_LATIN_AT_LEAST = 0.75
"""Of the letters, so that a name or two in Latin script make no sentence English."""


def is_foreign(sentence: Reading, cited: frozenset[str]) -> bool:
    """Whether a sentence is in another script, or in Latin script without any English in it.

    Without an English function word it counts as English if it has fewer words of other
    languages than known ones: a short "Agents plan ahead." is English.

    Args:
        sentence: One sentence; without letters it is in no language, and not foreign.
        cited: The stems of what it cites: those words are known.
    """
    letters = _LETTER.findall(fold(sentence.text))
    latin = sum(bool(_LATIN.match(letter)) for letter in letters)
    if not letters or latin < _LATIN_AT_LEAST * len(letters):
        return bool(letters)
    if not _ENGLISH.isdisjoint(sentence.words):
        return False
    plain = frozenset(word for word in _WORD.findall(sentence.text) if word.islower())
    known: list[bool] = []
    for word, stem, rarity in zip(sentence.words, sentence.stems, sentence.rarity, strict=True):
        if word in plain or word in _FOREIGN:
            known.append(word not in _FOREIGN and (rarity < 1 or stem in cited))
    return bool(known) and sum(known) <= _HALF * len(known)
