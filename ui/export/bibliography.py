"""Papers for reference managers and spreadsheets: what is known of each, as RIS, CSV and JSON."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal
from urllib.parse import quote

from index.papers import Paper, derived_id
from index.papers import arxiv_id as find_arxiv_id
from index.text import clean_text
from rag.digests import label
from ui.archive import Turn
from ui.tables import FORMULA_SIGNS

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
_RIS_TYPES = {"article": "JOUR", "conference": "CONF", "other": "GEN"}
_RIS = (
    ("PY", "year", ""),
    ("T2", "venue", ""),
    ("UR", "url", ""),
    ("DO", "doi", ""),
    ("C7", "arxiv", "arXiv:"),
    ("AN", "pmid", "PMID:"),
    ("AB", "abstract", ""),
    ("N1", "digests", "Found in: "),
)
"""Tag, column of `known`, and what stands before the value."""
_PARTICLES = frozenset("von van der den de del della di da dos du la le ten ter zu zur bin".split())


def cited_papers(turns: Iterable[Turn]) -> list[Paper]:
    """The papers that the answers cite, in the order of their first citation, each once."""
    papers: dict[str, Paper] = {}
    for turn in turns:
        for reference in turn.answer.references if turn.answer else ():
            papers.setdefault(reference.paper.id, reference.paper)
    return list(papers.values())


def known(paper: Paper) -> dict[str, str]:
    """What is known of a paper, by the columns of the CSV, each on one line; "" for the rest."""
    year = year_of(paper)
    return {
        "title": clean_text(paper.title),
        "authors": "; ".join(map(clean_text, paper.authors)),
        "year": "" if year is None else str(year),
        "date": paper.published or "",
        "venue": clean_text(paper.venue or ""),
        "doi": clean_address(paper.doi),
        "arxiv": clean_address(paper.arxiv),
        "pmid": clean_address(paper.pmid),
        "url": clean_address(paper.url),
        "id": clean_text(paper.id),
        "digests": clean_text(found_in(paper)),
        "abstract": clean_text(paper.abstract),
    }


def papers_csv(papers: Sequence[Paper]) -> str:
    """The papers as CSV (RFC 4180): a line of headings, then a line a paper.

    A cell that a spreadsheet would run as a formula gets an apostrophe in front.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(known(Paper(id="", title="", abstract="")))
    for paper in papers:
        cells = known(paper).values()
        writer.writerow([f"'{cell}" if cell.startswith(FORMULA_SIGNS) else cell for cell in cells])
    return text.getvalue()


def ris(papers: Sequence[Paper]) -> str:
    """The papers as RIS records, in UTF-8 with CRLF; a field that is not known is left out."""
    return "\r\n".join(line for paper in papers for line in (*_ris_record(paper), ""))


def _ris_record(paper: Paper) -> Iterator[str]:
    values = known(paper)
    fields = [
        ("TY", _RIS_TYPES[published(paper)]),
        ("TI", values["title"]),
        *(("AU", _family_first(clean_text(author))) for author in paper.authors),
        ("DA", values["date"].replace("-", "/")),
        ("ID", f"abstractqa:{given}" if (given := given_id(paper)) else ""),
        *((tag, f"{start}{values[name]}" if values[name] else "") for tag, name, start in _RIS),
    ]
    yield from (f"{tag}  - {value}" for tag, value in fields if value)
    yield "ER  - "


def _family_first(name: str) -> str:
    """`Ada de Vries` as `de Vries, Ada`; a name that has a comma, or one word, stays."""
    words = name.split()
    if "," in name or len(words) < 2:
        return name
    at = len(words) - 1
    while at > 1 and words[at - 1] in _PARTICLES:
        at -= 1
    return f"{' '.join(words[at:])}, {' '.join(words[:at])}"


def papers_jsonl(papers: Sequence[Paper]) -> str:
    """The papers as JSON lines, with every field that is known; `index` reads them back."""
    return "".join(paper.model_dump_json(exclude_none=True) + "\n" for paper in papers)


def published(paper: Paper) -> Published:
    """How a paper came out, as far as the name of its venue says."""
    if paper.venue and _CONFERENCE.search(paper.venue):
        return "conference"
    return "article" if paper.venue and _JOURNAL.search(paper.venue) else "other"


def arxiv_id(paper: Paper) -> str | None:
    """The paper's id at arXiv, without a version, if its address or its DOI is one there."""
    found = (find_arxiv_id(address) for address in (paper.url, paper.doi) if address)
    return paper.arxiv or next(filter(None, found), None)


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


def clean_address(address: str | None) -> str:
    """A URL, a DOI or an id on one line, without unprintable characters."""
    return "".join(c for c in address or "" if c.isprintable())


def web_address(paper: Paper) -> str | None:
    """The paper's URL, if that is one of the web."""
    return paper.url if paper.url and _WEB_ADDRESS.fullmatch(paper.url) else None


def doi_address(paper: Paper) -> str | None:
    """Where the paper's DOI leads."""
    return f"https://doi.org/{quote(paper.doi)}" if paper.doi else None
