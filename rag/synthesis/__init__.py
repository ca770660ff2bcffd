"""Answers that a chat model writes from whole abstracts, each sentence checked."""
