"""The source cards beside the chat, as HTML in which every word of a paper is escaped.

A card has the id `aqa-source-<turn>-<number>`. Each sentence marked in it has that id followed by
its start in the abstract; that is what its citation leads to.
"""

import re
from collections.abc import Iterable, Sequence
from urllib.parse import quote

from index.papers import Paper, Source
from index.text import clean, clean_text
from rag.digests import label
from rag.schema import Answer, Found, Hit, Passage
from ui.export import bibtex
from ui.export.cited import arxiv_id
from ui.web.render import escape

FOUND: dict[Found, str] = {
    "dense": "Found by meaning",
    "lexical": "Found by its words",
    "both": "Found by meaning and by its words",
}
AUTHORS_SHOWN = 6

_ADDRESS = re.compile(r"https?://[^\s<>\"{}|\\^`]*[^\s<>\"{}|\\^`.,;:!?)\]'’”]", re.IGNORECASE)
_AWAY = 'target="_blank" rel="noopener noreferrer"'
_WEB_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)


def cited_html(answer: Answer, turn: str) -> str:
    """The cards of the papers that an answer cites, numbered."""
    return "".join(
        card_html(f"aqa-source-{turn}-{r.number}", r.paper, r.passages, r.number, r.found)
        for r in answer.references
    )


def found_html(hits: Sequence[Hit], turn: str) -> str:
    """The cards of the papers that were found for a question, before anything cites them."""
    return "".join(
        card_html(f"aqa-found-{turn}-{place}", hit.paper, found=hit.found)
        for place, hit in enumerate(hits, start=1)
    )


def near_html(papers: Sequence[Paper], turn: str) -> str:
    """The cards of the papers nearest to a question that got no answer."""
    return "".join(
        card_html(f"aqa-near-{turn}-{place}", paper) for place, paper in enumerate(papers, start=1)
    )


def card_html(
    anchor: str,
    paper: Paper,
    passages: Sequence[Passage] = (),
    number: int | None = None,
    found: Found | None = None,
) -> str:
    """One paper: what it is, why it is here, and its abstract with `passages` marked."""
    badge = f'<span class="aqa-chat-number">{number}</span>' if number else ""
    quotes = "".join(
        f"<blockquote>{escape(clean_text(passage.text))}</blockquote>" for passage in passages
    )
    copied = escape(bibtex([paper]))
    return (
        f'<article class="aqa-chat-card" id="{anchor}" tabindex="-1" '
        f'aria-labelledby="{anchor}-title">'
        f'<h3 id="{anchor}-title">{badge}<span>{escape(paper.display_title)}</span></h3>'
        f"{_authors(paper)}{_where(paper.sources, found)}{quotes}"
        f"<details><summary>Abstract</summary>"
        f"<p>{marked_abstract(paper.abstract, passages, anchor)}</p></details>"
        f'<div class="aqa-chat-card-tools">{_links(paper)}'
        f'<button type="button" data-copy="{copied}">Copy BibTeX</button>'
        '<button type="button" class="aqa-chat-back">Back to the answer</button></div></article>'
    )


def marked_abstract(abstract: str, passages: Iterable[Passage], anchor: str) -> str:
    """The cleaned abstract with the characters that came from `passages` in `<mark>`.

    The mark of a passage has the id `<anchor>-<start of the passage>`.
    """
    cleaned = clean(abstract)
    spans = sorted((*cleaned.clean_span(p.start, p.end), p.start) for p in passages)
    pieces: list[str] = []
    at = 0
    for start, end, name in spans:
        begin = max(start, at)
        if begin >= end:
            continue
        marked = linked(cleaned.text[begin:end])
        pieces += linked(cleaned.text[at:begin]), f'<mark id="{anchor}-{name}">{marked}</mark>'
        at = end
    return "".join([*pieces, linked(cleaned.text[at:])])


def linked(text: str) -> str:
    """A text as HTML in which web addresses are links."""
    pieces: list[str] = []
    at = 0
    for match in _ADDRESS.finditer(text):
        address = escape(match[0])
        pieces += escape(text[at : match.start()]), f'<a href="{address}" {_AWAY}>{address}</a>'
        at = match.end()
    return "".join([*pieces, escape(text[at:])])


def links(paper: Paper) -> list[tuple[str, str]]:
    """Where a paper is on the web: (name, address); none if nothing is known."""
    found: list[tuple[str, str]] = []
    url = paper.url if paper.url and _WEB_ADDRESS.fullmatch(paper.url) else None
    if arxiv := arxiv_id(paper):
        found.append(("arXiv", f"https://arxiv.org/abs/{arxiv}"))
    if paper.doi:
        found.append(("DOI", f"https://doi.org/{quote(paper.doi)}"))
    if paper.pmid:
        found.append(("PubMed", f"https://pubmed.ncbi.nlm.nih.gov/{paper.pmid}/"))
    told = [site for site, known in (("arxiv.org/", arxiv), ("pubmed", paper.pmid)) if known]
    if url and not any(site in url.lower() for site in told):
        found.append(("Web page", url))
    return found


def search(paper: Paper) -> tuple[str, str]:
    """A search for a paper of which no address is known."""
    words = quote(f'"{paper.display_title}"')
    return "Search the web", f"https://scholar.google.com/scholar?q={words}"


def _links(paper: Paper) -> str:
    return "".join(
        f'<a href="{escape(address)}" {_AWAY}>{name}</a>'
        for name, address in links(paper) or [search(paper)]
    )


def _authors(paper: Paper) -> str:
    if not paper.authors:
        return ""
    shown = ", ".join(clean_text(author) for author in paper.authors[:AUTHORS_SHOWN])
    more = " and others" if len(paper.authors) > AUTHORS_SHOWN else ""
    return f'<p class="aqa-chat-authors">{escape(shown)}{more}</p>'


def _where(sources: Sequence[Source], found: Found | None) -> str:
    """The digests a paper is in, one line each, and why it was found."""
    days = [
        f"{label('', source.date, source.dated)} · " if source.date else "" for source in sources
    ]
    lines = [
        f"<li>{day}no. {source.position} in {escape(source.name)}</li>"
        for day, source in zip(days, sources, strict=True)
    ]
    if found:
        lines.append(f"<li>{FOUND[found]}</li>")
    return f'<ul class="aqa-chat-where">{"".join(lines)}</ul>' if lines else ""
