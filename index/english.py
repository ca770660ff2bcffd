"""Which words are English, by the vocabulary of the bundled encoder."""

from functools import lru_cache

from index.minilm import bundled_folder


@lru_cache(maxsize=1)
def _vocabulary() -> frozenset[str]:
    """The whole words of the bundled encoder's WordPiece vocabulary, some 20,000."""
    lines = (bundled_folder() / "vocab.txt").read_text(encoding="utf-8").split("\n")
    return frozenset(line for line in lines if line.isalpha())


@lru_cache(maxsize=65_536)
def is_english(word: str) -> bool:
    """Whether a lower-case word is in the encoder's vocabulary, or a regular form of one there."""
    words = _vocabulary()
    return word in words or any(len(base) > 2 and base in words for base in _bases(word))


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
