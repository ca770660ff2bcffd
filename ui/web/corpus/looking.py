"""Looking through the papers: what the tab shows when something is asked of it."""

import logging
import time
from typing import TYPE_CHECKING, Any

import gradio as gr

from index.errors import AbstractQAError
from ui.web.corpus.catalogue import Catalogue
from ui.web.corpus.counts import counts_html
from ui.web.corpus.live import Live
from ui.web.corpus.paper import missing_html, paper_html, question_about
from ui.web.corpus.recognised import wrong_html
from ui.web.corpus.scatter import map_html, nearest
from ui.web.corpus.table import table_html
from ui.web.corpus.view import View
from ui.web.events import sent
from ui.web.render import escape

if TYPE_CHECKING:
    from rag import Assistant

Update = tuple[Any, ...]

_log = logging.getLogger(__name__)
_FAILED = "Something went wrong here; the terminal that runs AbstractQA says what"


def overview_html(catalogue: Catalogue) -> str:
    """The map and the counts; folded where there is no room beside the table."""
    return (
        f'<details class="aqa-corpus-overview" data-drawn="{catalogue.key}">'
        f"<summary>Map and counts</summary>{map_html(catalogue)}{counts_html(catalogue)}</details>"
    )


def line(error: Exception) -> str:
    """An error as a sentence; one that nobody expected is logged."""
    if not isinstance(error, AbstractQAError):
        _log.error("a request of the papers' tab failed", exc_info=error)
        return _FAILED
    text = " ".join(str(error).split())
    return text[:1].upper() + text[1:]


class Looking:
    """Shows the papers of one assistant. What a visitor looks at is kept by the browser."""

    def __init__(self, assistant: "Assistant", *, may_change: bool) -> None:
        self._assistant = assistant
        self._may_change = may_change
        self._live = Live(assistant)

    def show(self, event: gr.EventData) -> Update:
        """The view that was asked for, and the overview if the browser has an older one.

        Returns:
            New values of (papers, overview).
        """
        given = sent(event)
        view = View.read(given.get("view"))
        try:
            catalogue = self._live.catalogue()
            if id_ := self._near(catalogue, given.get("near")):
                view = view.model_copy(update={"paper": id_})
            fresh = given.get("drawn") == catalogue.key
            return self._papers(catalogue, view), gr.skip() if fresh else overview_html(catalogue)
        except Exception as error:  # noqa: BLE001 - told in the page
            return f'<div data-view="{view.attribute}">{wrong_html(line(error))}</div>', gr.skip()

    def _near(self, catalogue: Catalogue, place: object) -> str | None:
        given = place if isinstance(place, list) else []
        numbers = [value for value in given if isinstance(value, int | float)]
        if catalogue.map is None or not catalogue.map.points or len(numbers) != 2:
            return None
        return nearest(catalogue.map, *numbers)

    def _papers(self, catalogue: Catalogue, view: View) -> str:
        if view.paper is None:
            listing = catalogue.page(view, self._live.new(view.since))
            return table_html(catalogue, view, listing, may_change=self._may_change)
        row = catalogue.rows.get(view.paper)
        if row is None:
            return missing_html(view)
        similar = self._assistant.similar(view.paper)
        return paper_html(
            catalogue, view, catalogue.papers[row], similar, may_change=self._may_change
        )

    def peek(self, event: gr.EventData) -> str:
        """The title of the paper at a place on the map, if there is one."""
        catalogue = self._live.catalogue()
        id_ = self._near(catalogue, sent(event).get("near"))
        title = catalogue.papers[catalogue.rows[id_]].display_title if id_ else ""
        # The number makes it another value each time: the browser hears only of changes.
        return f'<span data-at="{time.monotonic_ns()}">{escape(title)}</span>'

    def question(self, event: gr.EventData) -> str:
        """What to ask of the paper that was named; nothing if there is none such."""
        catalogue = self._live.catalogue()
        row = catalogue.rows.get(str(sent(event).get("paper")))
        return "" if row is None else question_about(catalogue.papers[row])

    def drawn(self, view: View) -> Update:
        """The view over the index as it is now: values of (papers, overview)."""
        catalogue = self._live.catalogue()
        return self._papers(catalogue, view), overview_html(catalogue)
