"""The papers that answers cite, and what a reference manager wants to know of each."""

import re
from collections.abc import Iterable
from typing import Literal
from urllib.parse import quote

from index.papers import Paper, derived_id
from index.papers import arxiv_id as find_arxiv_id
from rag.digests import label
from ui.archive.models import Turn

Published = Literal["article", "conference", "other"]

_CONFERENCE = re.compile(
    r"proceedings|conf[eé]rence|workshop|symposium|meeting|findings|congress|\bproc\b",
    re.IGNORECASE,
)
_JOURNAL = re.compile(
    r"journal|transactions|letters|review|magazine|annals|bulletin|archives|acta|quarterly",
    re.IGNORECASE,
)

_WEB_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)


def cited_papers(turns: Iterable[Turn]) -> list[Paper]:
    """The papers that the answers cite, in the order of their first citation, each once."""
    papers: dict[str, Paper] = {}
    for turn in turns:
        for reference in turn.answer.references if turn.answer else ():
            papers.setdefault(reference.paper.id, reference.paper)
    return list(papers.values())


def published(paper: Paper) -> Published:
    """How a paper came out, as far as the name of its venue says."""
    if paper.venue and _CONFERENCE.search(paper.venue):
        return "conference"
    return "article" if paper.venue and _JOURNAL.search(paper.venue) else "other"


def arxiv_id(paper: Paper) -> str | None:
    """The paper's id at arXiv, without a version, if its address or its DOI is one there."""
    known = (find_arxiv_id(said) for said in (paper.url, paper.doi) if said)
    return paper.arxiv or next(filter(None, known), None)


def given_id(paper: Paper) -> str:
    """The id that a paper was given; empty if it is made of its title."""
    given = paper.id != derived_id(paper.title, paper.abstract)
    return clean_address(paper.id) if given else ""


def year_of(paper: Paper) -> int | None:
    """The year a paper came out: its own, or that of its arXiv id; a digest's is no year of it."""
    if paper.year is not None:
        return paper.year
    found = arxiv_id(paper)
    return 2000 + int(found[:2]) if found and found[0].isdigit() else None


def found_in(paper: Paper) -> str:
    """The digests a paper was found in: "Mar 14, 2025, no. 3 in digest.txt; …"."""
    return "; ".join(
        f"{label('', source.date, source.dated)}, no. {source.position} in {source.name}"
        if source.date
        else f"no. {source.position} in {source.name}"
        for source in paper.sources
    )


def clean_address(address: str) -> str:
    """A URL or a DOI on one line, without unprintable characters."""
    return "".join(c for c in address if c.isprintable())


def link(paper: Paper) -> str | None:
    """The web address of a paper: its URL if that is http(s), otherwise its DOI's."""
    if paper.url and _WEB_ADDRESS.fullmatch(paper.url):
        return paper.url
    return f"https://doi.org/{quote(paper.doi)}" if paper.doi else None
