"""A conversation so far, as the assistant reads it."""

from collections.abc import Iterable

from rag.citations import unescape
from ui.archive.models import Turn


def history(turns: Iterable[Turn]) -> list[dict[str, object]]:
    """The turns in plain text, oldest first, without those that came to nothing.

    An answer brings the ids of the papers it cites, so that "the second paper" is the one with
    that number.
    """
    told: list[dict[str, object]] = []
    for turn in turns:
        text = unescape(turn.answer.text) if turn.answer else turn.partial
        if not text:
            continue
        told.append({"role": "user", "content": turn.question})
        said: dict[str, object] = {"role": "assistant", "content": text}
        if turn.answer and turn.answer.references:
            said["references"] = [reference.paper.id for reference in turn.answer.references]
        told.append(said)
    return told
