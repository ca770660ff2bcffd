"""Conversations, kept on this machine; each is its own visitor's and nobody else's."""

from ui.archive.archive import Archive, Conversation, Turn, Vote

__all__ = ["Archive", "Conversation", "Turn", "Vote"]
