"""What stands in an empty conversation: what one can ask of these papers, as questions to press."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING

from index.folding import is_shaped
from index.papers import Paper
from ui.web.pairs import near_pairs
from ui.web.render import escape

if TYPE_CHECKING:
    from rag import Assistant

MOST_TRIED = 8
"""Questions of one form that are asked until one has an answer: each takes a moment."""
OVERVIEW = "What is this collection about?"

_log = logging.getLogger(__name__)


class Welcome:
    """The empty conversation, made anew for each generation of the index."""

    def __init__(self, assistant: "Assistant") -> None:
        self._assistant = assistant
        self._lock = Lock()
        self._map: object = self  # of no index yet
        self._html = ""

    def html(self) -> str:
        """The empty conversation for the papers as they are now."""
        with self._lock:
            # Each generation that is opened has a map of its own.
            if (map_ := self._assistant.collection_map()) is not self._map:
                self._html, self._map = welcome_html(examples(self._assistant)), map_
            return self._html


def examples(assistant: "Assistant") -> list[str] | None:
    """An overview, what is new, a comparison and a list, as far as these papers answer them.

    Returns:
        Up to four questions; None if there are no papers.
    """
    papers = assistant.papers()
    if not papers:
        return None
    forms = (
        ([OVERVIEW], 1),
        (_new(assistant, papers), 2),
        (_compared(assistant, papers), 2),
        (_listed(assistant), 2),
    )
    found = (_first_answered(assistant, questions, least) for questions, least in forms)
    return [question for question in found if question]


def welcome_html(questions: Sequence[str] | None) -> str:
    """The empty conversation with these questions to press; None if there are no papers."""
    if questions is None:
        return (
            '<p class="aqa-chat-lead">There are no papers yet.</p>'
            "<p>Add some in the tab Papers; then ask about them here.</p>"
        )
    buttons = "".join(
        f'<button type="button" class="aqa-chat-example" data-do="ask">{escape(question)}</button>'
        for question in questions
    )
    return (
        '<p class="aqa-chat-lead">What do you want to know from these papers?</p>'
        f'<div class="aqa-chat-examples">{buttons}</div>'
    )


def _new(assistant: "Assistant", papers: Sequence[Paper]) -> Iterator[str]:
    """What the newest digest brought, or which papers are the newest where years are known."""
    dated = [digest for digest in assistant.digests() if digest.date]
    if len(dated) > 1:
        yield f"What is new in the {dated[-1].label} digest?"
    if dated or any(paper.year for paper in papers):
        yield "What are the newest papers?"


def _compared(assistant: "Assistant", papers: Sequence[Paper]) -> Iterator[str]:
    """Two papers that are near each other, and whose names are no common words."""
    heads = {paper.id: paper.head or "" for paper in papers}
    names = {id_: head for id_, head in heads.items() if is_shaped(head) and " " not in head}
    for one, other in near_pairs(assistant, names):
        yield f"How do {one} and {other} differ?"


def _listed(assistant: "Assistant") -> Iterator[str]:
    """The subjects of the largest groups of papers, those of more than one word first."""
    map_ = assistant.collection_map()
    terms = [cluster.terms for cluster in map_.clusters] if map_ else []
    longer = [next((term for term in each if " " in term), None) for each in terms]
    first = [each[0] for each in terms if each]
    for subject in dict.fromkeys((*filter(None, longer), *first)):
        yield f"Which papers are about {subject}?"


def _first_answered(assistant: "Assistant", questions: Iterable[str], least: int) -> str | None:
    """The first question that is answered, without a caution, from `least` papers or more."""
    for question in islice(questions, MOST_TRIED):
        try:
            answer = assistant.ask(question, mode="extractive")
        except Exception:  # noqa: BLE001 - the page must open; an example is a courtesy
            _log.exception("no example")
            return None
        if answer.status == "answered" and not answer.notice and len(answer.references) >= least:
            return question
    return None
