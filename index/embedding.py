"""Wrap an encoder as a LlamaIndex embedding, for retrievers and other LlamaIndex components."""

import asyncio
from collections.abc import Sequence
from typing import Self

from llama_index.core.base.embeddings.base import BaseEmbedding
from pydantic import PrivateAttr

from index.encoder import Counted, Encoder, Vectors, ignore, open_encoder


class SentenceEncoder(BaseEmbedding):
    """An encoder that LlamaIndex can use."""

    _encoder: Encoder = PrivateAttr()

    def __init__(self, encoder: Encoder) -> None:
        """Wrap `encoder`."""
        super().__init__(model_name=encoder.name)
        self._encoder = encoder

    @classmethod
    def open(cls, name: str, key: str | None = None) -> Self:
        """Open the encoder `name`; see `index.encoder.open_encoder`."""
        return cls(open_encoder(name, key))

    @classmethod
    def class_name(cls) -> str:
        """Return the name under which LlamaIndex serialises the class."""
        return "SentenceEncoder"

    @property
    def name(self) -> str:
        """The encoder's name, as the index's manifest records it."""
        return self._encoder.name

    @property
    def weights_hash(self) -> str:
        """SHA-256 of the weights, hexadecimal."""
        return self._encoder.weights_hash

    @property
    def dimension(self) -> int:
        """The length of the encoder's vectors."""
        return self._encoder.dimension

    @property
    def together(self) -> int:
        """Number of texts to encode and save as one batch."""
        return self._encoder.together

    def encode(self, texts: Sequence[str], *, progress: Counted = ignore) -> Vectors:
        """Encode texts to be indexed; see `LocalEncoder.encode`."""
        return self._encoder.encode(texts, progress=progress)

    def encode_query(self, text: str) -> Vectors:
        """Encode a question; see `LocalEncoder.encode_query`."""
        return self._encoder.encode_query(text)

    def _get_query_embedding(self, query: str) -> list[float]:
        return [float(x) for x in self.encode_query(query)]

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return [[float(x) for x in row] for row in self.encode(texts)]

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return await asyncio.to_thread(self._get_query_embedding, query)
