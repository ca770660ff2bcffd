"""Recognise what a line of a pasted text is: a label, names, an id, a mail's frame, a title."""

import re
from functools import lru_cache

from index.papers import arxiv_id
from index.readers.records import DOI, canonical
from index.readers.values import date_of, is_date, names_in

_FOOTER = re.compile(
    r"(?i)unsubscribe|view (?:this \w+ )?(?:in|on) (?:your |the |a )?(?:browser|web)|©|\(c\) ?\d{4}"
    r"|all rights reserved|you(?:['’]re| are) receiving|you received this|advertise (?:with|in)\b"
    r"|this (?:message|e?-?mail|alert|newsletter) (?:was|is|has been) sent (?:by|to|from|because)\b"
    r"|(?:manage|update) (?:your )?(?:e?-?mail )?(?:preferences|settings|subscription)"
    r"|how did you like|(?:thanks|thank you) for reading|privacy policy\W*(?:\||$)"
)
SPONSORED = re.compile(
    r"(?i)\((?:sponsor(?:ed)?|ad|advertisement|promoted)\)\W*$|^\W*(?:sponsor(?:ed)?|advertisement"
    r"|promoted|(?:together|in partnership) with(?:\s\S+){1,3})\W*$"
)
"""A line that marks itself, or what follows it, as an advertisement."""
_FRAME = re.compile(
    r"(?is)(?:read|see|show|load|view|add|save|share|subscribe|submitted|posted|published|updated|sent"
    r"|by|hi|hello|hey|dear|session|track|day|poster|oral|invited|keynote|\d[\d:. –-]*)\b.*"
)
"""The beginnings of lines that are buttons, greetings, or headings in a programme."""
_PARTICLES = frozenset(
    "van von vom der den de del della di da dos das du do la le el e y und zu zum zur ten ter bin"
    " ibn bint al af av".split()
)
_BETWEEN_NAMES = frozenset("and et al more author authors others".split())
_WORD_OF_NAME = re.compile(r"[^\W\d_](?:[^\W\d_]|['’.-]){0,29}")
_NAME_MARKS = " \t0123456789*†‡§¶#¹²³⁴⁵⁶⁷⁸⁹⁰,"
"""Footnote marks and commas that may follow a name."""
_LABEL = re.compile(
    r"[^\w(\[<]*(?P<label>[A-Za-z][A-Za-z -]{1,24}?)\s*"
    r"(?P<sign>[:：]|(?i:(?<=abstract))[.—–]+|$)[\s*_]*"
)
BYLINE = re.compile(
    r"(?P<names>(?:[^-–—·|]|(?<=\w)-(?=\w)){3,300}?)\s+[-–—·|]\s+(?P<where>.*\b(?:19|20)\d\d\b.*)$"
)
"""The authors of a paper, and where and in which year it was published, on one line."""
_URL = re.compile(r"(?:https?://|www\.)[^\s)>\]]+", re.IGNORECASE)
_IDS = re.compile(
    rf"(?i){_URL.pattern}|\([^()]*\)|(?:arxiv|doi|pmid|pmcid|pmc)\b:?|10\.\d{{4,9}}/\S+"
    r"|\d{4}\.\d{4,5}(?:v\d+)?|\[[\w ,.;/()-]*\]|\bPMC\d+|\b\d{6,9}\b"
)
_SECTION = re.compile(
    r"(?i)(?:background|introduction|context|motivation|purpose|aims?|objectives?|goals?|importance"
    r"|rationale|hypothesis|design|setting|patients|participants|population|data sources?|methods?"
    r"|materials and methods|methodology|approach|interventions?|measurements?|main outcomes?"
    r"|results?|findings|main results|observations|evaluation|discussion|limitations?|conclusions?"
    r"|interpretation|significance|implications|relevance|originality|contributions?|summary)"
    r"(?:\s*(?:and|/|&)\s*\w+)?:?"
)
_LABELS = dict.fromkeys("from to cc bcc subject reply-to".split(), "header") | dict.fromkeys(
    "subjects comments categories category keywords tags topics topic license report-no msc-class"
    " acm-class code project".split(),
    "other",
)
"""Labels in the head of a mail, and of fields that are not kept."""
_TITLE_MARK = re.compile(
    r"(?i)^(?:title\s*:|\d\ufe0f?\u20e3|#{1,6}(?=\s)|\[?\d{1,3}[.)\]]{1,2}(?=\s)|[-*•](?=\s)"
    r"|\[(?:pdf|html|book|citation)\]|[^\w\s(\[“\"'‘«¿¡<$\\]+(?=\s))\s*"
)
_TITLE_TAIL = re.compile(
    r"(?i)\s*(?:\(\s*\d+\s+min(?:ute)?s?(?:\s+read)?\s*\)|(?-i:\((?:[A-Z]+ ){0,2}[A-Z]{4,}\))"
    r"|\[(?:pdf|html|link|\d{1,3})\])$"
)
_IDEOGRAPH = r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"


