"""Papers for reference managers and spreadsheets, as BibTeX, RIS, CSV and JSON lines.

BibTeX is escaped: no character of an abstract is a command, a comment or a formula. Letters stay
in UTF-8, which LaTeX reads since 2018; characters that it has no glyph for in a text (α, ≤, ⁵)
become the commands that print them.
"""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote

from index.papers import Paper, derived_id
from index.papers import arxiv_id as find_arxiv_id
from index.text import clean_text
from rag.digests import label
from ui.archive import Turn
from ui.tables import csv_text

if TYPE_CHECKING:
    from pylatexenc.latexencode import UnicodeToLatexEncoder

_CONFERENCES = (
    *"proceedings conference conférence workshop symposium meeting findings congress".split(),
    *("proc. ", "proc "),
)
_JOURNALS = (
    "journal transactions letters review magazine annals bulletin archives acta quarterly".split()
)
_RIS = (
    ("ID", "given", "abstractqa:"),
    ("PY", "year", ""),
    ("T2", "venue", ""),
    ("UR", "url", ""),
    ("DO", "doi", ""),
    ("C7", "arxiv", "arXiv:"),
    ("AN", "pmid", "PMID:"),
    ("AB", "abstract", ""),
    ("N1", "digests", "Found in: "),
)
"""The tag, the column of `known` or the given id, and the prefix of the value."""
_PARTICLES = frozenset("von van der den de del della di da dos du la le ten ter zu zur bin".split())


def cited_papers(turns: Iterable[Turn]) -> list[Paper]:
    """Return the papers that the answers cite, each once, in the order of the first citation."""
    papers: dict[str, Paper] = {}
    for turn in turns:
        for reference in turn.answer.references if turn.answer else ():
            papers.setdefault(reference.paper.id, reference.paper)
    return list(papers.values())


def known(paper: Paper) -> dict[str, str]:
    """Return the fields of a paper by column of the CSV, each on one line; "" if unknown."""
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
    """Return the papers as CSV by `csv_text`: a line of headings, then a line per paper."""
    rows = (list(known(paper).values()) for paper in papers)
    return csv_text([list(known(Paper(id="", title="", abstract=""))), *rows])


def ris(papers: Sequence[Paper]) -> str:
    """Return the papers as RIS records, with CRLF and without unknown fields."""
    return "\r\n".join(line for paper in papers for line in (*_ris_record(paper), ""))


def _ris_record(paper: Paper) -> Iterator[str]:
    values = known(paper) | {"given": given_id(paper)}
    fields = [
        ("TY", published(paper)[0]),
        ("TI", values["title"]),
        *(("AU", _family_first(clean_text(author))) for author in paper.authors),
        ("DA", values["date"].replace("-", "/")),
        *((tag, f"{start}{values[name]}" if values[name] else "") for tag, name, start in _RIS),
    ]
    yield from (f"{tag}  - {value}" for tag, value in fields if value)
    yield "ER  - "


def _family_first(name: str) -> str:
    """Turn `Ada de Vries` into `de Vries, Ada`; keep a name that has a comma, or one word."""
    words = name.split()
    if "," in name or len(words) < 2:
        return name
    at = len(words) - 1
    while at > 1 and words[at - 1] in _PARTICLES:
        at -= 1
    return f"{' '.join(words[at:])}, {' '.join(words[:at])}"


def papers_jsonl(papers: Sequence[Paper]) -> str:
    """Return the papers as JSON lines, with every known field; `index` reads them back."""
    return "".join(paper.model_dump_json(exclude_none=True) + "\n" for paper in papers)


def published(paper: Paper) -> tuple[str, str, str]:
    """Guess from the venue the type of RIS, the type of BibTeX, and its field for the venue."""
    venue = f"{paper.venue or ''} ".casefold()
    if any(word in venue for word in _CONFERENCES):
        return "CONF", "inproceedings", "booktitle"
    if any(word in venue for word in _JOURNALS):
        return "JOUR", "article", "journal"
    return "GEN", "misc", "howpublished"


def arxiv_id(paper: Paper) -> str | None:
    """Return the paper's arXiv id, without a version, from its field, its URL or its DOI."""
    found = (find_arxiv_id(address) for address in (paper.url, paper.doi) if address)
    return paper.arxiv or next(filter(None, found), None)


def given_id(paper: Paper) -> str:
    """Return the id that the paper came with; "" if it was derived from the title."""
    given = paper.id != derived_id(paper.title, paper.abstract)
    return clean_address(paper.id) if given else ""


