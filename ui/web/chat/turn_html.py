"""Render turns, sources and conversations as HTML (`chat.html`), and build the page's updates.

The page's script keeps the turns and cards that it has. In each update of a list, `order` has the
ids of all its elements, and `html` those that are new or have changed.
"""

import re
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import quote

import gradio as gr
from markupsafe import Markup

from index.errors import InputError
from index.papers import Paper
from index.text import clean_text
from rag import Assistant
from rag.digests import label
from rag.schema import Answer, AnswerSentence, Filters
from ui.archive import Conversation, Turn
from ui.export import FORMATS, answer_text
from ui.export.answer_text import markdown, markdown_html, prose_html
from ui.export.bibliography import arxiv_id, bibtex, doi_address, web_address
from ui.web.markup import escape, macros, plural

LONGEST_SHOWN = 4_000  # the most code points of a question that the page shows
_ADDRESS = re.compile(r"(https?://[^\s<>\"{}|\\^`]*[^\s<>\"{}|\\^`.,;:!?)\]'’”])", re.IGNORECASE)
SKIP = gr.skip()
EXPORTS = {
    "whole": [(kind, form.label) for kind, form in FORMATS.items() if form.write],
    "cited": [(kind, form.label) for kind, form in FORMATS.items() if form.papers],
}


def question_lines(question: str) -> list[str]:
    """Return the lines of a question, cut after `LONGEST_SHOWN` code points."""
    shown = question.strip()
    return (shown[:LONGEST_SHOWN] + " …" if len(shown) > LONGEST_SHOWN else shown).splitlines()


def day_name(moment: datetime) -> str:
    """Return "Today", "Yesterday" or a date, in the time zone of the server."""
    day, today = moment.astimezone().date(), datetime.now().astimezone().date()
    if day == today:
        return "Today"
    return "Yesterday" if day == today - timedelta(days=1) else label("", day)


def linked(text: str) -> str:
    """Return a text as HTML in which web addresses are links."""
    return "".join(
        f'<a href="{part}" target="_blank" rel="noopener noreferrer">{part}</a>' if at % 2 else part
        for at, part in enumerate(map(escape, _ADDRESS.split(text)))
    )


def links(paper: Paper) -> list[tuple[str, str]]:
    """Return the web addresses of a paper, as (name, address); empty if none is known."""
    arxiv, url = arxiv_id(paper), web_address(paper) or ""
    if (arxiv and "arxiv.org/" in url.lower()) or (paper.pmid and "pubmed" in url.lower()):
        url = ""
    found = {
        "arXiv": f"https://arxiv.org/abs/{arxiv}" if arxiv else "",
        "DOI": doi_address(paper) or "",
        "PubMed": f"https://pubmed.ncbi.nlm.nih.gov/{paper.pmid}/" if paper.pmid else "",
        "Web page": url,
    }
    return [(name, address) for name, address in found.items() if address]


def search(paper: Paper) -> tuple[str, str]:
    """Return (name, address) of a web search for a paper without a known address."""
    words = quote(f'"{paper.display_title}"')
    return "Search the web", f"https://scholar.google.com/scholar?q={words}"


HTML = macros(
    "web/chat/chat.html",
    *(question_lines, day_name, linked, links, search, bibtex, clean_text, label),
    *(answer_text.digest_name, answer_text.marked_abstract, answer_text.model_name),
)


class Update(NamedTuple):
    """New values of the page's components; `SKIP` leaves one unchanged."""

    conversation: Any = SKIP
    transcript: Any = SKIP
    live: Any = SKIP
    sources: Any = SKIP
    following: Any = SKIP  # not empty: follow an answer being written; never the same twice


def sources(conversation: Conversation | None, html: Mapping[str, str]) -> dict[str, Any]:
    """Return the update of the source cards, `html` by turn id; the last turn's are shown."""
    order = [turn.id for turn in conversation.turns] if conversation else []
    *_, show = ["", *html]
    id_ = conversation.id if conversation else ""
    return {"conversation": id_, "order": order, "html": dict(html), "show": show}