def is_footer(text: str) -> bool:
    """Return whether a line belongs to a mail's footer, such as "Unsubscribe" and "© 2025 …"."""
    return len(text) <= 400 and bool(_FOOTER.search(text))


def is_frame(text: str) -> bool:
    """Return whether a short line belongs to the page, mail or programme, not to a paper."""
    return is_date(text) or bool(SPONSORED.search(text) or _FRAME.fullmatch(text))


def is_name(text: str) -> bool:
    """Return whether a line could be one person's name; "Segment Anything" could be, too."""
    words = text.strip().rstrip(_NAME_MARKS).split()
    if not 2 <= len(words) <= 5 or not all(map(_WORD_OF_NAME.fullmatch, words)):
        return False
    small = (word for word in words if word[0].islower())
    return all(map(_is_particle, small)) and not words[-1][0].islower()


def _is_particle(word: str) -> bool:
    """Return whether a word in lower case can be part of a name: "van", "d'Arc"."""
    return word.strip(",;.…") in _PARTICLES or word.startswith(("d'", "d’", "al-"))


def is_authors(text: str, least: int = 2) -> bool:
    """Return whether a line reads as a list of at least `least` people, most with full names."""
    small = {word.strip(",;.…") for word in text.split() if word[0].islower()} - _BETWEEN_NAMES
    if len(text) > 2_000 or not ("(" in text or all(map(_is_particle, small))):
        return False
    names = names_in(text)
    whole = sum(map(is_name, names))
    single = sum(bool(_WORD_OF_NAME.fullmatch(name)) and name[:1].isupper() for name in names)
    return whole + single == len(names) >= least and 3 * whole >= 2 * len(names)


def authors_of(text: str) -> str | None:
    """Return a line of authors without "by", or None; one name needs "by" or an affiliation."""
    by = re.sub(r"^by:?\s+", "", text, flags=re.IGNORECASE)
    is_marked = by != text or names_in(text[:2_000]) not in ([], [text])
    return by if is_authors(by) or (is_marked and is_authors(by, 1)) else None


def is_byline(text: str) -> bool:
    """Return whether a line names a paper's authors, and where and when it was published."""
    line = BYLINE.fullmatch(text)
    return line is not None and is_authors(f"{line['names']}, Ann Other")


def is_section(text: str) -> bool:
    """Return whether a line is a heading inside an abstract, such as "Methods"."""
    return _SECTION.fullmatch(text.strip(" *_#")) is not None


def label_of(text: str) -> str | None:
    """Return the label that a text opens with, in lower case, or None; "https:" is no label."""
    match = _LABEL.match(text)
    if match is None or match["sign"] not in (":", "：") or text.startswith("//", match.end()):
        return None
    return match["label"].casefold()


