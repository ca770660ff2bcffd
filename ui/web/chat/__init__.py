"""The Chat tab: conversations about the abstracts, stored on this machine."""
