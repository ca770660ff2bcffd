"""What a reasoning model thinks aloud before it answers is not the answer."""

from typing import Literal

_OPENS = "<think>"
_CLOSES = "</think>"


class Thinking:
    """Leaves `<think>…</think>` at the beginning of a text out of it, piece by piece."""

    def __init__(self) -> None:
        self._held = ""
        self._now: Literal["before", "inside", "behind", "answering"] = "before"

    def answer(self, piece: str) -> str:
        """What is known, with this piece, to be the answer; what may be a thought is held back."""
        if self._now == "answering":
            return piece
        self._held += piece
        if self._now == "before":
            begins = self._held.lstrip()
            if not _OPENS.startswith(begins[: len(_OPENS)]):
                return self._begin()
            if len(begins) < len(_OPENS):
                return ""
            self._now, self._held = "inside", begins[len(_OPENS) :]
        if self._now == "inside":
            _, closed, behind = self._held.partition(_CLOSES)
            if not closed:
                self._held = self._held[1 - len(_CLOSES) :]  # its end may have begun
                return ""
            self._now, self._held = "behind", behind
        self._held = self._held.lstrip()
        return self._begin() if self._held else ""

    def rest(self) -> str:
        """What was held back and is no thought after all, when the text ends."""
        return self._held if self._now == "before" else ""

    def _begin(self) -> str:
        self._now = "answering"
        begun, self._held = self._held, ""
        return begun


def without_thoughts(text: str) -> str:
    """The text without `<think>…</think>` at its beginning; empty if that never ends."""
    thinking = Thinking()
    return thinking.answer(text) + thinking.rest()