def live(conversation: str, html: str = "") -> dict[str, str]:
    """Return the update of the turn that is being written; without `html` it is removed."""
    return {"conversation": conversation, "html": html}


class TurnHtml:
    """Renders turns and source cards of a conversation: all, or one (`only`; "" is none)."""

    def __init__(self, assistant: Assistant, *, may_share: bool = False) -> None:
        self._assistant = assistant
        self._may_share = may_share

    def transcript(
        self,
        conversation: Conversation | None,
        only: str | None = None,
        *,
        writing: str = "",
        **extras: str,
    ) -> dict[str, Any]:
        """Return the update of the finished turns, without the one being written.

        `extras` may have `notice`, HTML below the turns; `announced`, text for a screen reader;
        `refill`, text to put into the question box if it is empty; `withdraw`, text to remove from
        the box if it is exactly that.
        """
        turns = [turn for turn in conversation.turns if turn.id != writing] if conversation else []
        return {
            "at": time.time(),  # the script ignores an older or a repeated one
            "conversation": conversation.id if conversation else "",
            "order": [turn.id for turn in turns],
            "html": {turn.id: self.turn(turn) for turn in turns if only in (None, turn.id)},
            **dict.fromkeys(("notice", "announced", "refill", "withdraw"), ""),
            **extras,
        }

    def sources(self, conversation: Conversation | None, only: str | None = None) -> dict[str, Any]:
        """Return the update of the source cards of a conversation."""
        turns = conversation.turns if conversation else ()
        cards = {turn.id: self.cards(turn) for turn in turns if only in (None, turn.id)}
        return sources(conversation, cards)

    def turn(self, turn: Turn) -> str:
        """Return the HTML of a finished turn: the question, its outcome, and the buttons."""
        answer = turn.answer
        text, is_marked = partial_html(turn.partial or ""), True
        if answer and answer.status == "answered":
            text, is_marked = answer_html(answer, turn.id)
        near = self._near(turn) if answer and not answer.suggestions else []
        given = (self.chips(turn.filters), EXPORTS, markdown(turn), self._may_share)
        return str(HTML.turn(turn, text, is_marked, near, *given))

    def chips(self, filters: Filters, *, can_go: bool = False) -> Markup:
        """Return the filters as chips; with `can_go` each has a button to remove it."""
        one = there(self._assistant, filters.papers) if len(filters.papers) == 1 else []
        chips: Markup = HTML.chips(filters, one, can_go)
        return chips

    def cards(self, turn: Turn) -> str:
        """Return the cards of one turn: the cited papers or, for a refusal, the nearest papers."""
        return str(HTML.cards(turn, self._near(turn)))

    def _near(self, turn: Turn) -> list[Paper]:
        """Return the papers nearest to a refused question, nearest first; else none."""
        if turn.answer is None or turn.answer.status == "answered":
            return []
        return there(self._assistant, [near.id for near in turn.answer.nearest])


def there(assistant: Assistant, ids: Iterable[str]) -> list[Paper]:
    """Return the papers with these ids that are still in the index."""
    papers = []
    for id_ in ids:
        with suppress(InputError):  # it was removed
            papers.append(assistant.paper(id_))
    return papers


def answer_html(answer: Answer, turn: str) -> tuple[Markup, bool]:
    """Return an answer's text as HTML, with links for `turn`, and whether doubts are marked."""
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

    def mark(sentence: AnswerSentence, number: int) -> str:
        return str(HTML.mark(answer, sentence, f"aqa-check-{turn}-{number}"))

    return prose_html(answer, chip, opening, mark)


def partial_html(text: str) -> Markup:
    """Return a text that is still being written as HTML."""
    return markdown_html(text, lambda number: f'<span class="aqa-chat-cite">[{number}]</span>')


def announcement(turn: Turn) -> str:
    """Return what a screen reader announces when a turn is over."""
    if turn.problem is not None or turn.answer is None:
        return turn.problem or "Stopped."
    if turn.answer.status != "answered":
        return turn.answer.heading or turn.answer.reason or ""
    return f"The answer is ready, with {plural(len(turn.answer.references), 'source')}."
