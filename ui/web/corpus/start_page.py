"""Describe the collection: the page's heading, and the start page with example questions."""

import logging
from datetime import date
from threading import Lock

import gradio as gr

from rag import Assistant
from rag.digests import label
from ui.archive.marks import Mark
from ui.web.chat.turn_html import there
from ui.web.corpus.paper_catalogue import View
from ui.web.corpus.paper_html import HTML
from ui.web.site import Site, sent
from ui.web.visitors import visitor

_log = logging.getLogger(__name__)


def heading(assistant: Assistant) -> str:
    """Return the heading's HTML: the name, and the counts of papers and digests."""
    papers, digests = assistant.info.papers, len(assistant.digests())
    return str(HTML.heading(papers, digests, assistant.coverage))


class StartPage:
    """The start page of a site; its examples are made once for each generation of the index."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._lock = Lock()
        self._map: object = self  # no index was read yet
        self._examples: list[str] | None = None

    def html(self, since: date | None = None, marks: dict[str, Mark] | None = None) -> str:
        """Return the start page, for a visitor with `marks` whose last visit was on `since`."""
        assistant = self._site.assistant
        map_ = assistant.collection_map()
        with self._lock:
            if map_ is not self._map:  # a new map object: a new generation is live
                self._examples, self._map = examples(assistant), map_
            suggested = self._examples
        if suggested is None:
            return str(HTML.empty_start(self._site.may_change))
        marked = marks or {}
        shown = {
            "papers": assistant.info.papers,
            "digests": assistant.digests(),
            "days": [label("", d.date) for d in assistant.digests() if d.date],
            "themes": map_.clusters if map_ and len(map_.clusters) > 1 else (),
            "new": (since, label("", since), len(assistant.newest(since))) if since else None,
            "starred": len(there(assistant, [id_ for id_ in marked if marked[id_].starred])),
        }
        return str(HTML.start(shown, suggested, is_own=marks is not None))

    def show(self, event: gr.EventData, request: gr.Request) -> str:
        """Return the page for a visitor; the browser keeps and sends the day of the last visit."""
        since = View.read({"since": sent(event).get("since")}).since
        marks = self._site.archive.marks.of(visitor(request))
        return self.html(since if isinstance(since, date) else None, marks)


def examples(assistant: Assistant) -> list[str] | None:
    """Return questions that these papers answer: an overview, what is new, a list."""
    if not assistant.info.papers:
        return None
    map_ = assistant.collection_map()
    subjects = [cluster.terms[0] for cluster in map_.clusters if cluster.terms] if map_ else []
    subjects.sort(key=lambda term: " " not in term)  # more than one word first
    dated = [digest.label for digest in assistant.digests() if digest.date]
    on_new = [f"What is new in the {name} digest?" for name in dated[1:][-1:]]
    forms = (
        ["What is this collection about?"],
        [*on_new, "What are the newest papers?"],
        # Each question is answered, which takes a moment.
        [f"Which papers are about {subject}?" for subject in subjects[:8]],
    )
    found = (next((each for each in f if _is_answered(assistant, each)), None) for f in forms)
    return [question for question in found if question]


def _is_answered(assistant: Assistant, question: str) -> bool:
    try:
        answer = assistant.ask(question, mode="extractive")
    except Exception:  # noqa: BLE001 - the page must open; examples are optional
        _log.exception("no example")
        return False
    return answer.status == "answered" and not answer.notice
