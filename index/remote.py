"""An encoder behind an endpoint: OpenAI's embeddings, text-embeddings-inference, vLLM, Ollama."""

import hashlib
from collections.abc import Callable, Sequence
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np

from index.encoder import KEPT_TOGETHER, Vectors
from index.errors import EncoderError

if TYPE_CHECKING:
    from openai import OpenAI

BATCH = 128
"""Texts in one request."""
MOST_CHARACTERS = 8000
"""Of one text: what is longer is cut, since endpoints refuse more tokens than their model reads."""
TIMEOUT_SECONDS = 60.0


class RemoteEncoder:
    """A model that turns texts into vectors behind an OpenAI-compatible endpoint."""

    together = KEPT_TOGETHER

    def __init__(self, address: str, key: str | None = None) -> None:
        """Nothing is asked of the endpoint yet.

        Args:
            address: The endpoint and the model: `http://127.0.0.1:8080/v1#bge-small-en`.
            key: Sent to the endpoint; a local one needs none.

        Raises:
            EncoderError: the address is none, or names no model.
        """
        self._url, _, self.name = address.partition("#")
        try:
            parts = urlsplit(self._url)
            parts.port  # noqa: B018 - it says whether it is one
        except ValueError:
            parts = urlsplit("")
        if not parts.hostname or not self.name:
            raise EncoderError(
                f"the encoder {address!r} is no address: write http://HOST:PORT/v1#MODEL"
            )
        if parts.username or parts.password:
            raise EncoderError(
                "the encoder's address holds a password: give it as ABSTRACTQA_ENCODER_KEY"
            )
        self._key = key
        self._lock = Lock()

    @cached_property
    def weights_hash(self) -> str:
        """SHA-256 of the model's name and its vectors' length, hexadecimal.

        The weights are out of reach, and vectors differ a little from one reply to the next.
        """
        return hashlib.sha256(f"{self.name}\n{self.dimension}".encode()).hexdigest()

    @cached_property
    def dimension(self) -> int:
        """The length of its vectors."""
        return int(self._vectors(["length"]).shape[1])

    def encode(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> Vectors:
        """Unit vectors of texts, shape (len(texts), dimension).

        Raises:
            EncoderError: the endpoint cannot be reached, refuses, or gives no vectors.
        """
        parts = []
        for at in range(0, len(texts), BATCH):
            parts.append(self._vectors(texts[at : at + BATCH]))
            if progress:
                progress(min(at + BATCH, len(texts)))
        return np.concatenate(parts) if parts else np.empty((0, self.dimension), dtype=np.float32)

    def encode_query(self, text: str) -> Vectors:
        """The unit vector of a question, shape (dimension,).

        Raises:
            EncoderError: as `encode`.
        """
        vector: Vectors = self._vectors([text])[0]
        return vector

    @cached_property
    def _client(self) -> "OpenAI":
        from openai import OpenAI  # here: it takes a second, and most encoders are local

        return OpenAI(
            base_url=self._url,
            api_key=self._key or "none",
            timeout=TIMEOUT_SECONDS,
            max_retries=3,
        )

    def _vectors(self, texts: Sequence[str]) -> Vectors:
        from httpx import InvalidURL
        from openai import OpenAIError

        given = [text[:MOST_CHARACTERS] or " " for text in texts]
        try:
            with self._lock:
                client = self._client
            reply = client.embeddings.create(model=self.name, input=given, encoding_format="float")
            rows = sorted(reply.data, key=lambda each: each.index)
            vectors = np.asarray([row.embedding for row in rows], dtype=np.float32)
        except (OpenAIError, InvalidURL, ValueError, TypeError, AttributeError) as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
            raise EncoderError(
                f"the encoder {self.name} at {self._url} did not answer ({reason})"
            ) from error
        with np.errstate(over="ignore"):
            lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
        if (
            vectors.shape[:1] != (len(texts),)
            or vectors.ndim != 2
            or not np.all((lengths > 0) & np.isfinite(lengths))
        ):
            raise EncoderError(
                f"the encoder {self.name} at {self._url} gave {len(vectors)} vectors for"
                f" {len(texts)} texts, or some that are not finite"
            )
        return np.asarray(vectors / lengths, dtype=np.float32)
