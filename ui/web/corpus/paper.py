"""The page of one paper, as HTML in which every word of it is escaped."""

from collections.abc import Sequence

from index.papers import Paper, Source
from index.text import clean_text
from rag.digests import label
from rag.schema import Hit
from ui.export import bibtex
from ui.web.chat.cards import links, search
from ui.web.corpus.catalogue import Catalogue, digest_key
from ui.web.corpus.table import byline, paper_link
from ui.web.corpus.view import View
from ui.web.render import escape

_AUTHORS = 20


def question_about(paper: Paper) -> str:
    """What is asked of a paper by "ask about this paper"."""
    return f"What is “{paper.display_title}” about?"


def paper_html(
    catalogue: Catalogue,
    view: View,
    paper: Paper,
    similar: Sequence[Hit],
    *,
    may_change: bool = False,
) -> str:
    """A paper: what it says, where it was found, and which papers are like it."""
    by = byline(paper, _AUTHORS)
    authors = f'<p class="aqa-corpus-by">{escape(by)}</p>' if by else ""
    abstract = escape(clean_text(paper.abstract)) or "It has no abstract."
    return (
        f'<article class="aqa-corpus-paper" data-view="{view.attribute}"'
        ' aria-labelledby="aqa-corpus-title">'
        '<button type="button" class="aqa-corpus-button" data-aqa-back>'
        '<span aria-hidden="true">← </span>All papers</button>'
        f'<h2 id="aqa-corpus-title" tabindex="-1">{escape(paper.display_title)}</h2>{authors}'
        f'{_tools(paper, may_change)}<p class="aqa-corpus-abstract">{abstract}</p>'
        f"{_sources(paper.sources)}{_cluster(catalogue, paper)}{_similar(similar)}</article>"
    )


def missing_html(view: View) -> str:
    """In place of a paper that is not in the index, or not any more."""
    return (
        f'<div class="aqa-corpus-paper" data-view="{view.attribute}">'
        '<button type="button" class="aqa-corpus-button" data-aqa-back>'
        '<span aria-hidden="true">← </span>All papers</button>'
        '<h2 id="aqa-corpus-title" tabindex="-1">This paper is not in the index</h2>'
        '<p class="aqa-corpus-none">It was removed, or the address is not right.</p></div>'
    )


def _tools(paper: Paper, may_change: bool) -> str:
    anchors = "".join(
        f'<a class="aqa-corpus-button" href="{escape(where)}" target="_blank"'
        f' rel="noopener noreferrer">{name}</a>'
        for name, where in links(paper) or [search(paper)]
    )
    removing = (
        f'<button type="button" class="aqa-corpus-button" data-aqa-remove="{escape(paper.id)}">'
        "Remove …</button>"
    )
    id_, copied = escape(paper.id), escape(bibtex([paper]))
    return (
        '<div class="aqa-corpus-tools">'
        f'<button type="button" class="aqa-corpus-button aqa-corpus-main" data-aqa-ask="{id_}">'
        "Ask about this paper</button>"
        f'<button type="button" class="aqa-corpus-button" data-aqa-copy="{copied}">'
        f"Copy BibTeX</button>{anchors}{removing * may_change}</div>"
    )


def _sources(sources: Sequence[Source]) -> str:
    lines = "".join(
        f'<li><button type="button" class="aqa-corpus-cell" data-aqa-digest='
        f'"{escape(digest_key(source))}" title="Only this digest">{escape(source.name)}</button>'
        f" {_place(source)}</li>"
        for source in sources
    )
    return f"<h3>Where it was found</h3><ul>{lines}</ul>" if lines else ""


def _place(source: Source) -> str:
    day = f"{label('', source.date, source.dated)}, " if source.date else ""
    return f"<span>{day}no. {source.position}</span>"


def _cluster(catalogue: Catalogue, paper: Paper) -> str:
    number = catalogue.cluster_of(paper)
    if catalogue.map is None or number is None:
        return ""
    cluster = next(c for c in catalogue.map.clusters if c.number == number)
    return (
        '<h3>On the map</h3><ul><li><button type="button" class="aqa-corpus-cell"'
        f' data-aqa-cluster="{number}" title="Only this cluster">{escape(cluster.name)}</button>'
        f" <span>{cluster.size:,} paper{'s' * (cluster.size != 1)}</span></li></ul>"
    )


def _similar(hits: Sequence[Hit]) -> str:
    lines = "".join(
        f'<li><span class="aqa-corpus-score" title="Cosine of the two abstracts’ vectors">'
        f"{hit.score:.2f}</span>{paper_link(hit.paper)}</li>"
        for hit in hits
    )
    return f'<h3>Similar papers</h3><ul class="aqa-corpus-similar">{lines}</ul>' if lines else ""
