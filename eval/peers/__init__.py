"""Other systems side by side with ours: same papers, same encoder, same machine, same k."""

from eval.peers.registry import PEERS, PeerEntry, PeerUnavailableError, open_peer, peer_versions

__all__ = ["PEERS", "PeerEntry", "PeerUnavailableError", "open_peer", "peer_versions"]
