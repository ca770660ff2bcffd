"""Compare names: split a text into atoms, join atoms into a key, and tell names from words.

An atom is a run of letters and digits. The key of a name is the same whatever joins its atoms:
`R-TSVM` and `RTSVM`, `TaskMatrix AI` and `TaskMatrix.AI`, `M^{3}ViT` and `M3ViT`.
"""

import re
import zlib
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from index.lexical import STOP_WORDS, fold
from index.minilm import bundled_folder

LONGEST = 6  # most atoms of a name; longer ones are titles


class Link(IntEnum):
    """How two neighbouring atoms are joined."""

    NONE = 0  # by something that no name contains: a colon, a full stop and a space
    GLUED = 1
    SPACED = 2
    SLASH = 3  # by a slash, mostly between two names, as in "GPT-3.5/GPT-4"
    LOOSE = 4  # by punctuation, as in "Hogwild! Inference": only where the name has it, too


ATOM = re.compile(r"([^\W_]+(?:\+{1,2}(?![^\W_]))?)((?:['’]s(?![^\W_]))?[\W_]*)")
_GLUE = frozenset("-‐−–./_^{}$'’&!*")
_LINKS = {" ": Link.SPACED, "\u202f": Link.SPACED, "/": Link.SLASH}
_LINKS |= dict.fromkeys((", ", "! ", "? ", " (", ") ", "'s ", "’s "), Link.LOOSE)
_QUANTITY = re.compile(
    r"\d[\d.]*(?:[a-zA-Z%]{1,2}|st|nd|rd|th|-[a-z]+|[x×]\d+|-?[a-z]{1,2}-?\d+)|[a-z]-\d+"
)
# The endings of English compounds that any name can form: "LLM-based", "BERT-like".
_COMPOUND = frozenset("driven like style aware free level only wise type based specific".split())


@lru_cache(maxsize=4096)
def link(gap: str) -> Link:
    """Return how `gap` joins the atoms on its two sides."""
    is_glue = 0 < len(gap) < 5 and _GLUE.issuperset(gap)
    is_dash = ".." in gap or gap in {"--", "–"}
    return _LINKS.get(gap, Link.GLUED if is_glue and not is_dash else Link.NONE)


@dataclass(frozen=True, slots=True)
class Atoms:
    """The N atoms of a folded text, in order."""

    texts: list[str]
    keys: list[str]  # the atoms in lower case
    gaps: list[str]  # the text after each atom, up to the next
    links: list[Link]

    @classmethod
    def of(cls, folded: str) -> "Atoms":
        """Split a text that `fold` returned into its atoms."""
        pairs = ATOM.findall(folded)
        texts, gaps = [text for text, _ in pairs], [gap for _, gap in pairs]
        links = [*map(link, gaps[:-1]), *[Link.NONE] * bool(gaps)]
        return cls(texts, [text.casefold() for text in texts], gaps, links)

    def surface(self, first: int, end: int) -> str:
        """Return the text of the atoms `[first, end)`."""
        pairs = zip(self.texts[first : end - 1], self.gaps[first:], strict=False)
        return "".join(map("".join, pairs)) + self.texts[end - 1]

    def key(self, first: int, end: int) -> str:
        """Return the key of the atoms `[first, end)`."""
        key = self.keys[first]
        for at in range(first + 1, end):
            key = joined(key, self.keys[at], self.gaps[at - 1])
        return key

    def run(self, at: int) -> tuple[int, int]:
        """Return the atoms `[first, end)` glued to `at`: "GPT-4" or "based" of "GPT-4-based"."""
        first, end = at, at + 1
        while first and self.links[first - 1] == Link.GLUED and at - first < 12:
            first -= 1
        while self.links[end - 1] == Link.GLUED and end - at <= 12:
            end += 1
        while end - first > 1 and not without_ending(self.gaps[end - 2] + self.texts[end - 1]):
            end -= 1
        return (first, end) if at < end else (at, at + 1)

    def is_whole(self, first: int, end: int) -> bool:
        """Check that the atoms `[first, end)` split no number, as "GPT-3" splits "GPT-3.5"."""
        keys = self.keys
        edges = [at for at in (first, end) if 0 < at < len(keys) and self.gaps[at - 1] == "."]
        return not any(keys[at - 1][-1].isdigit() and keys[at][0].isdigit() for at in edges)


