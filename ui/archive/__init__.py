"""Conversations, kept on this machine; each is its own visitor's and nobody else's."""

from ui.archive.archive import Archive, Conversation, Summary, Turn, Vote

__all__ = ["Archive", "Conversation", "Summary", "Turn", "Vote"]
