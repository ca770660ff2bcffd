"""Source cards: a paper as the page shows it beside an answer, with its marks and links."""

import re
from collections.abc import Sequence
from urllib.parse import quote

from index.papers import Paper
from index.text import clean_text
from rag.digests import label
from rag.schema import Answer, Found, Hit, Passage, Reference
from ui.export import bibtex
from ui.export.bibliography import arxiv_id, doi_address, web_address
from ui.export.prose import marked_abstract
from ui.web.markup import escape, macros

HTML = macros("web/chat/chat.html")
AUTHORS_SHOWN = 6

_FOUND: dict[Found, str] = {
    "dense": "Found by meaning",
    "lexical": "Found by its words",
    "both": "Found by meaning and by its words",
}
_ADDRESS = re.compile(r"https?://[^\s<>\"{}|\\^`]*[^\s<>\"{}|\\^`.,;:!?)\]'’”]", re.IGNORECASE)


def cited_html(answer: Answer, turn: str) -> str:
    """The cards of the papers that an answer cites, numbered: `aqa-source-<turn>-<number>`."""
    return "".join(
        card(f"aqa-source-{turn}-{r.number}", r.paper, r, r.passages, r.found)
        for r in answer.references
    )


def found_html(hits: Sequence[Hit], turn: str) -> str:
    """The cards of the papers that were found for a question, before anything cites them."""
    return "".join(
        card(f"aqa-found-{turn}-{place}", hit.paper, found=hit.found)
        for place, hit in enumerate(hits, start=1)
    )


def card(
    anchor: str,
    paper: Paper,
    reference: Reference | None = None,
    passages: Sequence[Passage] = (),
    found: Found | None = None,
) -> str:
    """One paper: what it is, why it is here, and its abstract with `passages` marked."""
    authors = ", ".join(clean_text(author) for author in paper.authors[:AUTHORS_SHOWN])
    where = []
    for source in paper.sources:
        is_dated = source.date and source.dated != "added"
        digest = label(source.name, source.date, source.dated)
        where.append(f"No. {source.position} in {'the digest of ' if is_dated else ''}{digest}")
    return str(
        HTML.card(
            anchor,
            paper,
            reference.number if reference else None,
            authors + " and others" * (len(paper.authors) > AUTHORS_SHOWN),
            [*where, _FOUND[found]] if found else where,
            [clean_text(passage.text) for passage in passages],
            marked_abstract(paper.abstract, passages, anchor, linked),
            links(paper) or [search(paper)],
            bibtex([paper]),
        )
    )


def linked(text: str) -> str:
    """A text as HTML in which web addresses are links."""
    pieces: list[str] = []
    at = 0
    for match in _ADDRESS.finditer(text):
        address = escape(match[0])
        pieces += (
            escape(text[at : match.start()]),
            f'<a href="{address}" target="_blank" rel="noopener noreferrer">{address}</a>',
        )
        at = match.end()
    return "".join([*pieces, escape(text[at:])])


def links(paper: Paper) -> list[tuple[str, str]]:
    """Where a paper is on the web: (name, address); none if nothing is known."""
    found: list[tuple[str, str]] = []
    if arxiv := arxiv_id(paper):
        found.append(("arXiv", f"https://arxiv.org/abs/{arxiv}"))
    if doi := doi_address(paper):
        found.append(("DOI", doi))
    if paper.pmid:
        found.append(("PubMed", f"https://pubmed.ncbi.nlm.nih.gov/{paper.pmid}/"))
    named = [site for site, id_ in (("arxiv.org/", arxiv), ("pubmed", paper.pmid)) if id_]
    url = web_address(paper)
    if url and not any(site in url.lower() for site in named):
        found.append(("Web page", url))
    return found


def search(paper: Paper) -> tuple[str, str]:
    """A search for a paper of which no address is known."""
    words = quote(f'"{paper.display_title}"')
    return "Search the web", f"https://scholar.google.com/scholar?q={words}"
