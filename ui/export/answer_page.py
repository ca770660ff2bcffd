"""Answers and conversations as one HTML file that needs nothing else, and runs nothing."""

from typing import Any

from markupsafe import Markup

from index.text import clean_text
from rag.schema import Answer, AnswerSentence, Reference
from ui.archive import Conversation, Turn
from ui.export.answer_text import (
    NO_ANSWER,
    byline,
    doubt,
    filters_text,
    link,
    one_line,
    provenance,
    unanswered,
    understood_as,
)
from ui.export.prose import markdown_html, marked_abstract, prose_html
from ui.web.markup import macros
from ui.web.render import escape


def page(what: Conversation | Turn) -> str:
    """One question with its answer, or a conversation, each answer with its sources at its end."""
    turns = what.turns if isinstance(what, Conversation) else (what,)
    shown = [_turn(turn, number) for number, turn in enumerate(turns, start=1)]
    title = what.title if isinstance(what, Conversation) else what.question
    html = macros("export/page.html").page(one_line(title), shown, isinstance(what, Conversation))
    return f"{html}\n"


def _turn(turn: Turn, number: int) -> dict[str, Any]:
    answer = turn.answer
    shown: dict[str, Any] = {
        "question": one_line(turn.question),
        "understood": understood_as(turn),
        "filters": filters_text(turn.filters),
        "text": "",
    }
    if answer is None:
        partial = markdown_html(turn.partial or "", lambda cited: f"[{cited}]")
        return shown | {"text": partial, "unanswered": unanswered(turn)}
    is_refusal = answer.status == "insufficient_evidence"
    text, is_marked = (Markup(), True) if is_refusal else _text(answer, number)
    return shown | {
        "text": text,
        "unanswered": None,
        "heading": NO_ANSWER,
        "refusal": one_line(answer.reason or "") if is_refusal else None,
        "nearest": [clean_text(near.title) for near in answer.nearest] if is_refusal else [],
        "doubts": [] if is_marked else answer.doubts,
        "notice": answer.notice,
        "sources": [_source(reference, number) for reference in answer.references],
        "provenance": provenance(turn, answer),
    }


def _text(answer: Answer, number: int) -> tuple[Markup, bool]:
    """The text: each marker leads to the sentence it stands for, each doubt is told."""

    def opening(sentence: AnswerSentence) -> str:
        return '<span class="doubtful">' if doubt(sentence) else "<span>"

    def note(at: int) -> str:
        against = doubt(answer.sentences[at])
        return f' <small class="doubt">({escape(against)})</small>' if against else ""

    def marker(cited: int, target: str) -> str:
        return f'<a class="cite" href="#source-{number}-{target}">[{cited}]</a>'

    return prose_html(answer, marker, opening, note)


def _source(reference: Reference, number: int) -> dict[str, Any]:
    paper, anchor = reference.paper, f"source-{number}-{reference.number}"
    return {
        "anchor": anchor,
        "number": reference.number,
        "title": paper.display_title,
        "address": link(paper),
        "byline": byline(paper),
        "abstract": marked_abstract(paper.abstract, reference.passages, anchor),
    }
