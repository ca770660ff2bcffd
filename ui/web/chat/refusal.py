"""No answer: why, which papers are nearest, and what would have to be indexed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from index.errors import InputError
from index.papers import Paper
from index.text import clean_text
from rag.schema import Answer
from ui.web.chat.question import understood_html
from ui.web.render import escape

if TYPE_CHECKING:
    from rag import Assistant


class Refusals:
    """Refusals as HTML; what is near is looked up in the index as it is now."""

    def __init__(self, assistant: "Assistant") -> None:
        self._assistant = assistant

    def near(self, answer: Answer) -> Sequence[Paper]:
        """The papers nearest to the question that are still in the index, nearest first."""
        papers = []
        for near in answer.nearest:
            try:
                papers.append(self._assistant.paper(near.id))
            except InputError:  # it was removed since
                continue
        return papers

    def html(self, turn: str, answer: Answer) -> str:
        """The calm state of a turn that has no answer."""
        reason = f"<p>{escape(answer.reason)}</p>" if answer.reason else ""
        notice = f"<p>{escape(answer.notice)}</p>" if answer.notice else ""
        return (
            '<div class="aqa-chat-refusal"><div class="aqa-chat-text">'
            f"<p><strong>{heading(answer)}</strong></p>{reason}{notice}{_wanted(answer)}"
            f"{understood_html(answer)}</div>{self._nearest(turn, answer)}</div>"
        )

    def _nearest(self, turn: str, answer: Answer) -> str:
        """Links to the cards of the nearest papers; none beside questions to choose from."""
        if answer.suggestions:
            return ""
        items = "".join(
            f'<li><a href="#aqa-near-{turn}-{place}" data-turn="{turn}">'
            f"{escape(clean_text(paper.title))}</a></li>"
            for place, paper in enumerate(self.near(answer), start=1)
        )
        return f"<p>The nearest papers:</p><ul>{items}</ul>" if items else ""


def heading(answer: Answer) -> str:
    """Say in a sentence what a refusal is: nothing is stated, or the question is unclear."""
    return "The question is unclear." if answer.suggestions else "The abstracts do not say."


def _wanted(answer: Answer) -> str:
    """Say what abstracts an answer would need; empty if more of them would not help."""
    if not answer.lacks:
        return ""
    need = f"Abstracts that speak of “{answer.lacks}” would have to be indexed."
    return f'<p class="aqa-chat-wanted">{escape(need)}</p>'
