"""The panel beside the chat: the cards of each turn, of which one turn's are seen."""

from ui.archive.models import Conversation, Turn
from ui.web.chat.cards import cited_html, near_html
from ui.web.chat.refusal import Refusals


class Panel:
    """The cards of turns as HTML."""

    def __init__(self, refusals: Refusals) -> None:
        self._refusals = refusals

    def section(self, turn: Turn) -> str:
        """The cards of one turn: what it cites or, if it cites nothing, what is nearest."""
        answer = turn.answer
        if answer is None:
            return '<p class="aqa-chat-none">There is no answer, so nothing is cited.</p>'
        if answer.references:
            return cited_html(answer, turn.id)
        near = self._refusals.near(answer) if answer.status != "answered" else ()
        says = " These papers are the nearest." if near else ""
        return f'<p class="aqa-chat-none">Nothing is cited.{says}</p>{near_html(near, turn.id)}'

    def sections(self, conversation: Conversation | None) -> dict[str, str]:
        """The cards of every turn, by its id."""
        turns = conversation.turns if conversation else ()
        return {turn.id: self.section(turn) for turn in turns}
