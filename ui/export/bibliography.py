"""Papers for reference managers and spreadsheets: what is known of each, in five formats.

In BibTeX no sign of an abstract is a command, a comment or a formula. Letters stay as they are, in
UTF-8, which LaTeX reads since 2018; signs it has no glyph for in a text (α, ≤, ⁵) become the
commands that print them.
"""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from index.papers import Paper, derived_id
from index.papers import arxiv_id as find_arxiv_id
from index.text import clean_text
from rag.digests import label
from ui.archive import Turn
from ui.tables import csv_text

if TYPE_CHECKING:
    from pylatexenc.latexencode import UnicodeToLatexEncoder

Published = Literal["article", "conference", "other"]

_CONFERENCES = (
    *("proceedings", "proc. ", "proc ", "conference", "conférence", "workshop", "symposium"),
    *("meeting", "findings", "congress"),
)
_JOURNALS = (
    *("journal", "transactions", "letters", "review", "magazine", "annals", "bulletin"),
    *("archives", "acta", "quarterly"),
)
"""What names of venues have."""
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
    return {
        "title": clean_text(paper.title),
        "authors": "; ".join(map(clean_text, paper.authors)),
        "year": year_of(paper),
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
    rows = (list(known(paper).values()) for paper in papers)
    return csv_text([list(known(Paper(id="", title="", abstract=""))), *rows])


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
    venue = f"{paper.venue or ''} ".casefold()
    if any(word in venue for word in _CONFERENCES):
        return "conference"
    return "article" if any(word in venue for word in _JOURNALS) else "other"


def arxiv_id(paper: Paper) -> str | None:
    """The paper's id at arXiv, without a version, if its address or its DOI is one there."""
    found = (find_arxiv_id(address) for address in (paper.url, paper.doi) if address)
    return paper.arxiv or next(filter(None, found), None)


def given_id(paper: Paper) -> str:
    """The id that a paper was given; empty if it is made of its title."""
    given = paper.id != derived_id(paper.title, paper.abstract)
    return clean_address(paper.id) if given else ""


def year_of(paper: Paper) -> str:
    """The year a paper came out: its own, or that of its arXiv id; a digest's is no year of it."""
    if paper.year is not None:
        return str(paper.year)
    found = arxiv_id(paper)
    return f"20{found[:2]}" if found and found[0].isdigit() else ""


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
    url = paper.url or ""
    is_one = url.lower().startswith(("http://", "https://")) and len(url.split()) == 1
    return url if is_one else None


def doi_address(paper: Paper) -> str | None:
    """Where the paper's DOI leads."""
    return f"https://doi.org/{quote(paper.doi)}" if paper.doi else None


# No hash: a paper that was given no id has one of 16 digits.
_GIVEN_KEY = re.compile(r"(?![0-9a-f]{16}$)(?=.*[A-Za-z])(?=.*\d)[A-Za-z][A-Za-z0-9._:/+-]{2,79}")
_SMALL_WORDS = frozenset(
    "a an the on of in for to with and or from by at is are do does can how what why when as"
    " its towards toward via using into".split()
)
_RAISED, _LOWERED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎"
_PRINTED = str.maketrans(_RAISED + _LOWERED, "0123456789+-=()n0123456789+-=()")


def bibtex(papers: Sequence[Paper]) -> str:
    """The papers as BibTeX entries, in UTF-8; a field that is not known is left out.

    A paper's key does not depend on the others it is exported with, unless two would have the
    same one: those get the beginning of a hash of their ids behind it.
    """
    return "\n".join(_entry(paper, key) for paper, key in zip(papers, keys(papers), strict=True))


def keys(papers: Sequence[Paper]) -> list[str]:
    """The key of each paper; no two are the same, in any case of their letters."""
    plain = [_key(paper) for paper in papers]
    often = Counter(key.lower() for key in plain)
    return [
        key if often[key.lower()] == 1 else f"{key}-{_hash(paper.id)}"
        for paper, key in zip(papers, plain, strict=True)
    ]


def _entry(paper: Paper, key: str) -> str:
    how, eprint = published(paper), arxiv_id(paper)
    kind = {"article": "article", "conference": "inproceedings", "other": "misc"}[how]
    where = {"article": "journal", "conference": "booktitle", "other": "howpublished"}[how]
    fields = {
        "title": _title(paper.title),
        "author": " and ".join(filter(None, map(_author, paper.authors))),
        "year": year_of(paper),
        "date": paper.published if paper.published and len(paper.published) > 4 else "",
        where: latex(paper.venue or ""),
        "doi": _address(paper.doi),
        "url": _address(paper.url),
        "eprint": eprint or "",
        "archiveprefix": "arXiv" if eprint else "",
        "pmid": paper.pmid or "",
        "abstractqa-id": latex(given_id(paper)),
        "abstract": latex(paper.abstract),
        "note": latex(f"Found in: {found_in(paper)}" if paper.sources else ""),
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@{kind}{{{key},", *lines, "}", ""])


def _title(title: str) -> str:
    """A title in braces, which keep the capitals that a style would take away."""
    written = latex(title)
    # After "{\" BibTeX would change the case all the same.
    depth = 2 if written.startswith("\\") else 1
    return f"{'{' * depth}{written}{'}' * depth}" if written else ""


def _author(name: str) -> str:
    """A name; braces hold one together that would read as two, or as "and others"."""
    written = latex(name)
    joined = re.search(r"\band\b", written, re.IGNORECASE) or written.lower() == "others"
    return f"{{{written}}}" if joined else written


def _address(url: str | None) -> str:
    r"""An address as `\url` takes it: what would end or comment out the field is percent-coded."""
    unsafe = '\\{}^`<>"| '
    return "".join(f"%{ord(c):02X}" if c in unsafe else c for c in clean_address(url))


def _key(paper: Paper) -> str:
    """The id, if it was given and looks like a key; else the first author, the year and a word."""
    if _GIVEN_KEY.fullmatch(given_id(paper)):
        return paper.id
    words = [word for word in _words(paper.title) if word not in _SMALL_WORDS]
    author = paper.authors[0] if paper.authors else ""
    family = author.partition(",")[0] if "," in author else " ".join(author.split()[-1:])
    named = _words(family)
    if not named:
        named, words = words[:1], words[1:]
    return "".join([*named, year_of(paper), *words[:1]]) or f"paper-{_hash(paper.id)}"


def _words(text: str) -> list[str]:
    """The words of a text in small ASCII letters and digits: keys have no others."""
    flat = unicodedata.normalize("NFKD", clean_text(text)).encode("ascii", "ignore").decode()
    return re.findall(r"[a-z0-9]+", re.sub(r"['’-]", "", flat).lower())


def _hash(id_: str) -> str:
    return hashlib.sha256(id_.encode("utf-8", "replace")).hexdigest()[:6]


def latex(text: str) -> str:
    """A title, a name or an abstract, LaTeX debris and all, as LaTeX on one line."""
    return str(_latex_encoder().unicode_to_latex(clean_text(text)))


@lru_cache(maxsize=1)
def _latex_encoder() -> "UnicodeToLatexEncoder":
    # Imported here: it takes a while, and only BibTeX needs it.
    from pylatexenc.latexencode import (
        RULE_DICT,
        RULE_REGEX,
        UnicodeToLatexConversionRule,
        UnicodeToLatexEncoder,
    )

    def script(command: str) -> Callable[[re.Match[str]], str]:
        return lambda match: f"\\{command}{{{match[0].translate(_PRINTED)}}}"

    ours = {
        # Letters, and signs of typography, as they are.
        r"[^\\{}~^%&#_$²³¹\u0250-\U0010ffff]+|[–—‘’“”„…†‡•€™]+": lambda match: match[0],
        f"[{_RAISED}]+": script("textsuperscript"),
        f"[{_LOWERED}]+": script("textsubscript"),
    }
    patterns = [(re.compile(pattern), as_latex) for pattern, as_latex in ours.items()]
    # Never \{ and \}: BibTeX counts braces, whatever stands before them.
    braces = {ord("{"): r"\textbraceleft{}", ord("}"): r"\textbraceright{}"}
    return UnicodeToLatexEncoder(
        conversion_rules=[
            UnicodeToLatexConversionRule(RULE_REGEX, patterns),
            UnicodeToLatexConversionRule(RULE_DICT, braces),
            "defaults",
        ],
        replacement_latex_protection="braces-after-macro",
        unknown_char_policy="keep",
        unknown_char_warning=False,
    )