def year_of(paper: Paper) -> str:
    """Return the year of the paper or of its arXiv id, else ""; a digest's year does not count."""
    if paper.year is not None:
        return str(paper.year)
    found = arxiv_id(paper)
    return f"20{found[:2]}" if found and found[0].isdigit() else ""


def found_in(paper: Paper) -> str:
    """Name the digests that have the paper: "Mar 14, 2025, no. 3 in digest.txt; …"."""
    places = ((label("", each.date, each.dated), each) for each in paper.sources)
    return "; ".join(
        f"{day}{', ' if day else ''}no. {at.position} in {at.name}" for day, at in places
    )


def clean_address(address: str | None) -> str:
    """Return a URL, a DOI or an id on one line, without unprintable characters."""
    return "".join(filter(str.isprintable, address or ""))


def web_address(paper: Paper) -> str | None:
    """Return the paper's URL if it is http(s), otherwise None."""
    url = paper.url or ""
    is_one = url.lower().startswith(("http://", "https://")) and len(url.split()) == 1
    return url if is_one else None


def doi_address(paper: Paper) -> str | None:
    """Return the web address of the paper's DOI, or None."""
    return f"https://doi.org/{quote(paper.doi)}" if paper.doi else None


# The first group excludes derived ids, which are 16 hexadecimal digits.
_GIVEN_KEY = re.compile(r"(?![0-9a-f]{16}$)(?=.*[A-Za-z])(?=.*\d)[A-Za-z][A-Za-z0-9._:/+-]{2,79}")
_SMALL_WORDS = frozenset(
    "a an the on of in for to with and or from by at is are do does can how what why when as"
    " its towards toward via using into".split()
)
_RAISED, _LOWERED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎"
_PRINTED = str.maketrans(_RAISED + _LOWERED, "0123456789+-=()n0123456789+-=()")


def bibtex(papers: Sequence[Paper]) -> str:
    """Return the papers as BibTeX entries, without unknown fields.

    A paper's key does not depend on the other papers of the export, unless two would have the
    same key: then the beginning of a hash of the id is appended to each.
    """
    return "\n".join(_entry(paper, key) for paper, key in zip(papers, keys(papers), strict=True))


def keys(papers: Sequence[Paper]) -> list[str]:
    """Return a key for each paper; no two are the same, even if case is ignored."""
    plain = [(_key(paper), _hash(paper.id)) for paper in papers]
    counts = Counter(key.lower() for key, _ in plain)
    return [key if counts[key.lower()] == 1 else f"{key}-{end}" for key, end in plain]


def _entry(paper: Paper, key: str) -> str:
    (_, kind, where), eprint = published(paper), arxiv_id(paper)
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
    """Return a title in braces, so that no style changes its capitals."""
    written = latex(title)
    # BibTeX changes the case after "{\" all the same, but not inside two braces.
    depth = 2 if written.startswith("\\") else 1
    return f"{'{' * depth}{written}{'}' * depth}" if written else ""


def _author(name: str) -> str:
    """Return a name, in braces if BibTeX would read it as two names or as "and others"."""
    written = latex(name)
    joined = re.search(r"\band\b", written, re.IGNORECASE) or written.lower() == "others"
    return f"{{{written}}}" if joined else written


def _address(url: str | None) -> str:
    r"""Return an address for `\url`; percent-encode what would end or comment out the field."""
    unsafe = '\\{}^`<>"| '
    return "".join(f"%{ord(c):02X}" if c in unsafe else c for c in clean_address(url))


def _key(paper: Paper) -> str:
    """Return the given id if it looks like a key; else the first author, the year and a word."""
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
    """Return the words of a text in the characters of keys: lower-case ASCII and digits."""
    flat = unicodedata.normalize("NFKD", clean_text(text)).encode("ascii", "ignore").decode()
    return re.findall(r"[a-z0-9]+", re.sub(r"['’-]", "", flat).lower())


def _hash(id_: str) -> str:
    return hashlib.sha256(id_.encode("utf-8", "replace")).hexdigest()[:6]


def latex(text: str) -> str:
    """Return a title, a name or an abstract, cleaned of LaTeX debris, as LaTeX on one line."""
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
        # Keep letters and typographic signs.
        r"[^\\{}~^%&#_$²³¹\u0250-\U0010ffff]+|[–—‘’“”„…†‡•€™]+": lambda match: match[0],
        f"[{_RAISED}]+": script("textsuperscript"),
        f"[{_LOWERED}]+": script("textsubscript"),
    }
    patterns = [(re.compile(pattern), as_latex) for pattern, as_latex in ours.items()]
    # Never \{ and \}: BibTeX counts braces even after a backslash.
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
