"""What a line says of a paper: fields with labels, authors, ids, links, where it came out."""

import re

from index.papers import arxiv_id
from index.readers.dates import date_of, is_date
from index.readers.furniture import is_authors, is_name
from index.readers.normalise import DOI, canonical
from index.readers.paragraphs import Stands

_LABEL = re.compile(
    r"[^\w(\[<]*(?P<label>[A-Za-z][A-Za-z -]{1,24}?)\s*(?P<sign>[:：]|[.—–](?=\s|$)|$)[\s*_]*"
)
_ABSTRACT = re.compile(r"[\s*_]*abstract\s*[:：.—–]+\s*(?=\S)", re.IGNORECASE)
_OPENS_ID = re.compile(r"(?:arxiv\s*:|doi\s*:|pmid\s*:|10\.\d{4,9}/)", re.IGNORECASE)
BYLINE = re.compile(
    r"(?P<names>(?:[^-–—·|]|(?<=\w)-(?=\w)){3,300}?)\s+[-–—·|]\s+(?P<where>.*\b(?:19|20)\d\d\b.*)$"
)
"""Who wrote a paper, and where and in which year it came out, on one line."""
_URL = re.compile(r"(?:https?://|www\.)[^\s)>\]]+", re.IGNORECASE)
_IDS = re.compile(r"10\.\d{4,9}/\S+|\d{4}\.\d{4,5}(?:v\d+)?|\[[\w ,.;/()-]*\]|\bPMC\d+|\b\d{6,9}\b")
_SECTION = re.compile(
    r"(?:background|introduction|context|motivation|purpose|aims?|objectives?|goals?|importance"
    r"|rationale|hypothesis|design|setting|patients|participants|population|data sources?|methods?"
    r"|materials and methods|methodology|approach|interventions?|measurements?|main outcomes?"
    r"|results?|findings|main results|observations|evaluation|discussion|limitations?|conclusions?"
    r"|interpretation|significance|implications|relevance|originality|contributions?|summary)"
    r"(?:\s*(?:and|/|&)\s*\w+)?:?",
    re.IGNORECASE,
)
_LONGEST_ID = 160
_HEADERS = frozenset("from to cc bcc subject reply-to".split())
"""Labels of a mail's head."""
_OTHER = frozenset(
    "subjects comments comment categories category keywords"
    " tags topics topic license report-no msc-class acm-class pmcid affiliations affiliation code"
    " github website project projects contact github-repo citations upvotes score".split()
)


def label_of(text: str) -> str | None:
    """The label that a text opens with, in small letters; "https:" is none."""
    match = _LABEL.match(text)
    if match is None or match["sign"] not in (":", "：") or text.startswith("//", match.end()):
        return None
    return match["label"].casefold()


def field_of(text: str) -> tuple[str, int] | None:
    """The field whose label a text opens with, and where what it says begins.

    The field is one of `index.readers.normalise.FIELDS`, "header" of a mail's head, or "other".
    """
    if abstract := _ABSTRACT.match(text):
        return "abstract", abstract.end()
    match = _LABEL.match(text)
    if match is None:
        return None
    label, sign = match["label"].strip().casefold(), match["sign"]
    is_bare = match.end() == len(text)
    if not is_bare and sign not in ":：" and label != "abstract":
        return None
    known = "header" if label in _HEADERS else canonical(label)
    known = known or ("other" if label.replace(" ", "-") in _OTHER else None)
    is_abstract = known != "abstract" or label in ("abstract", "summary")
    may_be_bare = known in ("abstract", "authors") or (known == "other" and sign)
    return (known, match.end()) if known and is_abstract and (may_be_bare or not is_bare) else None


def stands(line: str) -> Stands | None:
    """How a line stands among those around it: it opens a field, or is one of its own."""
    text = line.strip()
    if _URL.match(text) or _OPENS_ID.match(text):
        return "alone"
    if is_byline(text) or is_authors(without_more(text)):
        return "alone"
    return "opens" if field_of(line) else None


def is_section(text: str) -> bool:
    """Whether a line is a heading inside an abstract."""
    return _SECTION.fullmatch(text.strip(" *_#")) is not None


def is_byline(text: str) -> bool:
    """Whether a line says who wrote a paper, and where and in which year it came out."""
    line = BYLINE.fullmatch(text)
    return line is not None and is_authors(f"{without_more(line['names'])}, Ann Other")


def is_plausible(field: str, value: str) -> bool:
    """Whether a value is what its label says, though the label comes but once."""
    if field == "date":
        return is_date(value) or date_of(value) is not None
    if field == "authors":
        return is_authors(without_more(value)) or is_name(value)
    return field != "venue" and id_of(value) is not None


def without_more(text: str) -> str:
    """Names without affiliations, marks of footnotes, and "and 12 more authors"."""
    text = re.sub(r"\([^()]*\)|\+?\s*\d+\s+(?:more\s+)?authors?|\bet al\.?|…|\.\.\.", "", text)
    return re.sub(r"(?:\s*,){2,}", ",", re.sub(r"[\d*†‡§]+(?=\s*,|\s*$)", "", text)).strip(" ,")


def id_of(text: str) -> tuple[str, str] | None:
    """The id or link that a line is about, if it holds hardly anything else."""
    if len(text) > _LONGEST_ID:
        return None
    rest = re.sub(r"\([^()]*\)", "", _URL.sub("", text))
    rest = _IDS.sub("", re.sub(r"(?:arxiv|doi|pmid|pmcid|pmc)\b:?", "", rest, flags=re.IGNORECASE))
    if sum(c.isalpha() for c in rest) > 3 or rest == text:
        return None
    shown = re.sub(r"\([^()]*\)|\s*\[[\w ,.;/()-]*\]|^\d+\.\s", "", text).strip()
    if found := arxiv_id(shown.removeprefix("arXiv:").strip()) or arxiv_id(text):
        return "arxiv", found
    if doi := DOI.search(text):
        return "doi", doi[0]
    if pmid := re.search(r"pmid:?\s*(\d+)", text, re.IGNORECASE):
        return "pmid", pmid[1]
    url = _URL.fullmatch(text.strip("<>() "))
    return ("url", url[0]) if url else None