def field_of(text: str) -> tuple[str, int] | None:
    """Return the field whose label a text opens with, and the offset of its value; else None.

    The field is one of `index.readers.records.FIELDS`, "header" (of a mail), or "other".
    """
    match = _LABEL.match(text)
    label = match["label"].strip().casefold() if match else ""
    known = _LABELS.get(label) or canonical(label) or _LABELS.get(label.replace(" ", "-"))
    if not (match and known) or (known == "abstract" and label not in ("abstract", "summary")):
        return None
    may_be_bare = known in ("abstract", "authors") or (known == "other" and match["sign"])
    return (known, match.end()) if may_be_bare or match.end() < len(text) else None


def stands_alone(line: str) -> bool:
    """Return whether a line is a paragraph by itself: an id, an address, or names."""
    text = line.strip()
    is_id = re.match(r"(?:arxiv|doi|pmid)\s?:", text, re.IGNORECASE) or DOI.match(text)
    return bool(is_id or _URL.match(text) or is_byline(text) or is_authors(text))


def is_plausible(field: str, value: str) -> bool:
    """Return whether a value fits its label, so that a label that occurs only once counts."""
    if field == "date":
        return date_of(value) is not None or is_date(value)
    return is_authors(value, 1) if field == "authors" else field != "venue" and bool(id_of(value))


def id_of(text: str) -> tuple[str, str] | None:
    """Return the kind and value of the id or link in a line that holds little else; or None."""
    rest = _IDS.sub("", text)
    if len(text) > 160 or rest == text or sum(c.isalpha() for c in rest) > 3:
        return None
    if found := arxiv_id(text) or arxiv_id(re.sub(r"^\W*\d+\W+", "", text), is_known=True):
        return "arxiv", found
    if doi := DOI.search(text):
        return "doi", doi[0]
    if pmid := re.search(r"pmid:?\s*(\d+)", text, re.IGNORECASE):
        return "pmid", pmid[1]
    url = _URL.fullmatch(text.strip("<>() "))
    return ("url", url[0]) if url else None


def count_words(text: str) -> int:
    """Count the words of a text; in scripts without spaces, two ideographs count as one word."""
    return len(text.split()) + len(re.findall(_IDEOGRAPH, text)) // 2


def title_like(line: str, *, is_heading: bool) -> float:
    """Score how much a line reads as a title: above 0 it may be one, above 2 it probably is."""
    text = bare_title(line).replace("...", "…")
    words = count_words(text)
    if not any(c.isalpha() for c in text):
        return -9
    score = (2.5 if words >= 3 else 1.0) + 4 * is_heading
    score -= 3 * (text[0].islower() or text.endswith(("!", ","))) + 2 * text.endswith("…")
    score -= is_name(text) + 5 * is_authors(text)
    score -= 2 * bool(re.search(r"\S\s[·|•]\s\S|@\w", text)) + 2 * (words > 40)
    return score - text.endswith((".", ":"))


def shared(title: str, text: str) -> float:
    """Return the share of a title's longer words that occur in a text by five letters, 0 to 1."""
    words = _long_words(title)
    return len(words & _long_words(text)) / max(1, len(words))


@lru_cache(maxsize=256)
def _long_words(text: str) -> frozenset[str]:
    """Return the words of at least four letters, each with its combining marks; or ideographs."""
    words = rf"{_IDEOGRAPH}|(?:[^\W\d_][\u0300-\u036f\u0900-\u0eff]*){{4,}}"
    return frozenset(word[:5] for word in re.findall(words, text.casefold()))


def bare_title(text: str) -> str:
    """Return a title without marks of a list, heading or bold type, and tails such as "[PDF]"."""
    before = ""
    while before != text:
        before, text = text, _TITLE_MARK.sub("", text).strip()
        text = re.sub(r"(?s)^(\*\*|__|\*|_)(.+)\1$", r"\2", text).strip()
    while (shorter := _TITLE_TAIL.sub("", text).rstrip()) not in ("", text):
        text = shorter
    return text
