"""A peer as something to measure."""

from collections.abc import Sequence

from eval.peers.registry import open_peer, peer_versions
from eval.systems import Subject
from index.embedding import SentenceEncoder
from index.papers import Paper


def peer_subject(
    name: str, papers: Sequence[Paper], encoder: SentenceEncoder, **options: object
) -> Subject:
    """Index papers with a peer, and say what could change its answers.

    Args:
        name: A key of `PEERS`.
        papers: At least one.
        encoder: The same for every peer.
        options: What the peer's class takes beside them; they become part of its name.

    Raises:
        InputError: there is no such peer, or there are no papers.
        PeerUnavailableError: its packages are missing, or do not work here.
    """
    system = open_peer(name, papers, encoder, **options)
    said = {key: getattr(value, "model", value) for key, value in options.items()}
    if said:
        named = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in said.items())
        system.name = f"{system.name}, {named}"
    configuration = {
        "weights": encoder.weights_hash,
        "packages": peer_versions(name),
        "options": said,
    }
    return Subject(system, papers, configuration)