def joined(left: str, right: str, gap: str) -> str:
    """Join two keys; digits that meet stay separate, so that 3.5 is not 35."""
    if left[-1].isdigit() and right[0].isdigit():
        return f"{left}{'.' if gap == '.' else '-'}{right}"
    return left + right


@lru_cache(maxsize=1 << 17)
def key_of(name: str) -> str:
    """Return the key of a whole name: its lower-case letters and digits without what joins them."""
    atoms = Atoms.of(fold(name))
    return atoms.key(0, len(atoms.keys)) if atoms.keys else ""


def without_ending(surface: str) -> str:
    """Remove the English ending of a compound: "LLM-based" becomes "LLM"."""
    at = max(surface.rfind("-"), surface.rfind("‐"))
    ending = surface[at + 1 :]
    is_ending = ending in _COMPOUND or re.fullmatch(r"[a-z]+(?:ed|ing)", ending)
    return surface[:at] if at >= 0 and is_ending else surface


def singular(acronym: str) -> str:
    """Remove the plural's ending: "GPUs" becomes "GPU"."""
    return re.sub(r"(?<=[A-Z0-9])s$", "", acronym)


@lru_cache(maxsize=65_536)
def is_shaped(surface: str) -> bool:
    """Check whether a word looks like a name, as `o1`, `DARE` and `GPT-4` but not `top-5`."""
    bare = singular(surface)
    if len(bare) < 2 or not any(c.isalpha() for c in bare) or _QUANTITY.fullmatch(bare):
        return False
    if bare.islower() and (parts := re.fullmatch(r"([^\W\d_]+)[^\w+](\d[\d.]*)", bare)):
        return not is_english(parts[1])  # "top-5" is a number, "gpt-4" a name
    return bare.endswith("+") or any(c.isupper() or c.isdigit() for c in bare[1:])


def content_words(keys: list[str]) -> int:
    """Count the atoms that are no stop words."""
    return sum(key not in STOP_WORDS for key in keys)


def trigrams(keys: list[str]) -> list[int]:
    """Return the CRC-32 of every three consecutive atoms."""
    threes = zip(keys, keys[1:], keys[2:], strict=False)
    return [zlib.crc32(" ".join(three).encode()) for three in threes]


@lru_cache(maxsize=1)
def _vocabulary() -> frozenset[str]:
    """Return the whole words of the bundled encoder's WordPiece vocabulary, some 20,000."""
    lines = (bundled_folder() / "vocab.txt").read_text(encoding="utf-8").split("\n")
    return frozenset(filter(str.isalpha, lines))


@lru_cache(maxsize=65_536)
def is_english(word: str) -> bool:
    """Check whether the vocabulary has a lower-case word, in any regular form or spelling."""
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
    """Spell a word as British or Americans do: "summarise" → "summarize"; it need not be a word."""
    found = _SPELLING.finditer(word)
    return [word[: at.start()] + _SPELLED[at[0]] + word[at.end() :] for at in found]


def _bases(word: str) -> list[str]:
    """Return the words that a regular inflection may come from: "studies" may be from "study"."""
    bases: list[str] = []
    for ending in filter(word.endswith, ("s", "es", "ed", "ing", "ly", "er", "ers")):
        stem = word[: -len(ending)]
        bases += [stem, stem + "e"] if ending != "s" else [stem]
        if stem.endswith("i"):
            bases.append(stem[:-1] + "y")
        if len(stem) > 2 and stem[-1] == stem[-2] and ending in {"ed", "ing", "er", "ers"}:
            bases.append(stem[:-1])
    return bases
