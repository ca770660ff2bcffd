"""A peer as something to measure."""

from collections.abc import Sequence

from eval.peers.registry import open_peer, peer_versions
from eval.systems import Subject
from index.embedding import SentenceEncoder
from index.papers import Paper


def peer_subject(
    name: str, papers: Sequence[Paper], encoder: SentenceEncoder, words: int | None = None
) -> Subject:
    """Index papers with a peer, and say what could change its answers.

    Args:
        name: A key of `PEERS`.
        papers: At least one.
        encoder: The same for every peer.
        words: About how long its answers are; as long as ours by default.

    Raises:
        InputError: there is no such peer, or there are no papers.
        PeerUnavailableError: its packages are missing, or do not work here.
    """
    options = {} if words is None else {"words": words}
    system = open_peer(name, papers, encoder, **options)
    if words is not None:
        system.name = f"{system.name}, {words} words"
    versions = peer_versions(name)
    configuration = {"weights": encoder.weights_hash, "packages": versions, **options}
    return Subject(system, papers, configuration)
