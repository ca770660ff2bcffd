"""What can be done with an answer: copied, asked again, taken back, exported, voted on."""

from rag.citations import unescape
from rag.schema import Answer
from ui.archive.models import Turn
from ui.web.chat.icons import icon
from ui.web.render import escape

_EXPORTS = (("markdown", "Markdown"), ("html", "HTML"), ("json", "JSON"))
_CITED = (("bibtex", "BibTeX"), ("ris", "RIS"), ("csv", "CSV"))
_COMPLAINTS = ("Not true", "Wrong papers", "Misses something", "Hard to read")


def with_sources(answer: Answer) -> str:
    """An answer as plain text with the papers it cites, to paste elsewhere."""
    lines = [unescape(answer.text), ""]
    for reference in answer.references:
        paper = reference.paper
        place = (paper.doi and f"https://doi.org/{paper.doi}") or paper.url
        about = [paper.display_title, ", ".join(paper.authors), place]
        lines.append(f"[{reference.number}] " + ". ".join(filter(None, about)))
    return "\n".join(lines).strip()


def tools_html(turn: Turn) -> str:
    """The row of tools below a finished turn."""
    tools = ""
    if turn.answer is not None:
        copied = escape(with_sources(turn.answer))
        tools += (
            f'<button type="button" class="aqa-chat-tool" data-copy="{copied}" '
            'title="Copy the answer with its sources">Copy</button>'
        )
    tools += (
        '<button type="button" class="aqa-chat-tool" data-do="retry" '
        'title="Ask the same question again">Retry</button>'
        '<button type="button" class="aqa-chat-tool aqa-chat-last-only" data-do="undo" '
        'title="Take this question and its answer back">Undo</button>'
    )
    if turn.answer is None:
        return f'<div class="aqa-chat-tools">{tools}</div>'
    return f'<div class="aqa-chat-tools">{tools}{menu_html("Export", "answer")}{_votes(turn)}</div>'


def _votes(turn: Turn) -> str:
    def thumb(vote: str, name: str) -> str:
        pressed = str(turn.vote == vote).lower()
        return (
            f'<button type="button" class="aqa-chat-tool" data-do="vote" data-vote="{vote}" '
            f'aria-pressed="{pressed}" aria-label="{name}" title="{name}">{icon(vote)}</button>'
        )

    up, down = thumb("up", "Good answer"), thumb("down", "Bad answer")
    if turn.vote is None:
        return f'<span class="aqa-chat-votes" role="group" aria-label="Feedback">{up}{down}</span>'
    given = escape(turn.vote_reason or "")
    choices = "".join(
        f'<button type="button" class="aqa-chat-tool" data-do="reason">{reason}</button>'
        for reason in (_COMPLAINTS if turn.vote == "down" else ())
    )
    said = "Thank you. Why?" if not turn.vote_reason else "Thank you."
    return (
        f'<span class="aqa-chat-votes" role="group" aria-label="Feedback">{up}{down}</span>'
        f'<form class="aqa-chat-reason" data-vote="{turn.vote}">'
        f'<p role="status">{said}</p>{choices}'
        f'<input type="text" aria-label="Why" maxlength="500" value="{given}" '
        'placeholder="Say more (optional)">'
        '<button type="submit" class="aqa-chat-tool">Send</button></form>'
    )


def menu_html(name: str, what: str) -> str:
    """The export menu of one answer, or of a conversation: `what` is "answer" or "conversation"."""

    def item(format_: str, label: str) -> str:
        return (
            f'<button type="button" data-do="export" data-what="{what}" data-format="{format_}">'
            f"{label}</button>"
        )

    whole = "".join(item(format_, label) for format_, label in _EXPORTS)
    cited = "".join(item(format_, label) for format_, label in _CITED)
    return (
        f'<details class="aqa-chat-menu"><summary>{escape(name)}</summary><div>'
        f"<p>The {what}</p>{whole}<p>The papers it cites</p>{cited}</div></details>"
    )
