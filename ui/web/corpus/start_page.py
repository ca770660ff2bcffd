"""What the collection is: in the page's heading, and on its start page.

The start page stands in the empty chat, which opens first: what it shows is there to be asked, and
beside the papers the map and the counts say the same already.
"""

from datetime import date
from threading import Lock
from typing import TYPE_CHECKING

import gradio as gr

from index.errors import InputError
from rag.digests import label
from ui.archive.marks import Mark
from ui.web.chat.next_questions import examples
from ui.web.corpus.paper_catalogue import View
from ui.web.corpus.paper_html import HTML
from ui.web.events import sent
from ui.web.site import Site
from ui.web.visitors import visitor

if TYPE_CHECKING:
    from rag import Assistant


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

        Args:
            since: The day of the visitor's last visit; nothing is called new without it.
            marks: What the visitor has marked; without it the page is nobody's.
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
            "starred": sum(mark.starred and self._is_there(id_) for id_, mark in own.items()),
        }
        return str(HTML.start(shown, suggested, is_own=marks is not None))

    def show(self, event: gr.EventData, request: gr.Request) -> str:
        """The page as a visitor sees it, whose browser keeps when they were here last."""
        since = View.read({"since": sent(event).get("since")}).since
        marks = self._site.archive.marks.of(visitor(request))
        return self.html(since if isinstance(since, date) else None, marks)

    def _is_there(self, paper_id: str) -> bool:
        try:
            self._site.assistant.paper(paper_id)
        except InputError:  # removed since
            return False
        return True
