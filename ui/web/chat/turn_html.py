"""What the page shows of turns, sources and conversations: `chat.html`, what it calls, new values.

The page's script keeps the turns and cards that it has: of each list, `order` names all of them,
and `html` brings those that are new or have changed.
"""

import re
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

import gradio as gr
from markupsafe import Markup

from index.errors import InputError
from index.papers import Paper
from index.text import clean_text
from rag.digests import label
from rag.schema import Answer, AnswerSentence, Filters
from ui.archive import Conversation, Turn
from ui.export import FORMATS
from ui.export.answer_text import digest_name, markdown, model_name
from ui.export.bibliography import arxiv_id, bibtex, doi_address, web_address
from ui.export.prose import markdown_html, marked_abstract, prose_html
from ui.web.markup import escape, macros, plural

if TYPE_CHECKING:
    from rag import Assistant

LONGEST_SHOWN = 4_000
"""Code points of a question that the page repeats."""
_ADDRESS = re.compile(r"(https?://[^\s<>\"{}|\\^`]*[^\s<>\"{}|\\^`.,;:!?)\]'’”])", re.IGNORECASE)
SKIP = gr.skip()
EXPORTS = {
    "whole": [(kind, form.label) for kind, form in FORMATS.items() if form.write],
    "cited": [(kind, form.label) for kind, form in FORMATS.items() if form.papers],
}


def question_lines(question: str) -> list[str]:
    """A question as the page repeats it."""
    shown = question.strip()
    return (shown[:LONGEST_SHOWN] + " …" if len(shown) > LONGEST_SHOWN else shown).splitlines()


def heading(answer: Answer) -> str:
    """Say in a sentence what a refusal is: nothing is stated, or the question is unclear."""
    return "The question is unclear." if answer.suggestions else "The abstracts do not say."


def day_name(moment: datetime) -> str:
    """A day as people call it, in the time zone of the machine that serves the page."""
    day, today = moment.astimezone().date(), datetime.now().astimezone().date()
    if day == today:
        return "Today"
    return "Yesterday" if day == today - timedelta(days=1) else label("", day)


def linked(text: str) -> str:
    """A text as HTML in which web addresses are links."""
    return "".join(
        f'<a href="{part}" target="_blank" rel="noopener noreferrer">{part}</a>' if at % 2 else part
        for at, part in enumerate(map(escape, _ADDRESS.split(text)))
    )


def links(paper: Paper) -> list[tuple[str, str]]:
    """Where a paper is on the web: (name, address); none if nothing is known."""
    found: list[tuple[str, str]] = []
    if arxiv := arxiv_id(paper):
        found.append(("arXiv", f"https://arxiv.org/abs/{arxiv}"))
    if doi := doi_address(paper):
        found.append(("DOI", doi))
    if paper.pmid:
        found.append(("PubMed", f"https://pubmed.ncbi.nlm.nih.gov/{paper.pmid}/"))
    named = [site for site, id_ in (("arxiv.org/", arxiv), ("pubmed", paper.pmid)) if id_]
    url = web_address(paper)
    if url and not any(site in url.lower() for site in named):
        found.append(("Web page", url))
    return found


def search(paper: Paper) -> tuple[str, str]:
    """A search for a paper of which no address is known."""
    words = quote(f'"{paper.display_title}"')
    return "Search the web", f"https://scholar.google.com/scholar?q={words}"


HTML = macros(
    "web/chat/chat.html",
    *(question_lines, heading, day_name, linked, links, search),
    *(bibtex, clean_text, digest_name, label, marked_abstract, model_name),
)


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
        """The finished turns, all but `writing`, with the HTML of all or of `only` one.

        `said` has `notice`, HTML below the turns; `announced`, what a screen reader says; `refill`,
        what to put into the question box, if nothing stands there, and `withdraw`, what to take out
        of it, if nothing else does.
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
        one = there(self._assistant, filters.papers) if len(filters.papers) == 1 else []
        html: Markup = HTML.chips(filters, one, can_go)
        return html

    def cards(self, turn: Turn) -> str:
        """The cards of one turn: what it cites or, if it cites nothing, what is nearest."""
        return str(HTML.cards(turn, self._near(turn)))

    def _near(self, turn: Turn) -> list[Paper]:
        """The papers nearest to a question without an answer, nearest first."""
        answer = turn.answer
        is_refused = answer is not None and answer.status != "answered"
        ids = [near.id for near in answer.nearest] if answer and is_refused else []
        return there(self._assistant, ids)


def there(assistant: "Assistant", ids: Iterable[str]) -> list[Paper]:
    """The papers of these ids that are still in the index."""
    papers = []
    for id_ in ids:
        with suppress(InputError):  # it was removed since
            papers.append(assistant.paper(id_))
    return papers


def answer_html(answer: Answer, turn: str) -> tuple[Markup, bool]:
    """The text of an answer that is no refusal, with its chips and marks.

    The id of its turn makes its links unique on the page. Also whether every doubtful sentence is
    marked in it.
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
    return f"The answer is there, with {plural(len(turn.answer.references), 'source')}."
