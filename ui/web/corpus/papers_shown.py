"""Looking through the papers: the table, a paper's page, the map and the counts (`papers.html`)."""

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import gradio as gr
from markupsafe import Markup

from index.errors import AbstractQAError, InputError
from index.lexical import token_set
from index.papers import Paper, Source
from index.text import clean_text
from rag.digests import label
from rag.schema import Hit
from ui.archive.marks import Mark
from ui.export import FORMATS, bibtex
from ui.export.bibliography import papers_jsonl
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
from ui.web.markup import escape
from ui.web.site import Site
from ui.web.visitors import visitor

Update = tuple[Any, ...]

LISTS = {kind: form for kind, form in FORMATS.items() if form.papers} | {
    "json": FORMATS["json"]._replace(ending="jsonl", papers=papers_jsonl)
}
"""The formats that papers are exported in."""
MOST_AT_ONCE = 10_000
"""Papers that one request removes, marks or exports."""
_AUTHORS_OF_ROW, _AUTHORS_OF_PAGE = 3, 20
_AROUND = 110
"""Code points shown before and after the first word of an exact search."""
_COLUMNS: tuple[tuple[Sort, str], ...] = (("title", "Title"), ("date", "Digest"))
_FAILED = "Something went wrong here; the terminal that runs AbstractQA says what"
_WORD = re.compile(r"\w+")

_log = logging.getLogger(__name__)


class Looking:
    """Shows the papers of one site. What a visitor looks at is kept by the browser."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._live = Live(site.assistant)

    def show(self, event: gr.EventData, request: gr.Request) -> Update:
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
            return self._papers(view, visitor(request)), overview
        except Exception as error:  # noqa: BLE001 - told in the page
            return wrong_html(line(error), view), gr.skip()

    def _papers(self, view: View, who: str) -> str:
        catalogue, marks = self._live.catalogue(), self._site.archive.marks.of(who)
        may_change = self._site.may_change
        if view.paper is None:
            listing = self._live.listing(view, marks)
            return table_html(catalogue, view, listing, marks, may_change=may_change)
        row = catalogue.rows.get(view.paper)
        if row is None:
            return str(HTML.missing(view))
        similar = self._site.assistant.similar(view.paper)
        paper, mark = catalogue.papers[row], marks.get(view.paper, Mark())
        return paper_html(catalogue, view, paper, similar, mark, may_change=may_change)

    def mark(self, event: gr.EventData, request: gr.Request) -> Update:
        """Change what a visitor has marked papers with; new values of (papers, notice)."""
        given, who = sent(event), visitor(request)
        try:
            change = given.get("change")
            if not isinstance(change, dict):
                raise InputError("nothing was marked")
            ids = [paper.id for paper in self.chosen(event, who)]
            there = self._live.catalogue().rows
            self._site.archive.marks.change(who, ids, change, there=there)
            return self._papers(View.read(given.get("view")), who), gr.skip()
        except Exception as error:  # noqa: BLE001 - told in the page
            return gr.skip(), str(HTML.notice(line(error), is_wrong=True))

    def chosen(self, event: gr.EventData, who: str) -> Sequence[Paper]:
        """The papers that an event names; those of its view if it names none.

        Raises:
            InputError: there are none, or too many.
        """
        given, catalogue = sent(event), self._live.catalogue()
        ids = given.get("ids")
        if isinstance(ids, list):
            known = (i for i in ids if isinstance(i, str) and i in catalogue.rows)
            papers = [catalogue.papers[catalogue.rows[i]] for i in known]
        else:
            marks = self._site.archive.marks.of(who)
            papers = list(self._live.papers(View.read(given.get("view")), marks))
        if not papers:
            raise InputError("no paper was chosen that is still there")
        if len(papers) > MOST_AT_ONCE:
            raise InputError(f"at most {MOST_AT_ONCE:,} papers at a time: choose fewer")
        return papers

    def ask(self, event: gr.EventData, request: gr.Request) -> tuple[str, str]:
        """What is asked of which papers, or what is compared: values of (question, chosen ids).

        No id means all papers.
        """
        given = sent(event)
        is_some = isinstance(given.get("ids"), list) or View.read(given.get("view")).narrows
        try:
            papers = self.chosen(event, visitor(request)) if is_some else ()
        except AbstractQAError as error:
            raise gr.Error(line(error)) from error
        return str(given.get("question") or ""), "\n".join(paper.id for paper in papers)

    def export(self, event: gr.EventData, request: gr.Request) -> Update:
        """Chosen papers, or those of a view, as a file: new values of (download, notice)."""
        try:
            form = LISTS.get(str(sent(event).get("kind")))
            if form is None or form.papers is None:
                raise InputError(f"choose one of {', '.join(LISTS)}")
            papers = self.chosen(event, visitor(request))
        except Exception as error:  # noqa: BLE001 - told in the page
            return gr.skip(), str(HTML.notice(line(error), is_wrong=True))
        name = f"papers.{form.ending}"
        number = sent(event).get("number")  # what is the same as before comes again too
        file = {"name": name, "type": form.media_type, "text": form.papers(papers)}
        told = f"{plural(len(papers), 'paper')} written to {name}."
        return {**file, "number": str(number)}, str(HTML.notice(told))

    def drawn(self, view: View, who: str) -> Update:
        """The view over the index as it is now: values of (papers, overview)."""
        return self._papers(view, who), overview_html(self._live.catalogue())


def plural(count: int, noun: str) -> str:
    """A number with its noun: "1 paper", "12 papers"."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


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
    label: str
    position: int

    @classmethod
    def of(cls, source: Source) -> "_Seen":
        called = label(source.name, source.date, source.dated)
        return cls(digest_key(source), source.name, called, source.position)


