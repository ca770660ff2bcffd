"""An encoder without weights: hashed words, so that building many small indexes takes no time."""

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from index.papers import Paper


def pots(count: int) -> list[Paper]:
    """Papers of one sentence each."""
    return [
        Paper(id=f"pot{number:04}", title=f"Pot {number}", abstract=f"Pot {number} is blue.")
        for number in range(count)
    ]


class HashingEncoder:
    """Unit vectors of hashed words; remembers every text it was given, after `before` has them."""

    name = "hashing"
    together = 512

    def __init__(
        self, dimension: int = 16, before: Callable[[Sequence[str]], object] = len
    ) -> None:
        self.before = before
        self.dimension = dimension
        self.weights_hash = hashlib.sha256(f"hashing {dimension}".encode()).hexdigest()
        self.encoded: list[str] = []

    def encode(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        self.before(texts)
        self.encoded += texts
        rows = []
        for done, text in enumerate(texts, start=1):
            rows.append(self.encode_query(text))
            if progress:
                progress(done)
        return np.asarray(rows, dtype=np.float32).reshape(len(texts), self.dimension)

    def encode_query(self, text: str) -> NDArray[np.float32]:
        vector = np.zeros(self.dimension, dtype=np.float32)
        for word in text.lower().split() or [""]:
            seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8])
            vector += np.random.default_rng(seed).standard_normal(self.dimension)
        return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)
