"""A sentence as the checker reads it: its words, how rare they are, and what they mean here."""

import re
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from index import minilm
from index.encoder import Encoder
from index.lexical import STOP_WORDS, stem
from index.minilm import MiniLM, TokenStates

Floats = NDArray[np.float32]

# WordPiece's vocabulary is sorted by how frequent its words were in BERT's training text, after
# the marks and single characters: a word's place in it says how rare a word is in English.
_FIRST_WORD = 1_996
_COMMON = 200
_VOCABULARY = 30_522
_KEPT = 512
_LONGEST = 2_000
# Written otherwise in the same sense, so that a reworded number is no other word.
_SAME = dict(
    zip(
        "two three four five six seven eight nine ten eleven twelve".split(),
        map(str, range(2, 13)),
        strict=True,
    )
)
_SIGN = frozenset({"percent", "per", "cent"})
_HAS_LETTER_OR_DIGIT = re.compile(r"[^\W_]")


@dataclass(frozen=True, slots=True)
class Reading:
    """The words of a cleaned sentence, n of them, in order; punctuation is left out."""

    text: str
    words: tuple[str, ...]
    """Lower case, cut at hyphens and apostrophes."""
    stems: tuple[str, ...]
    rarity: Floats
    """Of each word, shape (n,): 0 for function words, 1 for the rarest; never all 0."""
    meanings: Floats
    """Of each word in this context, unit vectors, shape (n, 384)."""
    total: Floats
    """The sum of the vectors of all tokens, shape (384,): the direction is the sentence's."""


class Reader:
    """Reads sentences, and remembers the latest 512. Safe to use from several threads."""

    def __init__(self, encoder: Encoder) -> None:
        """Read with the bundled encoder, whichever encoder the index has.

        The figures that a checker's coefficients were fitted on are this encoder's.

        Raises:
            EncoderError: the bundled encoder is missing or damaged.
        """
        self._folder = minilm.bundled_folder()
        if encoder.weights_hash != minilm.WEIGHTS_SHA256:
            minilm.check_weights(self._folder)
        self._kept: OrderedDict[str, Reading] = OrderedDict()
        self._lock = Lock()

    def read(self, text: str) -> Reading:
        """Read one sentence, already cleaned; of a very long one its first 256 tokens."""
        text = text[:_LONGEST]
        with self._lock:
            if text in self._kept:
                self._kept.move_to_end(text)
                return self._kept[text]
        reading = reading_of(text, self._model().tokens(text))
        with self._lock:
            self._kept[text] = reading
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return reading

    def _model(self) -> MiniLM:
        with self._lock:  # two threads would load it twice
            return minilm.shared(self._folder)


def reading_of(text: str, tokens: TokenStates) -> Reading:
    """A sentence, of the states of its tokens in the bundled encoder."""
    rows: dict[int, list[int]] = {}
    for row, number in enumerate(tokens.words):
        if number is not None:
            rows.setdefault(number, []).append(row)
    words: list[str] = []
    rarity: list[float] = []
    meanings: list[Floats] = []
    for of_word in rows.values():
        word = text[tokens.spans[of_word[0]][0] : tokens.spans[of_word[-1]][1]].lower()
        if _HAS_LETTER_OR_DIGIT.search(word):
            words.append(word)
            rarity.append(_rarity(word, of_word, tokens))
            vector = tokens.middle[of_word].mean(axis=0)
            meanings.append(vector / np.linalg.norm(vector))
    weights = np.array(rarity, dtype=np.float32)
    return Reading(
        text,
        tuple(words),
        tuple(stem(_SAME.get(word, word)) for word in words),
        weights if weights.any() else np.ones_like(weights),
        np.array(meanings, dtype=np.float32).reshape(len(words), minilm.DIMENSION),
        np.asarray(tokens.last.sum(axis=0), dtype=np.float32),
    )


def _rarity(word: str, rows: list[int], tokens: TokenStates) -> float:
    if word in STOP_WORDS or word in _SIGN:
        return 0.0
    if len(rows) > 1 or word.isdigit() or word in _SAME:
        return 1.0  # cut into pieces: not frequent enough for a place of its own
    place = max(tokens.ids[rows[0]] - _FIRST_WORD, 1)
    return float(max(0.0, np.log(place / _COMMON) / np.log(_VOCABULARY / _COMMON)))
