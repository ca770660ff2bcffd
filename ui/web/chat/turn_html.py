"""What the page shows of turns, sources and conversations, as HTML (`chat.html`) and new values.

The page's script keeps the turns and cards that it has: of each list, `order` names all of them,
and `html` brings those that are new or have changed.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

import gradio as gr
from markupsafe import Markup

from index.errors import InputError
from index.papers import Paper
from index.text import clean_text
from rag.citations import unescape
from rag.digests import label
from rag.schema import Answer, AnswerSentence, Filters, Support
from rag.wording import Kind
from ui.archive import Conversation, Summary, Turn
from ui.export import FORMATS
from ui.export.answer_text import digest_name, model_name
from ui.export.bibliography import doi_address
from ui.export.prose import markdown_html, prose_html
from ui.web.chat.source_cards import HTML, card, cited_html
from ui.web.markup import escape

if TYPE_CHECKING:
    from rag import Assistant

SKIP = gr.skip()
LONGEST_SHOWN = 4_000
"""Code points of a question that the page repeats."""

EXPORTS = {
    "whole": [(kind, form.label) for kind, form in FORMATS.items() if form.write],
    "cited": [(kind, form.label) for kind, form in FORMATS.items() if form.papers],
}
_DOUBTS: dict[Support, tuple[str, str]] = {
    "partly": ("in part", "The abstracts bear this out only in part."),
    "unsupported": ("not found", "The abstracts do not bear this out."),
    "unchecked": ("not checked", "Nobody has checked whether the abstracts bear this out."),
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
        if turn.problem is not None:
            body = problem_html(turn.problem)
        elif answer is None:
            body = HTML.stopped(partial_html(turn.partial or ""))
        elif answer.status == "answered":
            text, is_marked = answer_html(answer, turn.id)
            body = HTML.answered(answer, _writer(answer), text, is_marked, _understood(answer))
        else:
            near = [] if answer.suggestions else [clean_text(p.title) for p in self._near(answer)]
            body = HTML.refusal(answer, heading(answer), turn.id, near, _understood(answer))
        chips = self.chips(turn.filters, "without")
        copied = with_sources(answer) if answer else ""
        question = question_lines(turn.question)
        return str(HTML.turn(turn, question, chips, body, EXPORTS, copied, self._may_share))

    def chips(self, filters: Filters, does: str = "") -> Markup:
        """Filters as chips; what their ✕ does: "without" on an answer, "unfilter" on the box."""
        html: Markup = HTML.chips(list(self._limits(filters)), does)
        return html

    def _limits(self, filters: Filters) -> Iterator[tuple[str, str, str]]:
        """Each limit of filters as (kind, value, what people call it)."""
        for digest in filters.digests:
            yield "digest", digest, digest_name(digest)
        if filters.since:
            yield "since", filters.since.isoformat(), f"from {label('', filters.since)}"
        if filters.until:
            yield "until", filters.until.isoformat(), f"until {label('', filters.until)}"
        if filters.title and filters.title.strip():
            yield "title", filters.title, f"title has “{filters.title.strip()}”"
        if filters.papers:
            name = f"{len(filters.papers)} papers"
            if len(filters.papers) == 1:
                there = self._there(filters.papers)
                name = there[0].display_title if there else "a paper that was removed"
            yield "papers", "\n".join(filters.papers), name

    def cards(self, turn: Turn) -> str:
        """The cards of one turn: what it cites or, if it cites nothing, what is nearest."""
        answer = turn.answer
        if answer is None:
            return str(HTML.no_cards("There is no answer, so nothing is cited."))
        if answer.references:
            return cited_html(answer, turn.id)
        near = self._near(answer) if answer.status != "answered" else []
        more = " These papers are the nearest." if near else ""
        cards = [card(f"aqa-near-{turn.id}-{at}", paper) for at, paper in enumerate(near, start=1)]
        return "".join([str(HTML.no_cards(f"Nothing is cited.{more}")), *cards])

    def _near(self, answer: Answer) -> list[Paper]:
        """The papers nearest to the question that are still in the index, nearest first."""
        return self._there(near.id for near in answer.nearest)

    def _there(self, ids: Iterable[str]) -> list[Paper]:
        """The papers of these ids that are still in the index."""
        papers = []
        for id_ in ids:
            try:
                papers.append(self._assistant.paper(id_))
            except InputError:  # it was removed since
                continue
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

    return prose_html(answer, chip, opening, lambda number: _mark(answer, number, turn))


def _mark(answer: Answer, number: int, turn: str) -> str:
    """The label behind sentence `number` (from 0) and what it opens; empty if there is no doubt."""
    sentence = answer.sentences[number]
    is_quoted = sentence.support == "unchecked" and answer.model is None
    if sentence.support not in _DOUBTS or is_quoted:
        return ""
    abstracts = {r.number: r.paper.abstract for r in answer.references}
    quotes = [
        (c.reference, clean_text(abstracts[c.reference][c.start : c.end]))
        for c in sentence.citations
    ]
    reason = (sentence.reason or "").removesuffix(".")
    panel = f"aqa-check-{turn}-{number}"
    return str(HTML.mark(panel, *_DOUBTS[sentence.support], reason, quotes))


def doubts_html(doubts: Sequence[str]) -> str:
    """The doubts of an answer as a list, for one whose sentences cannot be marked."""
    return str(HTML.doubts(doubts))


def partial_html(text: str) -> Markup:
    """The beginning of a text that is being written."""
    return markdown_html(text, lambda number: f'<span class="aqa-chat-cite">[{number}]</span>')


def problem_html(message: str) -> Markup:
    """A mistake the user can mend, in one line."""
    line = " ".join(message.split())
    html: Markup = HTML.problem(line[:1].upper() + line[1:])
    return html


def question_lines(question: str) -> list[str]:
    """A question as the page repeats it."""
    shown = question.strip()
    return (shown[:LONGEST_SHOWN] + " …" if len(shown) > LONGEST_SHOWN else shown).splitlines()


def _understood(answer: Answer) -> Markup:
    """How a follow-up was read, and the parts it was planned into."""
    is_same = answer.standalone_question.strip() == answer.question.strip()
    question = None if is_same else question_lines(answer.standalone_question)
    html: Markup = HTML.understood(question, answer.plan)
    return html


def _writer(answer: Answer) -> str:
    if answer.model is not None:
        by = f", checked by {answer.checked_by}" if answer.checked_by else ""
        return f"Written by {model_name(answer.model)}{by}"
    if answer.references:
        return "Quoted from the abstracts"
    return "Not from the abstracts" if answer.kind == Kind.CHAT else "Read off the index"


def heading(answer: Answer) -> str:
    """Say in a sentence what a refusal is: nothing is stated, or the question is unclear."""
    return "The question is unclear." if answer.suggestions else "The abstracts do not say."


def announcement(turn: Turn) -> str:
    """What a screen reader says when a turn is over."""
    if turn.problem is not None or turn.answer is None:
        return turn.problem or "Stopped."
    if turn.answer.status != "answered":
        return heading(turn.answer)
    count = len(turn.answer.references)
    return f"The answer is there, with {count} source{'s' * (count != 1)}."


def with_sources(answer: Answer) -> str:
    """An answer as plain text with the papers it cites, to paste elsewhere."""
    lines = [unescape(answer.text), ""]
    for reference in answer.references:
        paper = reference.paper
        place = doi_address(paper) or paper.url
        about = [paper.display_title, ", ".join(paper.authors), place]
        lines.append(f"[{reference.number}] " + ". ".join(filter(None, about)))
    return "\n".join(lines).strip()


def listing_html(
    summaries: Sequence[Summary], current: str, searched: str = "", deleted: Summary | None = None
) -> str:
    """The conversations to choose from, grouped by the day they were last used.

    Args:
        summaries: Newest first.
        current: The id of the one that is shown.
        searched: What was looked for.
        deleted: The one that was deleted last, if it can be brought back.
    """
    days = [
        (day, list(group)) for day, group in groupby(summaries, key=lambda s: day_name(s.updated))
    ]
    none = "No conversation has these words." if searched.strip() else "None yet."
    return str(HTML.conversations(days, current, none, deleted))


def day_name(moment: datetime, today: date | None = None) -> str:
    """A day as people call it, in the time zone of the machine that serves the page."""
    day, now = moment.astimezone().date(), today or datetime.now().astimezone().date()
    if day == now:
        return "Today"
    return "Yesterday" if day == now - timedelta(days=1) else label("", day)
