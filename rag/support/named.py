"""Names in a sentence that what it cites does not have."""

import re
from collections.abc import Iterable

from index.lexical import STOP_WORDS, fold, stem, tokenize

_WORD = re.compile(r"[^\W_][\w+]*(?:[-./’'][\w+]+)*")
_POSSESSIVE = re.compile(r"['’]s?$")
_PLURAL = re.compile(r"(?<=[A-Z0-9])s$")
_OPENS = re.compile(r"(?:^|[.?!:;]\s|[\"“‘«]|[•–—-]\s)\s*$")
_CAPITALISED = re.compile(r"(?:[A-Z][\w-]*(?:\s(?:of|and|for|the|in)\s|[\s-]))+[A-Z][\w-]*")
_VERSION = re.compile(r" \d+(?:\.\d+)*\b(?!\s?[%×])")
_FEWEST_INITIALS = 2

# Acronyms of the field that are words by now: a text can be about them without writing them.
_EVERYDAY = frozenset(
    "AI ML NLP LLM LLMS LM LMS PLM PLMS RL QA GPU GPUS CPU CPUS API APIS SOTA US UK EU".split()
)


def names(sentence: str) -> tuple[str, ...]:
    """The names in a cleaned sentence, in its order.

    Words in the shape of a name (`GPT-4`, `MindSearch`, `DARE`), and other capitalised ones that
    do not open a sentence (`Voyager`); a number after one belongs to it (`Llama 3`). The field's
    everyday acronyms ("LLM") and quantities ("32k", "8-bit") are none.
    """
    found: list[str] = []
    for match in _WORD.finditer(sentence):
        word = _POSSESSIVE.sub("", match[0])
        if word.upper() in _EVERYDAY or len(word) < 2 or word.lower() in STOP_WORDS:
            continue
        opens = _OPENS.search(sentence, 0, match.start())
        if not _shaped(word) and (not word[0].isupper() or opens):
            continue
        version = _VERSION.match(sentence, match.end())
        found.append(word + version[0] if version and word[0].isupper() else word)
    return tuple(dict.fromkeys(found))


def missing_names(sentence: str, cited: Iterable[str]) -> tuple[str, ...]:
    """The names of a sentence, as it writes them, that no cited text mentions.

    A name may be spaced, hyphenated and inflected otherwise; an acronym is there if words with
    its initials are, and the words are if the acronym is.
    """
    text = "\n".join(cited)
    there = frozenset(tokenize(text)) | _joined(text)
    initials = "".join(word[0] for word in re.findall(r"[^\W_]+", fold(text))).lower()
    return tuple(
        name
        for name in names(sentence)
        if not _mentioned(name, there, initials) and not _spelt_out(name, sentence, text)
    )


def _shaped(word: str) -> bool:
    """Digits after letters, a capital after the first letter, or a plus sign: no plain word."""
    bare = _PLURAL.sub("", word)
    if re.fullmatch(r"\d[\d.,]*(?:[-./]?[^\W\d_]*)*", bare):
        return bool(re.fullmatch(r"\d+[A-Z][a-z]*[A-Z]\w*", bare))  # 3DGS, but not 32k or 4-bit
    if "-" in bare and not re.search(r"\d", bare):
        # Self-RAG and LLM-based: a capital inside one of the pieces.
        pieces = [piece for piece in bare.split("-") if piece.upper() not in _EVERYDAY]
        return any(re.search(r"[^\W_][A-Z]", piece) for piece in pieces)
    return bool(re.search(r"[^\W\d_]-?\d|[^\W_][\w./]*[A-Z]|\+$", bare))


def _squash(text: str) -> str:
    return re.sub(r"[\W_]", "", fold(text)).lower()


def _joined(text: str) -> frozenset[str]:
    """Neighbouring words written as one, so that "Mind Search" has MindSearch: up to three."""
    words = [_squash(word) for word in re.split(r"[\s/]+", text)]
    runs = {"".join(words[at : at + n]) for n in (1, 2, 3) for at in range(len(words) - n + 1)}
    return frozenset(runs)


def _mentioned(name: str, there: frozenset[str], initials: str) -> bool:
    bare = _PLURAL.sub("", name)
    whole = _squash(bare)
    if not there.isdisjoint((whole, stem(whole), whole + "s")):
        return True
    if not _shaped(name) and " " not in name:
        return bool(tokens := tokenize(name)) and there.issuperset(tokens)
    if re.search(r"\d", name):
        return False
    if "-" in name:
        # LLM-based, Self-RAG: every piece for itself.
        pieces = [piece for piece in re.split(r"[-/]", name) if not piece.islower()]
        if all(_squash(piece) in there or stem(piece.lower()) in there for piece in pieces):
            return True
    return bare.isupper() and len(bare) > _FEWEST_INITIALS and bare.lower() in initials


def _spelt_out(name: str, sentence: str, text: str) -> bool:
    """Whether a capitalised word is one of several whose initials are an acronym of the text."""
    for run in _CAPITALISED.findall(sentence):
        letters = "".join(re.findall(r"\b[A-Z]", run))
        if name in run and len(letters) > 1 and re.search(rf"\b{letters}s?\b", text):
            return True
    return False
