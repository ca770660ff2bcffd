"""Papers as a BibTeX file, in which no sign of an abstract is a command, a comment or a formula.

Letters stay as they are, in UTF-8, which LaTeX reads since 2018; signs it has no glyph for in a
text (α, ≤, ⁵) become the commands that print them.
"""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from index.papers import Paper, derived_id
from index.text import clean_text
from ui.export.bibliography import arxiv_id, clean_address, found_in, given_id, published, year_of

_GIVEN_KEY = re.compile(r"(?=.*[A-Za-z])(?=.*\d)[A-Za-z][A-Za-z0-9._:/+-]{2,79}")
_HASHED = re.compile(r"[0-9a-f]{16}")
_SMALL_WORDS = frozenset(
    "a an the on of in for to with and or from by at is are do does can how what why when as"
    " its towards toward via using into".split()
)
_TELLING_APART = 6  # hexadecimal digits

_SPECIAL = {
    "\\": r"\textbackslash{}",
    # Never \{ and \}: BibTeX counts braces, whatever stands before them.
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "%": r"\%",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "$": r"\$",
}
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ", "0123456789+-=()n")
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎", "0123456789+-=()")
_SIGN = re.compile(
    r"(?P<raised>[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ]+)|(?P<lowered>[₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎]+)|[\\{}~^%&#_$]|[^\x00-\u024f–—‘’“”„…†‡•€™]"
)


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
    year = year_of(paper)
    fields = {
        "title": latex_title(paper.title),
        "author": " and ".join(filter(None, map(_author, paper.authors))),
        "year": str(year) if year is not None else "",
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
    given = _GIVEN_KEY.fullmatch(paper.id) and not _HASHED.fullmatch(paper.id)
    if given and paper.id != derived_id(paper.title, paper.abstract):
        return paper.id
    words = [word for word in _words(paper.title) if word not in _SMALL_WORDS]
    year = year_of(paper)
    parts = [_family_name(paper.authors[0]) if paper.authors else ""]
    if not parts[0]:
        parts = words[:1]
        words = words[1:]
    parts += [str(year) if year is not None else "", *words[:1]]
    return "".join(parts) or f"paper-{_hash(paper.id)}"


def _family_name(name: str) -> str:
    family = name.partition(",")[0] if "," in name else " ".join(name.split()[-1:])
    return "".join(_words(family))


def _words(text: str) -> list[str]:
    """The words of a text in small ASCII letters and digits: keys have no others."""
    flat = unicodedata.normalize("NFKD", clean_text(text)).encode("ascii", "ignore").decode()
    return re.findall(r"[a-z0-9]+", re.sub(r"['’-]", "", flat).lower())


def _hash(id_: str) -> str:
    return hashlib.sha256(id_.encode("utf-8", "replace")).hexdigest()[:_TELLING_APART]


def latex(text: str) -> str:
    """A title, a name or an abstract, LaTeX debris and all, as LaTeX on one line."""
    return _escaped(clean_text(text))


def latex_title(title: str) -> str:
    """A title as LaTeX, with braces around the words whose capitals no style may take away.

    These are words with a capital inside ("OSWorld", "GPT-4"); in a title whose other words are
    mostly small, where a capital marks a name, also words that begin with one.
    """
    words = clean_text(title).split()
    long = [word for word in words[1:] if len(word) > 3]
    headline = sum(word[0].isupper() for word in long) > 0.5 * len(long)
    shown: list[str] = []
    for number, word in enumerate(words):
        opens = number == 0 or words[number - 1].endswith((":", "?", "!", "."))
        keeps = any(c.isupper() for c in word[1:]) or (
            word[0].isupper() and not headline and not opens
        )
        written = _escaped(word)
        if keeps:
            # After "{\" BibTeX would change the case all the same.
            written = f"{{{{{written}}}}}" if written.startswith("\\") else f"{{{written}}}"
        shown.append(written)
    return " ".join(shown)


def _escaped(text: str) -> str:
    return _SIGN.sub(_command, text)


def _command(match: re.Match[str]) -> str:
    if raised := match["raised"]:
        return rf"\textsuperscript{{{raised.translate(_SUPERSCRIPTS)}}}"
    if lowered := match["lowered"]:
        return rf"\textsubscript{{{lowered.translate(_SUBSCRIPTS)}}}"
    return _SPECIAL.get(match[0]) or _symbol(match[0])


@lru_cache(maxsize=4096)
def _symbol(sign: str) -> str:
    """The command for a sign outside the letters of Latin, or the sign itself if there is none."""
    # Imported here: only texts with such signs need it.
    from pylatexenc.latexencode import get_builtin_uni2latex_dict

    command: str | None = get_builtin_uni2latex_dict().get(ord(sign))
    if command is None:
        return sign
    return f"{command}{{}}" if re.fullmatch(r"\\[a-zA-Z]+", command) else command
