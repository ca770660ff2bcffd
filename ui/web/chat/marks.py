"""What a reader sees of a check: a small label at a sentence that it did not wholly bear out."""

from collections.abc import Sequence

from index.text import clean_text
from rag.schema import Answer, AnswerSentence, Support
from ui.web.render import escape

_LABELS: dict[Support, tuple[str, str]] = {
    "partly": ("in part", "The abstracts bear this out only in part."),
    "unsupported": ("not found", "The abstracts do not bear this out."),
    "unchecked": ("not checked", "Nobody has checked whether the abstracts bear this out."),
}


def mark_html(answer: Answer, number: int, turn: str) -> str:
    """The label behind sentence `number` (from 0) and what it opens; empty if there is no doubt."""
    sentence = answer.sentences[number]
    is_quoted = sentence.support == "unchecked" and answer.model is None
    if sentence.support not in _LABELS or is_quoted:
        return ""
    label, meaning = _LABELS[sentence.support]
    panel = f"aqa-check-{turn}-{number}"
    return (
        f' <button type="button" class="aqa-chat-mark" aria-expanded="false" '
        f'aria-controls="{panel}" title="What it was checked against">{label}</button>'
        f'<span class="aqa-chat-check" id="{panel}" role="note" hidden>'
        f"<strong>{meaning}</strong>{_why(sentence)}{_against(answer, sentence)}</span>"
    )


def doubts_html(doubts: Sequence[str]) -> str:
    """The doubts of an answer as a list, for one whose sentences cannot be marked."""
    if not doubts:
        return ""
    items = "".join(f"<li>{escape(line)}</li>" for line in doubts)
    return f"<p>Not wholly borne out by the abstracts:</p><ul>{items}</ul>"


def _why(sentence: AnswerSentence) -> str:
    if not sentence.reason:
        return ""
    reason = sentence.reason
    return f'<span class="aqa-chat-why">Why: {escape(reason)}.</span>'.replace("..<", ".<")


def _against(answer: Answer, sentence: AnswerSentence) -> str:
    """The sentences of abstracts that it was checked against."""
    abstracts = {r.number: r.paper.abstract for r in answer.references}
    quotes = "".join(
        f'<span class="aqa-chat-quote">[{c.reference}] '
        f"“{escape(clean_text(abstracts[c.reference][c.start : c.end]))}”</span>"
        for c in sentence.citations
    )
    if not quotes:
        return (
            '<span class="aqa-chat-why">None of the sentences that were read for this answer and '
            "come nearest to it says it. So it cites nothing.</span>"
        )
    return f'<span class="aqa-chat-why">It was checked against:</span>{quotes}'
