"""Render papers as HTML (`papers.html`): the table, one paper, the counts, and the map (SVG)."""

import re
from collections.abc import Callable, Sequence
from datetime import date

from markupsafe import Markup

from index.lexical import token_set
from index.papers import Paper, Source
from index.text import clean_text
from rag.digests import label
from rag.schema import Hit
from ui.archive.marks import Mark
from ui.export import LISTS
from ui.export.bibliography import bibtex
from ui.web.chat.turn_html import links, search
from ui.web.corpus.paper_catalogue import Catalogue, Listing, Marks, View, digest_key, newest
from ui.web.markup import escape, macros, plural

MOST_LINKS = 2_000  # papers in the picture; with more there is none: slow, and one cloud
_WIDTH, _MARGIN = 440, 18
_LEAST_HEIGHT, _MOST_HEIGHT = 240, 440
_AROUND = 110  # code points shown before and after the first match of a search


def seen(source: Source) -> str:
    """Return the label of a digest that a paper was found in."""
    return label(source.name, source.date, source.dated)


def byline(paper: Paper, most: int) -> str:
    """Return the authors (at most `most`), year and venue, as far as they are known."""
    authors = ", ".join(paper.authors[:most]) + (" et al." if len(paper.authors) > most else "")
    return " · ".join(filter(None, (authors, str(paper.year or ""), paper.venue or "")))


def _word_test(words: str) -> Callable[[str], bool]:
    """Return a test: does a word share its stem with one of `words`, or begin with one?"""
    stems = token_set(words)
    begin = tuple(word.casefold() for word in re.findall(r"\w+", words) if token_set(word))
    return lambda word: bool(token_set(word) & stems) or word.casefold().startswith(begin)


def marked_words(text: str, words: str) -> Markup:
    """Return a text as HTML, with each word that matches the search in `<mark>`."""
    is_found = _word_test(words)
    parts = (
        f"<mark>{escape(part)}</mark>" if at % 2 and is_found(part) else escape(part)
        for at, part in enumerate(re.split(r"(\w+)", text))
    )
    return Markup("".join(parts))  # noqa: S704 - escaped above


def snippet(paper: Paper, words: str, hit: Hit | None) -> Markup | None:
    """Return the best passage of a hit, or the abstract around its first match; None if none."""
    if hit and hit.passages:
        return marked_words(clean_text(hit.passages[0].text), words)
    text = clean_text(paper.abstract) if words else ""
    is_found = _word_test(words)
    first = next((word for word in re.finditer(r"\w+", text) if is_found(word[0])), None)
    if first is None:
        return None
    start, end = max(0, first.start() - _AROUND), first.end() + _AROUND
    cut = text[text.find(" ", start) + 1 if start else 0 : end]
    begins, ends = "… " if start else "", " …" if end < len(text) else ""
    return Markup("{}{}{}").format(begins, marked_words(cut, words), ends)


HTML = macros(
    "web/corpus/papers.html",
    *(bibtex, byline, clean_text, digest_key, label, links, newest, search, seen, snippet, Mark),
)


def table_html(catalogue: Catalogue, view: View, listing: Listing, marks: Marks) -> str:
    """Return the HTML of one page of the table, with the visitor's marks."""
    digests = {count.key: count.label for count in catalogue.by_digest}
    clusters = {c.number: c.name for c in catalogue.map.clusters} if catalogue.map else {}
    named = {
        "digest": f"Digest {digests.get(view.digest or '', view.digest)}",
        "cluster": f"Cluster {clusters.get(view.cluster or 0, '(no longer there)')}",
        "since": f"New since {label('', view.since)}" if isinstance(view.since, date) else "",
        "starred": "On your reading list",
        "unread": "Not read yet",
        "tag": f"Tag {view.tag}",
    }
    chips = [
        (what, text or "New in the last change")
        for what, text in named.items()
        if getattr(view, what) not in (None, False)
    ]
    return str(HTML.table(view, listing, chips, marks, LISTS))


def paper_html(
    catalogue: Catalogue, view: View, paper: Paper, near: Sequence[Hit], mark: Mark, editable: bool
) -> str:
    """Return the HTML of a paper: abstract, the visitor's marks, sources and similar papers."""
    number = catalogue.clusters.get(paper.id)
    clusters = catalogue.map.clusters if catalogue.map else ()
    cluster = next((each for each in clusters if each.number == number), None)
    return str(HTML.paper(view, paper, cluster, mark, near, editable))


def overview_html(catalogue: Catalogue) -> str:
    """Return the HTML of the map and the counts by digest."""
    return str(HTML.overview(catalogue.key, map_html(catalogue), catalogue.by_digest))


def map_html(catalogue: Catalogue) -> Markup:
    """Return the picture and its legend; a cluster of the legend filters the table."""
    map_ = catalogue.map
    if map_ is None or not map_.points:
        return Markup()
    # x and y are drawn at the same scale, y upwards.
    xs, ys = [p.x for p in map_.points], [p.y for p in map_.points]
    wide, high = max(max(xs) - min(xs), 1e-3), max(max(ys) - min(ys), 1e-3)
    scale = min((_WIDTH - 2 * _MARGIN) / wide, (_MOST_HEIGHT - 2 * _MARGIN) / high)
    height = max(_LEAST_HEIGHT, round(high * scale + 2 * _MARGIN))
    left = (_WIDTH - wide * scale) / 2 - min(xs) * scale
    top = (height - high * scale) / 2 + max(ys) * scale
    # The arrow keys move from point to point: cluster by cluster, from left to right.
    points = sorted(map_.points, key=lambda p: (p.cluster, p.x, p.y))
    links = [
        (p, catalogue.by_id[p.id], HTML.sign(left + p.x * scale, top - p.y * scale, p.cluster))
        for p in (points if len(points) <= MOST_LINKS else ())
    ]
    label = (
        f"{len(map_.points):,} papers in {plural(len(map_.clusters), 'cluster')}; the list below"
        " names them, and the table has every paper"
    )
    clusters = [(cluster, HTML.sign(7, 7, cluster.number)) for cluster in map_.clusters]
    drawn: Markup = HTML.map(_WIDTH, height, label, links, clusters)
    return drawn
