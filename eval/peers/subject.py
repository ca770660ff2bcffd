"""A peer as something to measure."""

from collections.abc import Sequence

from eval.peers.registry import open_peer, peer_versions
from eval.systems import Subject
from index.embedding import SentenceEncoder
from index.papers import Paper


def peer_subject(name: str, papers: Sequence[Paper], encoder: SentenceEncoder) -> Subject:
    """Index papers with a peer, and say what could change its answers.

    Raises:
        InputError: there is no such peer, or there are no papers.
        PeerUnavailableError: its packages are missing, or do not work here.
    """
    system = open_peer(name, papers, encoder)
    configuration = {"weights": encoder.weights_hash, "packages": peer_versions(name)}
    return Subject(system, papers, configuration)
