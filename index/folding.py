"""Names as they are compared: a text's atoms, how atoms join into a key, what looks like a name.

What is an English word looks like none: the vocabulary of the bundled encoder tells it.

An atom is a run of letters and digits. Atoms that stand together, whatever joins them, give one
key: `R-TSVM` and `RTSVM`, `TaskMatrix AI` and `TaskMatrix.AI`, `M^{3}ViT` and `M3ViT`.
"""

import re
import zlib
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from itertools import accumulate

from index.lexical import STOP_WORDS, fold
from index.minilm import bundled_folder

LONGEST = 6
"""Atoms of a name at most; longer ones are titles."""


class Link(IntEnum):
    """What stands between two atoms."""

    NONE = 0
    """Something that no name has inside: a comma, the end of a sentence."""
    GLUED = 1
    SPACED = 2
    SLASH = 3
    """Mostly between two names, as in "GPT-3.5/GPT-4"."""

    LOOSE = 4
    """Punctuation, as in "Hogwild! Inference": it joins only where the name has it, too."""


_ATOM = re.compile(r"([^\W_]+(?:\+{1,2}(?![^\W_]))?)((?:['’]s(?![^\W_]))?[\W_]*)")
_GLUE = frozenset("-‐−–./_^{}$'’&!*")
_PUNCTUATION = frozenset({", ", "! ", "? ", " (", ") ", "'s ", "’s "})
_QUANTITY = re.compile(
    r"\d[\d.]*(?:[a-zA-Z%]{1,2}|st|nd|rd|th|-[a-z]+|[x×]\d+|-?[a-z]{1,2}-?\d+)|[a-z]-\d+"
)
_COMPOUND = frozenset("driven like style aware free level only wise type based specific".split())
"""The ends of English compounds that are made with any name: "LLM-based", "BERT-like"."""


@lru_cache(maxsize=4096)
def link(gap: str) -> Link:
    """How the atoms on both sides of `gap` belong together."""
    if gap in {" ", "\u202f"}:
        return Link.SPACED
    if gap == "/":
        return Link.SLASH
    if gap in _PUNCTUATION:
        return Link.LOOSE
    glued = 0 < len(gap) < 5 and _GLUE.issuperset(gap)
    glued = glued and ".." not in gap and gap not in {"--", "–"}
    return Link.GLUED if glued else Link.NONE


@dataclass(frozen=True, slots=True)
class Atoms:
    """The N atoms of a folded text, in order."""

    texts: list[str]
    keys: list[str]
    """The atoms in lower case."""
    gaps: list[str]
    """What follows each atom, up to the next."""
    links: list[Link]

    @classmethod
    def of(cls, folded: str) -> "Atoms":
        """The atoms of a text that `fold` returned."""
        pairs = _ATOM.findall(folded)
        gaps = [gap for _, gap in pairs]
        texts = [text for text, _ in pairs]
        links = [*map(link, gaps)]
        if links:
            links[-1] = Link.NONE
        return cls(texts, [text.casefold() for text in texts], gaps, links)

    def spans(self, folded: str) -> list[tuple[int, int]]:
        """Where the atoms stand in `folded`: code points, `end` exclusive."""
        first = _ATOM.search(folded)
        sizes = [len(text) + len(gap) for text, gap in zip(self.texts, self.gaps, strict=True)]
        starts = accumulate(sizes[:-1], initial=first.start() if first else 0)
        return [(start, start + len(text)) for start, text in zip(starts, self.texts, strict=False)]

    def surface(self, first: int, end: int) -> str:
        """The text of the atoms `[first, end)`."""
        gaps = (*self.gaps[first : end - 1], "")
        return "".join(map("".join, zip(self.texts[first:end], gaps, strict=True)))

    def key(self, first: int, end: int) -> str:
        """The key of the atoms `[first, end)`."""
        key = self.keys[first]
        for at in range(first + 1, end):
            key = joined(key, self.keys[at], self.gaps[at - 1])
        return key

    def run(self, at: int) -> tuple[int, int]:
        """The atoms `[first, end)` that are glued to the atom `at`, endings of compounds cut off.

        "GPT-4" of "GPT-4-based" for any of its first two atoms, and "based" for the third.
        """
        first, end = at, at + 1
        # Nobody looks beyond 12 atoms.
        while first and self.links[first - 1] == Link.GLUED and at - first < 12:
            first -= 1
        while self.links[end - 1] == Link.GLUED and end - at <= 12:
            end += 1
        while end - first > 1 and not without_ending(self.gaps[end - 2] + self.texts[end - 1]):
            end -= 1
        return (first, end) if at < end else (at, at + 1)

    def is_whole(self, first: int, end: int) -> bool:
        """Whether the atoms `[first, end)` cut no number in two: not the "GPT-3" of "GPT-3.5"."""
        edges = [at for at in (first, end) if 0 < at < len(self.keys) and self.gaps[at - 1] == "."]
        return not any(
            self.keys[at - 1][-1].isdigit() and self.keys[at][0].isdigit() for at in edges
        )


