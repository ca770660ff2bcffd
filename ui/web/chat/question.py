"""A question as the page repeats it: how it was put, how it was understood, what is wrong."""

from rag.schema import Answer
from ui.web.render import escape

LONGEST_SHOWN = 4_000
"""Code points of a question that the page repeats."""


def question_html(question: str) -> str:
    """A question as the page repeats it."""
    shown = question.strip()
    if len(shown) > LONGEST_SHOWN:
        shown = shown[:LONGEST_SHOWN] + " …"
    return "<br>".join(escape(line) for line in shown.splitlines())


def problem_html(message: str) -> str:
    """A mistake the user can mend, in one line."""
    shown = " ".join(message.split())
    return f'<div class="aqa-chat-problem"><p>{escape(shown[:1].upper() + shown[1:])}</p></div>'


def understood_html(answer: Answer) -> str:
    """How a follow-up was read, and the parts it was planned into."""
    lines = ""
    if answer.standalone_question.strip() != answer.question.strip():
        lines += (
            '<p class="aqa-chat-understood">Understood as: '
            f"{question_html(answer.standalone_question)}</p>"
        )
    if answer.plan:
        parts = "".join(f"<li>{escape(part.question)}</li>" for part in answer.plan)
        lines += (
            f'<details class="aqa-chat-understood"><summary>Looked up in {len(answer.plan)} parts'
            f"</summary><ol>{parts}</ol></details>"
        )
    return lines
