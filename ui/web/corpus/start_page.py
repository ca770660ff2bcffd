"""What the collection is: in the page's heading, and on its start page.

The start page stands in the empty chat, which opens first: what it shows is there to be asked, and
beside the papers the map and the counts say the same already.
"""

import logging
from collections.abc import Iterator
from datetime import date
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING

import gradio as gr

from rag.digests import label
from ui.archive.marks import Mark
from ui.web.chat.turn_html import there
from ui.web.corpus.paper_catalogue import View
from ui.web.corpus.paper_html import HTML
from ui.web.site import Site, sent
from ui.web.visitors import visitor

if TYPE_CHECKING:
    from rag import Assistant

_log = logging.getLogger(__name__)


def heading(assistant: "Assistant") -> str:
    """The page's heading: its name, and what it answers from now."""
    papers, digests = assistant.info.papers, len(assistant.digests())
    return str(HTML.heading(papers, digests, assistant.coverage))


class StartPage:
    """The start page of a site. What takes time is made once for each generation of the index."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._lock = Lock()
        self._map: object = self  # of no index yet
        self._examples: list[str] | None = None

    def html(self, since: date | None = None, marks: dict[str, Mark] | None = None) -> str:
        """The page for the papers as they are now.

        New is what came `since` the visitor's last visit. Without their `marks` it is nobody's.
        """
        assistant = self._site.assistant
        map_ = assistant.collection_map()
        with self._lock:
            if map_ is not self._map:  # each generation that is opened has a map of its own
                self._examples, self._map = examples(assistant), map_
            suggested = self._examples
        if suggested is None:
            return str(HTML.empty_start(self._site.may_change))
        own = marks or {}
        shown = {
            "papers": assistant.info.papers,
            "digests": assistant.digests(),
            "days": [label("", d.date) for d in assistant.digests() if d.date],
            "themes": map_.clusters if map_ and len(map_.clusters) > 1 else (),
            "new": (since, label("", since), len(assistant.newest(since))) if since else None,
            "starred": len(there(assistant, [id_ for id_ in own if own[id_].starred])),
        }
        return str(HTML.start(shown, suggested, is_own=marks is not None))

    def show(self, event: gr.EventData, request: gr.Request) -> str:
        """The page as a visitor sees it, whose browser keeps when they were here last."""
        since = View.read({"since": sent(event).get("since")}).since
        marks = self._site.archive.marks.of(visitor(request))
        return self.html(since if isinstance(since, date) else None, marks)


def examples(assistant: "Assistant") -> list[str] | None:
    """An overview, what is new, a list: those that these papers answer without a caution.

    None if there are no papers.
    """
    if not assistant.info.papers:
        return None
    forms = (iter(["What is this collection about?"]), _on_new(assistant), _on_groups(assistant))
    # Each takes a moment.
    found = (
        next((each for each in islice(form, 8) if _is_answered(assistant, each)), None)
        for form in forms
    )
    return [question for question in found if question]


def _on_new(assistant: "Assistant") -> Iterator[str]:
    """What the newest digest brought, or which papers are the newest."""
    dated = [digest for digest in assistant.digests() if digest.date]
    if len(dated) > 1:
        yield f"What is new in the {dated[-1].label} digest?"
    yield "What are the newest papers?"


def _on_groups(assistant: "Assistant") -> Iterator[str]:
    """The subjects of the largest groups of papers, those of more than one word first."""
    map_ = assistant.collection_map()
    first = [cluster.terms[0] for cluster in map_.clusters if cluster.terms] if map_ else []
    for subject in sorted(first, key=lambda term: " " not in term):
        yield f"Which papers are about {subject}?"


def _is_answered(assistant: "Assistant", question: str) -> bool:
    try:
        answer = assistant.ask(question, mode="extractive")
    except Exception:  # noqa: BLE001 - the page must open; an example is a courtesy
        _log.exception("no example")
        return False
    return answer.status == "answered" and not answer.notice