def joined(left: str, right: str, gap: str) -> str:
    """The key of two atoms; digits that meet stay apart, so 3.5 is not 35."""
    if left[-1].isdigit() and right[0].isdigit():
        return f"{left}{'.' if gap == '.' else '-'}{right}"
    return left + right


@lru_cache(maxsize=1 << 17)
def key_of(name: str) -> str:
    """The key of a whole name: lower-case letters and digits without what joins them."""
    atoms = Atoms.of(fold(name))
    return atoms.key(0, len(atoms.keys)) if atoms.keys else ""


def without_ending(surface: str) -> str:
    """`surface` without the English ending of a compound: "LLM" of "LLM-based"."""
    at = max(surface.rfind("-"), surface.rfind("‐"))
    ending = surface[at + 1 :]
    is_verb = ending.islower() and ending.isascii() and ending.isalpha()
    is_verb = is_verb and ending.endswith(("ed", "ing")) and ending not in ("ed", "ing")
    return surface[:at] if at >= 0 and (ending in _COMPOUND or is_verb) else surface


@lru_cache(maxsize=65_536)
def is_shaped(surface: str) -> bool:
    """Whether a word looks like a name: digits among letters, or a capital after the first one.

    `o1`, `DARE`, `GPT-4`, `C++`, but not `2.4B`, `8-bit`, `top-5`.
    """
    bare = re.sub(r"(?<=[A-Z0-9])s$", "", surface)
    if len(bare) < 2 or not any(c.isalpha() for c in bare) or _QUANTITY.fullmatch(bare):
        return False
    if bare.islower() and (parts := re.fullmatch(r"([^\W\d_]+)[^\w+](\d[\d.]*)", bare)):
        return not is_english(parts[1])  # "top-5" counts, "gpt-4" names
    return bare.endswith("+") or any(c.isupper() or c.isdigit() for c in bare[1:])


def content_words(keys: list[str]) -> int:
    """How many atoms carry a subject."""
    return sum(key not in STOP_WORDS for key in keys)


def trigrams(keys: list[str]) -> list[int]:
    """The CRC-32 of each three atoms that follow each other."""
    threes = zip(keys, keys[1:], keys[2:], strict=False)
    return [zlib.crc32(" ".join(three).encode()) for three in threes]


@lru_cache(maxsize=1)
def _vocabulary() -> frozenset[str]:
    """The whole words of the bundled encoder's WordPiece vocabulary, some 20,000."""
    lines = (bundled_folder() / "vocab.txt").read_text(encoding="utf-8").split("\n")
    return frozenset(line for line in lines if line.isalpha())


@lru_cache(maxsize=65_536)
def is_english(word: str) -> bool:
    """Whether the encoder's vocabulary has a lower-case word, in any regular form or spelling."""
    words = _vocabulary()
    if word in words or any(len(base) > 2 and base in words for base in _bases(word)):
        return True
    return any(new in words or not words.isdisjoint(_bases(new)) for new in spellings(word))


_SPELLED = {"is": "iz", "ys": "yz", "our": "or", "ll": "l", "ae": "e", "oe": "e"}
_SPELLED |= {new: old for old, new in _SPELLED.items() if len(new) > 1} | {"l": "ll"}
_SPELLING = re.compile(
    r"(?<=[a-z]{2})(?:[iy][sz](?=(?:e|es|ed|er|ers|ing|ation|ations|able)$)|ll?(?=ed$|ing$|ers?$)"
    r"|ou?r(?=$|s$|ed$|ing|al|ab|is|iz))|[ao]e"
)


def spellings(word: str) -> list[str]:
    """A lower-case word as it may be spelled on the other side of the Atlantic.

    "summarize" of "summarise", "modelling" of "modeling"; what is returned need be no word.
    """
    return [
        word[: at.start()] + _SPELLED[at[0]] + word[at.end() :] for at in _SPELLING.finditer(word)
    ]


def _bases(word: str) -> list[str]:
    """What a regular inflection may come from: "studi(y)", "plan(n)", "us(e)"."""
    bases: list[str] = []
    for ending in ("s", "es", "ed", "ing", "ly", "er", "ers"):
        if word.endswith(ending):
            stem = word[: -len(ending)]
            bases += [stem, stem + "e"] if ending != "s" else [stem]
            if stem.endswith("i"):
                bases.append(stem[:-1] + "y")
            if len(stem) > 2 and stem[-1] == stem[-2] and ending in {"ed", "ing", "er", "ers"}:
                bases.append(stem[:-1])
    return bases
