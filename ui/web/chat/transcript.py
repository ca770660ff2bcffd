"""Finished turns as HTML: the question, what came of it, and what can be done with it.

What a reader may press carries `data-do`: the page's script sends it to the handler of that name.
"""

from rag.schema import Answer
from rag.wording import Kind
from ui.archive.models import Conversation, Turn
from ui.export.wording import model_name
from ui.web.chat.chips import chips_html
from ui.web.chat.marks import doubts_html
from ui.web.chat.prose import answer_html, partial_html
from ui.web.chat.question import LONGEST_SHOWN, problem_html, question_html, understood_html
from ui.web.chat.refusal import Refusals
from ui.web.chat.tools import tools_html
from ui.web.render import escape


class Transcript:
    """Turns as HTML; what a refusal needs of the index is looked up."""

    def __init__(self, refusals: Refusals) -> None:
        self._refusals = refusals

    def pieces(self, conversation: Conversation | None, *, without: str = "") -> dict[str, str]:
        """The HTML of every turn, by its id; `without` is the id of one that is not finished."""
        turns = conversation.turns if conversation else ()
        return {turn.id: self.turn(turn) for turn in turns if turn.id != without}

    def turn(self, turn: Turn) -> str:
        """One finished turn."""
        answer = turn.answer
        if turn.problem is not None:
            body = problem_html(turn.problem)
        elif answer is None:
            body = _stopped(turn)
        elif answer.status == "answered":
            body = _answered(answer, turn.id)
        else:
            body = self._refusals.html(turn.id, answer)
        return (
            f'<article class="aqa-chat-turn" id="aqa-turn-{turn.id}" data-turn="{turn.id}" '
            f'aria-labelledby="aqa-asked-{turn.id}">'
            f"{_asked(turn)}{chips_html(turn.filters, again=True)}"
            f"{body}{tools_html(turn)}{_followups(turn)}</article>"
        )


def _asked(turn: Turn) -> str:
    words = escape(turn.question.strip()[:LONGEST_SHOWN])
    return (
        f'<header class="aqa-chat-asked"><h2 id="aqa-asked-{turn.id}" tabindex="-1">'
        f"{question_html(turn.question)}</h2>"
        '<button type="button" class="aqa-chat-tool" data-do="edit" '
        'title="Edit the question and ask again">Edit</button></header>'
        '<form class="aqa-chat-edit" hidden>'
        f'<textarea aria-label="Edit the question" rows="2">{words}</textarea>'
        '<button type="submit" class="aqa-chat-strong">Ask again</button>'
        '<button type="button" class="aqa-chat-tool" data-do="leave">Cancel</button></form>'
    )


def _answered(answer: Answer, turn: str) -> str:
    text, marked = answer_html(answer, turn)
    notes = understood_html(answer) + ("" if marked else doubts_html(answer.doubts))
    notice = ""
    if answer.notice:
        notice = f'<p class="aqa-chat-caution" role="note">{escape(answer.notice)}</p>'
    # Above quotes, which appear at once; below a text that was read as it was written.
    above, below = ("", notice) if answer.model else (notice, "")
    return (
        f'<div class="aqa-chat-answer">{_by(answer)}{above}<div class="aqa-chat-text">{text}</div>'
        f'{below}<div class="aqa-chat-notes">{notes}</div></div>'
    )


def _by(answer: Answer) -> str:
    """Who wrote it, in the place of the stages: the text below does not move."""
    if answer.model is not None:
        by = f", checked by {answer.checked_by}" if answer.checked_by else ""
        writer = f"Written by {model_name(answer.model)}{by}"
    elif answer.references:
        writer = "Quoted from the abstracts"
    elif answer.kind == Kind.CHAT:
        writer = "Not from the abstracts"
    else:
        writer = "Read off the index"
    count = len(answer.references)
    sources = (
        f' · <button type="button" data-do="sources">{count} source{"s" * (count != 1)}</button>'
        if count
        else ""
    )
    return f'<p class="aqa-chat-by">{escape(writer)}{sources}</p>'


def _stopped(turn: Turn) -> str:
    text = partial_html(turn.partial or "")
    said = "Stopped." if text else "Stopped before the first word."
    return (
        f'<div class="aqa-chat-answer"><div class="aqa-chat-text">{text}</div>'
        f'<p class="aqa-chat-stopped">{said} What stands here was not checked to the end.</p></div>'
        if text
        else f'<div class="aqa-chat-answer"><p class="aqa-chat-stopped">{said}</p></div>'
    )


def _followups(turn: Turn) -> str:
    if turn.answer and turn.answer.suggestions:
        return suggestions_html(turn.answer.suggestions, "Ask instead")
    return suggestions_html(turn.followups, "Ask next")


def suggestions_html(questions: tuple[str, ...], heading: str) -> str:
    """Questions that one may ask by pressing them; shown under the last turn only."""
    if not questions:
        return ""
    chips = "".join(
        f'<button type="button" class="aqa-chat-suggestion" data-do="ask">{escape(q)}</button>'
        for q in questions
    )
    return (
        f'<div class="aqa-chat-next aqa-chat-last-only" role="group" aria-label="{heading}">'
        f"<p>{heading}</p>{chips}</div>"
    )
