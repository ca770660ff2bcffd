"""Typing errors in questions, mended by the words and the names of the index."""

import re

from rapidfuzz import process
from rapidfuzz.distance import OSA

from index.folding import is_english
from index.lexical import STOP_WORDS, LexicalIndex, fold, tokenize
from index.mentions import PLAIN
from index.names import Names

_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_CODE_BEFORE = re.compile(r"[\w\\/@#=<>{}\[\]`.:'’&$^~-]\Z")
_CODE_AFTER = re.compile(r"[\w\\/@#=<>{}\[\]`(&$^~*+]|[.:'’-]\w")
_SHORTEST, _LONG, _VERY_LONG = 5, 8, 12
"""Letters from which one error in a word is mended, two, and two in a name."""
_MANY = 3
"""Unknown words; if half of the words are, more are not errors even in an English sentence."""


def mend(text: str, lexical: LexicalIndex, names: Names) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Mend the typing errors of a question.

    Only a word that the index does not know and that is no English word may change: into the
    nearest word that stands in the abstracts, or the only name of a paper that is near. One edit
    is forgiven from five letters on, two from eight (optimal string alignment), not in the first
    letter or a digit.

    Returns:
        The text with its mends in place, and the old and the new word of each.
    """
    found = names.read(text)
    wrong: list[tuple[int, int, str]] = []
    for named in found:
        if not named.mentioned and (name := _near_name(named.text, names)):
            wrong.append((named.start, named.end, name))
    unknown = [
        match for match in _WORD.finditer(text)
        if all(match.end() <= named.start or named.end <= match.start() for named in found)
        and not _is_known(match[0], lexical)
    ]  # fmt: skip
    if not _is_foreign(text, len(unknown)):
        for match in unknown:
            new = _mended(match[0], lexical, names)
            if new != match[0] and not _is_code(text, match):
                wrong.append((*match.span(), new))
    wrong.sort()
    pieces, at = [], 0
    for start, end, new in wrong:
        pieces += [text[at:start], new]
        at = end
    mends = tuple((text[start:end], new) for start, end, new in wrong)
    return "".join((*pieces, text[at:])), mends


def _is_known(word: str, lexical: LexicalIndex) -> bool:
    """Whether a word, or every part of a compound, is known to the index or to English."""
    tokens = tokenize(word)
    if not tokens or tokens[0] in lexical.document_frequency:
        return True
    parts = fold(word).lower().split("-")
    return all(
        len(part) < _SHORTEST or is_english(part)
        or any(token in lexical.document_frequency for token in tokenize(part))
        for part in parts
    )  # fmt: skip


def _is_foreign(text: str, unknown: int) -> bool:
    """Whether a text is rather in another language than full of errors."""
    words = [fold(word).lower() for word in _WORD.findall(text)]
    long = sum(len(word) > 3 for word in words)
    if len(words) < 3 or unknown < 2 or unknown * 2 < long:
        return False
    is_english_text = any(len(word) > 2 and word in STOP_WORDS for word in words)
    return not is_english_text or unknown >= _MANY


def _is_code(text: str, match: re.Match[str]) -> bool:
    return bool(_CODE_BEFORE.search(text[: match.start()]) or _CODE_AFTER.match(text, match.end()))


def _mended(word: str, lexical: LexicalIndex, names: Names) -> str:
    """A word with each unknown part mended, if something is near."""
    parts = [part if _is_known(part, lexical) else _near_word(part, names) or part
             for part in word.split("-")]  # fmt: skip
    mended = "-".join(parts)
    return (_near_name(word, names) or word) if mended == word else mended


def _near_word(word: str, names: Names) -> str | None:
    """The nearest word of the abstracts, the most frequent of several, capitalised alike."""
    lower = fold(word).lower()
    limit, words = (1 if len(lower) < _LONG else 2), names.words(lower[0])
    near = process.extract(lower, words, scorer=OSA.distance, score_cutoff=limit, limit=None)
    # Another last letter makes another word, unless two letters have changed places.
    hits = [
        (distance, -len(names.having(PLAIN + new)), new) for new, distance, _ in near
        if len(new) != len(lower) or new[-1] == lower[-1] or new[-2:] == lower[:-3:-1]
    ]  # fmt: skip
    if not hits:
        return None
    new = min(hits)[2]
    return new.upper() if word.isupper() else word[0] + new[1:]


def _near_name(name: str, names: Names) -> str | None:
    """The only name of a paper that is near; a short name is no error for another of its letters.

    `LLaMA` is not meant as `LLaVA`, but `MechGTP` is as `MechGPT`.
    """
    near = names.near(name, own=True)
    old, *new = (re.sub(r"[\W_]", "", fold(text)).lower() for text in (name, *near))
    if len(new) != 1 or old[0] != new[0][0] or len(old) < _SHORTEST:
        return None
    if len(old) < _LONG and len(old) == len(new[0]) and sorted(old) != sorted(new[0]):
        return None
    limit = 1 if len(old) < _VERY_LONG else 2
    return near[0] if 0 < OSA.distance(old, new[0]) <= limit else None
