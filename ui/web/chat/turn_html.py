"""What the page shows of turns, sources and conversations, as HTML (`chat.html`) and new values.

The page's script keeps the turns and cards that it has: of each list, `order` names all of them,
and `html` brings those that are new or have changed.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import gradio as gr
from markupsafe import Markup

from index.errors import InputError
from index.papers import Paper
from rag.schema import Answer, AnswerSentence, Filters
from ui.archive import Conversation, Turn
from ui.export import FORMATS
from ui.export.answer_text import markdown
from ui.export.prose import markdown_html, prose_html
from ui.web.chat.chat_template import HTML, heading
from ui.web.markup import escape

if TYPE_CHECKING:
    from rag import Assistant

SKIP = gr.skip()
EXPORTS = {
    "whole": [(kind, form.label) for kind, form in FORMATS.items() if form.write],
    "cited": [(kind, form.label) for kind, form in FORMATS.items() if form.papers],
}


class Update(NamedTuple):
    """New values of the page's parts; `SKIP` leaves one alone."""

    conversation: Any = SKIP
    transcript: Any = SKIP
    live: Any = SKIP
    sources: Any = SKIP
    listing: Any = SKIP
    following: Any = SKIP
    """Not empty: an answer that is being written is to be followed. Never twice the same."""


def sources(conversation: Conversation | None, html: Mapping[str, str]) -> dict[str, Any]:
    """The source cards of turns, by their ids; those of the last of them are to be seen."""
    order = [turn.id for turn in conversation.turns] if conversation else []
    *_, show = ["", *html]
    return {"order": order, "html": dict(html), "show": show}


class TurnHtml:
    """What the page shows of a conversation; what a refusal is near to is looked up in the index.

    Where `only` is given, that turn alone is new or has changed; "" is none.
    """

    def __init__(self, assistant: "Assistant", *, may_share: bool = False) -> None:
        self._assistant = assistant
        self._may_share = may_share

    def transcript(
        self,
        conversation: Conversation | None,
        only: str | None = None,
        *,
        writing: str = "",
        **said: str,
    ) -> dict[str, Any]:
        """The finished turns.

        Args:
            conversation: The one that is shown; None for a new one.
            only: The turn that has changed.
            writing: The id of a turn that is not finished.
            said: `notice`, HTML below the turns; `announced`, what a screen reader says; `refill`,
                what to put into the question box, if nothing stands there, and `withdraw`, what to
                take out of it, if nothing else does.
        """
        turns = [turn for turn in conversation.turns if turn.id != writing] if conversation else []
        return {
            "at": time.time(),  # one that comes late, or again, changes nothing
            "conversation": conversation.id if conversation else "",
            "order": [turn.id for turn in turns],
            "html": {turn.id: self.turn(turn) for turn in turns if only in (None, turn.id)},
            **dict.fromkeys(("notice", "announced", "refill", "withdraw"), ""),
            **said,
        }

    def sources(self, conversation: Conversation | None, only: str | None = None) -> dict[str, Any]:
        """The source cards of the turns."""
        turns = conversation.turns if conversation else ()
        cards = {turn.id: self.cards(turn) for turn in turns if only in (None, turn.id)}
        return sources(conversation, cards)

    def turn(self, turn: Turn) -> str:
        """One finished turn: the question, what came of it, and what can be done with it."""
        answer = turn.answer
        text, is_marked = partial_html(turn.partial or ""), True
        if answer and answer.status == "answered":
            text, is_marked = answer_html(answer, turn.id)
        near = self._near(turn) if answer and not answer.suggestions else []
        chips, copied = self.chips(turn.filters), markdown(turn)
        shown = HTML.turn(turn, text, is_marked, near, chips, EXPORTS, copied, self._may_share)
        return str(shown)

    def chips(self, filters: Filters, *, can_go: bool = False) -> Markup:
        """Filters as chips; those of the question box can be taken away."""
        one = self._there(filters.papers) if len(filters.papers) == 1 else []
        html: Markup = HTML.chips(filters, one, can_go)
        return html

    def cards(self, turn: Turn) -> str:
        """The cards of one turn: what it cites or, if it cites nothing, what is nearest."""
        return str(HTML.cards(turn, self._near(turn)))

    def _near(self, turn: Turn) -> list[Paper]:
        """The papers nearest to a question without an answer, nearest first."""
        answer = turn.answer
        is_refused = answer is not None and answer.status != "answered"
        return self._there(near.id for near in answer.nearest) if answer and is_refused else []

    def _there(self, ids: Iterable[str]) -> list[Paper]:
        """The papers of these ids that are still in the index."""
        papers = []
        for id_ in ids:
            with suppress(InputError):  # it was removed since
                papers.append(self._assistant.paper(id_))
        return papers


def answer_html(answer: Answer, turn: str) -> tuple[Markup, bool]:
    """The text of an answer that is no refusal, with its chips and marks.

    Args:
        answer: The answer.
        turn: The id of its turn, which makes its links unique on the page.

    Returns:
        The HTML, and whether every doubtful sentence is marked in it.
    """
    titles = {r.number: r.paper.display_title for r in answer.references}

    def chip(number: int, target: str) -> str:
        name = escape(f"[{number}] {titles[number]}")
        return (
            f'<a class="aqa-chat-cite" href="#aqa-source-{turn}-{target}" data-turn="{turn}"'
            f' title="{name}" aria-label="{name}">[{number}]</a>'
        )

    def opening(sentence: AnswerSentence) -> str:
        if sentence.support == "unchecked" and sentence.text.endswith(":"):  # names a group
            return '<span class="aqa-chat-group" role="heading" aria-level="3">'
        return f'<span class="aqa-chat-said aqa-chat-{sentence.support}">'

    def mark(number: int) -> str:
        panel = f"aqa-check-{turn}-{number}"
        return str(HTML.mark(answer, answer.sentences[number], panel))

    return prose_html(answer, chip, opening, mark)


def partial_html(text: str) -> Markup:
    """The beginning of a text that is being written."""
    return markdown_html(text, lambda number: f'<span class="aqa-chat-cite">[{number}]</span>')


def problem_html(message: str) -> Markup:
    """A mistake the user can mend, in one line."""
    html: Markup = HTML.problem(message)
    return html


def announcement(turn: Turn) -> str:
    """What a screen reader says when a turn is over."""
    if turn.problem is not None or turn.answer is None:
        return turn.problem or "Stopped."
    if turn.answer.status != "answered":
        return heading(turn.answer)
    count = len(turn.answer.references)
    return f"The answer is there, with {count} source{'s' * (count != 1)}."


def listing_html(
    found: Sequence[Conversation],
    current: str,
    searched: str = "",
    deleted: Conversation | None = None,
) -> str:
    """The conversations to choose from, by the day they were last used.

    Args:
        found: Newest first.
        current: The id of the one that is shown.
        searched: What was looked for.
        deleted: The one that was deleted last, if it can be brought back.
    """
    return str(HTML.conversations(found, current, searched.strip(), deleted))
