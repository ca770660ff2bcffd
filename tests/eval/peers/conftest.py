"""How a peer is opened in a test."""

import os
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from peer_papers import PAPERS

from eval.peers import PeerUnavailableError, open_peer
from eval.peers.peer import Peer
from index.embedding import SentenceEncoder
from index.encoder import Vectors
from index.minilm import NAME


class Remembering(SentenceEncoder):
    """The real encoder; it embeds a text once, however many peers index it."""

    def encode(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> Vectors:
        new = [text for text in dict.fromkeys(texts) if text not in _vectors]
        _vectors.update(zip(new, super().encode(new), strict=True))
        return np.stack([_vectors[text] for text in texts])


_vectors: dict[str, Vectors] = {}


@pytest.fixture(scope="session")
def encoder() -> SentenceEncoder:
    return Remembering.open(NAME)


@pytest.fixture(scope="session")
def opened(encoder: SentenceEncoder) -> Callable[..., Peer]:
    """Open a peer over the papers; skipped where the group `peers` is not installed."""
    peers: dict[str, Peer] = {}

    def open_(name: str, **options: object) -> Peer:
        key = f"{name} {options}"
        try:
            peers[key] = peers.get(key) or open_peer(name, PAPERS, encoder, **options)
        except PeerUnavailableError as error:
            if os.environ.get("CI"):
                pytest.fail(f"{error}, and CI must not skip")
            pytest.skip(str(error))
        return peers[key]

    return open_
