"""Questions to ask next, found after an answer is shown; without any if they cannot be found."""

import logging
from typing import TYPE_CHECKING

from rag.schema import Answer, Filters
from ui.web.chat import followups

if TYPE_CHECKING:
    from rag import Assistant

_log = logging.getLogger(__name__)


def suggest(assistant: "Assistant", answer: Answer, filters: Filters) -> tuple[str, ...]:
    """Up to three questions that the index can answer and that follow from `answer`."""
    try:
        return tuple(followups.suggest(assistant, answer, filters=filters))
    except Exception:  # noqa: BLE001 - the answer is there; a suggestion is a courtesy
        _log.exception("no follow-up questions")
        return ()