def byline(paper: Paper, most: int) -> str:
    """Authors, year and venue, as far as they are known."""
    authors = ", ".join(paper.authors[:most]) + (" et al." if len(paper.authors) > most else "")
    return " · ".join(filter(None, (authors, str(paper.year or ""), paper.venue or "")))


def _found(text: str, words: str) -> Iterator[re.Match[str]]:
    """The words of a text that are among `words`, or begin with one."""
    stems = token_set(words)
    begin = tuple(word.casefold() for word in _WORD.findall(words) if token_set(word))
    for match in _WORD.finditer(text):
        if token_set(match[0]) & stems or match[0].casefold().startswith(begin):
            yield match


def marked_words(text: str, words: str) -> Markup:
    """A text with each word in `<mark>` that a search for `words` found."""
    pieces: list[str] = []
    at = 0
    for match in _found(text, words):
        pieces += escape(text[at : match.start()]), f"<mark>{escape(match[0])}</mark>"
        at = match.end()
    return Markup("".join((*pieces, escape(text[at:]))))  # noqa: S704 - escaped above


def snippet(paper: Paper, words: str, hit: Hit | None) -> Markup | None:
    """Where an abstract comes nearest to the words of a search, or first has one of them."""
    if hit and hit.passages:
        return marked_words(clean_text(hit.passages[0].text), words)
    text = clean_text(paper.abstract)
    first = next(_found(text, words), None)
    if first is None:
        return None
    start, end = max(0, first.start() - _AROUND), first.end() + _AROUND
    cut = text[text.find(" ", start) + 1 if start else 0 : end]
    begins, ends = "… " if start else "", " …" if end < len(text) else ""
    return Markup("{}{}{}").format(begins, marked_words(cut, words), ends)


def table_html(
    catalogue: Catalogue,
    view: View,
    listing: Listing,
    marks: Mapping[str, Mark],
    *,
    may_change: bool = False,
) -> str:
    """The papers of one page of the table, as a visitor has marked them."""
    rows = []
    words = listing.words
    for paper in listing.papers:
        last = newest(paper)
        rows.append(
            {
                "paper": paper,
                "by": byline(paper, _AUTHORS_OF_ROW),
                "links": links(paper),
                "snippet": snippet(paper, words, listing.hits.get(paper.id)) if words else None,
                "mark": marks.get(paper.id, Mark()),
                "source": _Seen.of(last) if last else None,
                "others": [label(s.name, s.date, s.dated) for s in paper.sources if s != last],
            }
        )
    chips = list(_chips(catalogue, view))
    columns = [] if listing.hits else _COLUMNS
    return str(HTML.table(view, listing, chips, columns, rows, LISTS, may_change))


def _chips(catalogue: Catalogue, view: View) -> Iterator[tuple[str, str]]:
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
    if view.starred:
        yield "starred", "On your reading list"
    if view.unread:
        yield "unread", "Not read yet"
    if view.tag is not None:
        yield "tag", f"Tag {view.tag}"


def paper_html(
    catalogue: Catalogue,
    view: View,
    paper: Paper,
    similar: Sequence[Hit],
    mark: Mark,
    *,
    may_change: bool = False,
) -> str:
    """A paper: what it says, what a visitor says of it, where it was found, what is like it."""
    number = catalogue.cluster_of(paper)
    clusters = catalogue.map.clusters if catalogue.map else ()
    shown = {
        "by": byline(paper, _AUTHORS_OF_PAGE),
        "abstract": clean_text(paper.abstract),
        "links": links(paper) or [search(paper)],
        "copied": bibtex([paper]),
        "sources": [_Seen.of(source) for source in paper.sources],
        "cluster": next((cluster for cluster in clusters if cluster.number == number), None),
        "mark": mark,
    }
    return str(HTML.paper(view, paper, shown, similar, may_change))


def overview_html(catalogue: Catalogue) -> str:
    """The map and the counts by month and by digest; folded where there is no room for them."""
    counts = [
        ("By month", "month", catalogue.by_month),
        ("By digest", "digest", catalogue.by_digest),
    ]
    return str(HTML.overview(catalogue.key, map_html(catalogue), counts))
