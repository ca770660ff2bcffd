"""“The abstracts do not say”: why, which papers are nearest, and what would have to be indexed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from index.errors import InputError
from index.papers import Paper
from index.text import clean_text
from rag.missing import wanted
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
        need = wanted(answer)
        index = f'<p class="aqa-chat-wanted">{escape(need)}</p>' if need else ""
        items = "".join(
            f'<li><a href="#aqa-near-{turn}-{place}" data-turn="{turn}">'
            f"{escape(clean_text(paper.title))}</a></li>"
            for place, paper in enumerate(self.near(answer), start=1)
        )
        nearest = f"<p>The nearest papers:</p><ul>{items}</ul>" if items else ""
        return (
            '<div class="aqa-chat-refusal"><div class="aqa-chat-text">'
            f"<p><strong>The abstracts do not say.</strong></p>{reason}{notice}{index}"
            f"{understood_html(answer)}</div>"
            f"{nearest}</div>"
        )
