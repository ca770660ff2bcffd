"""The chat's template (`chat.html`), and what it calls."""

import re
from datetime import date, datetime, timedelta
from urllib.parse import quote

from index.papers import Paper
from index.text import clean_text
from rag.digests import label
from rag.schema import Answer
from ui.export.answer_text import digest_name, model_name
from ui.export.bibliography import arxiv_id, bibtex, doi_address, web_address
from ui.export.prose import marked_abstract
from ui.web.markup import escape, macros

LONGEST_SHOWN = 4_000
"""Code points of a question that the page repeats."""
_ADDRESS = re.compile(r"https?://[^\s<>\"{}|\\^`]*[^\s<>\"{}|\\^`.,;:!?)\]'’”]", re.IGNORECASE)


def question_lines(question: str) -> list[str]:
    """A question as the page repeats it."""
    shown = question.strip()
    return (shown[:LONGEST_SHOWN] + " …" if len(shown) > LONGEST_SHOWN else shown).splitlines()


def heading(answer: Answer) -> str:
    """Say in a sentence what a refusal is: nothing is stated, or the question is unclear."""
    return "The question is unclear." if answer.suggestions else "The abstracts do not say."


def day_name(moment: datetime, today: date | None = None) -> str:
    """A day as people call it, in the time zone of the machine that serves the page."""
    day, now = moment.astimezone().date(), today or datetime.now().astimezone().date()
    if day == now:
        return "Today"
    return "Yesterday" if day == now - timedelta(days=1) else label("", day)


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


HTML = macros(
    "web/chat/chat.html",
    *(question_lines, heading, day_name, linked, links, search),
    *(bibtex, clean_text, digest_name, label, marked_abstract, model_name),
)
