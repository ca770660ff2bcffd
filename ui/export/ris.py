"""Papers as an RIS file, which every reference manager reads."""

from collections.abc import Iterable, Sequence

from index.papers import Paper
from index.text import clean_text
from ui.export.cited import clean_address, found_in, given_id, published, year_of

_TYPES = {"article": "JOUR", "conference": "CONF", "other": "GEN"}
_PARTICLES = frozenset("von van der den de del della di da dos du la le ten ter zu zur bin".split())


def ris(papers: Sequence[Paper]) -> str:
    """The papers as RIS records, in UTF-8 with CRLF; a field that is not known is left out."""
    return "\r\n".join(line for paper in papers for line in (*_record(paper), ""))


def _record(paper: Paper) -> Iterable[str]:
    year = year_of(paper)
    fields = [
        ("TY", _TYPES[published(paper)]),
        ("TI", clean_text(paper.title)),
        *(("AU", _family_first(clean_text(author))) for author in paper.authors),
        ("PY", str(year) if year is not None else ""),
        ("DA", (paper.published or "").replace("-", "/")),
        ("T2", clean_text(paper.venue or "")),
        ("UR", clean_address(paper.url or "")),
        ("DO", clean_address(paper.doi or "")),
        ("C7", f"arXiv:{paper.arxiv}" if paper.arxiv else ""),
        ("AN", f"PMID:{paper.pmid}" if paper.pmid else ""),
        ("ID", f"abstractqa:{given_id(paper)}" if given_id(paper) else ""),
        ("AB", clean_text(paper.abstract)),
        ("N1", clean_text(f"Found in: {found_in(paper)}") if paper.sources else ""),
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
