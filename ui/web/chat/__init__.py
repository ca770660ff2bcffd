"""The chat tab: conversations with the abstracts, kept on this machine."""
