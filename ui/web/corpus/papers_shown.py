"""Looking through the papers: the table, a paper's page, the map and the counts (`papers.html`)."""

import logging
from typing import TYPE_CHECKING, Any, NamedTuple

import gradio as gr

from index.errors import AbstractQAError
from index.papers import Paper, Source
from index.text import clean_text
from rag.digests import label
from rag.schema import Hit
from ui.export import bibtex
from ui.web.chat.source_cards import links, search
from ui.web.corpus.paper_catalogue import (
    Catalogue,
    Listing,
    Live,
    Sort,
    View,
    digest_key,
    month_label,
    newest,
)
from ui.web.corpus.paper_map import HTML, map_html, nearest
from ui.web.events import sent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rag import Assistant

Update = tuple[Any, ...]

_AUTHORS_OF_ROW, _AUTHORS_OF_PAGE = 3, 20
_COLUMNS: tuple[tuple[Sort, str], ...] = (
    ("title", "Title"),
    ("digest", "Digest"),
    ("date", "Date"),
)
_FAILED = "Something went wrong here; the terminal that runs AbstractQA says what"

_log = logging.getLogger(__name__)


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
            if id_ := _near(catalogue, given.get("near")):
                view = view.model_copy(update={"paper": id_})
            is_fresh = given.get("drawn") == catalogue.key
            overview = gr.skip() if is_fresh else overview_html(catalogue)
            return self._papers(catalogue, view), overview
        except Exception as error:  # noqa: BLE001 - told in the page
            return wrong_html(line(error), view), gr.skip()

    def _papers(self, catalogue: Catalogue, view: View) -> str:
        if view.paper is None:
            listing = catalogue.page(view, self._live.new(view.since))
            return table_html(catalogue, view, listing, may_change=self._may_change)
        row = catalogue.rows.get(view.paper)
        if row is None:
            return str(HTML.missing(view))
        similar = self._assistant.similar(view.paper)
        paper = catalogue.papers[row]
        return paper_html(catalogue, view, paper, similar, may_change=self._may_change)

    def question(self, event: gr.EventData) -> str:
        """What to ask of the paper that was named; nothing if there is none such."""
        catalogue = self._live.catalogue()
        row = catalogue.rows.get(str(sent(event).get("paper")))
        return "" if row is None else f"What is “{catalogue.papers[row].display_title}” about?"

    def drawn(self, view: View) -> Update:
        """The view over the index as it is now: values of (papers, overview)."""
        catalogue = self._live.catalogue()
        return self._papers(catalogue, view), overview_html(catalogue)


def line(error: Exception) -> str:
    """An error as a sentence; one that nobody expected is logged."""
    if not isinstance(error, AbstractQAError):
        _log.error("a request of the papers' tab failed", exc_info=error)
        return _FAILED
    text = " ".join(str(error).split())
    return text[:1].upper() + text[1:]


def wrong_html(message: str, view: View | None = None) -> str:
    """What went wrong, in one line; in the place of `view`, if that was to be shown."""
    return str(HTML.wrong(message, view))


def _near(catalogue: Catalogue, place: object) -> str | None:
    """The paper at a place on the map that was pressed."""
    given = place if isinstance(place, list) else []
    numbers = [value for value in given if isinstance(value, int | float)]
    if catalogue.map is None or not catalogue.map.points or len(numbers) != 2:
        return None
    return nearest(catalogue.map, *numbers)


class _Seen(NamedTuple):
    """Where a paper was seen, in words."""

    key: str
    name: str
    day: str
    position: int

    @classmethod
    def of(cls, source: Source) -> "_Seen":
        day = label("", source.date, source.dated) if source.date else ""
        return cls(digest_key(source), source.name, day, source.position)


def byline(paper: Paper, most: int) -> str:
    """Authors, year and venue, as far as they are known."""
    authors = ", ".join(paper.authors[:most]) + (" et al." if len(paper.authors) > most else "")
    return " · ".join(filter(None, (authors, str(paper.year or ""), paper.venue or "")))


def table_html(
    catalogue: Catalogue, view: View, listing: Listing, *, may_change: bool = False
) -> str:
    """The papers of one page of the table; with boxes to choose them if they may be removed."""
    rows = []
    for paper in listing.papers:
        last = newest(paper)
        others = [label(s.name, s.date, s.dated) for s in paper.sources if s != last]
        source = _Seen.of(last) if last else None
        by = byline(paper, _AUTHORS_OF_ROW)
        rows.append({"paper": paper, "by": by, "source": source, "others": others})
    chips = list(_chips(catalogue, view))
    return str(HTML.table(view, listing, chips, _COLUMNS, rows, may_change))


def _chips(catalogue: Catalogue, view: View) -> "Iterator[tuple[str, str]]":
    """What the papers must be, each as (what a view calls it, what people call it)."""
    if view.digest is not None:
        labels = {count.key: count.label for count in catalogue.by_digest}
        yield "digest", f"Digest {labels.get(view.digest, view.digest)}"
    if view.month is not None:
        yield "month", month_label(view.month)
    if view.cluster is not None:
        names = {c.number: c.name for c in catalogue.map.clusters} if catalogue.map else {}
        yield "cluster", f"Cluster {names.get(view.cluster, view.cluster + 1)}"
    if view.since == "change":
        yield "since", "New in the last change"
    elif view.since is not None:
        yield "since", f"New since {label('', view.since)}"


def paper_html(
    catalogue: Catalogue,
    view: View,
    paper: Paper,
    similar: "Sequence[Hit]",
    *,
    may_change: bool = False,
) -> str:
    """A paper: what it says, where it was found, and which papers are like it."""
    number = catalogue.cluster_of(paper)
    clusters = catalogue.map.clusters if catalogue.map else ()
    return str(
        HTML.paper(
            view,
            paper,
            byline(paper, _AUTHORS_OF_PAGE),
            clean_text(paper.abstract),
            links(paper) or [search(paper)],
            bibtex([paper]),
            [_Seen.of(source) for source in paper.sources],
            next((cluster for cluster in clusters if cluster.number == number), None),
            similar,
            may_change,
        )
    )


def overview_html(catalogue: Catalogue) -> str:
    """The map and the counts by month and by digest; folded where there is no room for them."""
    counts = [
        ("By month", "month", catalogue.by_month),
        ("By digest", "digest", catalogue.by_digest),
    ]
    return str(HTML.overview(catalogue.key, map_html(catalogue), counts))
