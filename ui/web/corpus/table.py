"""The table of papers, with what narrows it and its pages, as HTML."""

from collections.abc import Sequence
from urllib.parse import quote

from index.papers import Paper
from rag.digests import label
from ui.web.corpus.catalogue import Catalogue, Listing, digest_key, month_label, newest
from ui.web.corpus.view import Sort, View
from ui.web.render import escape

_COLUMNS: tuple[tuple[Sort, str], ...] = (
    ("title", "Title"),
    ("digest", "Digest"),
    ("date", "Date"),
)
_MOST_AUTHORS = 3


def address(id_: str) -> str:
    """The page's address of a paper, which can be bookmarked."""
    return f"#/papers/{quote(id_, safe='')}"


def paper_link(paper: Paper) -> str:
    """A paper's title, leading to its page."""
    return (
        f'<a href="{escape(address(paper.id))}" data-aqa-paper="{escape(paper.id)}">'
        f"{escape(paper.display_title)}</a>"
    )


def byline(paper: Paper, most: int = _MOST_AUTHORS) -> str:
    """Authors, year and venue, as far as they are known; not escaped."""
    authors = ", ".join(paper.authors[:most]) + (" et al." if len(paper.authors) > most else "")
    known = (authors, str(paper.year or ""), paper.venue or "")
    return " · ".join(filter(None, known))


def table_html(
    catalogue: Catalogue, view: View, listing: Listing, *, may_change: bool = False
) -> str:
    """The papers of one page of the table; with boxes to choose them if they may be removed."""
    return (
        f'<div class="aqa-corpus-list" data-view="{view.attribute}">'
        f'<div class="aqa-corpus-above"><p role="status">{_count(listing, view)}</p>'
        f"{_narrowed(catalogue, view)}</div>"
        + (_table(listing.papers, view, may_change) if listing.papers else _nothing(view))
        + _pages(listing)
        + "</div>"
    )


def _count(listing: Listing, view: View) -> str:
    total = f"{listing.total:,} paper{'s' * (listing.total != 1)}"
    if not listing.total:
        return "No paper fits." if view.narrows else "There are no papers yet."
    if listing.pages == 1:
        return total
    last = listing.first + len(listing.papers) - 1
    return f"{listing.first:,}–{last:,} of {total}"


def _narrowed(catalogue: Catalogue, view: View) -> str:
    """What the papers must be, each with a button that takes it away."""
    chips: list[tuple[str, str]] = []
    if view.digest is not None:
        labels = {count.key: count.label for count in catalogue.by_digest}
        chips.append(("digest", f"Digest {labels.get(view.digest, view.digest)}"))
    if view.month is not None:
        chips.append(("month", month_label(view.month)))
    if view.cluster is not None:
        names = {c.number: c.name for c in catalogue.map.clusters} if catalogue.map else {}
        chips.append(("cluster", f"Cluster {names.get(view.cluster, view.cluster + 1)}"))
    if view.since == "change":
        chips.append(("since", "New in the last change"))
    elif view.since is not None:
        chips.append(("since", f"New since {label('', view.since)}"))
    return "".join(
        f'<button type="button" class="aqa-corpus-chip" data-aqa-drop="{what}"'
        f' aria-label="{escape(f"Remove the filter: {text}")}">{escape(text)}'
        '<span aria-hidden="true">×</span></button>'
        for what, text in chips
    )


def _nothing(view: View) -> str:
    if not view.narrows:
        return '<p class="aqa-corpus-none">Add some above: paste a digest, or choose files.</p>'
    why = (
        "The last change of the index brought no new paper, or it was taken back."
        if view.since == "change"
        else "Try fewer words or fewer filters."
    )
    return (
        f'<p class="aqa-corpus-none">{why} '
        '<button type="button" class="aqa-corpus-button" data-aqa-all>Show all papers</button></p>'
    )


def _table(papers: Sequence[Paper], view: View, may_change: bool) -> str:
    box = (
        '<th scope="col" class="aqa-corpus-box"><input type="checkbox" data-aqa-choose-page'
        ' aria-label="Choose all on this page"></th>'
    )
    heads = "".join(_head(sort, name, view) for sort, name in _COLUMNS)
    return (
        '<table class="aqa-corpus-table"><caption class="aqa-corpus-unseen">Papers</caption>'
        f"<thead><tr>{box * may_change}{heads}"
        '<th scope="col" class="aqa-corpus-number"><abbr title="Place in the digest">No.</abbr>'
        f"</th></tr></thead><tbody>{''.join(_row(p, may_change) for p in papers)}</tbody></table>"
    )


def _head(sort: Sort, name: str, view: View) -> str:
    is_sorted = view.sort == sort
    way = ("descending" if view.down else "ascending") if is_sorted else "none"
    sign = ("↓" if view.down else "↑") if is_sorted else ""
    return (
        f'<th scope="col" class="aqa-corpus-{sort}" aria-sort="{way}">'
        f'<button type="button" data-aqa-sort="{sort}">{name}'
        f'<span aria-hidden="true">{sign}</span></button></th>'
    )


def _row(paper: Paper, may_change: bool) -> str:
    box = (
        f'<td class="aqa-corpus-box"><input type="checkbox" data-aqa-choose="{escape(paper.id)}"'
        f' aria-label="{escape(f"Choose {paper.display_title}")}"></td>'
    )
    by = byline(paper)
    below = f'<span class="aqa-corpus-by">{escape(by)}</span>' if by else ""
    source = newest(paper)
    if source is None:
        return (
            f'<tr>{box * may_change}<th scope="row">{paper_link(paper)}{below}</th>{_NOWHERE}</tr>'
        )
    more = len(paper.sources) - 1
    others = (
        f' <span class="aqa-corpus-more" title="{escape(_others(paper))}">+{more}'
        f'<span class="aqa-corpus-unseen"> more</span></span>'
        if more
        else ""
    )
    day = label("", source.date, source.dated) if source.date else "–"
    return (
        f'<tr>{box * may_change}<th scope="row">{paper_link(paper)}{below}</th>'
        f'<td class="aqa-corpus-digest"><button type="button" class="aqa-corpus-cell"'
        f' data-aqa-digest="{escape(digest_key(source))}" title="Only this digest">'
        f"{escape(source.name)}</button>{others}</td>"
        f'<td class="aqa-corpus-date">{day}</td>'
        f'<td class="aqa-corpus-number">{source.position}</td></tr>'
    )


_NOWHERE = (
    '<td class="aqa-corpus-digest">–</td><td class="aqa-corpus-date">–</td>'
    '<td class="aqa-corpus-number">–</td>'
)


def _others(paper: Paper) -> str:
    """Where else a paper was seen."""
    last = newest(paper)
    rest = [source for source in paper.sources if source != last]
    return "Also in " + ", ".join(label(source.name, source.date, source.dated) for source in rest)


def _pages(listing: Listing) -> str:
    if listing.pages == 1:
        return ""

    def button(text: str, page: int, key: str) -> str:
        off = "" if 1 <= page <= listing.pages else " disabled"
        return (
            f'<button type="button" class="aqa-corpus-button" data-aqa-page="{page}"'
            f' data-aqa-key="{key}"{off}>{text}</button>'
        )

    return (
        '<nav class="aqa-corpus-pages" aria-label="Pages of the table">'
        f"{button('Previous', listing.page - 1, 'previous')}"
        f"<span>Page {listing.page:,} of {listing.pages:,}</span>"
        f"{button('Next', listing.page + 1, 'next')}</nav>"
    )
